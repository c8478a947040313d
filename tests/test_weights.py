"""Weights against plain algebra, frame by frame."""

import numpy as np
import pytest

from lyot.errors import Unprocessable
from lyot.reduce import weights as module
from lyot.reduce.weights import least_squares_weights_each, principal_weights, principal_weights_each


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(6)
    return 20.0 + rng.normal(size=(30, 12)) @ rng.normal(size=(12, 400)) + 0.3 * rng.normal(size=(30, 400))


@pytest.fixture(scope="module")
def allowed():
    """Frames further than two from one another; the first three may use none, the next two the same ones."""
    distance = np.abs(np.subtract.outer(np.arange(30), np.arange(30)))
    may = distance > 2
    may[:3] = False
    may[4] = may[3]
    return may


def test_each_frame_is_projected_on_the_components_of_its_own_library(frames, allowed):
    gram = frames @ frames.T
    weights = principal_weights_each(gram, gram, allowed, 4)
    assert np.isnan(weights[:3]).all()
    assert not weights[3:][~allowed[3:]].any()
    for t in range(3, 30):
        _, _, modes = np.linalg.svd(frames[allowed[t]], full_matrices=False)
        np.testing.assert_allclose(weights[t] @ frames, frames[t] @ modes[:4].T @ modes[:4], atol=1e-8)


def test_weights_are_the_same_whether_the_whole_library_is_decomposed_first(frames, allowed, monkeypatch):
    """Frames of twelve patterns and noise: five stand apart, twelve just so, thirteen do not."""
    gram = frames @ frames.T
    for ncomp in (1, 5, 12, 13):
        ours = principal_weights_each(gram, gram, allowed, ncomp)
        with monkeypatch.context() as patched:
            patched.setattr(module, "SEVERAL", 1000)
            one_by_one = principal_weights_each(gram, gram, allowed, ncomp)
        np.testing.assert_allclose(ours, one_by_one, atol=1e-6)


def test_frames_that_repeat_a_few_have_no_more_components_than_those(allowed):
    """Three patterns in thirty frames, five components asked for: the fourth and the fifth are rounding."""
    rng = np.random.default_rng(7)
    frames = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 400))
    weights = principal_weights_each(frames @ frames.T, frames @ frames.T, allowed, 5)
    np.testing.assert_allclose(weights[3:] @ frames, frames[3:], atol=1e-8)


def test_too_few_frames_of_its_own_leave_a_frame_without_weights(frames, allowed):
    gram = frames @ frames.T
    assert np.isnan(principal_weights_each(gram, gram, allowed, 28)).all()
    with pytest.raises(Unprocessable, match="31 components asked of 30 frames"):
        principal_weights_each(gram, gram, allowed, 31)


def test_weights_of_least_squares_leave_the_least(frames, allowed):
    """The equations of the minimum, solved by numpy on the frames themselves."""
    gram, ridge = frames @ frames.T, 1e-3
    weights = least_squares_weights_each(gram, gram, allowed, ridge)
    assert np.isnan(weights[:3]).all()
    assert not weights[3:][~allowed[3:]].any()
    for t in range(3, 30):
        library = frames[allowed[t]]
        count = len(library)
        power = np.square(library - library.mean(axis=0)).sum()
        damping = np.sqrt(ridge * power + 1e-8 * np.square(library).sum())
        terms = np.vstack([library.T, damping * np.eye(count)])
        truth = np.linalg.lstsq(terms, np.r_[frames[t], np.full(count, damping / count)], rcond=None)[0]
        np.testing.assert_allclose(weights[t, allowed[t]], truth, atol=1e-9)


def test_frames_that_cannot_be_told_apart_are_named():
    gram = np.zeros((6, 6))
    with pytest.raises(Unprocessable, match="6 library frames are too alike"):
        least_squares_weights_each(gram, gram, ~np.eye(6, dtype=bool), 0.0)


def test_both_decompositions_give_the_same(frames, monkeypatch):
    gram = frames @ frames.T
    ours = principal_weights(gram, gram, 5)
    monkeypatch.setattr(module, "SMALL", 0)
    np.testing.assert_allclose(principal_weights(gram, gram, 5), ours, atol=1e-11)
