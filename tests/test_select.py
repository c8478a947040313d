"""Frame selection: outliers that we made are found, named, and never outnumber what is kept."""

import numpy as np
import pytest
from sky import observe

from lyot.cube import Cube
from lyot.errors import BadInput
from lyot.reduce.select import select_frames

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


def test_equal_frames_are_all_kept(steady):
    selection = select_frames(observe(nframes=20).hold_still(), *RING)
    assert selection.keep.all()


def test_a_ring_without_pixels_is_refused(steady):
    with pytest.raises(BadInput, match="good pixels"):
        select_frames(steady, 500.0, 600.0)
