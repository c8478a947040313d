"""Raw simulated nights to measured companions, by `ingest` and `reduce` alone; simulator and reducer share nothing."""

from pathlib import Path

import numpy as np
import pytest
from raw_checks import by_commands, cube_of, detections, level1, rows_near, true_vector, truth_of, wrong

from lyot.build.ingest import ingest
from lyot.build.level1 import associations, plan_level1, run_level1
from lyot.build.plan import plan
from lyot.build.run import run
from lyot.reduce.analyse import fit_companion
from lyot.reduce.simulate.raw_night import simulate_night
from lyot.reduce.simulate.raw_scene import Companion
from lyot.store import Store

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_irdis_finds_what_was_put_in(tmp_path, seed):
    simulate_night(tmp_path / "raw", "irdis", seed=seed)
    truth = truth_of(tmp_path / "raw")
    store = by_commands(tmp_path / "raw", tmp_path / "store", "--recipe", "cadi", "--set", "level1.size=301")
    cube = cube_of(store)
    np.testing.assert_allclose(cube.angles, true_vector(truth, "north"), atol=0.002)
    np.testing.assert_allclose(cube.times, true_vector(truth, "times"), atol=0.01 / 86400)
    observation = store.rows(store.find(kind="cube")[0], "observation").to_pylist()[0]
    assert observation["centring_error"] < 0.05 * cube.pixel_scale
    assert observation["simulated"]
    assert plan_level1(store, settings={"size": 301})[0] == []  # nothing is made twice
    assert len(store.find(kind="calibration")) >= 3
    rows = detections(store)
    for source in truth["sources"]:
        if source["separation"] < 145 * cube.pixel_scale:
            assert len(rows_near(rows, source)) == 2, source["name"]
            assert wrong(source, rows_near(rows, source), cube.wavelengths, 2.0) == []


def test_irdis_in_k(tmp_path):
    """The instrument glows, densities are others, λ/D is a third wider."""
    planets = (Companion(name="b", separation=600.0, position_angle=120.0, contrast=1e-3),)
    simulate_night(tmp_path / "raw", "irdis", seed=6, band="DB_K12", nscience=4, ndit=2, planets=planets)
    truth = truth_of(tmp_path / "raw")
    store = by_commands(tmp_path / "raw", tmp_path / "store", "--recipe", "cadi", "--set", "level1.size=201")
    cube = cube_of(store)
    assert cube.wavelengths.tolist() == [2.110, 2.251]
    near = rows_near(detections(store), truth["sources"][0])
    assert len(near) == 2
    assert wrong(truth["sources"][0], near, cube.wavelengths, 2.0) == []
    wide = level1(tmp_path / "raw", size=701).finished().frames[:, 0]
    far = np.hypot(*(np.indices(wide.shape[-2:]) - 350)) > 330
    assert np.abs(np.median(wide[:, far], axis=1)).max() < 10.0  # of 230 and 560 counts; the halo is 3


def test_irdis_in_field_tracking(tmp_path):
    """North stands still, 40° from where it would stand without the derotator."""
    planets = (Companion(name="b", separation=900.0, position_angle=120.0, contrast=3e-3),)
    field = {"tracking": "FIELD", "posang": 40.0}
    simulate_night(tmp_path / "raw", "irdis", seed=7, nscience=2, ndit=2, planets=planets, **field)
    truth = truth_of(tmp_path / "raw")
    store = by_commands(tmp_path / "raw", tmp_path / "store", "--level", "1", "--set", "level1.size=201")
    cube, planet = cube_of(store), truth["sources"][0]
    np.testing.assert_allclose(cube.angles, true_vector(truth, "north"), atol=0.002)
    assert cube.rotation < 0.001
    for wave, contrast in enumerate(planet["contrast"]):
        guess = {"separation": 900.0 / cube.pixel_scale, "position_angle": 120.0}
        found = fit_companion(cube, "radial", guess, wave=wave)
        across = np.radians(found.position_angle - 120.0) * 900.0
        assert np.hypot(found.separation - 900.0, across) < 2.0
        assert found.contrast == pytest.approx(contrast, rel=0.05)


def test_what_is_missing_is_named_and_the_rest_done(tmp_path):
    simulate_night(tmp_path / "raw", "irdis", seed=4, nscience=1, ndit=2)
    truth = truth_of(tmp_path / "raw")
    for one in truth["files"]:
        if one["kind"] in ("OBJECT,CENTER", "FLAT,LAMP"):
            (tmp_path / "raw" / one["name"]).unlink()
    science = next(one["name"] for one in truth["files"] if one["kind"] == "OBJECT")
    data = (tmp_path / "raw" / science).read_bytes()
    (tmp_path / "raw" / "copy.fits").write_bytes(data)
    (tmp_path / "raw" / "text.fits").write_text("no FITS file")
    store = Store(str(tmp_path / "store"))
    found = ingest(store, [tmp_path / "raw"])
    why = {Path(path).name: reason for path, reason in found.unknown.items()}
    assert any("the same as" in reason for reason in why.values())
    assert "no readable FITS" in why["text.fits"]
    (dataset,) = found.datasets
    _, chosen = associations(store, dataset.name)
    assert any(not one.found and one.need == "flat" for one in chosen)
    waiting, _ = plan_level1(store, settings={"size": 101})
    assert [one.outcome for one in run_level1(store, waiting)] == ["done"]
    cube = store.find(kind="cube")[0]
    assert "centre" in cube.product.about["lacks"]
    (ended,) = run(store, plan(store, recipes=["cadi"]))
    assert ended.outcome == "unprocessable"
    assert "Level 1" in ended.message
