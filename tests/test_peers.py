"""The same reduction by VIP: a companion's S/N and place agree, and so do signs and orientation."""

import numpy as np
import pytest
from sky import FWHM, Planet, observe

from lyot.reduce.measure import snr_map
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.starlight import subtract
from lyot.reduce.step import Recipe

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

PLANET = Planet(separation=22.0, position_angle=65.0, contrast=1e-3)
HOW = {"imlib": "opencv", "interpolation": "lanczos4", "verbose": False}


@pytest.fixture(scope="module")
def cube():
    return observe(PLANET, nframes=24, size=81, noise=60.0)


def companion(image):
    """S/N of the planet, and where its peak is."""
    snr = snr_map(image, FWHM)
    y, x = PLANET.place(0.0, image.shape)
    rows, columns = slice(round(y) - 3, round(y) + 4), slice(round(x) - 3, round(x) + 4)
    j, i = np.unravel_index(np.nanargmax(snr[rows, columns]), (7, 7))
    return float(np.nanmax(snr[rows, columns])), (int(j) + rows.start, int(i) + columns.start)


@pytest.mark.parametrize("ncomp", [3, 8])
def test_principal_components_agree(cube, ncomp):
    vip = pytest.importorskip("vip_hci.psfsub")
    ours = subtract(cube, Recipe(name="pca", model=PCA(ncomp=ncomp))).image[0]
    theirs = vip.pca(cube.frames[0].astype(float), cube.angles, ncomp=ncomp, svd_mode="eigen", **HOW)
    agree(ours, theirs)


def test_classical_adi_agrees(cube):
    vip = pytest.importorskip("vip_hci.psfsub")
    ours = subtract(cube, Recipe(name="cadi", model=ClassicalADI())).image[0]
    agree(ours, vip.median_sub(cube.frames[0].astype(float), cube.angles, **HOW))


def agree(ours, theirs):
    """Companion S/N within 3 % (their interpolation loses 0.3 % of a peak, noise and all), place within a pixel."""
    mine, here = companion(ours)
    other, there = companion(np.asarray(theirs, dtype=np.float32))
    assert mine > 5
    assert mine == pytest.approx(other, rel=0.03)
    assert np.hypot(here[0] - there[0], here[1] - there[1]) <= 1.0
