"""Leading modes against LAPACK's, and what must hold whatever the matrix."""

import numpy as np
import pytest

from lyot.reduce.eigen import leading_modes

RNG = np.random.default_rng(4)
TURN = np.linalg.qr(RNG.normal(size=(60, 60)))[0]


def of_spectrum(values):
    return (TURN * np.asarray(values, dtype=float)) @ TURN.T


def positive(size):
    half = RNG.normal(size=(size, 2 * size))
    return half @ half.T


@pytest.mark.parametrize(
    ("matrix", "count"),
    [
        *((positive(size), count) for size, count in ((1, 1), (2, 1), (2, 2), (3, 3), (40, 7), (131, 12))),
        (of_spectrum([9.0] * 5 + [1.0] + [1e-3] * 54), 8),  # several alike
        (of_spectrum(10.0 ** -np.arange(60)), 10),
        (of_spectrum(np.r_[1e9, 1 + 1e-3 * np.arange(59)]), 6),  # speckles far below what all frames share
        (np.ones((30, 30)), 4),  # frames that never change
        (np.diag(np.arange(20.0)), 5),
        (np.zeros((12, 12)), 3),
    ],
)
def test_modes_are_those_of_lapack(matrix, count):
    """To the rounding of double precision, over the largest eigenvalue: no algorithm does better."""
    values, modes = leading_modes(matrix.copy(), count)
    truth = np.linalg.eigvalsh(matrix)[::-1][:count]
    size = max(abs(truth[0]), 1e-300)
    assert np.abs(values - truth).max() <= 1e-13 * size
    assert np.abs(matrix @ modes.T - modes.T * values).max() <= 1e-13 * size
    assert np.abs(modes @ modes.T - np.eye(count)).max() < 1e-12
