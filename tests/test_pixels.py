"""Bad pixels found: hot ones of a dark, hits of cosmic rays in one frame, and stars that are neither."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from lyot.reduce.calibrate.pixels import hot_pixels, median3, mend_hits


@pytest.fixture
def noise():
    return np.random.default_rng(4).normal(100.0, 3.0, (80, 70)).astype(np.float32)


def stands_out(image, sigma, box=7):
    """Pixels above the mean of the box around them by `sigma` of its scatter, both without the pixel itself."""
    wide, count = image.astype(float), box * box - 1
    mean = (uniform_filter(wide, box) * box * box - wide) / count
    variance = (uniform_filter(wide**2, box) * box * box - wide**2) / count - mean**2
    found = wide - mean > sigma * np.sqrt(variance)
    found[[0, 1, 2, -3, -2, -1]] = found[:, [0, 1, 2, -3, -2, -1]] = False
    return found


def test_hits_become_the_mean_of_their_neighbours(noise):
    struck = noise.copy()
    places = [(10, 12), (40, 33), (70, 60)]
    for place in places:
        struck[place] += 400.0
    assert mend_hits(struck, 6.0) == 3
    np.testing.assert_allclose([struck[p] for p in places], 100.0, atol=4.0)  # mean of eight of scatter 3
    changed = struck != noise
    assert sorted(map(tuple, np.argwhere(changed))) == places


def test_what_counts_as_outlying_is_what_the_definition_says(noise):
    """Sliding sums against a filter of scipy; hits are peaks among these, and most of noise's outliers are."""
    noise[20:30, 20:30] += 5000.0  # sums that slide past something bright must come back
    out = stands_out(noise, 3.5)
    mended = noise.copy()
    mend_hits(mended, 3.5)
    changed = mended != noise
    assert not (changed & ~out).any()
    peaks = out & (noise == np.max([np.roll(noise, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0))
    assert changed.sum() == peaks.sum() > 0


@pytest.mark.parametrize("fwhm", [2.2, 3.4])
def test_a_star_is_no_hit(fwhm):
    y, x = np.indices((60, 60))
    image = 1e4 * np.exp(-4 * np.log(2) * ((y - 30.2) ** 2 + (x - 29.7) ** 2) / fwhm**2)
    image = (image + np.random.default_rng(1).normal(0, 3, image.shape)).astype(np.float32)
    before = image[24:37, 24:37].copy()
    mend_hits(image, 4.0)
    assert (image[24:37, 24:37] == before).all()


def test_hot_pixels_stick_out(noise):
    noise[5, 6] = 160.0
    noise[50, 50] = 3000.0
    bad = hot_pixels(noise, (-100.0, 1000.0), 6.0)
    assert bad[5, 6]
    assert bad[50, 50]
    assert bad.sum() == 2


def test_a_median_of_nine(noise):
    assert median3(noise)[10, 11] == np.median(noise[9:12, 10:13])
    assert median3(noise)[0, 3] == noise[0, 3]
