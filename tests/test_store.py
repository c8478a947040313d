"""What is in the store is whole, and stays."""

import json
import threading

import pyarrow as pa
import pytest

from lyot.errors import BadInput, NotFound
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


def test_an_interrupted_write_leaves_nothing_that_is_seen(tmp_path, monkeypatch):
    store = Store(str(tmp_path / "store"))
    real = store.fs.mv
    calls = []

    def stumble(source, target, **options):
        calls.append(target)
        if len(calls) == 2:
            raise OSError("disk full")
        return real(source, target, **options)

    monkeypatch.setattr(store.fs, "mv", stumble)
    with pytest.raises(OSError, match="disk full"):
        store.put(product(), {"fits": b"pixels"}, {"observation": TABLE})
    monkeypatch.undo()
    assert store.find() == []
    assert not store.has(product())
    kept = store.put(product(), {"fits": b"pixels"}, {"observation": TABLE})
    assert store.read(kept, "fits") == b"pixels"


def test_many_writers_of_one_product_leave_one_whole_product(tmp_path):
    url = str(tmp_path / "store")
    failures = []

    def write():
        try:
            Store(url).put(product(), {"fits": b"pixels" * 1000}, {"observation": TABLE})
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = Store(url)
    (kept,) = store.find()
    assert failures == []
    assert store.read(kept, "fits") == b"pixels" * 1000
    assert not list((tmp_path / "store").rglob("*.part"))


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
