"""What no algorithm can repair is refused by name, by the analysis as by its parts: never a silent image."""

from dataclasses import replace

import numpy as np
import pytest
from sky import observe, point_source

from lyot.cube import Cube
from lyot.errors import BadInput, LyotError, Unprocessable
from lyot.reduce.analyse import analyse, contrast_curve, fit_companion
from lyot.reduce.recipes import RECIPES, recipe
from lyot.reduce.subtract import subtract

COMPARING = [name for name in RECIPES if name not in ("no-adi", "radial")]
GUESS = {"separation": 12.0, "position_angle": 50.0}


@pytest.fixture(scope="module")
def cube():
    return observe(nframes=8, size=41, noise=30.0)


def every_way(bad: Cube, asked) -> list[LyotError]:
    """What each public function says of a cube and a recipe that do not fit."""
    said = []
    for attempt in (subtract, analyse, contrast_curve, lambda c, r: fit_companion(c, r, GUESS)):
        with pytest.raises(LyotError) as refused:
            attempt(bad, asked)
        said.append(refused.value)
    return said


@pytest.mark.parametrize("name", ["pca", "annular-pca"])
def test_fewer_frames_than_modes(cube, name):
    for error in every_way(cube, recipe(name, ncomp=9)):
        assert isinstance(error, Unprocessable)
        assert "9 components asked of 8 frames" in str(error)


@pytest.mark.parametrize("name", COMPARING)
def test_no_field_rotation(cube, name):
    still = replace(cube, angles=np.full(8, 12.0))
    for error in every_way(still, recipe(name)):
        assert isinstance(error, Unprocessable)
        assert "turns by 0.00°" in str(error)


@pytest.mark.parametrize("name", COMPARING)
def test_one_frame(cube, name):
    for error in every_way(cube.select([0]), recipe(name)):
        assert isinstance(error, Unprocessable)
        assert "only one" in str(error)


@pytest.fixture(scope="module")
def colours():
    """Three wavelengths, 8 frames; and the library of another star that strategy rdi wants."""
    wavelengths = (1.0, 1.3, 1.6)
    seen = observe(nframes=8, size=41, noise=30.0, wavelengths=wavelengths)
    return seen, observe(nframes=12, size=41, noise=30.0, seed=5, wavelengths=wavelengths).frames


def asked(cube: Cube, library, name: str, strategy: str, **settings):
    """A recipe by another strategy, on all of a cube."""
    frames = library if strategy == "rdi" else None
    return subtract(cube, recipe(name, strategy=strategy, **settings), library=frames)


EVERY_WAY = pytest.mark.parametrize("strategy", ["adi", "sdi", "asdi", "rdi"])


@EVERY_WAY
@pytest.mark.parametrize("name", ["pca", "annular-pca"])
def test_fewer_frames_than_modes_whatever_is_compared(colours, name, strategy):
    cube, library = colours
    frames = {"adi": 8, "sdi": 2, "asdi": 24, "rdi": 12}[strategy]
    with pytest.raises(Unprocessable, match=f"99 components asked of {frames} frames"):
        asked(cube, library, name, strategy, ncomp=99)


@EVERY_WAY
@pytest.mark.parametrize("name", RECIPES)
def test_a_mask_over_all_whatever_is_compared(colours, name, strategy):
    cube, library = colours
    with pytest.raises(BadInput, match="a mask of 21 px covers the image"):
        asked(cube, library, name, strategy, mask_radius=21)


@pytest.mark.parametrize("change", ["a frame", "no rotation"])
@pytest.mark.parametrize("strategy", ["sdi", "asdi"])
@pytest.mark.parametrize("name", COMPARING)
def test_wavelengths_too_alike_to_tell_a_planet_from_a_speckle(colours, name, strategy, change):
    """At 20 px from the star 1 % moves a planet by 0.2 px: whatever stands still there would be taken away."""
    cube = replace(colours[0], wavelengths=[1.0, 1.01, 1.02])
    bad = cube.select([0]) if change == "a frame" else replace(cube, angles=np.full(8, 12.0))
    with pytest.raises(Unprocessable, match=r"wavelengths differ by 2\.0 %, and a planet at the edge .* 32\.6 %"):
        asked(bad, None, name, strategy)


@pytest.mark.parametrize("change", ["a frame", "no rotation"])
@EVERY_WAY
@pytest.mark.parametrize("name", RECIPES)
def test_without_rotation_an_image_shows_a_planet_or_there_is_none(colours, name, strategy, change):
    """What no rotation and no colour can tell apart is refused; every image that is given keeps a planet's light."""
    cube, library = colours
    bad = cube.select([0]) if change == "a frame" else replace(cube, angles=np.full(8, 12.0))
    settings = {"ncomp": 1} if "pca" in name else {}
    planet = point_source((41, 41), 33, 20)
    lit = replace(bad, frames=bad.frames + 3e4 * planet)
    try:
        before = asked(bad, library, name, strategy, **settings).image
        after = asked(lit, library, name, strategy, **settings).image
    except Unprocessable:
        assert name in COMPARING
        return
    angle = np.radians(bad.angles[0])
    y, x = round(20 + 13 * np.cos(angle)), round(20 - 13 * np.sin(angle))
    kept = (after - before)[:, y - 1 : y + 2, x - 1 : x + 2]
    assert np.nanmax(kept, axis=(1, 2)).min() > 0.1 * 3e4


@pytest.mark.parametrize("name", RECIPES)
def test_a_masked_centre_larger_than_the_image(cube, name):
    for error in every_way(cube, recipe(name, mask_radius=21)):
        assert isinstance(error, BadInput)
        assert "a mask of 21 px covers the image" in str(error)


def test_what_the_cube_decides_does_not_hide_what_is_wrong(cube):
    for error in every_way(cube.select([0]), recipe("pca", ncomp="auto", select=5)):
        assert "only one" in str(error)
    for error in every_way(replace(cube, angles=np.zeros(8)), recipe("pca", ncomp="auto")):
        assert "turns by 0.00°" in str(error)


def test_frames_of_nothing(cube):
    frames = cube.frames.copy()
    frames[0, [2, 5]] = np.nan
    with pytest.raises(BadInput, match=r"2 of 8 frames hold no number at all \(first: 2, 5\)"):
        replace(cube, frames=frames)
    with pytest.raises(BadInput, match="8 of 8 frames hold no number"):
        replace(cube, frames=np.full_like(frames, np.nan))


@pytest.mark.parametrize(
    ("psf", "said"),
    [
        (np.ones((3, 9, 9)), r"PSF has shape \(3, 9, 9\), \(1, y, x\) is needed"),
        (np.ones((43, 43)), "larger than the frames"),
        (np.ones((10, 10)), "no middle pixel"),
        (np.full((9, 9), np.nan), "not numbers"),
        (np.zeros((9, 9)), "no positive flux"),
    ],
)
def test_a_psf_that_is_none_of_this_cube(cube, psf, said):
    with pytest.raises(BadInput, match=said):
        replace(cube, psf=psf)


@pytest.mark.parametrize(
    ("psf", "said"),
    [
        (point_source((21, 21), 3, 10), "the PSF peaks at"),
        (np.ones((21, 21)), "no Gaussian fits the PSF"),
    ],
    ids=["off-centre", "flat"],
)
def test_a_psf_that_shows_no_star_in_its_middle(cube, psf, said):
    bad = replace(cube, psf=psf, fwhm=None)
    for attempt in (analyse, contrast_curve, lambda c, r: fit_companion(c, r, GUESS)):
        with pytest.raises(LyotError, match=said):
            attempt(bad, recipe("pca", ncomp=3))
