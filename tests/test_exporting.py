"""Rows out, and in again."""

import json

import pytest

from lyot.catalog.exchange import PARTS, rows_of
from lyot.catalog.exporting import csv_of, document_of, json_schema
from lyot.catalog.flat import document_of_csv
from lyot.catalog.published import published_document
from lyot.catalog.table import tables


def _sorted(rows):
    """Rows by table, without nulls, in an order of their own."""
    return {
        name: sorted(json.dumps({k: v for k, v in row.items() if v is not None}, sort_keys=True) for row in listed)
        for name, listed in rows.items()
    }


def test_a_round_trip_loses_nothing():
    rows = rows_of(published_document()).tables
    document = json.loads(json.dumps(document_of(rows)))
    again = rows_of(document)
    assert _sorted(again.tables) == _sorted(rows)
    assert not again.unknown


def test_through_rows_of_the_tables_too():
    """As they come from Parquet, every column there, most of them null."""
    rows = rows_of(published_document()).tables
    full = {name: tables()[name].rows(listed).to_pylist() for name, listed in rows.items()}
    assert _sorted(rows_of(document_of(full)).tables) == _sorted(rows)


def test_what_a_row_does_not_have_is_not_inherited():
    rows = {
        "observation": [{"observation_id": "o", "target_id": "hd-1", "date": "2020-01-01", "filter": "H"}],
        "reduction": [{"reduction_id": "r", "observation_id": "o", "target_id": "hd-1"}],
        "detection": [
            {"reduction_id": "r", "observation_id": "o", "target_id": "hd-1", "number": 0, "separation": 5.0,
             "position_angle": 6.0, "filter": None, "mjd": 58849.5}
        ],
    }  # fmt: skip
    found = rows_of(document_of(rows)).tables["detection"][0]
    assert "filter" not in found


def test_the_build_s_own_rows_stay():
    rows = {
        "companion": [{"companion_id": "b", "target_id": "hd-1", "name": "HD 1 b", "status": "COMPANION", "epochs": 3}],
        "observation": [{"observation_id": "o", "target_id": "hd-1", "date": "2020-01-01"}],
        "reduction": [{"reduction_id": "r", "observation_id": "o", "target_id": "hd-1"}],
        "detection_limit": [{"reduction_id": "r", "observation_id": "o", "noise": "mawet", "separation": 500.0,
                             "contrast": 1e-5, "mass_limit": 7.0}],  # by isochrones of ours
        "verdict": [
            {"companion_id": "b", "target_id": "hd-1", "origin": "astrometry", "status": "COMPANION"},
            {"companion_id": "b", "target_id": "hd-1", "origin": "human", "status": "BACKGROUND", "author": "Me"},
        ],
    }
    document = document_of(rows)
    assert document["companions"] == [{"companion_id": "b", "target_id": "hd-1", "name": "HD 1 b"}]
    assert [row["origin"] for row in document["verdicts"]] == ["human"]
    (limit,) = document["observations"][0]["reductions"][0]["detection_limits"]
    assert limit["contrast"] == 1e-5
    assert "mass_limit" not in limit


def test_flat_detections_come_back():
    rows = rows_of(published_document()).tables
    some = {name: [row for row in listed if row["target_id"] == "hr-8799"]
            for name, listed in rows.items() if name in ("observation", "reduction", "detection")}  # fmt: skip
    again = rows_of(document_of_csv(csv_of(some))).tables
    assert _sorted(again)["detection"] == _sorted(some)["detection"]
    assert len(again["observation"]) == len(some["observation"])


def test_the_schema_names_every_column():
    schema = json_schema()
    for name in PARTS.values():
        properties = schema["$defs"][name]["properties"]
        assert set(tables()[name].names) - {"workspace"} <= set(properties)
        assert all(said.get("description") or said["type"] == "array" for said in properties.values())
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("part", sorted(PARTS))
def test_what_we_write_fits_our_schema(part):
    """Types of the values of the facts against the schema, by hand: no library is needed for five types."""
    schema = json_schema()["$defs"][PARTS[part]]["properties"]
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "array": list}
    for row in _rows_of(document_of(rows_of(published_document()).tables), part):
        for name, value in row.items():
            said = schema[name]["type"]
            allowed = said if isinstance(said, list) else [said]
            assert any(isinstance(value, kinds[kind]) for kind in allowed), (part, name, value)


def _rows_of(value, part):
    """Every row of a part, however deep."""
    if isinstance(value, dict):
        for name, inside in value.items():
            if name == part:
                yield from inside
            yield from _rows_of(inside, part)
    elif isinstance(value, list):
        for inside in value:
            yield from _rows_of(inside, part)
