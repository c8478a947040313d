"""Out of a release and into another store: nothing is lost, nothing is added."""

import duckdb
import pytest

from lyot.build.exporting import csv_of_release, json_of_release, rows_of_release
from lyot.build.importing import import_file, published_facts
from lyot.build.publish import publish
from lyot.catalog.exporting import DERIVED
from lyot.catalog.table import tables
from lyot.errors import NotFound
from lyot.store import Store

#: Of the store itself: each has its own.
LOCAL = ("product", "run", "workspace")


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A release of the published facts."""
    folder = tmp_path_factory.mktemp("export")
    store = Store(str(folder / "store"))
    published_facts(store, "main")
    return publish(store, folder / "out", as_of="2026-01-01").folder


def _rows(folder, table):
    names = [n for n in tables()[table].names if n not in DERIVED.get(table, ()) and n != "workspace"]
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        quoted = ", ".join(f'"{name}"' for name in names)
        given = "WHERE origin = 'human'" if table == "verdict" else ""  # those of astrometry are made at every build
        return sorted(map(repr, connection.execute(f'SELECT {quoted} FROM "{table}" {given}').fetchall()))


def test_a_round_trip_loses_nothing(released, tmp_path):
    (tmp_path / "all.json").write_text(json_of_release(released), encoding="utf-8")
    store = Store(str(tmp_path / "store"))
    import_file(store, tmp_path / "all.json", "main", release_date="2020-01-01")
    again = publish(store, tmp_path / "out", as_of="2026-01-01").folder
    for table in tables():
        if table not in LOCAL:
            assert _rows(again, table) == _rows(released, table), table


def test_one_target_by_any_of_its_names(released):
    rows = rows_of_release(released, "HD39060")
    assert {row["target_id"] for name in ("target", "observation", "detection") for row in rows[name]} == {"beta-pic"}
    used = {row["reference_id"] for row in rows["detection"]}
    assert used <= {row["reference_id"] for row in rows["reference"]}
    with pytest.raises(NotFound, match="no target is known"):
        rows_of_release(released, "HD 0815")


def test_flat_detections_come_back(released, tmp_path):
    (tmp_path / "flat.csv").write_text(csv_of_release(released, "HR 8799"), encoding="utf-8")
    kept = import_file(Store(str(tmp_path / "store")), tmp_path / "flat.csv", "main")
    count = len(rows_of_release(released, "HR 8799")["detection"])
    assert Store(str(tmp_path / "store")).rows(kept, "detection").num_rows == count


def test_no_release_no_export(tmp_path):
    with pytest.raises(NotFound, match="no release"):
        rows_of_release(tmp_path)
