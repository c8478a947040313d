"""The same reduction by VIP: a companion's S/N and place agree, and so do signs and orientation."""

from dataclasses import replace

import numpy as np
import pytest
from sky import FWHM, Planet, observe

from lyot.reduce.measure import snr_map
from lyot.reduce.psf.annular_pca import AnnularPCA
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


def companion(image, planet=PLANET):
    """S/N of the planet, and where its peak is."""
    snr = snr_map(image, FWHM)
    y, x = planet.place(0.0, image.shape)
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


def test_annular_principal_components_agree(cube):
    """Rings 1 FWHM wide from 2 FWHM on, frames of the library in which the planet has moved by half a FWHM."""
    vip = pytest.importorskip("vip_hci.psfsub")
    recipe = Recipe(name="annular", model=AnnularPCA(ncomp=3, width=4.0 / FWHM, motion=0.5), mask_radius=8.0)
    turned = cube.angles + 100.0  # through 0° VIP loses count
    theirs = vip.pca_annular(
        cube.frames[0].astype(float), turned, radius_int=8, ncomp=3, asize=4, fwhm=FWHM, delta_rot=0.5,
        svd_mode="eigen", **HOW,
    )  # fmt: skip
    # North then is elsewhere for both, and so is the planet.
    moved = Planet(PLANET.separation, PLANET.position_angle + 100.0, PLANET.contrast)
    ours = subtract(replace(cube, angles=turned), recipe).image[0]
    agree(ours, theirs, moved)


def test_pyklip_has_the_same_signs_and_orientation(cube, tmp_path):
    """The planet is the brightest pixel of both images where it was put, from the same angles."""
    parallelized = pytest.importorskip("pyklip.parallelized")
    instrument = pytest.importorskip("pyklip.instruments.Instrument")
    centres = np.tile([cube.star[1], cube.star[0]], (len(cube.angles), 1)).astype(float)
    data = instrument.GenericData(
        cube.frames[0].astype(float), centres, parangs=cube.angles, wvs=np.ones(len(cube.angles)), IWA=0,
        filenames=[f"frame-{t}" for t in range(len(cube.angles))],
    )  # fmt: skip
    parallelized.klip_dataset(
        data, mode="ADI", outputdir=str(tmp_path), fileprefix="bench", annuli=1, subsections=1, movement=1,
        numbasis=[3], numthreads=1, verbose=False,
    )  # fmt: skip
    theirs = np.nanmean(data.output[0], axis=(0, 1))
    ours = subtract(cube, Recipe(name="pca", model=PCA(ncomp=3), collapse="mean")).image[0]
    y, x = PLANET.place(0.0, ours.shape)
    rows, columns = slice(round(y) - 6, round(y) + 7), slice(round(x) - 6, round(x) + 7)
    for image in (ours, theirs):
        j, i = np.unravel_index(np.nanargmax(image[rows, columns]), (13, 13))
        assert np.hypot(j + rows.start - y, i + columns.start - x) <= 1.0  # its brightest pixel; no mirror, no turn
    assert companion(np.asarray(theirs, dtype=np.float32))[0] > 5  # with angles of the other sign it is below 3


def agree(ours, theirs, planet=PLANET):
    """Companion S/N within 3 % (their interpolation loses 0.3 % of a peak, noise and all), place within a pixel."""
    mine, here = companion(ours, planet)
    other, there = companion(np.asarray(theirs, dtype=np.float32), planet)
    assert mine > 5
    assert mine == pytest.approx(other, rel=0.03)
    assert np.hypot(here[0] - there[0], here[1] - there[1]) <= 1.0
