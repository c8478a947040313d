"""Files that are not what they should be: each is refused by name, with the place in it, and nothing is kept."""

import json
import math

import pytest

from lyot.build.importing import import_file
from lyot.errors import BadInput
from lyot.store import Store

DETECTION = {"separation": 500, "position_angle": 12.5}
OBSERVATION = {"target_name": "HD 1", "mjd": 57000.25, "reductions": [{"detections": [DETECTION]}]}
LEVELS = 10_000


def _observed(**more):
    """A document of one detection, with more said of it."""
    return {"observations": [OBSERVATION | {"reductions": [{"detections": [DETECTION | more]}]}]}


def _measured(**said):
    return {"targets": [{"name": "HD 1", "measurements": [{"quantity": "parallax", "value": 20.0} | said]}]}


#: What is wrong: the document, and how the message begins after the name of the file.
BAD = {
    "another shape: a list": ([], "the document is a list"),
    "another shape: text": ("stars", "the document is text"),
    "another shape: names that are none of ours": ({"stars": []}, "the document has none of references"),
    "another shape: an object for a list": ({"targets": {"name": "HD 1"}}, "targets: an object, a list is needed"),
    "another shape: a number for an object": ({"targets": [7]}, "targets[0]: a number, an object is needed"),
    "a detection without an observation": (
        {"targets": [{"name": "HD 1"}], "detections": [DETECTION]},
        "detections: detections stand in a row of reduction, not here",
    ),
    "a detection without a reduction": (
        {"observations": [{"target_name": "HD 1", "mjd": 57000, "detections": [DETECTION]}]},
        "observations[0].detections: detections stand in a row of reduction, not here",
    ),
    "a detection of another observation": (
        _observed(observation_id="elsewhere"),
        "observations[0].reductions[0].detections[0].observation_id: 'elsewhere' is not 'import/hd-1/",
    ),
    "an observation of no star": (
        {"observations": [{"mjd": 57000.25, "reductions": [{"detections": [DETECTION]}]}]},
        "observations[0]: neither target_id nor target_name",
    ),
    "a parallax of zero": ({"targets": [{"name": "HD 1", "parallax": 0}]}, "targets[0].parallax: 0 mas is not"),
    "a negative parallax": (
        {"targets": [{"name": "HD 1", "parallax": -0.3}]}, "targets[0].parallax: -0.3 mas is not positive"
    ),
    "a measured parallax of zero": (_measured(value=0), "targets[0].measurements[0].value: a parallax of 0"),
    "a limit for a magnitude": (
        {"targets": [{"name": "HD 1", "mag_h": ">18.2"}]}, "targets[0].mag_h: '>18.2' is not a number (a limit has"
    ),
    "a limit for a magnitude of a detection": (
        _observed(apparent_mag="> 18.2"),
        "observations[0].reductions[0].detections[0].apparent_mag: '> 18.2' is not a number (a limit has",
    ),
    "a limit without a number": (_measured(quantity="apparent_mag", value=">"), "targets[0].measurements[0].value: '"),
    "NaN": (_observed(separation=math.nan), "observations[0].reductions[0].detections[0].separation: nan is not a"),
    "NaN as text": (_observed(snr="nan"), "observations[0].reductions[0].detections[0].snr: 'nan' is not a finite"),
    "infinite": (_observed(contrast=math.inf), "observations[0].reductions[0].detections[0].contrast: inf is not a"),
    "infinite as text": (_measured(value="-Infinity"), "targets[0].measurements[0].value: '-Infinity' is not a finite"),
    "infinite by its exponent": ('{"targets": [{"name": "HD 1", "ra": 1e999}]}', "targets[0].ra: inf is not a finite"),
    "duplicate identifiers of targets": (
        {"targets": [{"name": "HD 1", "ra": 1, "dec": 2}, {"name": "HD 1", "ra": 3, "dec": 4}]},
        "two rows of target have the same target_id 'hd-1'",
    ),
    "duplicate identifiers of observations": (
        {"observations": [OBSERVATION, OBSERVATION | {"exposure_time": 9}]},
        "two rows of observation have the same observation_id",
    ),
    "duplicate numbers of detections": (
        {"observations": [OBSERVATION | {"reductions": [
            {"detections": [DETECTION | {"number": 1}, DETECTION | {"number": 1, "snr": 9}]}]}]},
        "two rows of detection have the same reduction_id",
    ),
    "one name twice in an object": (
        '{"targets": [{"name": "HD 1", "name": "HD 2"}]}', "an object has the name 'name' twice"
    ),
    "a unit that is none": (_measured(unit="furlong"), "targets[0].measurements[0].unit: 'furlong' is no unit"),
    "another unit": (_measured(unit="arcsec"), "targets[0].measurements[0].unit: 'arcsec', but parallax is"),
    "a unit beside a number": (_observed(separation="0.5 arcsec"), "observations[0].reductions[0].detections[0].separ"),
    "a number with its unit": (
        _observed(separation={"value": 0.5, "unit": "arcsec"}),
        "observations[0].reductions[0].detections[0].separation: {'value': 0.5, 'unit': 'arcsec'} is not a number",
    ),
    "ten thousand levels of lists": (
        '{"targets": ' + "[" * LEVELS + "]" * LEVELS + "}", "targets" + "[0]" * 11 + "…: nested more than 12"
    ),
    "ten thousand levels of objects": (
        '{"targets": [' + '{"companions": [' * LEVELS, "targets[0].companions[0].companions[0].companions[0]"
    ),
    "as deep as Python reads": (
        '{"targets": ' + "[" * 900 + "]" * 900 + "}", "targets[0][0]"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_it_is_refused_whole(what, tmp_path):
    document, message = BAD[what]
    path = tmp_path / "bad.json"
    is_text = isinstance(document, str) and document.startswith("{")
    path.write_text(document if is_text else json.dumps(document))
    with pytest.raises(BadInput) as error:
        import_file(Store(str(tmp_path / "store")), path, workspace="main", release_date="2026-01-01")
    assert str(error.value).startswith(f"bad.json: {message}")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target_name,mjd,separation,position_angle\nHD 1,57000,500,10\nHD 1,57001,nan,10\n",
         "observations[1].reductions[0].detections[0].separation: 'nan' is not a finite"),
        ("mjd,separation,position_angle\n57000,500,10\n", "observations[0]: neither target_id nor target_name"),
        ("name,parallax\nHD 1,-2\n", "targets[0].parallax: -2 mas is not positive"),
        ("name,mag_h\nHD 1,>18.2\n", "targets[0].mag_h: '>18.2' is not a number"),
        ("target_id,quantity,value,unit\nhd-1,parallax,0.02,arcsec\n", "measurements[0].unit: 'arcsec', but parallax"),
        ("name,ra\nHD 1," + "1" * 1_000_001 + "\n", "line 2 is no CSV: field larger than field limit"),
    ],
    ids=["NaN", "no star", "negative parallax", "limit", "another unit", "a cell of a million digits"],
)  # fmt: skip
def test_tables_are_refused_alike(text, message, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as error:
        import_file(Store(str(tmp_path / "store")), path, workspace="main", release_date="2026-01-01")
    assert str(error.value).startswith(f"bad.csv: {message}")
    assert not (tmp_path / "store").exists()


def test_a_line_of_a_gigabyte_is_refused_unread(tmp_path):
    path = tmp_path / "line.json"
    with path.open("wb") as file:
        file.write(b'{"targets": [{"name": "')
        file.truncate(1_000_000_000)  # a hole: it takes no room on the disk
    with pytest.raises(BadInput, match=r"^line.json has 1000 MB, 500 MB at most are taken at once"):
        import_file(Store(str(tmp_path / "store")), path, workspace="main")
    assert not (tmp_path / "store").exists()


def test_a_limit_has_its_place(tmp_path):
    path = tmp_path / "good.json"
    path.write_text(json.dumps(_measured(quantity="apparent_mag", band="H", value=">18.2", unit="mag")))
    store = Store(str(tmp_path / "store"))
    row = store.rows(import_file(store, path, workspace="main"), "measurement").to_pylist()[0]
    assert (row["value"], row["limit"]) == (18.2, ">")
