"""A small part of a derotated frame, by the very shears that turn the whole of it.

`lyot.reduce.derotate` turns frames; here the same sums are done for a window of the answer only, reading only the
pixels that it depends on. Full and local results then agree to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lyot.cube import Floats, Images
from lyot.reduce.derotate import STEPS, sinc_weights
from lyot.reduce.zone import Indices

UNSEEN = -1  # in a window's `place`: a pixel that no frame needs


@dataclass(frozen=True, eq=False)
class Window:
    """A rectangle of the derotated image, and the pixels of the frames on which it depends.

    Parameters
    ----------
    rows, columns : (first, past the last), px
    shape : (ny, nx) of the frames
    turns : (nframe,), rad
    pixels : (npixel,)
        Flat indices of the pixels that some frame needs.
    place : (ny, nx)
        Where each pixel stands in `pixels`, or `UNSEEN`.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    shape: tuple[int, int]
    turns: Floats
    pixels: Indices
    place: NDArray[np.int64]

    @property
    def y(self) -> NDArray[np.int64]:
        """Rows of its pixels, (height, 1)."""
        return np.arange(*self.rows)[:, None]

    @property
    def x(self) -> NDArray[np.int64]:
        """Columns of its pixels, (1, width)."""
        return np.arange(*self.columns)[None, :]


def window_around(y: float, x: float, half: int, shape: tuple[int, int], angles: Floats) -> Window:
    """The window of derotated frames that reaches `half` pixels from (y, x), cut at the edge of the image.

    Parameters
    ----------
    y, x : float, px
    half : int, px
    shape : (ny, nx) of the frames
    angles : (nframe,), deg
    """
    rows = max(0, round(y) - half), min(shape[0], round(y) + half + 1)
    columns = max(0, round(x) - half), min(shape[1], round(x) + half + 1)
    turns = np.radians(np.asarray(angles, dtype=np.float64))
    needed = np.zeros(shape, dtype=np.bool_)
    nothing = np.empty((len(turns), 0), np.float32)
    out = np.empty((len(turns), rows[1] - rows[0], columns[1] - columns[0]), np.float32)
    _turn(nothing, np.full(shape, UNSEEN), needed, turns, sinc_weights(), rows, columns, out)
    pixels = np.flatnonzero(needed)
    place = np.full(shape, UNSEEN)
    place.ravel()[pixels] = np.arange(len(pixels))
    return Window(rows, columns, shape, turns, pixels, place)


def derotate_patch(values: Images, window: Window) -> Images:
    """The window of each derotated frame.

    Parameters
    ----------
    values : (nframe, npixel)
        The frames at `window.pixels`; NaN where unknown.

    Returns
    -------
    (nframe, height, width), as `derotate` gives them
    """
    height, width = window.rows[1] - window.rows[0], window.columns[1] - window.columns[0]
    out = np.empty((len(values), height, width), np.float32)
    unasked = np.empty((0, 0), np.bool_)
    _turn(values, window.place, unasked, window.turns, sinc_weights(), window.rows, window.columns, out)
    return out


@njit(nogil=True, cache=True)
def _source(y, x, quarters, ny, nx):  # type: ignore[no-untyped-def]
    """Pixel of the frame that a quarter-turned frame shows at (y, x)."""
    if quarters == 0:
        return y, x
    if quarters == 1:
        return ny - 1 - x, y
    if quarters == 2:
        return ny - 1 - y, nx - 1 - x
    return x, nx - 1 - y


@njit(nogil=True, cache=True)
def _turn(values, place, needed, turns, table, rows, columns, out):  # type: ignore[no-untyped-def]
    """Turn each frame and keep a window; with a `needed` map, only mark in it which pixels that takes."""
    marking = needed.size > 0
    ny, nx = place.shape
    cy, cx = ny // 2, nx // 2
    taps = table.shape[1]
    before = taps // 2 - 1
    for t in range(len(turns)):
        quarters = int(np.round(turns[t] / (np.pi / 2)))
        phi = turns[t] - quarters * (np.pi / 2)
        quarters %= 4
        sy, sx = cy, cx
        if quarters == 1:
            sy, sx = cx, ny - 1 - cy
        elif quarters == 2:
            sy, sx = ny - 1 - cy, nx - 1 - cx
        elif quarters == 3:
            sy, sx = nx - 1 - cx, cy
        high, wide = (ny, nx) if quarters % 2 == 0 else (nx, ny)
        along_x, along_y = np.tan(phi / 2), -np.sin(phi)
        # Columns of the frame sheared twice that the last shear reads.
        ends = along_x * (rows[0] - cy), along_x * (rows[1] - 1 - cy)
        first = columns[0] + int(np.floor(min(ends))) - before
        last = columns[1] - 1 + int(np.floor(max(ends))) + taps - before
        width = last - first
        # Rows of the frame sheared once that the shear along y reads in these columns.
        ends = along_y * (first - cx), along_y * (last - 1 - cx)
        bottom = rows[0] + sy - cy + int(np.floor(min(ends))) - before
        top = rows[1] - 1 + sy - cy + int(np.floor(max(ends))) + taps - before
        once = np.zeros((top - bottom, width), np.float32)
        for y in range(max(bottom, 0), min(top, high)):
            shift = along_x * (y - sy)
            whole = int(np.floor(shift))
            weights = table[int((shift - whole) * STEPS + 0.5)]
            for x in range(width):
                start = int(np.floor(along_y * (first + x - cx))) + sy - cy - before
                if not rows[0] + start <= y < rows[1] + start + taps:
                    continue
                total = np.float32(0)
                for k in range(taps):
                    u = first + x + sx - cx + whole - before + k
                    if 0 <= u < wide:
                        j, i = _source(y, u, quarters, ny, nx)
                        if marking:
                            needed[j, i] = True
                        else:
                            value = values[t, place[j, i]]
                            if value == value:
                                total += weights[k] * value
                once[y - bottom, x] = total
        if not marking:
            _last_shears(once, bottom - sy + cy, first, along_x, along_y, table, cy, cx, rows, columns, out[t])
        _hide(values, place, needed, turns[t], rows, columns, t, out[t])


@njit(nogil=True, cache=True)
def _last_shears(once, bottom, first, along_x, along_y, table, cy, cx, rows, columns, out):  # type: ignore[no-untyped-def]
    """The shears along y and, again, x. Row 0 of `once` is row `bottom` of the answer, column 0 is `first`."""
    taps = table.shape[1]
    before = taps // 2 - 1
    width = once.shape[1]
    twice = np.zeros((rows[1] - rows[0], width), np.float32)
    for x in range(width):
        shift = along_y * (first + x - cx)
        whole = int(np.floor(shift))
        weights = table[int((shift - whole) * STEPS + 0.5)]
        for y in range(len(twice)):
            start = rows[0] + y + whole - before - bottom
            total = np.float32(0)
            for k in range(taps):
                total += weights[k] * once[start + k, x]
            twice[y, x] = total
    for y in range(len(twice)):
        shift = along_x * (rows[0] + y - cy)
        whole = int(np.floor(shift))
        weights = table[int((shift - whole) * STEPS + 0.5)]
        for x in range(columns[1] - columns[0]):
            start = columns[0] + x + whole - before - first
            total = np.float32(0)
            for k in range(taps):
                total += weights[k] * twice[y, start + k]
            out[y, x] = total


@njit(nogil=True, cache=True)
def _hide(values, place, needed, phi, rows, columns, t, out):  # type: ignore[no-untyped-def]
    """NaN where a pixel comes from outside the frame, or mostly from unknown pixels; or mark what tells so."""
    ny, nx = place.shape
    cy, cx = ny // 2, nx // 2
    cosine, sine = np.cos(phi), np.sin(phi)
    for y in range(rows[0], rows[1]):
        for x in range(columns[0], columns[1]):
            u = (x - cx) * cosine + (y - cy) * sine + cx
            v = (y - cy) * cosine - (x - cx) * sine + cy
            inside = -0.5 <= u <= nx - 0.5 and -0.5 <= v <= ny - 0.5
            if not inside:
                out[y - rows[0], x - columns[0]] = np.nan
                continue
            v, u = min(max(v, 0.0), ny - 1.0), min(max(u, 0.0), nx - 1.0)
            j, i = min(int(v), ny - 2), min(int(u), nx - 2)
            known = 0.0
            for b in range(2):
                for a in range(2):
                    if needed.size > 0:
                        needed[j + b, i + a] = True
                    else:
                        value = values[t, place[j + b, i + a]]
                        part = (v - j if b else 1 - (v - j)) * (u - i if a else 1 - (u - i))
                        known += part if value == value else 0.0
            if needed.size == 0 and known < 0.5:
                out[y - rows[0], x - columns[0]] = np.nan
