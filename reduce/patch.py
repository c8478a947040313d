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
from lyot.reduce.shears import (
    SUMS_MAY_BE_REORDERED,
    before_quarter_turns,
    in_frame,
    pixel_below,
    place_before,
    shears_of,
    sinc_weights,
    split,
)
from lyot.reduce.zone import Indices

UNSEEN = -1  # in a window's `place` and `patches`: a pixel that is not needed


@dataclass(frozen=True, eq=False)
class Window:
    """A rectangle of the derotated image, and the pixels of the frames on which it depends.

    Parameters
    ----------
    rows, columns : (first, past the last), px
    shape : (ny, nx) of the frames
    turns : (nframe,), rad
    pixels : (npixel,)
        Flat indices of the pixels that some frame needs, in the order in which the frames come to need them.
    starts, stops : (nframe,)
        First of those that a frame needs, and past the last: a stretch of the way of a place through the frames.
    place : (ny, nx)
        Where each pixel stands in `pixels`, or `UNSEEN`.
    patches : (nframe, height, width)
        The part of each frame that it needs itself, after quarter turns, as places in `pixels`; `UNSEEN` where it
        needs none or the frame has none.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    shape: tuple[int, int]
    turns: Floats
    pixels: Indices
    starts: Indices
    stops: Indices
    place: NDArray[np.int32]
    patches: NDArray[np.int32]

    @property
    def y(self) -> NDArray[np.int64]:
        """Rows of its pixels, (height, 1)."""
        return np.arange(*self.rows)[:, None]

    @property
    def x(self) -> NDArray[np.int64]:
        """Columns of its pixels, (1, width)."""
        return np.arange(*self.columns)[None, :]

    def of(self, image: Images) -> Images:
        """The window of an image."""
        return image[slice(*self.rows), slice(*self.columns)]


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
    taps = sinc_weights().shape[1]
    place = np.full(shape, UNSEEN, dtype=np.int32)
    patches = np.empty((len(turns), *_largest_patch(shape, turns, taps, rows, columns)), dtype=np.int32)
    pixels, starts, stops = _number(place, patches, turns, taps, rows, columns)
    return Window(rows, columns, shape, turns, pixels, starts, stops, place, patches)


def derotate_patch(values: Images, window: Window, filling: Images | None = None) -> Images:
    """The window of each derotated frame.

    Parameters
    ----------
    values : (nframe, npixel)
        The frames at `window.pixels`; NaN where unknown.
    filling : (npixel,), optional
        What unknown pixels count as in what is seen beside them, instead of 0.

    Returns
    -------
    (nframe, height, width), as `derotate` gives them
    """
    height, width = window.rows[1] - window.rows[0], window.columns[1] - window.columns[0]
    out = np.empty((len(values), height, width), np.float32)
    unknown = np.zeros(values.shape[1], np.float32) if filling is None else filling
    _turn(values, unknown, window.patches, window.place, window.turns, sinc_weights(), window.rows, window.columns, out)
    return out


@njit(nogil=True, cache=True)
def _reach(along_x, along_y, sy, sx, cy, cx, taps, rows, columns):  # type: ignore[no-untyped-def]
    """What a window reads: columns of the frame sheared twice, rows of the frame sheared once, columns of the frame.

    As first and past the last: the twice sheared frame has the answer's columns, the others have those of the frame
    after quarter turns, whose star is at (sy, sx).
    """
    before = taps // 2 - 1
    ends = along_x * (rows[0] - cy), along_x * (rows[1] - 1 - cy)
    first = columns[0] + int(np.floor(min(ends))) - before
    last = columns[1] - 1 + int(np.floor(max(ends))) + taps - before
    ends = along_y * (first - cx), along_y * (last - 1 - cx)
    bottom = rows[0] + sy - cy + int(np.floor(min(ends))) - before
    top = rows[1] - 1 + sy - cy + int(np.floor(max(ends))) + taps - before
    ends = along_x * (bottom - sy), along_x * (top - 1 - sy)
    left = first + sx - cx + int(np.floor(min(ends))) - before
    right = last - 1 + sx - cx + int(np.floor(max(ends))) + taps - before
    return first, last, bottom, top, left, right


@njit(nogil=True, cache=True)
def _stretch(y, along_x, along_y, sy, sx, cy, cx, taps, rows, first, last):  # type: ignore[no-untyped-def]
    """Columns of the frame (first and past the last) that a row of it lends the window."""
    before = taps // 2 - 1
    start, stop = last, first
    for x in range(first, last):
        lowest = rows[0] + int(np.floor(along_y * (x - cx))) + sy - cy - before
        if lowest <= y < lowest + rows[1] - rows[0] + taps - 1:
            start, stop = min(start, x), max(stop, x + 1)
    move = sx - cx + int(np.floor(along_x * (y - sy))) - before
    return start + move, stop + move + taps - 1 if start < stop else start + move


@njit(nogil=True, cache=True)
def _largest_patch(shape, turns, taps, rows, columns):  # type: ignore[no-untyped-def]
    """Height and width of the largest patch that holds what one frame lends the window."""
    ny, nx = shape
    height, width = 0, 0
    for turn in turns:
        _, sy, sx, along_x, along_y = shears_of(turn, ny, nx)
        reach = _reach(along_x, along_y, sy, sx, ny // 2, nx // 2, taps, rows, columns)
        height, width = max(height, reach[3] - reach[2]), max(width, reach[5] - reach[4])
    return height, width


@njit(nogil=True, cache=True)
def _number(place, patches, turns, taps, rows, columns):  # type: ignore[no-untyped-def]
    """Number the pixels that frames need, frame by frame, in `place` and `patches`.

    Gives their flat indices, and where those of each frame begin and end.
    """
    ny, nx = place.shape
    cy, cx = ny // 2, nx // 2
    pixels = np.empty(ny * nx, dtype=np.int64)
    starts, stops = np.empty(len(turns), dtype=np.int64), np.empty(len(turns), dtype=np.int64)
    known = 0
    patches[:] = UNSEEN
    for t in range(len(turns)):
        begin = known
        quarters, sy, sx, along_x, along_y = shears_of(turns[t], ny, nx)
        first, last, bottom, top, left, _ = _reach(along_x, along_y, sy, sx, cy, cx, taps, rows, columns)
        high, wide = (ny, nx) if quarters % 2 == 0 else (nx, ny)
        for y in range(max(bottom, 0), min(top, high)):
            start, stop = _stretch(y, along_x, along_y, sy, sx, cy, cx, taps, rows, first, last)
            for x in range(max(start, 0), min(stop, wide)):
                j, i = before_quarter_turns(y, x, quarters, ny, nx)
                known = _count(place, pixels, known, j, i)
                patches[t, y - bottom, x - left] = place[j, i]
                begin = min(begin, place[j, i])
        cosine, sine = np.cos(turns[t]), np.sin(turns[t])
        for y in range(rows[0], rows[1]):
            for x in range(columns[0], columns[1]):
                v, u = place_before(y, x, cosine, sine, ny, nx)
                j, i = pixel_below(v, ny)[0], pixel_below(u, nx)[0]
                for b in range(2):
                    for a in range(2):
                        known = _count(place, pixels, known, j + b, i + a)
                        begin = min(begin, place[j + b, i + a])
        starts[t], stops[t] = begin, known
    return pixels[:known].copy(), starts, stops


@njit(nogil=True, cache=True)
def _count(place, pixels, known, y, x):  # type: ignore[no-untyped-def]
    """Number a pixel, if it has none, with the next; how many are numbered then."""
    if place[y, x] != UNSEEN:
        return known
    place[y, x] = known
    pixels[known] = y * place.shape[1] + x
    return known + 1


@njit(nogil=True, cache=True, fastmath=SUMS_MAY_BE_REORDERED)
def _turn(values, filling, patches, place, turns, table, rows, columns, out):  # type: ignore[no-untyped-def]
    """Turn each frame and keep a window."""
    ny, nx = place.shape
    cy, cx = ny // 2, nx // 2
    taps = table.shape[1]
    before = taps // 2 - 1
    patch = np.empty(patches.shape[1:], np.float32)
    for t in range(len(turns)):
        _, sy, sx, along_x, along_y = shears_of(turns[t], ny, nx)
        first, last, bottom, top, left, _ = _reach(along_x, along_y, sy, sx, cy, cx, taps, rows, columns)
        missing = False
        for y in range(top - bottom):
            for x in range(patch.shape[1]):
                where = patches[t, y, x]
                value = np.float32(0) if where == UNSEEN else values[t, where]
                known = value == value
                missing |= not known
                patch[y, x] = value if known else filling[where]
        width = last - first
        once = np.empty((width, top - bottom), np.float32)  # its columns are rows, for the shear along y
        row = np.empty(width, np.float32)
        for y in range(top - bottom):
            whole, step = split(along_x * (bottom + y - sy))
            _filter(row, patch[y], first + sx - cx + whole - before - left, table[step])
            once[:, y] = row
        twice = np.empty((rows[1] - rows[0], width), np.float32)
        column = np.empty(len(twice), np.float32)
        for x in range(width):
            whole, step = split(along_y * (first + x - cx))
            _filter(column, once[x], rows[0] + whole - before - (bottom - sy + cy), table[step])
            twice[:, x] = column
        for y in range(len(twice)):
            whole, step = split(along_x * (rows[0] + y - cy))
            _filter(out[t, y], twice[y], columns[0] + whole - before - first, table[step])
        _hide(values, place, turns[t], rows, columns, t, missing, out[t])


@njit(nogil=True, cache=True, fastmath=SUMS_MAY_BE_REORDERED)
def _filter(out, row, first, weights):  # type: ignore[no-untyped-def]
    """out[x] = Σ_k weights[k] row[first + x + k], four weights at a time."""
    count = len(out)
    out[:] = 0.0
    for k in range(0, len(weights), 4):
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        seen = row[first + k : first + k + count + 3]  # sliced, so that the loop below is known to stay inside
        for x in range(count):
            out[x] += w0 * seen[x] + w1 * seen[x + 1] + w2 * seen[x + 2] + w3 * seen[x + 3]


@njit(nogil=True, cache=True)
def _hide(values, place, turn, rows, columns, t, missing, out):  # type: ignore[no-untyped-def]
    """NaN where a pixel comes from outside the frame, or mostly from unknown pixels."""
    ny, nx = place.shape
    cosine, sine = np.cos(turn), np.sin(turn)
    for y in range(rows[0], rows[1]):
        for x in range(columns[0], columns[1]):
            v, u = place_before(y, x, cosine, sine, ny, nx)
            if not in_frame(v, u, ny, nx):
                out[y - rows[0], x - columns[0]] = np.nan
            elif missing:
                (j, v), (i, u) = pixel_below(v, ny), pixel_below(u, nx)
                known = 0.0
                for b in range(2):
                    for a in range(2):
                        value = values[t, place[j + b, i + a]]
                        part = (v if b else 1.0 - v) * (u if a else 1.0 - u)
                        known += part if value == value else 0.0
                if known < 0.5:
                    out[y - rows[0], x - columns[0]] = np.nan
