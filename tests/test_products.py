"""Products of frames and of weights, against plain algebra in double precision."""

import numpy as np
import pytest

from lyot.reduce.products import apply_weights, blocks, factored, scalar_products


@pytest.mark.parametrize("rank", [1, 5, 16, 30])
def test_low_rank_weights_are_two_thin_matrices(rank):
    rng = np.random.default_rng(rank)
    weights = rng.normal(size=(120, rank)) @ rng.normal(size=(rank, 110))
    left, right = factored(weights)
    assert left.shape == (120, rank)
    assert right.shape == (rank, 110)
    assert np.abs(left @ right - weights).max() < 1e-10 * np.abs(weights).max()


@pytest.mark.parametrize("weights", [np.eye(60), np.zeros((9, 9)), np.full((9, 9), np.nan)], ids=["full", "0", "NaN"])
def test_other_weights_are_left_as_they_are(weights):
    assert factored(weights) == ()


@pytest.mark.parametrize("nframe", [6, 150])
def test_products_are_those_of_algebra(nframe):
    rng = np.random.default_rng(2)
    frames = (1e4 + rng.normal(size=(nframe, 5000))).astype(np.float32)  # bright and almost static
    pixels = np.flatnonzero(rng.random(5000) < 0.9)
    exact = frames[:, pixels].astype(float) @ frames[:, pixels].T.astype(float)
    # Speckles 1e-8 of the power must survive: single precision alone would leave 1e-7.
    assert np.abs(scalar_products(frames, frames, pixels) / exact - 1).max() < 1e-10


@pytest.mark.parametrize("rank", [3, 90])
@pytest.mark.parametrize("scattered", [False, True])
def test_weights_are_applied(rank, scattered):
    rng = np.random.default_rng(3)
    frames = rng.normal(size=(90, 12_000)).astype(np.float32)
    weights = rng.normal(size=(90, rank)) @ rng.normal(size=(rank, 90)) / 90
    left = np.zeros_like(frames)
    inside = np.zeros(12_000, bool)
    inside[100:11_900] = rng.random(11_800) < 0.8 if scattered else True
    apply_weights(weights, frames, frames, np.flatnonzero(inside), left)
    exact = frames - weights @ frames
    assert np.allclose(left[:, inside], exact[:, inside], atol=1e-4)  # sums of 90 terms of order 1, single precision
    assert (left[:, ~inside] == 0).all()


def test_blocks_cover_all_pixels_once():
    for pixels in (np.arange(7, 5000), np.arange(0, 9000, 3)):
        parts = [np.arange(b.start, b.stop) if isinstance(b, slice) else b for b in blocks(pixels, 400)]
        assert np.array_equal(np.concatenate(parts), pixels)


@pytest.mark.parametrize("count", [0, 2, 255, 2048, 3000, 3100, 10_000])
def test_blocks_are_equal_and_hold_every_pixel_once(count):
    pixels = np.arange(0, 2 * count, 2)
    found = list(blocks(pixels, 20))
    assert np.array_equal(np.concatenate([pixels[:0], *found]), pixels)
    assert max(map(len, found), default=0) - min(map(len, found), default=0) <= 1
    assert all(0 < len(block) <= 3072 for block in found)
    assert sum(block.stop - block.start for block in blocks(np.arange(count), 20)) == count
