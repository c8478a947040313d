"""What a recipe leaves open is decided by the cube, recorded, and the same each time."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sky import Planet, brightest, observe

from lyot.errors import BadInput, Unprocessable
from lyot.reduce.analyse import analyse, contrast_curve, fit_companion
from lyot.reduce.components import ComponentChoice
from lyot.reduce.psf.annular_pca import AnnularPCA
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.recipes import recipe
from lyot.reduce.select import FrameSelection
from lyot.reduce.settle import settle
from lyot.reduce.starlight import subtract as subtract_settled
from lyot.reduce.step import Recipe
from lyot.reduce.subtract import subtract

PLANET = Planet(separation=20.0, position_angle=120.0, contrast=2e-3)


@pytest.fixture(scope="module")
def cube():
    return observe(PLANET, nframes=20, size=81, noise=30.0)


@pytest.fixture(scope="module")
def spoiled(cube):
    """Two frames of another brightness, among others that are alike."""
    frames = cube.frames.copy()
    frames[:, [4, 13]] *= 30.0
    return replace(cube, frames=frames)


def test_what_is_left_open_is_in_the_record_and_replays():
    asked = recipe("pca", ncomp="auto", select="5")
    assert asked.parameters == "ncomp=auto, select=5"
    assert Recipe.replay(json.loads(json.dumps(asked.record()))) == asked
    assert recipe("pca", select="none") == recipe("pca")
    assert {"select", "components"}.isdisjoint(recipe("pca").record())


def test_spoiled_frames_are_left_out_before_anything_is_subtracted(cube, spoiled):
    asked = recipe("pca", select=8)
    reduction = subtract(spoiled, asked)
    good = np.setdiff1d(np.arange(20), [4, 13])
    assert set(reduction.settled["select"]) == {"4", "13"}
    assert "flux" in reduction.settled["select"]["4"]
    assert reduction.frames_used == 18
    assert reduction.residuals.shape[1] == 18
    assert reduction.record == asked.record()
    assert any(note.startswith("2 of 20 frames left out") for note in reduction.notes)
    np.testing.assert_array_equal(reduction.image, subtract(cube.select(good), recipe("pca")).image)


def test_fits_and_limits_use_the_same_frames(cube, spoiled):
    good = cube.select(np.setdiff1d(np.arange(20), [4, 13]))
    guess = {"separation": 20.0, "position_angle": 120.0}
    chosen, plain = recipe("pca", select=8), recipe("pca")
    assert fit_companion(spoiled, chosen, guess).flux == fit_companion(good, plain, guess).flux
    one, other = contrast_curve(spoiled, chosen), contrast_curve(good, plain)
    np.testing.assert_array_equal(one["contrast"], other["contrast"])


def test_the_number_of_components_is_that_of_the_best_curve(cube):
    found = analyse(cube, recipe("pca", ncomp="auto"))
    outcome = found.settled["components"]
    best = max(outcome["snr"], key=outcome["snr"].get)
    assert outcome["ncomp"] == int(best)
    assert set(outcome["snr"]) == {"1", "2", "3", "4", "5", "7", "10"}  # half of twenty frames at most
    np.testing.assert_array_equal(found.image, subtract(cube, recipe("pca", ncomp=outcome["ncomp"])).image)
    assert any("components show simulated companions best" in note for note in found.notes)
    assert brightest(found).separation == pytest.approx(20.0, abs=1.0)


@pytest.mark.slow
def test_the_choice_is_the_same_each_time_and_does_not_feed_on_the_planet(cube):
    asked = recipe("pca", ncomp="auto")
    once, again = (settle(cube, asked).outcome for _ in range(2))
    assert once == again
    without = settle(observe(nframes=20, size=81, noise=30.0), asked).outcome["components"]
    # Taken out before companions are simulated, the planet changes no S/N by more than its remnant.
    for count, snr in once["components"]["snr"].items():
        assert snr == pytest.approx(without["snr"][count], rel=0.15)


@pytest.mark.slow
def test_rings_and_other_wavelengths_may_choose_too():
    colours = observe(nframes=6, wavelengths=(1.2, 1.4, 1.6), rotation=40.0)
    for asked in (
        Recipe(name="trial", model=AnnularPCA(), components=ComponentChoice(counts=(1, 2, 3))),
        Recipe(name="trial", model=PCA(), strategy="asdi", components=ComponentChoice(counts=(1, 4, 9))),
    ):
        outcome = settle(colours, asked).outcome["components"]
        assert outcome["ncomp"] in asked.components.counts
        assert max(outcome["snr"].values()) > 0


def test_what_cannot_decide_says_so(cube):
    asked = recipe("pca", ncomp="auto")
    with pytest.raises(Unprocessable, match="no PSF"):
        settle(replace(cube, psf=None), asked)
    with pytest.raises(BadInput, match="has no components to count"):
        settle(cube, Recipe(name="trial", model=ClassicalADI(), components=ComponentChoice()))
    with pytest.raises(BadInput, match="ClassicalADI is no FrameSelection"):
        settle(cube, Recipe(name="trial", model=PCA(), select=ClassicalADI()))
    with pytest.raises(BadInput, match="no setting ncomp"):
        recipe("cadi", ncomp="auto")
    with pytest.raises(BadInput, match="robust σ"):
        recipe("pca", select="many")
    with pytest.raises(Unprocessable, match="frames cannot be compared"):
        settle(cube, Recipe(name="trial", model=PCA(), select=FrameSelection(inner=9.9, outer=12.0)))


def test_the_engine_refuses_a_recipe_that_leaves_something_open(cube):
    with pytest.raises(BadInput, match="leaves select open"):
        subtract_settled(cube, recipe("pca", select=5))


@pytest.mark.slow
def test_every_part_of_the_spectrum_has_a_say_in_the_number_of_components():
    colours = observe(nframes=10, size=61, wavelengths=(1.2, 1.4, 1.6), rotation=70.0, noise=30.0)
    asked = Recipe(name="trial", model=PCA(), components=ComponentChoice(counts=(1, 3, 5)))
    together = settle(colours, asked).outcome["components"]["snr"]
    alone = [settle(colours.channel(wave), asked).outcome["components"]["snr"] for wave in range(3)]
    for count, snr in together.items():
        assert snr == pytest.approx(np.mean([one[count] for one in alone]), abs=2e-3)  # they are kept to 1e-3
