"""Residual frames to one image with North up, a strip of rows at a time, so that no second cube is held."""

from __future__ import annotations

import numpy as np

from lyot.cube import Floats, Images
from lyot.reduce.collapse import collapse
from lyot.reduce.derotate import derotate_rows

WHOLE = 16_000_000  # pixels of frames up to which they are combined in one piece: 64 MB
STRIP = 2_500_000  # pixels in a strip of more than that
FEWEST_ROWS = 24  # of a strip; the shears read a dozen rows beside it


def combine(residuals: Images, angles: Floats, how: str, out: Images, strip: Images | None = None) -> None:
    """Turn frames North up and put their median or mean over time into `out`.

    Parameters
    ----------
    residuals : (time, y, x), counts
        NaN marks what was not seen.
    angles : (time,), deg
    how : "median" or "mean"
    out : (y, x)
    strip : from `strip_of`, optional
        Work space, for who combines often.
    """
    work = strip_of(residuals.shape) if strip is None else strip
    count, height = len(residuals), len(work) // (len(residuals) * residuals.shape[2])
    for first in range(0, len(out), height):
        rows = out[first : first + height]
        turned = work[: count * rows.size].reshape(count, *rows.shape)
        derotate_rows(residuals, angles, first, turned)
        collapse(turned, how, out=rows)


def strip_of(shape: tuple[int, ...]) -> Images:
    """Work space in which frames of shape (time, y, x) are combined, flat."""
    count, ny, nx = shape
    height = ny if count * ny * nx <= WHOLE else min(ny, max(FEWEST_ROWS, STRIP // (count * nx)))
    return np.empty(count * height * nx, np.float32)
