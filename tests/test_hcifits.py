"""The exchange format: what we write others read, and what others write we read."""

import io

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import Table

from lyot.catalog import hcifits
from lyot.catalog.hciformat import HciFits, Limits
from lyot.errors import BadInput

ORDER = ["PRIMARY", "DATA_INFORMATION", "REDUCED_DATA", "SNR_MAP", "SENSITIVITY_MAP", "DETECTION_LIMIT",
         "SOURCE_DETECTION"]  # fmt: skip


def example(nwave: int = 2, candidates: int = 3) -> HciFits:
    """A reduction in which no number stands for another."""
    rng = np.random.default_rng(7)

    def images() -> np.ndarray:
        made = rng.normal(size=(nwave, 21, 21)).astype(np.float32)
        made[:, 0, 0] = np.nan
        return made

    def of_sources(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (candidates, nwave))

    radii = np.tile(np.linspace(100.0, 1000.0, 10), (nwave, 1))
    return HciFits(
        images=images(),
        information={
            "orientation": np.zeros(nwave), "rotation": np.full(nwave, 81.4), "exposures": np.full(nwave, 61),
            "midpoint": np.full(nwave, 56323.25), "wavelength": np.linspace(1.593, 1.667, nwave),
        },
        labels=tuple(f"channel {n}" for n in range(nwave)),
        sources={
            "number": np.arange(candidates), "snr": of_sources(5, 20), "separation": of_sources(100, 900),
            "separation_error": of_sources(1, 9), "position_angle": of_sources(0, 360),
            "contrast": of_sources(1e-6, 1e-3),
        },
        limits=(
            Limits("mawet", 5.0, radii, 1e-4 / radii, np.clip(radii / 1000, 0, 1)),
            Limits("annulus", 5.0, radii, 2e-4 / radii),
        ),
        snr=images(), sensitivity=images(), corrected=images(), stacked=images()[0],
        cards={"TELESCOP": "ESO-VLT-UT4", "TARGNAME": "beta Pic", "PIXSCALE": 0.02719},
        image_cards={"BUNIT": "ct", "REDALGO": "PCA", "REDSTRAT": "ADI"},
        record={"recipe": "pca", "model": {"parameters": {"ncomp": 5}}, "note": "β"},
    )  # fmt: skip


def same(one: HciFits, other: HciFits) -> None:
    """Everything that is said is said alike; strings and numbers, NaN included."""
    for name in ("images", "snr", "sensitivity", "corrected", "stacked"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for mapping in ("information", "sources"):
        assert set(getattr(one, mapping)) == set(getattr(other, mapping))
        for name, values in getattr(one, mapping).items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(getattr(other, mapping)[name], values, rtol=1e-14, err_msg=name)
            else:
                np.testing.assert_array_equal(getattr(other, mapping)[name], values, err_msg=name)
    assert len(one.limits) == len(other.limits)
    for mine, theirs in zip(one.limits, other.limits, strict=True):
        assert (mine.noise, mine.sigma) == (theirs.noise, theirs.sigma)
        np.testing.assert_allclose(theirs.separation, mine.separation, rtol=1e-14)
        np.testing.assert_array_equal(theirs.contrast, mine.contrast)
        np.testing.assert_array_equal(theirs.throughput, mine.throughput)
    assert (one.labels, one.cards, one.image_cards, one.record) == (
        other.labels, other.cards, other.image_cards, other.record
    )  # fmt: skip


@pytest.mark.parametrize(("nwave", "candidates"), [(2, 3), (1, 1), (1, 0), (39, 2), (3, 0)])
def test_what_is_written_is_read_back(nwave, candidates):
    hci = example(nwave, candidates)
    again = hcifits.read(hcifits.write(hci))
    if not candidates:
        hci = HciFits(**{**vars(hci), "sources": {"number": np.zeros(0, int)}})
        again = HciFits(**{**vars(again), "sources": {"number": again.sources["number"]}})
    same(hci, again)


def test_the_same_reduction_gives_the_same_bytes():
    assert hcifits.write(example()) == hcifits.write(example())


def test_a_reader_that_never_heard_of_us_opens_it():
    data = hcifits.write(example())
    with fits.open(io.BytesIO(data)) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus][: len(ORDER)] == ORDER
        header = hdus[0].header
        assert header["NEXTEND"] == len(hdus) - 1
        for number in range(1, 10):  # EXT10NAME is longer than a keyword may be
            assert header[f"EXT{number}NAME"] == hdus[number].name
        assert header["CANDNUM"] == 3
        assert hdus["SNR_MAP"].data.shape == hdus["REDUCED_DATA"].data.shape == (2, 21, 21)


def test_its_units_are_those_that_astropy_understands():
    hci = example()
    data = hcifits.write(hci)
    sources = Table.read(io.BytesIO(data), hdu="SOURCE_DETECTION")
    np.testing.assert_allclose(sources["Sep"].quantity.to_value(units.mas), hci.sources["separation"])
    np.testing.assert_allclose(sources["PA"].quantity.to_value(units.deg), hci.sources["position_angle"])
    assert sources["Flux_erg"].unit == units.Unit("erg / (s cm2 Angstrom)")
    images = Table.read(io.BytesIO(data), hdu="DATA_INFORMATION")
    np.testing.assert_allclose(images["Wavelength"].quantity.to_value(units.um), hci.information["wavelength"])
    assert list(images["UT_Midpoint_Date_of_Observation"]) == ["2013-01-31"] * 2  # MJD 56323
    assert list(images["UT_Midpoint_Time_of_Observation"]) == ["06:00:00.000"] * 2
    limits = Table.read(io.BytesIO(data), hdu="DETECTION_LIMIT")
    np.testing.assert_allclose(limits["Radius"].quantity.to_value(units.mas), hci.limits[0].separation)


def test_columns_stand_in_the_order_of_the_format():
    with fits.open(io.BytesIO(hcifits.write(example()))) as hdus:
        assert hdus["SOURCE_DETECTION"].columns.names == [
            "Candidate", "SNR", "dRA", "err_dRA", "dDEC", "err_dDEC", "Sep", "err_Sep", "PA", "err_PA", "Flux_cs",
            "err_Flux_cs", "Flux_mag", "err_Flux_mag", "Flux_Jy", "err_Flux_Jy", "Flux_erg", "err_Flux_erg",
            "Contrast", "err_Contrast",
        ]  # fmt: skip
        assert hdus["DATA_INFORMATION"].columns.names[:5] == [
            "Image_Number", "Orientation", "Combined_rotation_angle", "Number_of_Exposures", "Exposure_Time"
        ]  # fmt: skip


def test_a_reduction_of_images_alone_is_a_file_too():
    bare = HciFits(images=np.ones((1, 5, 5), np.float32), information={})
    again = hcifits.read(hcifits.write(bare))
    assert (again.snr, again.sensitivity, again.limits, again.record) == (None, None, (), None)
    np.testing.assert_array_equal(again.images, bare.images)


def with_unit(unit: str) -> bytes:
    """Our example with another unit in the column `Sep`."""
    with fits.open(io.BytesIO(hcifits.write(example()))) as hdus:
        header = hdus["SOURCE_DETECTION"].header
        column = next(key for key, value in header.items() if value == "Sep")
        header[column.replace("TTYPE", "TUNIT")] = unit
        buffer = io.BytesIO()
        hdus.writeto(buffer)
    return buffer.getvalue()


def test_as_means_arcseconds_and_not_attoseconds():
    separation = hcifits.read(with_unit("as")).sources["separation"]
    np.testing.assert_allclose(separation, example().sources["separation"])


@pytest.mark.parametrize("unit", ["deg", "furlong", "um"])
def test_a_unit_of_something_else_is_refused(unit):
    with pytest.raises(BadInput, match=f"column Sep has the unit '{unit}'"):
        hcifits.read(with_unit(unit))


WHOLE = hcifits.write(example())


@pytest.mark.parametrize("data", [b"no fits at all", b"", WHOLE[:2000], WHOLE[:-3000]])
def test_what_is_no_file_is_refused(data):
    with pytest.raises(BadInput):
        hcifits.read(data)


def test_a_fits_file_of_something_else_is_refused():
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.ones((3, 3))).writeto(buffer)
    with pytest.raises(BadInput, match="REDUCED_DATA"):
        hcifits.read(buffer.getvalue())


def test_shapes_that_do_not_fit_are_refused():
    images = np.ones((2, 5, 5), np.float32)
    with pytest.raises(BadInput, match="snr has shape"):
        HciFits(images=images, information={}, snr=images[:1])
    with pytest.raises(BadInput, match="one value per image"):
        HciFits(images=images, information={"wavelength": np.ones(3)})
    with pytest.raises(BadInput, match="separation of the sources"):
        HciFits(images=images, information={}, sources={"number": np.arange(2), "separation": np.ones((3, 2))})
    with pytest.raises(BadInput, match="no column for colour"):
        HciFits(images=images, information={}, sources={"number": np.arange(2), "colour": np.ones((2, 2))})


@pytest.mark.data
def test_the_example_of_the_format_is_read_right(shared_data):
    hci = hcifits.read((shared_data / "hci_fits_alice_example.fits").read_bytes())

    assert hci.images.shape == (2, 80, 80)
    assert hci.labels == ("North-combined", "Roll 1")
    # numbers as they stand in the file: F110W, pivot 11234.7 Å; 54186.89 is 2007-03-27 21:25
    np.testing.assert_allclose(hci.information["wavelength"], 1.12347)
    np.testing.assert_allclose(hci.information["orientation"], [0.0, 42.5699])
    np.testing.assert_allclose(hci.information["midpoint"], 54186.8925, atol=1e-4)
    np.testing.assert_allclose(hci.limits[0].separation[0, :3], [0.0, 151.303, 302.606])
    first = {name: values[0, 0] for name, values in hci.sources.items() if name != "number"}
    assert first["separation"] == pytest.approx(401.77, abs=0.01)  # mas, not attoseconds
    assert first["contrast"] == pytest.approx(5.484e-3, rel=1e-3)
    # the file's own offsets say that East is positive: 401.8 mas at 310.9° East of North
    angle = np.radians(first["position_angle"])
    assert first["dra"] == pytest.approx(first["separation"] * np.sin(angle), abs=0.5)
    assert first["ddec"] == pytest.approx(first["separation"] * np.cos(angle), abs=0.5)
    same(hci, hcifits.read(hcifits.write(hci)))
