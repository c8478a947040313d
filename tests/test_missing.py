"""What is missing is made, from raw frames on; what cannot be made costs the others nothing and is said."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from sphere_headers import raw_header
from test_run import reduction, sequence

from lyot.build import level1
from lyot.build import run as running
from lyot.build.ingest import ingest
from lyot.build.jobs import failures
from lyot.build.missing import make_missing, overview
from lyot.build.status import status
from lyot.cli import cli
from lyot.errors import BadInput, NotFound, Unprocessable
from lyot.product import Product
from lyot.store import Store

STARS = {"HD  1": "hd-1", "HD  2": "hd-2", "HD  3": "hd-3"}


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def night(store, tmp_path):
    """Three stars, a file each, registered."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for number, star in enumerate(STARS, 1):
        header = raw_header("OBJECT", DATE_OBS=f"2016-09-16T0{number}:00:00.000")
        header["ESO OBS TARG NAME"], header["ESO OBS ID"] = star, number
        fits.PrimaryHDU(np.full((4, 30, 40), number, np.float32), header).writeto(raw / f"{number}.fits")
    ingest(store, [raw])
    return raw


def names(store: Store) -> list[str]:
    return [one["dataset"] for one in overview(store)]


def test_raw_data_sets_are_in_the_overview_before_anything_is_made(store, night):
    found = overview(store)
    assert [one["dataset"].split("/")[1] for one in found] == list(STARS.values())
    assert {one["level"] for one in found} == {0}


def test_a_raw_data_set_that_fails_stops_no_other_and_is_tried_again(store, night, monkeypatch):
    """One has lost its file, one cannot be processed, one is whole."""
    (night / "2.fits").unlink()
    first, second, third = names(store)

    def keep(store, job, product, *rest):
        return store.put(Product(kind="cube", dataset=job.dataset, record=product.record, label=product.label,
                                 inputs=product.inputs, about={"level1_only": "it is a test"}))  # fmt: skip

    def to_level1(workflow, frames, *rest):
        if frames.name == third:
            raise Unprocessable("no star is seen")
        with fits.open(frames.science[0].path):  # as its first step does
            return

    monkeypatch.setattr(level1, "to_level1", to_level1)
    monkeypatch.setattr(level1, "_keep", keep)
    ended = {one.job.dataset: one for one in make_missing(store, level=1)}
    assert {name: one.outcome for name, one in ended.items()} == {
        first: "done", second: "failed", third: "unprocessable"
    }  # fmt: skip
    assert "2.fits" in ended[second].message

    seen = status(store)
    assert seen.waiting == 1 + 3  # the failed one, and the published recipes on the new cube
    assert [one["dataset"] for one in seen.failed] == [second]
    assert [one["dataset"] for one in seen.refused] == [third]
    assert any(line.startswith(f"failed   {second}") and "2.fits" in line for line in seen.lines())

    fits.PrimaryHDU(np.full((4, 30, 40), 2, np.float32)).writeto(night / "2.fits")  # it is found again
    (again,) = make_missing(store, level=1)
    assert (again.job.dataset, again.outcome) == (second, "done")
    assert failures(store) == []
    assert [one.job.dataset for one in make_missing(store, level=1, retry=True)] == [third]


def test_a_reduction_that_fails_is_noted_until_it_is_done(store, tmp_path, monkeypatch):
    for target in ("alpha", "beta"):
        sequence(store, tmp_path / target, target=target)
    monkeypatch.setattr(running, "analyse", lambda cube, recipe, errors, library: reduction())
    (broken,) = (tmp_path / "store" / "main" / "naco" / "beta").rglob("cube-*.fits")
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-1000])

    ended = make_missing(store, recipes=["cadi"])
    assert [one.outcome for one in ended] == ["done", "failed"]
    assert str(broken) in ended[1].message
    assert "is damaged" in ended[1].message
    assert [one["recipe"] for one in status(store).failed] == ["cadi"]

    broken.write_bytes(whole)
    (again,) = make_missing(store, recipes=["cadi"])
    assert (again.job.dataset.split("/")[1], again.outcome) == ("beta", "done")
    assert status(store).failed == ()


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"datasets": ["sphere-irdis/hd-1/2016-09-15/db-h24"]}, NotFound, r"no data set .*\(there are sphere-irdis/hd"),
        ({"recipes": ["magic"]}, NotFound, "no recipe 'magic'"),
        ({"settings": {"ncomp": "3"}}, BadInput, "no-adi has no setting ncomp .*--recipe NAME"),
        ({"settings": {"level1.magic": "3"}}, NotFound, "no calibration has a parameter magic"),
        ({"settings": {"level1.size": "many"}}, BadInput, r"level1\.size is 'many': input should be"),
    ],
)
def test_nothing_begins_when_a_word_is_wrong(store, night, asked, error, said, monkeypatch):
    monkeypatch.setattr(level1, "to_level1", lambda *a: pytest.fail("it began"))
    with pytest.raises(error, match=said):
        make_missing(store, **{"datasets": names(store)[:1], **asked})
    assert status(store).products == {}


def test_the_cube_that_was_asked_for_last_counts(store, night, monkeypatch):
    """Also one that was made before, and also when the process is killed between two writes."""
    def keep(store, job, product, *rest):
        level1._let_count(store, product)
        return store.put(product)

    monkeypatch.setattr(level1, "to_level1", lambda *a: None)
    monkeypatch.setattr(level1, "_keep", keep)
    (name, *_) = names(store)
    (first,) = make_missing(store, [name], level=1)
    (second,) = make_missing(store, [name], level=1, settings={"level1.size": "301"})
    assert second.key != first.key
    (third,) = make_missing(store, [name], level=1)
    assert third.key == first.key
    assert store.noted(f"current/{name}", workspace="main") == {"key": first.key}
    assert make_missing(store, [name], level=1) == []


def test_a_full_store_stops_the_work_in_one_sentence(store, tmp_path, monkeypatch):
    for target in ("alpha", "beta"):
        sequence(store, tmp_path / target, target=target)
    monkeypatch.setattr(running, "analyse", lambda cube, recipe, errors, library: reduction())
    create = Store._create

    def full(self, relative, data):
        if "beta" in relative:
            with self._writing(relative):
                raise OSError(28, "No space left on device")
        create(self, relative, data)

    monkeypatch.setattr(Store, "_create", full)
    done = CliRunner().invoke(cli, ["reduce", "--recipe", "cadi", "--store", str(tmp_path / "store")])
    assert isinstance(done.exception, BadInput)
    assert "cannot be written: no space left on device (what was kept before stays" in str(done.exception)
    monkeypatch.undo()
    monkeypatch.setattr(running, "analyse", lambda cube, recipe, errors, library: reduction())
    (after,) = make_missing(store, recipes=["cadi"])
    assert (after.job.dataset.split("/")[1], after.outcome) == ("beta", "done")


def test_files_of_a_folder_that_vanished_are_named(store, night):
    for path in Path(night).glob("*.fits"):
        path.unlink()
    ended = make_missing(store, level=1)
    assert [one.outcome for one in ended] == ["failed"] * 3
    assert all(str(night) in one.message for one in ended)
