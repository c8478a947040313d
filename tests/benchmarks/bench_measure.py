"""S/N maps, contrast curves and negative-companion fits against VIP, tuned: opencv, eigen-decomposition, all cores."""

from dataclasses import replace

import numpy as np
import pytest
from cubes import sequence
from harness import compare

from lyot.reduce.characterise import fit_source
from lyot.reduce.inject import point_at
from lyot.reduce.limits import Azimuths, limits
from lyot.reduce.local import prepare
from lyot.reduce.measure import snr_map
from lyot.reduce.parallel import threads
from lyot.reduce.psf.pca import PCA
from lyot.reduce.psf_image import fwhm_of, normalised_psf
from lyot.reduce.step import Recipe

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]  # peers warn of what is not ours

OPENCV = {"imlib": "opencv", "interpolation": "lanczos4"}
CURVE = Recipe(name="bench", model=PCA(ncomp=10))
TOLERANCE = 2e-3  # px, and part of the flux: where our fits end


@pytest.fixture(scope="module")
def vip():
    pytest.importorskip("cv2", reason="opencv is not installed")
    return pytest.importorskip("vip_hci", reason="VIP is not installed")


@pytest.fixture(scope="module")
def cube():
    """As bench_starlight's, without a planet: VIP's contrast curve would take it for noise."""
    return sequence(96, 291, contrast=0.0)


@pytest.fixture(scope="module")
def image(cube):
    return CURVE(cube).image[0]


def test_snr_map_against_the_approximated_one(image, vip):
    from vip_hci.metrics import snrmap

    filled = np.nan_to_num(image)
    compare(
        "S/N map, VIP's approximated",
        lambda: snr_map(image, 4.0),
        lambda: snrmap(filled, 4.0, approximated=True, nproc=threads(), verbose=False),
        40,
        turns=2,
    )


def test_snr_map_against_the_exact_one(image, vip):
    """On the inner 151 × 151 px, where VIP's takes a quarter of a minute and not minutes; and the maps are the same."""
    from vip_hci.metrics import snrmap

    inner = np.ascontiguousarray(np.nan_to_num(image[70:221, 70:221]))
    maps = {}

    def theirs():
        maps["vip"] = snrmap(inner, 4.0, approximated=False, nproc=threads(), verbose=False)

    compare("S/N map, VIP's exact, 151 px", lambda: snr_map(inner, 4.0), theirs, 100, turns=1)
    ours = snr_map(inner, 4.0)
    both = (maps["vip"] != 0) & np.isfinite(ours)
    assert both.sum() > 0.99 * (maps["vip"] != 0).sum()
    assert np.abs(ours - maps["vip"])[both].max() < 2e-3


@pytest.mark.parametrize("count", [1, 3])
def test_contrast_curve(cube, vip, count):
    """Starlight subtraction, noise, throughput at `count` azimuths, and small samples, of a cube without companions.

    VIP puts a source at every FWHM of the radius, and so do we, at two fluxes.
    """
    from vip_hci.metrics import contrast_curve as theirs
    from vip_hci.psfsub import pca

    fwhm, psf, star = fwhm_of(cube), normalised_psf(cube), float(cube.star_flux[0])

    def ours():
        local = prepare(cube, CURVE)
        return limits(local, local.whole_image, at=Azimuths(fewest=count, most=count))

    compare(
        f"contrast curve, {count} azimuth" + ("s" if count > 1 else ""),
        ours,
        lambda: theirs(
            cube.frames[0], cube.angles, psf, fwhm, cube.pixel_scale / 1e3, star, pca, nbranch=count,
            plot=False, verbose=False, ncomp=10, svd_mode="eigen", **OPENCV,
        ),
        25,
        turns=2,
    )  # fmt: skip


def test_negative_companion_fit(vip):
    """From the same guess, a third of a FWHM off, to the same tolerance, and nearer to the truth.

    VIP's principal components are of a ring only. The frames are divided by the companion's flux, so that VIP's one
    tolerance means the same for flux and separation.
    """
    from vip_hci.fm.negfc_simplex import firstguess_simplex

    contrast, radius, turn = 3e-4, 0.3 * (101 // 2), np.radians(30.0)
    seen = sequence(61, 101, contrast=contrast)
    cube = replace(seen, frames=seen.frames / (contrast * float(seen.star_flux[0])), star_flux=None)
    fwhm, psf = fwhm_of(cube), normalised_psf(cube)
    guess = point_at(51.0 + radius * np.cos(turn), 49.2 - radius * np.sin(turn), 1.2, cube.frames.shape)
    around = (90.0 + guess.position_angle) % 360.0  # VIP counts from the x axis
    recipe = Recipe(name="bench", model=PCA(ncomp=10))
    found = {}

    def ours():
        fit = fit_source(prepare(cube, recipe), guess)
        found["Lyot"] = fit.separation, fit.position_angle, fit.flux

    def theirs():
        found["VIP"] = firstguess_simplex(
            (guess.separation, around, guess.flux), cube.frames[0], cube.angles, psf, 10, fwhm, 4 * fwhm, 1,
            svd_mode="eigen", mu_sigma=None, options={"xatol": TOLERANCE, "fatol": np.inf, "maxiter": 800}, **OPENCV,
        ).x - (0.0, 90.0, 0.0)  # fmt: skip

    compare("negative-companion fit", ours, theirs, 50, turns=2)
    there = radius * np.exp(1j * turn)
    apart = {who: abs(s * np.exp(1j * np.radians(angle)) - there) for who, (s, angle, _) in found.items()}
    assert apart["Lyot"] < min(0.1, apart["VIP"]), found
    assert found["Lyot"][2] == pytest.approx(1.0, abs=0.05), found
