"""Several values of one quantity."""

import pytest

from lyot.catalog.exchange import rows_of
from lyot.catalog.preference import prefer
from lyot.catalog.published import published_document

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
    tables = rows_of(published_document()).tables
    years = {row["reference_id"]: row.get("year") for row in tables["reference"]}
    before = tables["measurement"]
    assert [row["preferred"] for row in prefer(before, years)] == [row["preferred"] for row in before]
