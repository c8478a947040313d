"""What is in the store is whole, and stays."""

import hashlib
import json
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest

from lyot.errors import BadInput, NotFound, Unwritable
from lyot.product import Product
from lyot.store import Store


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    """On a disk, and on a file system that is none."""
    if request.param == "folder":
        yield Store(str(tmp_path / "a" / "store"))
        return
    made = Store(f"memory://store-{tmp_path.name}")
    yield made
    made.fs.store.clear()


def product(number: int = 1, **changes) -> Product:
    return Product(**{"kind": "cube", "dataset": "naco/x/2013-01-31", "record": {"n": number}, **changes})


TABLE = pa.table({"a": [1, 2], "b": ["x", None]})


def test_an_empty_store_has_nothing(store):
    assert not store.has(product())
    assert (store.find(), store.workspaces(), store.notes(workspace="main")) == ([], [], {})
    with pytest.raises(NotFound, match="there is no product"):
        store.get(product())


def test_what_is_put_comes_back(store):
    put = store.put(product(about={"target": "β Pic"}), {"fits": b"pixels"}, {"observation": TABLE})
    got = store.get(product())

    assert got == put
    assert got.product.about == {"target": "β Pic"}
    assert got.key == got.product.key == product().key
    assert store.read(got, "fits") == b"pixels"
    assert store.rows(got, "observation").equals(TABLE)
    assert got.tables == ("observation",)
    assert got.files["fits"]["size"] == 6
    by_sha256sum = "6ec9c2b0eb14010746c8bce8939303b382344b296206612eb8a907a37b2b2f37"  # printf pixels | sha256sum
    assert got.files["fits"]["sha256"] == by_sha256sum


def test_putting_it_again_changes_nothing(store):
    first = store.put(product(), {"fits": b"one"})
    assert store.put(product(), {"fits": b"another"}) == first
    assert store.read(first, "fits") == b"one"


def test_a_file_that_it_does_not_have_is_not_found(store):
    kept = store.put(product(), {"fits": b"one"})
    with pytest.raises(NotFound, match=r"has no file \.jpg; it has fits"):
        store.read(kept, "jpg")


def test_a_file_that_is_damaged_or_gone_is_not_read(store):
    kept = store.put(product(), {"fits": b"pixels"})
    path = store.path(f"{kept.stem}.fits")
    store.fs.pipe_file(path, b"pixelz")
    with pytest.raises(BadInput, match=r"fits is damaged: its 6 bytes are not the 6 kept \(remove .*\.json"):
        store.read(kept, "fits")
    store.fs.rm_file(path)
    with pytest.raises(BadInput, match=r"fits is gone"):
        store.read(kept, "fits")


def test_products_are_found_by_kind_data_set_and_workspace(store):
    for number, changes in enumerate(
        [{}, {"kind": "reduction"}, {"dataset": "naco/y/2013-01-31"}, {"workspace": "team"}, {"dataset": "naco/x"}]
    ):
        store.put(product(number, **changes))
    assert len(store.find()) == 5
    assert [one.product.record["n"] for one in store.find(kind="reduction")] == [1]
    assert [one.product.record["n"] for one in store.find(dataset="naco/y/2013-01-31")] == [2]
    assert [one.product.record["n"] for one in store.find(dataset="naco/x", workspace="main")] == [4]
    assert [one.product.record["n"] for one in store.find(workspace="team")] == [3]
    assert store.workspaces() == ["main", "team"]


def test_what_has_no_provenance_does_not_exist(store):
    kept = store.put(product(), {"fits": b"pixels"})
    store.fs.rm(store.path(kept.stem + ".json"))
    assert store.find() == []
    assert not store.has(product())


def test_notes_may_change_and_are_no_products(store):
    store.note("releases/naco/x", {"release_date": "2030-01-01"}, workspace="main")
    store.note("releases/naco/x", {"release_date": "2031-01-01"}, workspace="main")
    store.note("policy", {"policy": "never"}, workspace="team")
    assert store.notes("releases/", workspace="main") == {"releases/naco/x": {"release_date": "2031-01-01"}}
    assert store.notes(workspace="team") == {"policy": {"policy": "never"}}
    assert store.find() == []


@pytest.mark.parametrize("name", ["../x", "a/../../x", ".x", "", "A"])
def test_a_note_cannot_climb_out(store, name):
    with pytest.raises(BadInput):
        store.note(name, {}, workspace="main")
    with pytest.raises(BadInput):
        store.note("x", {}, workspace="../main")


def test_what_a_killed_writer_left_is_neither_seen_nor_used(store):
    """Its files are there, its commit is not; another time the same product is another set of bytes."""
    store.fs.makedirs(store.path("main/naco/x/2013-01-31"), exist_ok=True)
    store.fs.pipe_file(store.path(f"{product().stem}.fits"), b"half of")
    assert store.find() == []
    assert not store.has(product())

    kept = store.put(product(), {"fits": b"pixels"}, {"observation": TABLE})
    assert store.find() == [kept] == [store.get(product())]
    assert store.read(kept, "fits") == b"pixels"
    assert store.rows(kept, "observation").equals(TABLE)


def test_who_commits_second_takes_what_the_first_made(store, monkeypatch):
    """Two writers, both of which have seen that nothing is there: the second is a store that never has anything."""
    first = store.put(product(), {"fits": b"one"}, {"observation": TABLE})
    monkeypatch.setattr(store, "has", lambda product: False)
    assert store.put(product(), {"fits": b"another"}, {"observation": TABLE.slice(1)}) == first
    assert store.read(first, "fits") == b"one"
    assert store.rows(first, "observation").equals(TABLE)


WRITER = """
import os, signal, sys, time
import pyarrow as pa
from lyot.product import Product
from lyot.store import Store

url, letter, start, killed = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4] == "killed"
store, size = Store(url), 40_000
create = Store._create
def slowly(self, relative, data):
    if killed and relative.endswith(".json"):
        os.kill(os.getpid(), signal.SIGKILL)
    create(self, relative, data)
    time.sleep(0.002)
Store._create = slowly
time.sleep(max(0.0, start - time.time()))
for number in range(25):
    product = Product(kind="cube", dataset="naco/x/2013-01-31", record={"n": number})
    content = {"a.fits": letter.encode() * size, "b.fits": letter.encode() * size}
    store.put(product, content, {"observation": pa.table({"who": [letter]})})
"""


@pytest.mark.slow
def test_processes_that_make_the_same_products_at_once_all_succeed_and_tear_none(tmp_path):
    url, start = str(tmp_path / "store"), str(time.time() + 3.0)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, letter, start, "killed" if letter == "d" else ""])
        for letter in "abcd"
    ]
    assert [one.wait(timeout=60) for one in writers] == [0, 0, 0, -signal.SIGKILL]
    store = Store(url)
    found = store.find()
    assert sorted(one.product.record["n"] for one in found) == list(range(25))
    for kept in found:
        (letter,) = store.rows(kept, "observation")["who"].to_pylist()
        for ending in ("a.fits", "b.fits"):
            data = store.read(kept, ending)
            assert data == letter.encode() * 40_000  # of one writer, whole
            assert hashlib.sha256(data).hexdigest() == kept.files[ending]["sha256"]
    named = {f"{kept.stem}.{ending}" for kept in found for ending in kept.files}
    named |= {f"{kept.product.stem}.json" for kept in found}
    there = {str(path.relative_to(tmp_path / "store")) for path in (tmp_path / "store").rglob("*") if path.is_file()}
    left = there - named
    assert len(left) <= 3  # no more than what the killed one had written of its product


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    """No file may grow beyond 4 kB in the child, which is how a small disk behaves."""
    code = """
import resource, sys
from lyot.errors import Unwritable
from lyot.product import Product
from lyot.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
store = Store(sys.argv[1])
product = Product(kind="cube", dataset="naco/x/2013-01-31", record={})
try:
    store.put(product, {"a.fits": b"small", "b.fits": b"large" * 4096})
except Unwritable as error:
    print(error)
print(store.find())
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    sentence, found = done.stdout.splitlines()
    assert "b.fits cannot be written: file too large (what was kept before stays" in sentence
    assert found == "[]"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_in_the_place_of_the_store_is_said(tmp_path):
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(BadInput, match="is a file, a folder is needed"):
        Store(str(tmp_path / "store"))
    with pytest.raises(Unwritable, match="cannot be written: not a directory"):
        Store(str(tmp_path / "store" / "below")).put(product(), {"fits": b"pixels"})


def test_what_is_no_product_is_named(tmp_path):
    store = Store(str(tmp_path))
    store.put(product(), {"fits": b"pixels"})
    (tmp_path / "main" / "settings.json").write_text('{"mine": true}')
    with pytest.raises(BadInput, match=r"settings\.json is in the store, but no provenance .*move it elsewhere"):
        store.find()


def test_what_a_disk_brings_along_is_no_workspace(tmp_path):
    store = Store(str(tmp_path))
    store.put(product(), {"fits": b"pixels"})
    for name in ("lost+found", ".Trash-0", "System Volume Information"):
        (tmp_path / name).mkdir()
    (tmp_path / "readme").write_text("a file")
    assert store.workspaces() == ["main"]


def test_a_url_that_nobody_can_open_is_refused():
    with pytest.raises(BadInput, match="cannot be opened"):
        Store("nonsense://bucket/store")


def test_provenance_is_plain_json(tmp_path):
    store = Store(str(tmp_path))
    kept = store.put(product(), {"fits": b"pixels"})
    said = json.loads((tmp_path / (kept.stem + ".json")).read_text())
    assert said["record"] == {"n": 1}
    assert said["key"] == kept.key
    assert said["created"].endswith("+00:00")
