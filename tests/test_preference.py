"""Several values of one quantity."""

import duckdb
import pytest

from lyot.build.preference import prefer_values
from lyot.build.rows import insert
from lyot.catalog.exchange import rows_of
from lyot.catalog.preference import prefer
from lyot.catalog.published import published_document
from lyot.catalog.table import tables

PARALLAX = {"target_id": "hd-1", "quantity": "parallax", "unit": "mas"}
YEARS = {"old": 2007, "new": 2021}


def _one(**said):
    return PARALLAX | {"value": 20.0, "error_minus": 0.1, "error_plus": 0.1, "reference_id": "old"} | said


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({"preferred": True}, {"reference_id": "new"}, "its source prefers it"),
        ({}, {"reference_id": "new", "preferred": False}, "its source prefers it"),
        ({}, {"limit": ">", "reference_id": "new"}, "it is no limit"),
        ({}, {"error_minus": None, "error_plus": None, "reference_id": "new"}, "its error is known"),
        ({"reference_id": "new", "error_plus": 5.0}, {}, "it was published later"),
        ({}, {"error_plus": 0.3, "number": 1}, "its error is the smallest"),
        ({}, {"number": 1}, "the first of its reference"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_one_is_preferred_and_why(first, second, why, swapped):
    rows = [_one(**first), _one(**second)]
    found = prefer(rows[::-1] if swapped else rows, YEARS)
    best, other = found[::-1] if swapped else found
    assert (best["preferred"], other["preferred"]) == (True, False)
    assert best["preferred_reason"] == why
    assert len(found) == 2  # both are kept


def test_different_quantities_do_not_compete():
    found = prefer([_one(), _one(quantity="pmra"), _one(companion_id="b"), _one(band="H")], YEARS)
    assert all(row["preferred"] for row in found)
    assert not any(row.get("preferred_reason") for row in found)


def test_a_reason_that_was_given_stays():
    found = prefer([_one(preferred=True, preferred_reason="I measured it"), _one(number=1)], YEARS)
    assert found[0]["preferred_reason"] == "I measured it"


def test_the_facts_are_as_they_were_preferred():
    given = rows_of(published_document()).tables
    years = {row["reference_id"]: row.get("year") for row in given["reference"]}
    before = given["measurement"]
    assert [row["preferred"] for row in prefer(before, years)] == [row["preferred"] for row in before]


def test_in_the_consolidated_tables():
    with duckdb.connect() as connection:
        for name in ("measurement", "reference"):
            connection.execute(tables()[name].create())
        rights = {"simulated": False, "workspace": "main"}
        insert(connection, tables()["reference"], [
            {"reference_id": "old", "citation": "Old 2007", "year": 2007},
            {"reference_id": "new", "citation": "New 2021", "year": 2021},
        ])  # fmt: skip
        insert(connection, tables()["measurement"], [
            _one() | rights, _one(reference_id="new", value=20.5) | rights, _one(quantity="pmra") | rights,
        ])  # fmt: skip
        prefer_values(connection)
        found = connection.execute(
            "SELECT quantity, value, preferred, preferred_reason FROM measurement ORDER BY quantity, value"
        ).fetchall()
    assert found == [
        ("parallax", 20.0, False, None), ("parallax", 20.5, True, "it was published later"), ("pmra", 20.0, True, None),
    ]  # fmt: skip
