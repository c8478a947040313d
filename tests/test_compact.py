"""Merging row files: no reader notices, nothing private is opened, twice is once."""

import duckdb
import pytest
from releases import OPEN, facts, release, sequence

from lyot.build.compact import FEWEST, compact
from lyot.build.consolidate import consolidate
from lyot.build.publish import publish
from lyot.build.sources import _whole
from lyot.build.visible import Audience, select
from lyot.catalog.table import tables
from lyot.store import Store

COUNT = FEWEST + 4


@pytest.fixture
def store(tmp_path):
    """The published facts and twenty sequences, each a few rows in files of their own."""
    kept = Store(str(tmp_path / "store"))
    facts(kept)
    for number in range(COUNT):
        sequence(kept, f"naco/beta-pic/night-{number}")
    return kept


def _everything(folder):
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        return _rows(connection)


def _rows(connection):
    return {name: sorted(map(repr, connection.execute(f'FROM "{name}"').fetchall())) for name in tables()}


def test_a_release_is_the_same_before_and_after(store, tmp_path):
    before = _everything(publish(store, tmp_path / "a").folder)
    made = compact(store)
    assert {one.tables for one in made} == {("observation",), ("reduction",), ("detection",)}
    assert _everything(publish(store, tmp_path / "b").folder) == before
    assert not compact(store)


def test_who_reads_while_they_are_merged_sees_the_same_rows(store, monkeypatch):
    """Everything is read before and after each single file that the merging writes."""
    before, seen, create = _read(store.url), [], Store._create

    def watched(self, relative, data):
        seen.append(_read(store.url))
        create(self, relative, data)
        seen.append(_read(store.url))

    monkeypatch.setattr(Store, "_create", watched)
    compact(store)
    assert len(seen) == 2 * 2 * 3  # rows and provenance of three tables
    assert all(one == before for one in seen)


def _read(url):
    """What a reader who comes just now finds of every table."""
    store, audience = Store(url), Audience(None, "2026-01-01")
    with duckdb.connect() as connection:
        consolidate(store, connection, select(store, audience), audience)
        return _rows(connection)


def test_files_that_a_reader_has_listed_stay(store):
    listed = {path: store.fs.cat_file(path) for path in store.fs.find(store.root)}
    compact(store)
    assert all(store.fs.cat_file(path) == content for path, content in listed.items())


def test_what_is_withheld_is_not_opened(store, tmp_path):
    """One sequence is made private after the merging: the merged file is left alone, the others are read singly."""
    compact(store)
    release(store, "naco/beta-pic/night-3", None)
    selection = select(store, Audience(None, "2026-01-01"))
    assert not _whole("detection", selection)
    found = _everything(publish(store, tmp_path / "out").folder)
    assert len(found["detection"]) == COUNT - 1
    assert not any("night-3'" in row for row in found["observation"])
    release(store, "naco/beta-pic/night-3", OPEN)
    assert len(_whole("detection", select(store, Audience(None, "2026-01-01")))) == 1


def test_private_and_public_rows_are_not_merged_together(store):
    for number in range(COUNT):
        sequence(store, f"naco/beta-pic/private-{number}", date=None)
    assert sum(one.tables == ("detection",) for one in compact(store)) == 2


def test_later_rows_are_read_beside_the_merged_ones(store, tmp_path):
    compact(store)
    sequence(store, "naco/beta-pic/later")
    assert len(_everything(publish(store, tmp_path / "out").folder)["detection"]) == COUNT + 1
