"""Bad pixels mended: at the peak of a star, on a slope, in spectra, and where nothing good is near."""

import numpy as np
import pytest
from scipy.special import j1

from lyot.reduce.calibrate.mending import Mending


def star(beam, y0, x0, side=41):
    """Airy pattern of height 1; `beam` is λ/D in px."""
    y, x = np.indices((side, side))
    r = np.pi * np.hypot(y - y0, x - x0) / beam + 1e-9
    return ((2 * j1(r) / r) ** 2).astype(np.float32)


@pytest.mark.parametrize("beam", [2.15, 3.35, 4.6], ids=["Y2", "H2", "K2"])
@pytest.mark.parametrize("bad", [[(20, 20)], [(20, 20), (21, 19)], [(21, 20)]], ids=["peak", "two", "beside"])
def test_a_star_keeps_its_flux(beam, bad):
    image = star(beam, 20.3, 19.8)
    core = np.hypot(*(np.indices(image.shape) - np.array([20.3, 19.8])[:, None, None])) < beam / 2 + 1
    mask = np.zeros(image.shape, bool)
    mask[tuple(np.transpose(bad))] = True
    seen = np.where(mask, np.float32(7.0), image)
    Mending.of_images(mask, beam).mend(seen)
    # the weights are held down against noise: 1 % of the core where it is sampled barely, as in Y
    assert seen[core].sum() == pytest.approx(image[core].sum(), rel=0.01)
    assert (seen[~mask] == image[~mask]).all()


def test_a_level_stays_level_and_noise_does_not_grow():
    mask = np.zeros((60, 60), bool)
    mask[::7, ::5] = True
    mending = Mending.of_images(mask, 3.35)
    image = np.full((60, 60), 250.0, np.float32)
    mending.mend(image)
    np.testing.assert_allclose(image, 250.0, rtol=1e-5)  # float32
    inner = np.abs(mending.places // 60 - 30) < 20
    assert (mending.weights[inner] ** 2).sum(axis=1).max() < 1.5


def test_spectra_are_mended_along_their_columns():
    image = np.tile(np.linspace(0, 1, 12, dtype=np.float32)[None], (12, 1)) * 100
    mask = np.zeros(image.shape, bool)
    mask[4, 3] = mask[4, 4] = mask[0, 7] = True
    seen = np.where(mask, np.float32(-9.0), image)
    Mending.along_columns(mask).mend(seen)
    np.testing.assert_allclose(seen, image, rtol=1e-5)


def test_what_has_no_good_neighbour_becomes_nothing():
    image = np.ones((9, 9), np.float32)
    Mending.of_images(np.ones((9, 9), bool), 3.0).mend(image)
    assert (image == 0).all()
