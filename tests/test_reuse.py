"""What a release takes over from the one before: all that did not change, and nothing else."""

import duckdb
import pytest
from releases import facts, release, rows

from lyot.build import grouping, verdicts
from lyot.build.publish import publish
from lyot.product import Product
from lyot.store import Store

PLACE = {"separation_error": 3.0, "position_angle_error": 0.5, "snr": 9.0}
MOTION = {"ref_epoch": 2016.0, "pmra": 4.94, "pmra_error": 0.1, "pmdec": 83.9, "pmdec_error": 0.1, "mass": 1.8}


def _night(store, number, separation=400.0, target="beta-pic"):
    """An observation with one source that no one has named."""
    of = {"observation_id": f"{target}-o{number}", "target_id": target}
    made = {**of, "reduction_id": f"{target}-r{number}"}
    content = {
        **rows("observation", {**of, "date": "2014-01-01"}),
        **rows("reduction", made),
        **rows("detection", {**made, "number": 0, "mjd": 56000.0 + 200 * number, "separation": separation,
                             "position_angle": 210.0, **PLACE}),
    }  # fmt: skip
    dataset = f"nights/{target}-{number}"
    store.put(Product(kind="import", dataset=dataset, record={"separation": separation}), rows=content)
    release(store, dataset, "2020-01-01")


@pytest.fixture
def store(tmp_path):
    """Two stars of known motion, each seen three times with one source."""
    kept = Store(str(tmp_path / "store"))
    facts(kept)
    star = {"name": "star", "target_id": "star", "ra": 10.0, "dec": 20.0, "parallax": 40.0, "parallax_error": 0.1}
    for row in ({"target_id": "beta-pic", "name": "β Pic"}, star):
        dataset = f"facts/{row['target_id']}"
        kept.put(Product(kind="import", dataset=dataset, record={}), rows=rows("target", {**row, **MOTION}))
        release(kept, dataset, "2020-01-01")
    for number in range(3):
        _night(kept, number, target="star")
        _night(kept, number)
    return kept


def _derived(folder):
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        seen = connection.execute(
            "SELECT reduction_id, companion_id, proposed, status FROM detection ORDER BY ALL"
        ).fetchall()
        judged = connection.execute(
            "SELECT companion_id, status, log_odds, epochs, decides_on, date, reason FROM verdict ORDER BY ALL"
        ).fetchall()
    return seen, judged


@pytest.fixture
def asked(monkeypatch):
    """What was grouped and judged anew since."""
    found = {"grouped": [], "judged": 0}
    group_all, judge_all = grouping.group_all, verdicts.judge_all

    def grouped(seen, fields):
        listed = list(fields)
        found["grouped"] += [one.target_id for one in listed]
        return group_all(seen, listed)

    def judged(sources):
        found["judged"] += len(sources)
        return judge_all(sources)

    monkeypatch.setattr(grouping, "group_all", grouped)
    monkeypatch.setattr(verdicts, "judge_all", judged)
    return found


def test_what_did_not_change_is_taken_over(store, tmp_path, asked):
    first = _derived(publish(store, tmp_path, as_of="2026-01-01").folder)
    assert first[1]
    assert asked["grouped"] == ["beta-pic", "star"]
    asked.update(grouped=[], judged=0)
    assert _derived(publish(store, tmp_path, as_of="2026-01-01").folder) == first
    assert asked == {"grouped": [], "judged": 0}


def test_a_new_night_is_worked_out_where_it_belongs(store, tmp_path, asked):
    publish(store, tmp_path, as_of="2026-01-01")
    _night(store, 3)
    asked.update(grouped=[], judged=0)
    after = _derived(publish(store, tmp_path, as_of="2026-01-01").folder)
    assert asked["grouped"] == ["beta-pic"]
    assert after == _derived(publish(store, tmp_path / "anew", as_of="2026-01-01").folder)


def test_a_changed_value_is_worked_out_again(store, tmp_path):
    publish(store, tmp_path, as_of="2026-01-01")
    _night(store, 1, separation=2400.0, target="star")
    after = _derived(publish(store, tmp_path, as_of="2026-01-01").folder)
    assert after == _derived(publish(store, tmp_path / "anew", as_of="2026-01-01").folder)
    assert len({companion for _, companion, _, _ in after[0] if companion and companion.startswith("star-cc")}) > 1


def test_another_day_gives_the_same_as_anew(store, tmp_path):
    publish(store, tmp_path, as_of="2026-01-01")
    later = _derived(publish(store, tmp_path, as_of="2026-03-01").folder)
    anew = _derived(publish(store, tmp_path / "anew", as_of="2026-03-01").folder)
    assert later == anew


def test_what_became_private_is_not_kept(store, tmp_path):
    publish(store, tmp_path, as_of="2026-01-01")
    for number in range(3):
        release(store, f"nights/star-{number}", None)
    publish(store, tmp_path, as_of="2026-01-01")
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".public.reuse").rglob("*.parquet"))
    with duckdb.connect() as connection:
        rest = connection.execute(f"SELECT DISTINCT target_id FROM '{tmp_path}/.public.reuse/*/grouped.parquet'")
        assert rest.fetchall() == [("beta-pic",)]
    assert b"star-r0" not in kept
