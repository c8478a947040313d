"""Frame selection: outliers that we made are found, named, and never outnumber what is kept."""

import numpy as np
import pytest
from sky import observe

from lyot.cube import Cube
from lyot.errors import BadInput
from lyot.reduce.select import _likeness, select_frames

RING = 6.0, 30.0


def spoiled(cube, flux=(), shape=()):
    """The cube with the flux of some frames tripled and others shown a half turn round."""
    frames = cube.frames.copy()
    frames[:, list(flux)] *= 3
    frames[:, list(shape)] = frames[:, list(shape), ::-1, ::-1] + np.roll(frames[:, list(shape)], 7, axis=-1)
    return Cube(frames, angles=cube.angles, wavelengths=cube.wavelengths, pixel_scale=cube.pixel_scale)


@pytest.fixture(scope="module")
def steady():
    """The same speckles in every frame, seen with photon-like noise."""
    still = observe(nframes=20).hold_still()
    noise = np.random.default_rng(7).normal(0, 20, still.frames.shape)
    return Cube(still.frames + noise, angles=still.angles, wavelengths=still.wavelengths, pixel_scale=12.0)


def test_good_frames_are_kept(steady):
    selection = select_frames(steady, *RING)
    assert selection.keep.all()
    assert selection.note == "All frames are kept."


def test_outliers_are_named_by_what_is_wrong_with_them(steady):
    selection = select_frames(spoiled(steady, flux=[3], shape=[11]), *RING)
    assert not selection.keep[[3, 11]].any()
    assert selection.reasons[3] == "flux"
    assert set(selection.left_out) == {"3", "11"}
    assert "correlation" in selection.reasons[11]
    assert selection.keep.sum() == 18
    kept = selection.of(steady)
    assert kept.frames.shape[1] == 18
    assert 3 not in np.searchsorted(steady.angles, kept.angles)


def test_one_bad_wavelength_condemns_a_frame():
    cube = observe(nframes=12, wavelengths=(1.6, 1.7))
    frames = cube.frames.copy()
    frames[1, 5] *= 40
    bad = Cube(frames, angles=cube.angles, wavelengths=cube.wavelengths, pixel_scale=12.0)
    selection = select_frames(bad, *RING)
    assert not selection.keep[5]


def test_at_least_half_is_kept_and_said(steady):
    # All frames differ from their median by something; at this threshold most of them count as outliers.
    selection = select_frames(steady, *RING, threshold=0.1)
    assert selection.keep.sum() == 10
    assert "the best 10 are kept" in selection.note
    assert sum(reason != "" for reason in selection.reasons) > 10


def test_a_star_that_moved_is_a_centring_outlier(steady):
    frames = steady.frames.copy()
    # A tenth of the width of a speckle, by Fourier shift: nothing else about the frame changes.
    wave = np.fft.fftfreq(frames.shape[-1])
    frames[0, 7] = np.fft.ifft2(np.fft.fft2(frames[0, 7]) * np.exp(-2j * np.pi * wave * 0.4)).real
    moved = Cube(frames, angles=steady.angles, wavelengths=steady.wavelengths, pixel_scale=12.0)
    selection = select_frames(moved, *RING)
    assert "centring" in selection.reasons[7]
    assert "flux" not in selection.reasons[7]
    assert set(selection.left_out) == {"7"}


def test_the_move_is_measured_in_pixels(steady):
    # The first-order answer, against a shift made in Fourier space.
    still = steady.frames[0].mean(axis=0)
    y, x = (np.fft.fftfreq(side) for side in still.shape)
    phase = np.exp(-2j * np.pi * (y[:, None] * 0.1 + x[None, :] * -0.05))
    frames = np.stack([still, still, np.fft.ifft2(np.fft.fft2(still) * phase).real]).astype(np.float32)
    ring = np.hypot(*(np.indices(still.shape) - 40)) < 30
    _, _, moves = _likeness(frames, ring)
    np.testing.assert_allclose(moves[2], [0.1, -0.05], atol=0.005)  # second order: a twentieth of the move
    np.testing.assert_allclose(moves[0], 0.0, atol=1e-6)


def test_bad_pixels_condemn_no_frame(steady):
    frames = steady.frames.copy()
    frames[np.random.default_rng(3).random(frames.shape) < 0.02] = np.nan
    gappy = Cube(frames, angles=steady.angles, wavelengths=steady.wavelengths, pixel_scale=12.0)
    assert select_frames(gappy, *RING).keep.sum() >= 19


def test_of_a_few_frames_none_is_odd():
    few = observe(nframes=4)
    few.frames[0, 1] *= 10
    selection = select_frames(few, *RING)
    assert selection.keep.all()
    assert "too few" in selection.note


def test_equal_frames_are_all_kept(steady):
    selection = select_frames(observe(nframes=20).hold_still(), *RING)
    assert selection.keep.all()


def test_a_ring_without_pixels_is_refused(steady):
    with pytest.raises(BadInput, match="good pixels"):
        select_frames(steady, 500.0, 600.0)
