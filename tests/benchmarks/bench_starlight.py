"""Starlight subtraction against VIP (tuned: eigen-decomposition, opencv) and pyKLIP, on an IRDIS-like cube.

The peers' settings are the fastest that give the same product: VIP's own defaults are slower by a factor of forty.
pyKLIP is on all cores; beside it frames are combined by their mean, which is what it does itself.
"""

import warnings

import numpy as np
import pytest
from cubes import sequence
from harness import compare

from lyot.reduce.parallel import single_blas_thread, threads
from lyot.reduce.psf.annular_pca import AnnularPCA
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.loci import LOCI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.step import Recipe

FWHM = 4.0
OPENCV = {"imlib": "opencv", "interpolation": "lanczos4", "verbose": False}
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]  # peers warn of what is not ours


@pytest.fixture(scope="module")
def cube():
    return sequence(96, 291)


@pytest.fixture(scope="module")
def vip():
    pytest.importorskip("cv2", reason="opencv is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("vip_hci", reason="VIP is not installed")
        from vip_hci import psfsub
    return {name: getattr(psfsub, name) for name in ("pca", "median_sub", "pca_annular", "xloci")}


@pytest.fixture(scope="module")
def pyklip(cube):
    """A reduction of the cube by pyKLIP's ADI in rings from `inner` to `outer` px, North up, combined."""
    parallelized = pytest.importorskip("pyklip.parallelized", reason="pyKLIP is not installed")
    frames, count = cube.frames[0].astype(float), len(cube.angles)
    centres = np.tile([float(cube.star[1]), float(cube.star[0])], (count, 1))

    def reduce(ncomp, rings, inner, outer, movement):
        cleaned = parallelized.klip_parallelized(
            frames, centres, cube.angles, np.ones(count), np.arange(count), inner, OWA=outer, mode="ADI",
            annuli=rings, subsections=1, movement=movement, numbasis=[ncomp], numthreads=threads(), verbose=False,
        )[0]  # fmt: skip
        return np.nanmean(cleaned[0], axis=0)

    return reduce


def test_pca(cube, vip):
    recipe = Recipe(name="bench", model=PCA(ncomp=10))
    compare(
        "PCA-ADI, median",
        lambda: recipe(cube),
        lambda: vip["pca"](cube.frames[0], cube.angles, ncomp=10, svd_mode="eigen", collapse="median", **OPENCV),
        12,
    )


def test_pca_against_pyklip(cube, pyklip):
    recipe = Recipe(name="bench", model=PCA(ncomp=10), collapse="mean")
    compare("PCA-ADI", lambda: recipe(cube), lambda: pyklip(10, 1, 0, None, 0), 12, peer="pyKLIP", turns=2)


def test_classical_adi(cube, vip):
    recipe = Recipe(name="bench", model=ClassicalADI())
    compare(
        "classical ADI",
        lambda: recipe(cube),
        lambda: vip["median_sub"](cube.frames[0], cube.angles, fwhm=FWHM, **OPENCV),
        10,
    )


def test_annular_pca(cube, vip):
    """From 2 FWHM on: nearer, VIP finds no library. It is quickest with one thread of linear algebra."""
    recipe = Recipe(name="bench", model=AnnularPCA(ncomp=5, width=1.0, motion=0.5), mask_radius=8)

    def theirs():
        with single_blas_thread():
            vip["pca_annular"](
                cube.frames[0], cube.angles, radius_int=8, ncomp=5, asize=4, fwhm=FWHM, delta_rot=0.5,
                svd_mode="eigen", **OPENCV,
            )

    compare("annular PCA", lambda: recipe(cube), theirs, 15, turns=2)


def test_annular_pca_against_pyklip(cube, pyklip):
    """Rings of 1 FWHM from 2 FWHM on, as above; both combine by the mean."""
    recipe = Recipe(name="bench", model=AnnularPCA(ncomp=5, width=1.0, motion=0.5), mask_radius=8, collapse="mean")
    compare("annular PCA", lambda: recipe(cube), lambda: pyklip(5, 33, 8, 140, 2), 15, peer="pyKLIP", turns=2)


def test_loci(cube, vip):
    """The same rings, each whole, weights found on the ring itself."""
    recipe = Recipe(name="bench", model=LOCI(width=1.0, motion=0.5, area=0))
    compare(
        "LOCI",
        lambda: recipe(cube),
        lambda: vip["xloci"](
            cube.frames[0], cube.angles, fwhm=FWHM, asize=4, n_segments=1, delta_rot=0.5, solver="lstsq", **OPENCV
        ),
        50,
        turns=2,
    )
