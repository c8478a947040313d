"""beta Pictoris b in a real VLT/NACO sequence of 2013 (Absil et al. 2013, A&A 559, L12), against published values."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from lyot.cube import Cube
from lyot.reduce.analyse import analyse, fit_companion
from lyot.reduce.characterise import AstrometryErrors
from lyot.reduce.psf.pca import PCA
from lyot.reduce.recipes import recipe
from lyot.reduce.register import recentre

pytestmark = pytest.mark.data

SEPARATION, POSITION_ANGLE, DELTA_L = (452.0, 10.0), (211.2, 1.3), (8.01, 0.16)
NACO = AstrometryErrors(pixel_scale=0.06, north=0.1, centre=0.3)  # the last: how well symmetry tells a vortex's star


@pytest.fixture(scope="module")
def cube(shared_data):
    folder = shared_data / "naco_betapic"
    frames, angles, psf = (fits.getdata(folder / f"naco_betapic_{name}.fits") for name in ("cube", "pa", "psf"))
    return Cube(
        frames=recentre(frames, (51, 51)),
        angles=np.ravel(angles) - 104.39,
        wavelengths=[3.8],
        pixel_scale=27.19,
        psf=psf,
        star_flux=[764939.6],
    )


def test_recentring_at_a_pixel_interpolates_nothing(cube):
    assert cube.frames.shape[-2:] == (99, 99)
    assert cube.star == (49, 49)


@pytest.mark.parametrize(("ncomp", "least"), [(5, 6.0), (15, 10.0)])
def test_the_planet_is_the_one_source_found(cube, ncomp, least):
    found = analyse(cube, recipe("pca", ncomp=ncomp), errors=NACO)

    assert len(found.sources) == 1
    planet = found.sources[0]
    assert planet.snr > least
    assert planet.separation == pytest.approx(452.0, abs=20.0)
    assert planet.position_angle == pytest.approx(211.2, abs=2.0)
    assert 7.4 < -2.5 * np.log10(planet.contrast) < 8.3
    assert planet.false_alarm_probability < 1e-5
    assert len(found.limits) == 2


def test_the_fit_agrees_with_published_values(cube):
    planet = fit_companion(cube, PCA(ncomp=10), {"separation": 16.5, "position_angle": 211.0}, NACO)

    delta = -2.5 * np.log10(planet.contrast)
    delta_error = 2.5 / np.log(10) * planet.contrast_error / planet.contrast
    for value, error, published in (
        (planet.separation, planet.separation_error, SEPARATION),
        (planet.position_angle, planet.position_angle_error, POSITION_ANGLE),
        (delta, delta_error, DELTA_L),
    ):
        assert abs(value - published[0]) < 2.0 * np.hypot(error, published[1])


def test_without_a_star_flux_no_contrast_is_stated(cube):
    found = analyse(replace(cube, star_flux=None), recipe("pca", ncomp=10))

    assert found.limits == ()
    assert found.corrected is None
    assert all(source.contrast is None for source in found.sources)
    assert any("No star flux" in note for note in found.notes)
