"""Medians and means over time against numpy's."""

import warnings

import numpy as np
import pytest

from lyot.errors import BadInput
from lyot.reduce.collapse import NETWORK_UP_TO, collapse, median_network


def reference(frames, how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns of pixels that nothing saw
        combine = {"median": np.nanmedian, "mean": np.nanmean}[how]
        return combine(frames.astype(float), axis=0)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 31, 64, 97, NETWORK_UP_TO + 1, NETWORK_UP_TO + 2])
def test_the_median_is_the_median_of_what_was_seen(count, missing):
    rng = np.random.default_rng(count)
    frames = rng.normal(size=(count, 7, 33)).astype(np.float32)
    frames[rng.random(frames.shape) < missing] = np.nan
    # Exact but for the rounding of the mean of two numbers.
    np.testing.assert_allclose(collapse(frames), reference(frames, "median"), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("count", [1, 2, 61])
def test_the_mean_is_the_mean_of_what_was_seen(count, missing):
    rng = np.random.default_rng(count)
    frames = 1e4 + rng.normal(size=(count, 7, 33)).astype(np.float32)
    frames[rng.random(frames.shape) < missing] = np.nan
    np.testing.assert_allclose(collapse(frames, "mean"), reference(frames, "mean"), rtol=1e-7)


def test_equal_values_and_signs_do_not_disturb_the_order():
    frames = np.repeat(np.array([[-1.0], [0.0], [-1.0], [0.0], [5.0]], np.float32), 70, axis=1)
    assert (collapse(frames) == 0.0).all()


def test_a_pixel_that_nothing_saw_is_nan():
    frames = np.ones((4, 2, 2), np.float32)
    frames[:, 0, 0] = np.nan
    for how in ("median", "mean"):
        assert np.array_equal(np.isnan(collapse(frames, how)), [[True, False], [False, False]])


def test_pruning_leaves_little_of_the_network():
    full = sum(1 for _ in median_network(96))
    assert full < 96 * 95 / 2 / 4  # a fourth of all pairs: sorting by exchange would need them all


def test_the_answer_goes_where_it_is_wanted():
    frames = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    out = np.empty((2, 2), np.float32)
    assert collapse(frames, out=out) is out
    assert np.array_equal(out, frames[1])


def test_bad_input_is_named():
    with pytest.raises(BadInput, match="no frame"):
        collapse(np.empty((0, 3, 3)))
    with pytest.raises(BadInput, match="'mode'"):
        collapse(np.ones((2, 3, 3)), "mode")
