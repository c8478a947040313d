"""A release holds what its audience may see, and nothing else, byte by byte."""

import sys
import threading
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from releases import OPEN, facts, release, rows, sequence

from lyot.build import publish as publishing
from lyot.build.publish import publish
from lyot.catalog.table import tables
from lyot.errors import BadInput, Unwritable
from lyot.product import Product
from lyot.store import Store

CANARY = "xyzzy-plugh-4711"


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def everything(folder: Path) -> bytes:
    """All bytes of all files below a folder, Parquet columns unpacked beside the files as they are."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert {".db", ".duckdb", ".parquet"} <= {path.suffix for path in files}
    unpacked = [str(pq.read_table(path).to_pylist()).encode() for path in files if path.suffix == ".parquet"]
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        unpacked += [str(connection.execute(f'FROM "{name}"').fetchall()).encode() for name in names]
    return b"\0".join([path.read_bytes() for path in files] + [str(path).encode() for path in files] + unpacked)


def count(folder: Path, table: str) -> int:
    return int(pq.read_metadata(folder / "parquet" / f"{table}.parquet").num_rows)


def test_a_release_has_every_table_in_three_forms(store, tmp_path):
    facts(store)
    sequence(store)

    done = publish(store, tmp_path / "out")

    assert done.folder == tmp_path / "out" / "public"
    assert {path.name for path in done.folder.iterdir()} == {"lyot.db", "inspect.json", "lyot.duckdb", "parquet"}
    assert set(done.rows) == set(tables())
    assert {name: count(done.folder, name) for name in tables()} == done.rows
    assert done.rows["detection"] == done.rows["observation"] == done.rows["target"] == 1
    assert {path.name for path in (tmp_path / "out").glob(".*")} == {".public.lock", ".public.reuse"}


def test_what_has_no_release_date_is_in_no_public_file(store, tmp_path):
    facts(store)
    sequence(store, f"naco/{CANARY}/2013-02-01", target=CANARY, date=None, words=CANARY)

    public = publish(store, tmp_path / "out")
    private = publish(store, tmp_path / "out", workspace="main")

    assert CANARY.encode() not in everything(public.folder)
    assert CANARY.encode() in everything(private.folder)  # the search does find what is there
    assert len(public.withheld) == 2
    assert all("it has no release date" in why for why in public.withheld.values())


def test_a_row_is_public_from_its_day_on(store, tmp_path):
    sequence(store, date="2024-03-01")
    assert publish(store, tmp_path / "out", as_of="2024-02-29").rows["observation"] == 0
    assert publish(store, tmp_path / "out", as_of="2024-03-01").rows["observation"] == 1


def test_what_is_made_private_again_leaves_the_release(store, tmp_path):
    sequence(store, words=CANARY)
    folder = publish(store, tmp_path / "out").folder
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text(CANARY)
    assert CANARY.encode() in everything(folder)

    release(store, "naco/beta-pic/2013-02-01", None)
    publish(store, tmp_path / "out")

    assert CANARY.encode() not in everything(folder)


def test_what_is_made_from_a_private_product_is_private(store, tmp_path):
    cube, _ = sequence(store, "naco/secret/2013-02-01", target="secret", date=None)
    sequence(store)
    dataset = "naco/beta-pic/2013-02-01"
    own = next(kept for kept in store.find(kind="cube", dataset=dataset))
    store.put(
        Product(kind="reduction", dataset=dataset, record={"library": "secret"}, inputs=(own.key, cube.key)),
        rows=rows("reduction", {"reduction_id": CANARY, "observation_id": dataset, "target_id": "beta-pic"}),
    )

    assert CANARY.encode() not in everything(publish(store, tmp_path / "out").folder)


def test_simulated_rows_are_left_out_unless_asked_for(store, tmp_path):
    facts(store)
    sequence(store, "sim/star/2020-01-01", target="sim-star", simulated=True, words=CANARY)

    without = publish(store, tmp_path / "out")
    assert without.rows["observation"] == without.rows["reduction"] == 0
    assert without.rows["product"] == 1
    assert CANARY.encode() not in everything(without.folder)

    asked = publish(store, tmp_path / "out", with_simulated=True)
    assert asked.rows["observation"] == 1
    assert asked.rows["product"] == 3
    assert pq.read_table(asked.folder / "parquet/product.parquet")["simulated"].to_pylist().count(True) == 2


def test_a_private_release_has_its_workspace_and_what_is_public_elsewhere(store, tmp_path):
    facts(store)
    sequence(store, "naco/other/2013-02-01", target="other", workspace="theirs", date=None, words=CANARY)
    sequence(store, "naco/mine/2013-02-01", target="mine", workspace="ours", date=None)

    ours = publish(store, tmp_path / "out", workspace="ours")

    assert ours.folder == tmp_path / "out" / "ours"
    assert pq.read_table(ours.folder / "parquet/target.parquet")["target_id"].to_pylist() == ["beta-pic", "mine"]
    assert CANARY.encode() not in everything(ours.folder)


@pytest.mark.parametrize("newest", ["main", "ours"])
def test_one_observation_in_two_workspaces_lives_in_both(store, tmp_path, newest):
    """Whichever came last: the private one neither hides the public one nor is hidden by it, and nothing leaks."""
    facts(store)
    for workspace in sorted(["main", "ours"], key=newest.__eq__):
        private = workspace == "ours"
        sequence(store, workspace=workspace, date=None if private else OPEN, words=CANARY if private else "")

    public, ours = publish(store, tmp_path / "out"), publish(store, tmp_path / "out", workspace="ours")

    assert CANARY.encode() not in everything(public.folder)
    for table in ("observation", "reduction", "detection"):
        name = "observation_id" if table == "observation" else "reduction_id"
        seen = {release.folder: pq.read_table(release.folder / f"parquet/{table}.parquet").to_pylist()
                for release in (public, ours)}  # fmt: skip
        plain = seen[public.folder][0][name]
        assert [(row[name], row["workspace"]) for row in seen[public.folder]] == [(plain, "main")]
        assert [(row[name], row["workspace"]) for row in seen[ours.folder]] == [
            (plain, "main"), (f"{plain}@ours", "ours")
        ]  # fmt: skip
    assert {row["observation_id"] for row in seen[ours.folder]} == {
        "naco/beta-pic/2013-02-01", "naco/beta-pic/2013-02-01@ours"
    }  # fmt: skip


def test_what_is_derived_from_a_private_star_is_private(store, tmp_path):
    """A star that `ours` describes too is theirs in their release; so are magnitudes that rest on it."""
    facts(store)
    seen = {"quantity": "apparent_mag", "band": "NACO/Lp", "value": 11.3, "error_plus": 0.1, "number": 0}
    of_b = seen | {"target_id": "beta-pic", "companion_id": "beta-pic-b", "reference_id": "gaia"}
    store.put(Product(kind="import", dataset="import/b", record={}), rows=rows("measurement", of_b))
    release(store, "import/b", OPEN)
    facts(store, dataset="facts/ours", date=None, workspace="ours")

    done = publish(store, tmp_path / "out", workspace="ours")

    made = [row for row in pq.read_table(done.folder / "parquet/measurement.parquet").to_pylist()
            if row["quantity"] == "absolute_mag"]  # fmt: skip
    assert [(row["workspace"], row["release_date"]) for row in made] == [("ours", None)]


def test_a_workspace_that_never_releases(store, tmp_path):
    sequence(store, workspace="ours")
    store.note("policy", {"policy": "never"}, workspace="ours")
    assert publish(store, tmp_path / "out").rows["observation"] == 0


def test_an_unknown_workspace_is_named(store, tmp_path):
    facts(store)
    with pytest.raises(BadInput, match="has no workspace 'nobody'; it has main"):
        publish(store, tmp_path / "out", workspace="nobody")


def test_a_release_that_fails_its_checks_leaves_the_one_before(store, tmp_path):
    facts(store)
    before = everything(publish(store, tmp_path / "out").folder)
    store.put(
        Product(kind="import", dataset="facts/bad", record={}),
        rows=rows("target", {"target_id": "bad", "name": "bad", "dec": 123.0}),
    )
    release(store, "facts/bad", "2020-01-01")

    with pytest.raises(BadInput, match=r"target\.dec is out of limits: target_id = bad, dec = 123\.0"):
        publish(store, tmp_path / "out")

    assert everything(tmp_path / "out" / "public") == before
    assert {path.name for path in (tmp_path / "out").glob(".*")} == {".public.lock", ".public.reuse"}


def test_a_release_is_made_by_one_process_at_a_time(store, tmp_path):
    facts(store)
    with publishing._alone(tmp_path / "out" / "public"):
        with pytest.raises(BadInput, match=r"another process is making .*public \(wait until it has ended\)"):
            publish(store, tmp_path / "out")
        assert publish(store, tmp_path / "out", workspace="main").folder.is_dir()  # another release
    assert publish(store, tmp_path / "out").folder.is_dir()


def test_what_a_killed_build_left_is_mended_by_the_next(store, tmp_path, monkeypatch):
    """Killed between laying the old release aside and putting the new one in its place, on a disk that cannot swap."""
    facts(store)
    out = tmp_path / "out"
    before = everything(publish(store, out).folder)
    (out / "public").rename(out / ".public.0123.old")
    for half in (".public.4567.part", "..public.reuse.89ab.part"):
        (out / half).mkdir()
        (out / half / "lyot.db").write_bytes(b"half")
    monkeypatch.setattr(publishing, "bake", lambda *a: pytest.fail("the store is broken"))
    with pytest.raises(pytest.fail.Exception, match="the store is broken"):
        publish(store, out)
    assert everything(out / "public") == before
    monkeypatch.undo()
    publish(store, out)
    assert {path.name for path in out.iterdir()} == {"public", ".public.lock", ".public.reuse"}


def test_a_folder_that_cannot_be_written_is_one_sentence(store, tmp_path):
    facts(store)
    (tmp_path / "out").write_text("a file")
    with pytest.raises(Unwritable, match=r"out.public cannot be written"):
        publish(store, tmp_path / "out")


@pytest.mark.parametrize("at_once", [True, False])
def test_a_release_takes_the_place_of_the_one_before(tmp_path, monkeypatch, at_once):
    """The old one goes whole, its site waits aside, and with one step for both nobody ever finds nothing."""
    if not at_once:
        monkeypatch.setattr(publishing, "_exchange", lambda *_: False)
    elif sys.platform != "linux":
        pytest.skip("only Linux swaps two folders in one step")
    folder, looks, stop = tmp_path / "public", [], threading.Event()
    (folder / "site").mkdir(parents=True)
    (folder / "number").write_text("0")
    (folder / "site" / "page").write_text("0")

    def look():
        while not stop.is_set():
            looks.append((folder / "number").exists())

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(1, 100):
        part = tmp_path / ".part"
        part.mkdir()
        (part / "number").write_text(str(number))
        publishing._replace(folder, part)
        assert (folder / "number").read_text() == str(number)
    stop.set()
    reader.join()
    assert not at_once or all(looks)
    assert {path.name for path in tmp_path.iterdir()} == {"public", ".site"}
    assert (tmp_path / ".site/public/page").read_text() == "0"


def test_a_store_in_a_bucket_is_read_like_one_on_a_disk(tmp_path):
    store = Store(f"memory://{tmp_path.name}")
    facts(store)
    sequence(store)
    assert publish(store, tmp_path / "out").rows["detection"] == 1
