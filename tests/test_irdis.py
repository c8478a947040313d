"""Raw IRDIS frames of a known scene become a cube in which everything is where, and as bright as, it was put."""

from pathlib import Path

import numpy as np
import pytest
import raw_irdis
from astropy.io import fits

from lyot.reduce.associate import associate
from lyot.reduce.classify import classify
from lyot.reduce.group import group
from lyot.reduce.irdis import level_ratio
from lyot.reduce.psf_image import gaussian_fit
from lyot.reduce.workflows import make_masters, to_level1, workflow_of


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("irdis")
    return folder, raw_irdis.write_night(folder)


def classified(folder: Path):
    paths = sorted(folder.glob("*.fits"))
    return group(classify(fits.getheader(path), str(path), path.name) for path in paths)


@pytest.fixture(scope="module")
def level1(night):
    found = classified(night[0])
    (dataset,) = found.datasets
    workflow = workflow_of(dataset).changed({"size": 201})
    masters, notes = make_masters(workflow, associate(dataset, found.calibrations))
    assert not notes
    return masters, to_level1(workflow, dataset, masters, notes)


def test_masters_show_the_detector(night, level1):
    truth, masters = night[1], level1[0]
    good = ~truth["bad"][15:1013, 50:930]
    flat = masters["flat"].planes["VALUE"][15:1013, 50:930][good]
    assert np.corrcoef(flat, truth["flat"][15:1013, 50:930][good])[0, 1] > 0.95
    assert masters["flat"].quality["rms"] == pytest.approx(0.03, abs=0.003)
    background = masters["background 16 s OPEN"]
    assert np.abs(background.planes["VALUE"] - truth["dark"] * 16 - 10)[~truth["bad"]].std() < 3.0
    assert background.quality["read_noise"] == pytest.approx(3 * 1.75, rel=0.2)  # three frames
    assert (background.planes["BAD"] & truth["bad"]).sum() == truth["bad"].sum()
    assert background.quality["bad_fraction"] < 0.015


def test_the_planet_is_where_it_was_put(level1):
    cube = level1[1].finished()
    assert cube.frames.shape == (2, 4, 201, 201)
    dx, dy, contrast = raw_irdis.PLANET
    for wave in range(2):
        image = cube.frames[wave].mean(axis=0)
        box = image[100 + int(dy) - 6 : 100 + int(dy) + 7, 100 + int(dx) - 6 : 100 + int(dx) + 7]
        y, x, _ = gaussian_fit(box - np.median(image))
        assert (y - 6, x - 6) == pytest.approx((0, 0), abs=0.05)
        peak = box[4:9, 4:9].max() / cube.psf[wave].max()
        assert peak == pytest.approx(contrast, rel=0.03)  # S/N of 100 a frame, flat to 0.5 %


def test_the_star_is_as_bright_as_it_was(level1):
    cube = level1[1].finished()
    assert cube.psf_normalised is False
    for wave, fwhm in enumerate(raw_irdis.FWHM):
        assert cube.psf[wave].max() == pytest.approx(raw_irdis.LIGHT * 16.0, rel=0.02)
        assert cube.fwhm[wave] == pytest.approx(fwhm, rel=0.01)
        # Half of a Gaussian's flux is within one FWHM.
        whole = raw_irdis.LIGHT * 16.0 * np.pi * fwhm**2 / (4 * np.log(2)) * raw_irdis.SQUEEZE
        assert cube.star_flux[wave] == pytest.approx(whole / 2, rel=0.02)


def test_the_star_is_found_in_both_fields(level1):
    star = level1[1].star + np.array([[15, 50], [15, 1078]])
    np.testing.assert_allclose(star, raw_irdis.STARS, atol=0.03)  # spots of S/N 500


def test_the_header_says_what_was_done(level1):
    cards = level1[1].cards
    assert cards["LYOT CENTRE ERROR"][0] < 0.05
    assert cards["LYOT NORTH ICRS"][0] != 0


@pytest.mark.parametrize(
    ("without", "words"),
    [("OBJECT,CENTER", "Level 1 only"), ("OBJECT,FLUX", "no contrast"), ("FLAT,LAMP", "no flat"),
     ("DARK", "background 16 s")],
)
def test_what_is_missing_is_said_and_the_rest_done(night, without, words):
    files = [f for f in sorted(night[0].glob("*.fits")) if fits.getheader(f)["ESO DPR TYPE"] != without]
    found = group(classify(fits.getheader(path), str(path), path.name) for path in files)
    workflow = workflow_of(found.datasets[0]).changed({"size": 101})
    masters, notes = make_masters(workflow, associate(found.datasets[0], found.calibrations))
    done = to_level1(workflow, found.datasets[0], masters, notes)
    assert done.finished().frames.shape == (2, 4, 101, 101)
    assert any(words in note for note in done.notes)


def test_the_record_replays(level1):
    from lyot.reduce.step import replay
    from lyot.reduce.workflows import SPHERE_IRDIS_DBI

    assert tuple(replay(step) for step in SPHERE_IRDIS_DBI.record()["steps"]) == SPHERE_IRDIS_DBI.steps


def test_a_glow_is_scaled_by_its_level_not_by_the_noise_of_its_skies():
    rng = np.random.default_rng(3)
    glow = 590.0 * rng.normal(1.0, 0.03, 100_000)
    sky, frame = glow + rng.normal(0, 18, glow.size), 1.04 * glow + rng.normal(0, 18, glow.size)
    assert level_ratio(frame.astype(np.float32), sky.astype(np.float32)) == pytest.approx(1.04, abs=0.005)
    assert level_ratio(np.ones(9, np.float32), np.zeros(9, np.float32)) == 1.0
