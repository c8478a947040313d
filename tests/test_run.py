"""Reductions are made once, and one that fails stops no other."""

import io
import math
import os
import time
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from lyot.build import plan as planning
from lyot.build import run as running
from lyot.build.adopt import adopt
from lyot.build.missing import overview
from lyot.build.options import AdoptOptions
from lyot.build.plan import Job, plan
from lyot.build.result import Made, hci_of, rows_of
from lyot.build.run import ASSUMED, UNKNOWN_CENTRE, reduce_one, run
from lyot.build.visible import _subject
from lyot.catalog import hcifits
from lyot.cube import Cube
from lyot.errors import BadInput, NotFound, Unprocessable
from lyot.instrument import Coronagraph, instrument
from lyot.level1 import read_cube
from lyot.reduce.psf_image import fwhm_of
from lyot.reduce.recipes import PUBLISHED, recipe
from lyot.reduce.reduction import Limit, Reduction, Source
from lyot.reduce.step import Recipe
from lyot.store import Store

NTIME, SIDE = 12, 41


def sequence(store: Store, folder, target: str = "beta Pic", nwave: int = 1, **options):
    """Adopt frames of a star with a companion 11 px from it, drawn as a Gaussian that turns with the sky."""
    folder.mkdir(exist_ok=True)
    angles = np.linspace(0.0, 60.0, NTIME)
    rows, columns = np.indices((SIDE, SIDE)) - SIDE // 2
    halo = 500 * np.exp(-np.hypot(rows, columns) / 5)
    frames = np.random.default_rng(4).normal(halo, 1.0, (NTIME, SIDE, SIDE))
    for frame, angle in zip(frames, angles, strict=True):
        theta = np.radians(140.0 - angle)
        y, x = 11 * np.cos(theta), -11 * np.sin(theta)
        frame += 60 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 1.7**2))
    psf = np.exp(-(rows**2 + columns**2) / (2 * 1.7**2))[10:-10, 10:-10]
    fits.PrimaryHDU(np.stack([frames] * nwave).astype(np.float32)).writeto(folder / "cube.fits", overwrite=True)
    fits.PrimaryHDU(angles).writeto(folder / "angles.fits", overwrite=True)
    fits.PrimaryHDU(1e6 * psf).writeto(folder / "psf.fits", overwrite=True)
    given = {"angles": folder / "angles.fits", "psf": folder / "psf.fits", "instrument": "naco", "target": target,
             "date": "2013-01-31", "filter": "L'", "star_flux": 1e7, **options}  # fmt: skip
    return adopt(store, folder / "cube.fits", options=AdoptOptions(**given))


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def reduction(nwave: int = 1) -> Reduction:
    """What an analysis could have given."""
    image = np.ones((nwave, SIDE, SIDE), np.float32)
    radii = np.array([100.0, 200.0, 400.0])
    limits = [
        Limit(wave, noise, 5.0, radii, np.array([1e-3, 1e-4, np.nan]), np.array([0.2, 0.5, 0.7]))
        for wave in range(nwave) for noise in ("mawet", "annulus")
    ]  # fmt: skip
    theta = math.radians(211.2)
    sources = [
        Source(number=number, wave=wave, separation=452.0, separation_error=3.0, position_angle=211.2,
               position_angle_error=0.4, dra=452 * math.sin(theta), dra_error=3.1, ddec=452 * math.cos(theta),
               ddec_error=3.0, dra_ddec_correlation=0.1, snr=12.0, false_alarm_probability=1e-7,
               contrast=contrast, contrast_error=error)
        for wave in range(nwave)
        for number, contrast, error in ((1, 1e-3, 1e-4), (2, -1e-5, 1e-5), (3, None, None), (4, math.nan, math.nan))
    ]  # fmt: skip
    return Reduction(image=image, residuals=np.ones((nwave, 2, SIDE, SIDE), np.float32), record={}, frames_used=11,
                     corrected=image * 2, stacked=image[0], snr=image * 3, limits=tuple(limits), sources=tuple(sources),
                     notes=("a note",))  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    """Analyses that take no time; how often one was asked for."""
    asked = []

    def analyse(cube: Cube, recipe, errors, library=None):
        asked.append((recipe.name, errors))
        return reduction(len(cube.frames))

    monkeypatch.setattr(running, "analyse", analyse)
    return asked


def test_what_is_missing_is_planned_and_nothing_else(store, tmp_path, quick):
    sequence(store, tmp_path / "a")
    jobs = plan(store)
    assert [job.recipe.name for job in jobs] == list(PUBLISHED)

    assert {one.outcome for one in run(store, jobs)} == {"done"}
    assert plan(store) == []
    assert len(quick) == len(PUBLISHED)

    (more,) = plan(store, recipes=["pca"], settings={"ncomp": "7"})
    assert more.label == "pca-ncomp-7"
    assert more.recipe.model.ncomp == 7


def test_making_it_again_makes_nothing(store, tmp_path, quick):
    cube = sequence(store, tmp_path / "a")
    first = reduce_one(store, cube, recipe("cadi"))
    assert reduce_one(store, cube, recipe("cadi")).created == first.created
    assert len(quick) == 1


def test_a_coronagraph_better_known_makes_reductions_anew_and_the_old_ones_are_outdated(
    store, tmp_path, quick, monkeypatch
):
    sequence(store, tmp_path / "a", coronagraph="AGPM")
    run(store, plan(store))
    measured = Coronagraph(names=("AGPM",), separations=(0.0, 500.0), transmissions=(0.2, 1.0))
    naco = instrument("naco").model_copy(update={"coronagraphs": (measured,)})
    monkeypatch.setattr(planning, "instrument", lambda name: naco)
    jobs = plan(store)
    assert len(jobs) == len(PUBLISHED)
    run(store, jobs)
    assert plan(store) == []
    kept = store.find(kind="reduction")
    assert len({_subject(one) for one in kept}) == len(PUBLISHED) == len(kept) / 2


def test_another_cube_of_the_same_data_set_is_reduced_anew_and_the_old_one_no_more(store, tmp_path, quick):
    sequence(store, tmp_path / "a")
    run(store, plan(store))
    time.sleep(0.002)  # products are told apart by milliseconds
    newer = sequence(store, tmp_path / "a", north=1.0)
    jobs = plan(store)
    assert {job.cube.key for job in jobs} == {newer.key}
    assert len(jobs) == len(PUBLISHED)


def test_names_that_do_not_exist_are_refused(store, tmp_path):
    sequence(store, tmp_path / "a")
    with pytest.raises(NotFound, match="no data set naco/nowhere"):
        plan(store, ["naco/nowhere"])
    with pytest.raises(NotFound, match="no recipe 'magic'"):
        plan(store, recipes=["magic"])
    with pytest.raises(BadInput):
        plan(store, recipes=["pca"], settings={"ncomp": "many"})


def test_one_failure_stops_no_other(store, tmp_path, monkeypatch):
    for target in ("alpha", "beta", "gamma", "delta"):
        sequence(store, tmp_path / target, target=target)
    errors = {"alpha": Unprocessable("too little rotation"), "beta": ZeroDivisionError("division by zero"),
              "gamma": BadInput("no such thing", hint="look again")}  # fmt: skip
    monkeypatch.setattr(running, "analyse", lambda cube, recipe, errors, library: reduction())
    read = running.read_cube

    def stumble(data):
        with fits.open(io.BytesIO(data)) as hdus:
            name = hdus[0].header["LYOT TARGET"]
        if name in errors:
            raise errors[name]
        return read(data)

    monkeypatch.setattr(running, "read_cube", stumble)
    outcomes = {one.job.dataset.split("/")[1]: one for one in run(store, plan(store, recipes=["cadi"]))}

    assert {name: one.outcome for name, one in outcomes.items()} == {
        "alpha": "unprocessable", "beta": "failed", "gamma": "failed", "delta": "done"
    }  # fmt: skip
    assert outcomes["alpha"].message == "too little rotation"
    assert outcomes["beta"].message == "ZeroDivisionError: division by zero"
    assert outcomes["gamma"].message == "no such thing (look again)"
    assert outcomes["delta"].summary()["key"] == outcomes["delta"].key


def test_what_cannot_be_done_is_kept_and_not_tried_again(store, tmp_path, monkeypatch):
    sequence(store, tmp_path / "a", simulated=True)

    def refuse(cube, recipe, errors, library=None):
        raise Unprocessable("one frame", hint="take more")

    monkeypatch.setattr(running, "analyse", refuse)
    (outcome,) = run(store, plan(store, recipes=["pca"]))
    (kept,) = store.find(kind="run")
    (row,) = store.rows(kept, "run").to_pylist()

    assert (outcome.outcome, outcome.key) == ("unprocessable", kept.key)
    assert (row["outcome"], row["message"], row["recipe"]) == ("unprocessable", "one frame (take more)", "pca")
    assert row["simulated"] is True
    assert row["product_key"] is None
    assert plan(store, recipes=["pca"]) == []
    assert len(plan(store, recipes=["pca"], retry=True)) == 1
    assert len(plan(store, recipes=["pca"], settings={"ncomp": 3})) == 1


def test_the_camera_adds_its_errors(store, tmp_path, quick):
    cube = sequence(store, tmp_path / "a", pixel_scale=54.38)
    reduce_one(store, cube, recipe("cadi"))
    ((_, errors),) = quick
    assert errors.north == 0.10
    assert errors.pixel_scale == pytest.approx(2 * 0.06)  # the same relative error at twice the scale


def test_a_centre_of_unknown_error_is_half_a_pixel_off(store, tmp_path, quick):
    said = [reduce_one(store, sequence(store, tmp_path / name, date=date, **given), recipe("cadi"))
            for name, date, given in (("a", "2013-01-31", {}), ("b", "2013-02-01", {"centre_error": 0.1}))]  # fmt: skip
    assert [errors.centre for _, errors in quick] == pytest.approx([UNKNOWN_CENTRE, 0.1])
    notes = [hcifits.read(store.read(kept, "fits")).record["notes"] for kept in said]
    assert notes == [["a note", ASSUMED], ["a note"]]


def test_rows_say_what_was_measured(store, tmp_path, quick):
    cube = sequence(store, tmp_path / "a")
    kept = reduce_one(store, cube, recipe("pca"))
    (row,) = store.rows(kept, "reduction").to_pylist()
    found = store.rows(kept, "detection").to_pylist()
    limits = store.rows(kept, "detection_limit").to_pylist()
    (job,) = store.rows(kept, "run").to_pylist()

    assert (row["recipe"], row["algorithm"], row["strategy"], row["parameters"]) == ("pca", "PCA", "adi", "ncomp=5")
    assert (row["target_id"], row["observation_id"]) == ("beta-pic", cube.product.dataset)
    assert (row["product_key"], row["frames_used"]) == (kept.key, 11)
    assert job["outcome"] == "done"

    bright, negative, unknown, nan = found
    assert bright["delta_mag"] == pytest.approx(7.5)  # a thousandth is 7.5 mag
    assert bright["delta_mag_error"] == pytest.approx(0.1086, abs=1e-4)  # a tenth is 0.1086 mag
    assert bright["wavelength"] == 3.8
    assert bright["filter"] == "L'"
    assert (bright["mjd"], bright["mjd_error"]) == (56323.5, 0.5)  # noon of a day of which no more is known
    fwhm = fwhm_of(read_cube(store.read(cube, "fits")), 0)
    places = SIDE**2 / (math.pi / 4 * fwhm**2)  # every pixel of the map has a number
    assert bright["false_alarms"] == pytest.approx(1e-7 * places)
    assert (negative["contrast"], negative["delta_mag"]) == (-1e-5, None)
    assert (unknown["contrast"], nan["contrast"], nan["contrast_error"]) == (None, None, None)

    assert {(one["noise"], one["separation"]) for one in limits} == {
        (noise, separation) for noise in ("mawet", "annulus") for separation in (100.0, 200.0)
    }
    assert limits[0]["delta_mag"] == pytest.approx(7.5)
    for one in (row, *found, *limits, job):
        assert (one["workspace"], one["simulated"], one["release_date"]) == ("main", False, None)


def test_what_the_cube_decided_is_in_row_and_file(store, tmp_path, monkeypatch):
    settled = {"components": {"ncomp": 3, "snr": {"1": 4.0, "3": 9.0}}, "select": {"4": "flux"}}
    seen = []

    def analyse(cube: Cube, recipe, errors, library=None):
        seen.append(cube)
        return replace(reduction(1), settled=settled)

    monkeypatch.setattr(running, "analyse", analyse)
    asked = recipe("pca", ncomp="auto", select=5)
    kept = reduce_one(store, sequence(store, tmp_path / "a", coronagraph="agpm"), asked)
    (row,) = store.rows(kept, "reduction").to_pylist()
    hci = hcifits.read(store.read(kept, "fits"))
    assert row["parameters"] == hci.image_cards["REDPARAM"] == "ncomp=auto (3), select=5"
    assert hci.record["settled"] == settled
    assert Recipe.replay(hci.record["recipe"]) == asked
    assert seen[0].coronagraph is instrument("naco").coronagraph("AGPM")


def test_the_file_says_the_same_as_the_rows(store, tmp_path, quick):
    kept = reduce_one(store, sequence(store, tmp_path / "a", target="β Pic", filter="L′"), recipe("pca"))
    hci = hcifits.read(store.read(kept, "fits"))

    assert hci.cards["TARGNAME"] == "beta Pic"  # FITS headers are in ASCII
    assert (hci.cards["TELESCOP"], hci.cards["FILTER"]) == ("ESO-VLT-UT4", "L'")
    assert hci.image_cards["REDALGO"] == "PCA"
    assert hci.information["wavelength"][0] == pytest.approx(3.8)
    assert hci.information["rotation"][0] == pytest.approx(60.0)
    assert hci.record["recipe"] == recipe("pca").record()
    assert hci.record["inputs"] == list(kept.product.inputs)
    assert hci.record["notes"] == ["a note", ASSUMED]  # the cube was adopted without an error of its centre
    assert hci.sources["number"].tolist() == [1, 2, 3, 4]
    assert hci.sources["separation"][0, 0] == pytest.approx(452.0)
    assert np.isnan(hci.sources["contrast"][2, 0])
    assert [one.noise for one in hci.limits] == ["mawet", "annulus"]
    np.testing.assert_allclose(hci.snr, 3.0)
    np.testing.assert_allclose(hci.corrected, 2.0)
    # 5σ contrast halfway between 100 and 200 mas, on a pixel of 27.19 mas: read off the curve
    middle = SIDE // 2
    radius = 5 * 27.19
    expected = 1e-3 + (radius - 100) / 100 * (1e-4 - 1e-3)
    assert hci.sensitivity[0, middle, middle + 5] == pytest.approx(expected, rel=1e-5)
    assert np.isnan(hci.sensitivity[0, middle, middle])


def test_each_wavelength_has_its_rows(store, tmp_path, quick):
    cube = sequence(store, tmp_path / "a", nwave=2, filter=None, wavelengths=(3.7, 3.9))
    kept = reduce_one(store, cube, recipe("cadi"))
    keys = [(one["number"], one["wavelength"]) for one in store.rows(kept, "detection").to_pylist()]
    assert sorted(set(keys)) == sorted(keys)
    assert {wavelength for _, wavelength in keys} == {3.7, 3.9}
    hci = hcifits.read(store.read(kept, "fits"))
    assert hci.sources["snr"].shape == (4, 2)
    assert hci.limits[0].separation.shape == (2, 3)


def test_an_analysis_that_measured_nothing_is_a_product_too(store, tmp_path):
    cube = sequence(store, tmp_path / "a")
    frames, observation = read_cube(store.read(cube, "fits")), store.rows(cube, "observation").to_pylist()[0]
    bare = Reduction(image=np.ones((1, 9, 9), np.float32), residuals=np.ones((1, 2, 9, 9), np.float32), record={},
                     frames_used=2)  # fmt: skip
    (job,) = plan(store, recipes=["no-adi"])
    made = Made(job, frames, observation, bare, "2026-01-01T00:00:00+00:00")
    assert [rows_of(made)[name].num_rows for name in ("reduction", "detection", "detection_limit")] == [1, 0, 0]
    assert hcifits.read(hcifits.write(hci_of(made))).candidates == 0


def test_the_overview_says_what_is_missing(store, tmp_path, quick):
    sequence(store, tmp_path / "a", psf=None, star_flux=None)
    assert overview(store) == [
        {"dataset": "naco/beta-pic/2013-01-31/lp", "workspace": "main", "level": 1, "recipes": [],
         "missing": ["psf", "star flux", "release date"], "simulated": False}
    ]  # fmt: skip
    time.sleep(0.002)
    sequence(store, tmp_path / "a", release_date="2014-01-01")
    run(store, plan(store, recipes=["pca"]))
    (one,) = overview(store)
    assert (one["level"], one["recipes"], one["missing"]) == (2, ["pca-ncomp-5"], [])


def test_a_companion_is_found_where_it_was_put(store, tmp_path):
    kept = reduce_one(store, sequence(store, tmp_path / "a"), recipe("cadi"))
    best = max(store.rows(kept, "detection").to_pylist(), key=lambda one: one["snr"])
    # 11 px of 27.19 mas; a tenth of a pixel for noise of 1 against a peak of 60
    assert best["separation"] == pytest.approx(11 * 27.19, abs=2.7)
    assert best["position_angle"] == pytest.approx(140.0, abs=0.5)


class Deadly(Job):
    """A job that ends the process which takes it up."""

    def __reduce__(self):
        return os._exit, (1,)


@pytest.mark.slow
def test_a_process_that_dies_takes_no_other_job_with_it(store, tmp_path):
    first, second = (sequence(store, tmp_path / target, target=target) for target in ("alpha", "beta"))
    jobs = [Job(first, recipe("no-adi")), Deadly(first, recipe("cadi")), Job(second, recipe("no-adi"))]
    outcomes = run(store, jobs, workers=2)
    assert [one.outcome for one in outcomes] == ["done", "failed", "done"]
    assert "died" in outcomes[1].message


@pytest.mark.slow
def test_several_processes_give_the_same(store, tmp_path):
    for target in ("alpha", "beta"):
        sequence(store, tmp_path / target, target=target)
    outcomes = run(store, plan(store, recipes=["no-adi"]), workers=2)
    assert [one.outcome for one in outcomes] == ["done", "done"]
    assert [one.job.dataset.split("/")[1] for one in outcomes] == ["alpha", "beta"]
    assert plan(store, recipes=["no-adi"]) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # distributed's own
def test_a_cluster_does_the_jobs(store, tmp_path):
    distributed = pytest.importorskip("distributed")
    for target in ("alpha", "beta"):
        sequence(store, tmp_path / target, target=target)
    (broken,) = (tmp_path / "store" / "main" / "naco" / "alpha").rglob("cube-*.fits")
    broken.write_bytes(broken.read_bytes()[:-1000])
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        outcomes = run(store, plan(store, recipes=["no-adi"]), scheduler=cluster.scheduler_address)
    assert [one.outcome for one in outcomes] == ["failed", "done"]
    assert "is damaged" in outcomes[0].message
    with pytest.raises(BadInput, match="no Dask scheduler answers at tcp://127"):
        run(store, plan(store, recipes=["no-adi"]), scheduler="tcp://127.0.0.1:1")
