"""Each check finds what it is there for."""

import duckdb
import pytest
from releases import rows

from lyot.build.check import check, written
from lyot.build.visible import Audience
from lyot.catalog.table import tables
from lyot.errors import BadInput

PUBLIC = Audience(workspace=None, as_of="2025-01-01", with_simulated=False)
SOUND = {
    "workspace": {"workspace": "main", "policy": "release-date"},
    "reference": {"reference_id": "paper", "citation": "Paper 2020"},
    "target": {"target_id": "a", "name": "A", "dec": -51.0, "parallax": 50.0, "parallax_error": 1.0},
    "target_alias": {"target_id": "a", "alias": "HD 1"},
    "companion": {"companion_id": "a-b", "target_id": "a", "name": "A b", "reference_id": "paper"},
    "observation": {"observation_id": "o", "target_id": "a", "date": "2020-01-01"},
    "reduction": {"reduction_id": "r", "observation_id": "o", "target_id": "a"},
    "detection": {"reduction_id": "r", "observation_id": "o", "target_id": "a", "number": 0, "companion_id": "a-b",
                  "separation": 500.0, "position_angle": 90.0, "dra": 500.0, "ddec": 0.0},
}  # fmt: skip


def outcome(*more: tuple[str, dict]) -> int:
    """Checks of the sound catalogue with rows added, or (same key) put in the place of its own."""
    with duckdb.connect() as connection:
        for table in tables().values():
            connection.execute(table.create())
        changed = {table for table, _ in more}
        for table, row in [*((t, r) for t, r in SOUND.items() if t not in changed), *more]:
            given = {"release_date": "2020-01-01"} if "release_date" in tables()[table].names else {}
            connection.register("_values", rows(table, {**given, **row})[table])
            connection.execute(f'INSERT INTO "{table}" FROM _values')
            connection.unregister("_values")
        return check(connection, PUBLIC)


def changed(table, **values):
    return table, {**SOUND[table], **values}


def test_a_sound_catalogue_passes_hundreds_of_checks():
    assert outcome() > 200


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (changed("target", dec=-91.0), "target.dec is out of limits: target_id = a, dec = -91.0"),
        (changed("target", dec=float("nan")), "target.dec is not finite"),
        (changed("target", parallax=float("inf")), "target.parallax is not finite"),
        (changed("target", name=None), "target.name is missing: target_id = a"),
        (changed("target", parallax_error=-1.0), "target.parallax_error is out of limits"),
        (changed("target", parallax=None), "target.parallax_error is the error of no value"),
        (changed("companion", target_id="z"), "companion.target_id points nowhere"),
        (changed("companion", reference_id="z"), "companion.reference_id points nowhere"),
        (changed("companion", status="PLANET"), "companion.status is no choice"),
        (changed("reduction", observation_id="z"), "reduction.observation_id points nowhere"),
        (changed("detection", dra=490.0, ddec=50.0), "disagree with its position angle"),
        (changed("detection", dra=520.0), "disagree with its separation"),
        (changed("detection", dra=-500.0), "disagree with its position angle"),
        (changed("detection", release_date="2025-01-02"), "detection has private rows"),
        (changed("detection", release_date=None), "detection has private rows"),
        (changed("detection", simulated=True), "detection has simulated rows"),
        (changed("workspace", policy="never"), "target has private rows"),
    ],
)
def test_a_row_that_is_not_sound_is_named(row, words):
    with pytest.raises(BadInput) as found:
        outcome(row)
    assert words in found.value.message


def test_rows_that_are_not_sound_together_are_named():
    other = ("target", {"target_id": "b", "name": "B"})
    with pytest.raises(BadInput, match="target has a row twice: target_id = a, rows = 2"):
        outcome(changed("target"), changed("target"))
    with pytest.raises(BadInput, match="grouped with a companion of another target"):
        outcome(changed("target"), other, changed("companion", target_id="b"))
    with pytest.raises(BadInput, match="are of different targets"):
        outcome(changed("target"), other, changed("reduction", target_id="b"))
    with pytest.raises(BadInput, match="one alias names two targets"):
        outcome(changed("target"), other, changed("target_alias"), changed("target_alias", target_id="b"))


def test_every_written_check_has_a_name_and_is_one_query():
    named = list(written())
    assert len(named) >= 5
    for name, query in named:
        assert len(name) > 10
        assert ";" not in query
