"""Putting the star in the middle and the sky on square pixels: one interpolation for both."""

from __future__ import annotations

import numba
import numpy as np

from lyot.cube import Images
from lyot.reduce.shears import STEPS, sinc_weights


def resample(
    image: Images, star: tuple[float, float], size: int, stretch: tuple[float, float] = (1.0, 1.0), taps: int = 12
) -> Images:
    """Cut a square around the star, stretched about it, the star on its pixel (size // 2, size // 2).

    Parameters
    ----------
    image : (y, x), counts
    star : (y, x), px
    size : int, px
    stretch : (y, x)
        Distances on the detector are multiplied by it.
    taps : int
        Samples that each interpolation weighs.

    Returns
    -------
    (size, size), counts per pixel of the detector; NaN where it was not seen
    """
    out = np.empty((size, size), np.float32)
    _resample(np.ascontiguousarray(image, np.float32), star[0], star[1], 1 / stretch[0], 1 / stretch[1],
              sinc_weights(taps), out)
    return out


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def _resample(image, cy, cx, step_y, step_x, table, out):  # type: ignore[no-untyped-def]
    ny, nx = image.shape
    size, taps = out.shape[0], table.shape[1]
    half = taps // 2
    top = max(0, int(np.floor(cy - (size // 2) * step_y)) - half)
    bottom = min(ny, int(np.floor(cy + (size - 1 - size // 2) * step_y)) + half + 2)
    once = np.zeros((max(bottom - top, 0), size), np.float32)
    for i in range(size):  # along x
        at = cx + (i - size // 2) * step_x
        whole = int(np.floor(at))
        weights = table[int((at - whole) * STEPS + 0.5)]
        first = whole - half + 1
        if first < 0 or first + taps > nx:
            once[:, i] = np.nan
    for y in range(len(once)):
        row = image[top + y]
        for i in range(size):
            at = cx + (i - size // 2) * step_x
            whole = int(np.floor(at))
            first = whole - half + 1
            if first < 0 or first + taps > nx:
                continue
            weights = table[int((at - whole) * STEPS + 0.5)]
            value = np.float32(0.0)
            for k in range(taps):
                value += weights[k] * row[first + k]
            once[y, i] = value
    for j in range(size):  # along y
        at = cy + (j - size // 2) * step_y
        whole = int(np.floor(at))
        first = whole - half + 1 - top
        if whole - half + 1 < 0 or whole + half >= ny:
            out[j] = np.nan
            continue
        weights = table[int((at - whole) * STEPS + 0.5)]
        out[j] = 0.0
        for k in range(taps):
            for i in range(size):
                out[j, i] += weights[k] * once[first + k, i]
