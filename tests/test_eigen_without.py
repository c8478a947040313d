"""Leading modes of a matrix without some of its rows and columns, against numpy's of what is left."""

import numpy as np
import pytest

from lyot.reduce.eigen_without import modes_without
from lyot.reduce.parallel import single_blas_thread

RNG = np.random.default_rng(8)
TURN = np.linalg.qr(RNG.normal(size=(60, 60)))[0]
NEXT_TO_ONE_ANOTHER = np.arange(20, 29)
ANYWHERE = np.array([0, 7, 8, 31, 59])


def of_spectrum(values, turn=TURN):
    return (turn * np.asarray(values, dtype=float)) @ turn.T


def few_at_a_time():
    """A turn that mixes some pairs of axes: eigenvectors of a few rows, many of which know nothing of what is gone."""
    turn = np.eye(60)[RNG.permutation(60)]
    for _ in range(RNG.integers(0, 60)):
        pair, angle = RNG.choice(60, 2, replace=False), RNG.uniform(0, 2 * np.pi)
        turn[:, pair] = turn[:, pair] @ [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn


def speckles(level, nframes=60):
    """Scalar products of frames of one bright static image, patterns that drift, and noise of their `level`."""
    static = 30.0 * np.outer(np.ones(nframes), RNG.normal(size=500))
    drift = np.cumsum(RNG.normal(size=(nframes, 6)), axis=0) @ RNG.normal(size=(6, 500))
    frames = static + drift + level * RNG.normal(size=(nframes, 500))
    return frames @ frames.T


def found(matrix, gone, count):
    """What the module finds: whether certain, eigenvalues, and eigenvectors in rows of the whole."""
    values, modes = np.linalg.eigh(matrix)
    certain, quotients, inner = modes_without(values[::-1].copy(), modes[gone][:, ::-1].copy(), count)
    return certain, quotients, inner @ modes[:, ::-1].T


def assert_right(matrix, gone, count, quotients, modes):
    """The same eigenvalues and the same span as numpy's of what is left, to the 1e-7 that is promised."""
    rest = np.setdiff1d(np.arange(len(matrix)), gone)
    values, vectors = np.linalg.eigh(matrix[np.ix_(rest, rest)])
    truth = np.zeros((len(matrix), count))
    truth[rest] = vectors[:, ::-1][:, :count]
    np.testing.assert_allclose(np.sort(quotients)[::-1], values[::-1][:count], rtol=1e-9)
    np.testing.assert_allclose(modes.T @ modes, truth @ truth.T, atol=1e-7)


@pytest.mark.parametrize("gone", [NEXT_TO_ONE_ANOTHER, ANYWHERE, ANYWHERE[:1], ANYWHERE[:0]], ids=len)
@pytest.mark.parametrize(
    ("matrix", "count"),
    [
        (speckles(0.1), 1),
        (speckles(1.0), 5),
        (of_spectrum(1.5 ** -np.arange(60)), 10),
        (of_spectrum(10.0 ** (-0.5 * np.arange(60))), 8),
    ],
)
def test_what_stands_apart_is_found(matrix, count, gone):
    certain, quotients, modes = found(matrix, gone, count)
    assert certain
    assert_right(matrix, gone, count, quotients, modes)


@pytest.mark.parametrize(
    ("matrix", "count"),
    [
        (np.eye(60), 3),
        (of_spectrum([9.0] * 20 + [1.0] * 40), 4),  # the fourth and the fifth are alike
        (of_spectrum([9.0, 4.0, 2.0] + [0.0] * 57), 4),  # frames of which three make all others
        (of_spectrum(np.r_[1e9, 2.0 ** -np.arange(59)]), 6),  # speckles lost in what all frames share
        (np.ones((60, 60)), 2),  # frames that never change
        (np.zeros((60, 60)), 1),
    ],
)
def test_what_cannot_be_told_apart_is_not_called_certain(matrix, count):
    assert not found(matrix, ANYWHERE, count)[0]


def test_what_stands_in_what_is_left_out_alone_is_no_mode_of_the_rest():
    """Three frames have light of their own, and that is the brightest there is."""
    inside, outside = np.linalg.qr(RNG.normal(size=(3, 3)))[0], np.linalg.qr(RNG.normal(size=(57, 57)))[0]
    matrix = np.zeros((60, 60))
    matrix[:3, :3] = (inside * [9.0, 5.0, 3.0]) @ inside.T
    matrix[3:, 3:] = (outside * 1.3 ** -np.arange(57)) @ outside.T
    for count in range(1, 8):
        certain, quotients, modes = found(matrix, np.arange(3), count)
        if certain:
            assert_right(matrix, np.arange(3), count, quotients, modes)


def test_whatever_is_called_certain_is_right():
    """Any spectrum, with gaps and without, any frames left out: a wrong answer is worse than none."""
    certain_ones = 0
    with single_blas_thread():
        for number in range(600):
            certain_ones += certain_and_right(few_at_a_time() if number % 2 else TURN)
    assert certain_ones > 360


def certain_and_right(turn):
    """Whether a matrix of a random spectrum, random frames left out, is certain; if so, it is right."""
    values = np.sort(10.0 ** RNG.uniform(-RNG.uniform(0.05, 6), 0, size=60))[::-1]
    if RNG.random() < 0.3:
        values[RNG.integers(2, 12) :] *= 1e-12  # the rest is rounding
    matrix, count = of_spectrum(values, turn), int(RNG.integers(1, 12))
    gone = np.sort(RNG.choice(60, int(RNG.integers(0, 20)), replace=False))
    certain, quotients, modes = found(matrix, gone, count)
    if certain:
        assert_right(matrix, gone, count, quotients, modes)
    return certain
