"""Residual frames to one image with North up, a strip of rows at a time, so that no second cube is held."""

from __future__ import annotations

import numpy as np

from lyot.cube import Floats, Images
from lyot.reduce.collapse import collapse
from lyot.reduce.derotate import derotate_rows

WHOLE = 16_000_000  # pixels of frames up to which they are combined in one piece: 64 MB
STRIP = 1_500_000  # pixels in a strip of more than that
FEWEST_ROWS = 16  # of a strip; the shears read a dozen rows beside it


def combine(residuals: Images, angles: Floats, how: str, out: Images, filling: Images | None = None) -> None:
    """Turn frames North up and put their median or mean over time into `out`.

    Parameters
    ----------
    residuals : (time, y, x), counts
        NaN marks what was not seen.
    angles : (time,), deg
    how : "median" or "mean"
    out : (y, x)
    filling : (y, x), counts, optional
        What unknown pixels count as in what is seen beside them, instead of 0.
    """
    count, height = len(residuals), strip_height(residuals.shape)
    work = np.empty(count * height * residuals.shape[2], np.float32)
    for first in range(0, len(out), height):
        rows = out[first : first + height]
        turned = work[: count * rows.size].reshape(count, *rows.shape)
        derotate_rows(residuals, angles, first, turned, filling=filling)
        collapse(turned, how, out=rows)


def strip_height(shape: tuple[int, ...]) -> int:
    """Rows in a strip of frames of shape (time, y, x)."""
    count, ny, nx = shape
    return ny if count * ny * nx <= WHOLE else min(ny, max(FEWEST_ROWS, STRIP // (count * nx)))
