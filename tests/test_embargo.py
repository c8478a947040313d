"""What is private is in no public file: a word of which nothing else is made, looked for in every byte and value."""

import gzip
import io
import json
import sqlite3
import zipfile
from contextlib import closing

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from click.testing import CliRunner
from releases import OPEN, facts, release, rows, sequence

from lyot.build.compact import compact
from lyot.build.publish import publish
from lyot.catalog.table import tables
from lyot.cli import cli
from lyot.product import Product
from lyot.store import Store

CANARY = "qzxcanaryvbk"
OWN = ("product", "workspace")  # made from the products, never read from them
LATER = "2999-01-01"


def _image(words):
    """A file of a reduction that says a word in its header, its comments, a table and its pixels."""
    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = words
    primary.header["COMMENT"] = words
    pixels = np.frombuffer(words.encode().ljust(16, b"."), dtype=">f4").reshape(2, 2)
    table = fits.BinTableHDU.from_columns([fits.Column("NAME", "16A", array=np.array([words]))])
    buffer = io.BytesIO()
    fits.HDUList([primary, fits.ImageHDU(pixels, name="REDUCED_DATA"), table]).writeto(buffer)
    return buffer.getvalue()


def _every_row(words, **more):
    """A row of every table, with the word in every text that it may hold."""
    content = {}
    for name, table in tables().items():
        if name in OWN:
            continue
        row = {
            column.name: json.dumps({words: words}) if column.type == "json" else f"{words}-{column.name}"
            for column in table.columns
            if column.type in ("text", "json") and not column.choices and column.name != "workspace"
        }
        row |= {column.name: column.choices[0] for column in table.columns if column.choices}
        row |= {column.name: "2014-01-01" for column in table.columns if column.type == "date"}
        row |= {"release_date": None} if "release_date" in table.names else {}
        row |= {name: value for name, value in more.items() if name in table.names}
        content |= rows(name, row)
    return content


def _hide(store, dataset, date=None, words=CANARY, **more):
    """A product with the word in everything that a product has; its rows as in `_every_row`."""
    given = more.pop("rows", {})
    product = Product(kind="reduction", dataset=dataset, record={"words": words}, label=words, about={"words": words},
                      **more)  # fmt: skip
    files = {"fits": _image(words), "png": words.encode(), "document": json.dumps({words: words}).encode()}
    kept = store.put(product, files, _every_row(words, **given))
    release(store, dataset, date, kept.product.workspace)
    return kept


@pytest.fixture
def store(tmp_path):
    """A public star and sequence, and private things of every kind."""
    kept = Store(str(tmp_path / "store"))
    facts(kept)
    sequence(kept)
    hidden = _hide(kept, f"naco/{CANARY}/undated")
    _hide(kept, f"naco/{CANARY}/later", LATER)
    _hide(kept, f"naco/{CANARY}/never", OPEN, workspace=CANARY)
    kept.note("policy", {"policy": "never"}, workspace=CANARY)
    _hide(kept, f"naco/{CANARY}/unvalidated", OPEN, workspace="strict")
    kept.note("policy", {"needs_validation": True}, workspace="strict")
    _hide(kept, f"naco/{CANARY}/rejected", OPEN)
    rejected = kept.find(dataset=f"naco/{CANARY}/rejected")[0]
    kept.note(f"validations/{rejected.key}", {"validation": "rejected", "reason": CANARY}, workspace="main")
    kept.note(f"validations/{hidden.key}", {"validation": "flagged", "reason": CANARY}, workspace="main")
    _hide(kept, f"naco/{CANARY}/simulated", OPEN, rows={"simulated": True})
    derived = Product(kind="reduction", dataset="naco/derived", record={"words": CANARY}, inputs=(hidden.key,))
    kept.put(derived, {"fits": _image(CANARY)}, _every_row(CANARY))
    release(kept, "naco/derived", OPEN)
    return kept


def _values(folder):
    """Everything that the files of a release say: their bytes, their names, and what is compressed in them."""
    for path in sorted(folder.rglob("*")):
        yield f"name of {path.name}", path.name.encode()
        if path.is_dir():
            continue
        content = path.read_bytes()
        yield str(path), content
        if path.suffix == ".parquet":
            yield f"rows of {path}", str(pq.read_table(path).to_pydict()).encode()
        if path.suffix == ".gz":
            yield f"inside {path}", gzip.decompress(content)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{name} in {path}", name.encode() + archive.read(name)
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
            yield f"DuckDB table {name}", str(connection.execute(f'FROM "{name}"').fetchall()).encode()


def found_in(folder, word=CANARY):
    """Where a word stands."""
    return [where for where, content in _values(folder) if word.encode() in content.lower()]


def test_no_private_word_in_any_public_file_nor_in_what_is_said(store, tmp_path):
    places = ["--store", store.url, "--out", str(tmp_path / "out")]
    said = ""
    for command in ("build", "site"):
        done = CliRunner().invoke(cli, [command, *places], catch_exceptions=False)
        assert done.exit_code == 0
        said += done.output
    assert CANARY not in said.lower()
    folder = tmp_path / "out" / "public"
    assert (folder / "site" / "index.html").exists()
    assert not found_in(folder)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert CANARY.encode() not in kept  # what is kept for the next build is made of the same rows


def test_the_search_finds_what_is_there(tmp_path):
    """The same search in what the members see: each file has the word."""
    store = Store(str(tmp_path / "store"))
    sequence(store, date=None, words=CANARY)
    found = " ".join(found_in(publish(store, tmp_path / "out", workspace="main").folder))
    for file in ("lyot.db", "DuckDB table observation", "rows of", "observation.parquet"):
        assert file in found
    assert not found_in(publish(store, tmp_path / "out").folder)


def test_free_pages_hold_nothing(store, tmp_path):
    folder = publish(store, tmp_path / "out").folder
    with closing(sqlite3.connect(folder / "lyot.db")) as lite:
        assert lite.execute("PRAGMA freelist_count").fetchone() == (0,)
    sizes = [group.statistics for path in (folder / "parquet").iterdir() for group in _chunks(path)]
    assert not any(CANARY in f"{one.min}{one.max}" for one in sizes if one is not None and one.has_min_max)


def _chunks(path):
    about = pq.ParquetFile(path).metadata
    return [about.row_group(g).column(c) for g in range(about.num_row_groups) for c in range(about.num_columns)]


def test_merged_row_files_change_nothing(store, tmp_path):
    for number in range(40):
        _hide(store, f"naco/{CANARY}/night-{number}")
        sequence(store, f"naco/beta-pic/night-{number}")
    assert compact(store)
    assert not found_in(publish(store, tmp_path / "out").folder)


def test_a_private_row_of_a_public_product(store, tmp_path):
    """The product is public, one of its rows only later."""
    own = {"release_date": LATER, "simulated": False}
    content = {name: table for name, table in _every_row(CANARY, **own).items() if "release_date" in table.column_names}
    store.put(Product(kind="import", dataset="import/mixed", record={}), rows=content)
    release(store, "import/mixed", OPEN)
    assert not found_in(publish(store, tmp_path / "out").folder)


@pytest.mark.parametrize(
    ("date", "public_from"),
    [
        ("2024-03-01", "2024-03-01"),
        ("2024-03-01T00:00:00Z", "2024-03-01"),
        ("2024-03-01T00:00:01Z", "2024-03-02"),  # never a moment too early
        ("2024-03-01T00:30:00+01:00", "2024-03-01"),  # 23:30 of the day before, in UTC
        ("2024-02-29T23:30:00-01:00", "2024-03-02"),  # 00:30 of the first of March, in UTC
        ("2024-03-01T00:00:00+14:00", "2024-03-01"),
    ],
)
def test_the_edge_of_the_day(tmp_path, date, public_from):
    store = Store(str(tmp_path / "store"))
    sequence(store, date=date, words=CANARY)
    day = np.datetime64(public_from)
    before = publish(store, tmp_path / "out", as_of=str(day - 1))
    assert before.rows["observation"] == 0
    assert not found_in(before.folder)
    assert publish(store, tmp_path / "out", as_of=str(day)).rows["observation"] == 1


@pytest.mark.slow
def test_a_release_moved_back_and_a_release_withdrawn(store, tmp_path):
    """What was public and is no longer leaves every file, the site and what is kept for the next build."""
    dataset = "naco/beta-pic/2013-03-03"
    sequence(store, dataset, words=CANARY)
    places = ["--store", store.url, "--out", str(tmp_path / "out")]
    for date in (LATER, None):
        release(store, dataset, OPEN)
        for command in ("build", "site"):
            assert CliRunner().invoke(cli, [command, *places]).exit_code == 0
        assert found_in(tmp_path / "out" / "public")
        release(store, dataset, date)
        for command in ("build", "site"):
            assert CliRunner().invoke(cli, [command, *places]).exit_code == 0
        assert not found_in(tmp_path / "out" / "public")
        kept = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
        assert CANARY.encode() not in kept
