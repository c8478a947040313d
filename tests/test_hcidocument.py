"""Rows from HCI-FITS files."""

import numpy as np
import pytest

from lyot.build.importing import import_file
from lyot.catalog.exchange import rows_of
from lyot.catalog.hcidocument import document_of_hci
from lyot.catalog.hciformat import HciFits, Limits
from lyot.errors import BadInput
from lyot.store import Store


def _file(wavelengths=(1.6, 2.2), **more):
    count = len(wavelengths)
    given = {
        "images": np.zeros((count, 11, 11), np.float32),
        "information": {"wavelength": np.array(wavelengths), "midpoint": np.full(count, 57000.5)},
        "sources": {
            "number": np.array([1]), "snr": np.full((1, count), 9.0), "dra": np.full((1, count), 30.0),
            "ddec": np.full((1, count), 40.0), "contrast": np.array([[1e-4, *[np.nan] * (count - 1)]]),
        },
        "limits": (
            Limits("mawet", 5.0, np.array([[0.0, 100.0, np.nan]] * count), np.array([[0.0, 1e-3, 1.0]] * count)),
        ),
        "cards": {"TARGNAME": "HD 1", "TELESCOP": "VLT", "INSTRUME": "SPHERE-IRDIS"},
        "image_cards": {"REDALGO": "PCA", "REDSTRAT": "ADI"},
    }  # fmt: skip
    return HciFits(**(given | more))


def test_wavelengths_are_of_one_reduction():
    rows = rows_of(document_of_hci(_file())).tables
    assert [len(rows[name]) for name in ("observation", "reduction", "detection")] == [1, 1, 2]
    assert rows["reduction"][0]["strategy"] == "adi"
    assert [(row["wavelength"], row["separation"]) for row in rows["detection"]] == [(1.6, 50.0), (2.2, 50.0)]
    assert rows["detection"][0]["contrast"] == 1e-4
    assert "contrast" not in rows["detection"][1]


def test_rolls_are_reductions_of_their_own():
    rows = rows_of(document_of_hci(_file((1.1, 1.1)))).tables
    assert [len(rows[name]) for name in ("observation", "reduction", "detection")] == [1, 2, 2]


def test_the_middle_of_the_mask_is_no_limit():
    rows = rows_of(document_of_hci(_file())).tables["detection_limit"]
    assert [(row["separation"], row["contrast"]) for row in rows] == [(100.0, 1e-3), (100.0, 1e-3)]


def test_the_throughput_of_a_limit_is_kept():
    separation, contrast = np.array([[100.0, 200.0]] * 2), np.array([[1e-3, 1e-4]] * 2)
    limits = Limits("mawet", 5.0, separation, contrast, np.array([[0.4, np.nan], [0.5, 0.8]]))
    rows = rows_of(document_of_hci(_file(limits=(limits,)))).tables["detection_limit"]
    assert [row.get("throughput") for row in rows] == [0.4, None, 0.5, 0.8]


def test_limits_by_another_noise_are_told():
    other = Limits("Temporal", 1.0, np.array([[100.0]] * 2), np.array([[1e-3]] * 2))
    rows = rows_of(document_of_hci(_file(limits=(other,))))
    assert "detection_limit" not in rows.tables
    assert rows.unknown == ["observations[0].reductions[0].detection_limits (Temporal noise, 1 sigma)"]


def test_what_a_file_must_say():
    with pytest.raises(BadInput, match="names no target"):
        document_of_hci(_file(cards={}))
    with pytest.raises(BadInput, match="no time of observation"):
        document_of_hci(_file(information={"wavelength": np.array([1.6, 2.2])}))


@pytest.mark.data
def test_a_file_of_another_archive(shared_data, tmp_path):
    """HST/NICMOS, from the ALICE project: two candidates in a combined image and in a roll, as it writes them."""
    store = Store(str(tmp_path / "store"))
    kept = import_file(store, shared_data / "hci_fits_alice_example.fits", workspace="main")
    detections = store.rows(kept, "detection").to_pylist()
    assert len(detections) == 4
    first = detections[0]
    assert first["separation"] == pytest.approx(401.77, abs=0.01)
    assert first["position_angle"] == pytest.approx(310.875, abs=0.001)
    assert first["mjd"] == pytest.approx(54186.8925, abs=1e-3)
    observation = store.rows(kept, "observation").to_pylist()[0]
    assert (observation["target_name"], observation["instrument"]) == ("1RXS-J161410.6-230542", "nicmos")
    assert store.rows(kept, "reduction").num_rows == 2
    assert any("Temporal" in name for name in kept.product.about["unknown_columns"])


def test_a_fits_file_that_is_none(tmp_path):
    path = tmp_path / "a.fits"
    path.write_text("not FITS")
    with pytest.raises(BadInput, match=r"a\.fits: "):
        import_file(Store(str(tmp_path / "store")), path, workspace="main")
    assert not (tmp_path / "store").exists()
