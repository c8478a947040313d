"""A release date holds for what it was given for, and for nothing that comes in its place later."""

import json

import pytest

from lyot.build.importing import import_file
from lyot.build.publish import publish
from lyot.catalog.flat import document_of_csv
from lyot.store import Store

DETECTION = {"separation": 500.0, "position_angle": 10.0, "snr": 8.0}


def survey(star, **row):
    return {
        "observations": [
            {"target_name": star, "instrument": "naco", "mjd": 57000.0, "filter": "H",
             "reductions": [{"software": "x", "detections": [{**DETECTION, "number": 0, "wavelength": 1.6, **row}]}]}
        ]
    }


def everything(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_another_document_of_the_same_name_is_private_until_somebody_says_otherwise(tmp_path):
    store = Store(str(tmp_path / "store"))
    path = tmp_path / "table.json"
    path.write_text(json.dumps(survey("Open Star")))
    import_file(store, path, "main", release_date="2020-01-01")
    path.write_text(json.dumps(survey("Hidden Star")))
    import_file(store, path, "main")
    released = publish(store, tmp_path / "out")
    assert b"Hidden Star" not in everything(released.folder)
    assert b"hidden-star" not in everything(released.folder)


@pytest.mark.parametrize(
    ("workspace", "date"),
    [("main", None), ("team-b", None), ("team-b", "2020-01-01")],
    ids=["again without a date", "a private copy elsewhere", "public in two workspaces"],
)
def test_the_same_document_again_takes_nothing_and_adds_nothing(tmp_path, workspace, date):
    store = Store(str(tmp_path / "store"))
    path = tmp_path / "table.json"
    path.write_text(json.dumps(survey("Open Star")))
    import_file(store, path, "main", release_date="2020-01-01")
    import_file(store, path, workspace, release_date=date)
    rows = publish(store, tmp_path / "out").rows
    assert (rows["product"], rows["detection"]) == (1, 1)


def test_a_row_that_says_it_has_no_date_is_private_in_a_public_file(tmp_path):
    store = Store(str(tmp_path / "store"))
    path = tmp_path / "table.json"
    path.write_text(json.dumps(survey("Open Star", release_date=None)))
    import_file(store, path, "main", release_date="2020-01-01")
    assert publish(store, tmp_path / "out").rows["detection"] == 0


def test_an_observation_is_as_private_as_its_detections():
    rows = "target_name,instrument,mjd,separation,position_angle,release_date\nA,naco,57000,500,10,2099-01-01\n"
    (observation,) = document_of_csv(rows)["observations"]
    assert observation["release_date"] == "2099-01-01"
    assert observation["reductions"][0]["release_date"] == "2099-01-01"
