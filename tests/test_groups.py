"""Objects in the consolidated tables."""

import duckdb
import pytest

from lyot.build.groups import add_groups
from lyot.build.rows import insert
from lyot.catalog.table import tables

TARGET = {"target_id": "hd-1", "name": "HD 1", "ra": 80.0, "dec": -50.0, "ref_epoch": 2016.0, "pmra": 50.0,
          "pmdec": 80.0, "parallax": 30.0, "mass": 1.2, "simulated": False, "workspace": "main"}  # fmt: skip


def _detection(observation, place, *, simulated=False, number=0, date="2020-01-01", **more):
    return {
        "target_id": "hd-1", "observation_id": observation, "reduction_id": f"{observation}/pca", "number": number,
        "mjd": 57000.0, "dra": place[0], "ddec": place[1], "dra_error": 3.0, "ddec_error": 3.0, "snr": 9.0,
        "simulated": simulated, "workspace": "main", "release_date": date, **more,
    }  # fmt: skip


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        for name in ("target", "companion", "detection"):
            connection.execute(tables()[name].create())
        insert(connection, tables()["target"], [TARGET])
        insert(connection, tables()["companion"], [
            {"companion_id": "hd-1-b", "target_id": "hd-1", "name": "HD 1 b", "simulated": False, "workspace": "main"}
        ])  # fmt: skip
        yield connection


def _companions(connection):
    return dict(connection.execute("SELECT companion_id, release_date FROM companion ORDER BY 1").fetchall())


def test_detections_find_their_objects(connection):
    insert(connection, tables()["detection"], [
        _detection("a", (300.0, 0.0), companion_id="hd-1-b"),
        _detection("b", (302.0, 1.0)),
        _detection("b", (-600.0, 50.0), number=1),
    ])  # fmt: skip
    add_groups(connection)
    found = connection.execute("SELECT companion_id FROM detection ORDER BY observation_id, number").fetchall()
    assert found == [("hd-1-b",), ("hd-1-b",), ("hd-1-cc1",)]
    assert _companions(connection) == {"hd-1-b": None, "hd-1-cc1": "2020-01-01"}
    assert connection.execute("SELECT name FROM companion WHERE companion_id = 'hd-1-cc1'").fetchone() == ("HD 1 cc1",)


def test_what_was_simulated_stays_apart(connection):
    insert(connection, tables()["detection"], [
        _detection("a", (300.0, 0.0)), _detection("b", (300.0, 0.0), simulated=True),
    ])  # fmt: skip
    add_groups(connection)
    found = connection.execute("SELECT companion_id, simulated FROM companion ORDER BY companion_id").fetchall()
    assert found == [("hd-1-b", False), ("hd-1-cc1", False), ("hd-1-cc2", True)]


def test_an_object_with_a_private_detection_is_private(connection):
    insert(connection, tables()["detection"], [
        _detection("a", (300.0, 0.0)), _detection("b", (300.0, 0.0), date=None),
    ])  # fmt: skip
    add_groups(connection)
    assert _companions(connection) == {"hd-1-b": None, "hd-1-cc1": None}


def test_nothing_to_group(connection):
    add_groups(connection)
    assert _companions(connection) == {"hd-1-b": None}
