"""Turning frames so that North is up, by three one-dimensional shears.

A rotation by φ is a shear along x by tan(φ/2), one along y by −sin φ, and the first again (Paeth 1986, Graphics
Interface 77; Unser, Thévenaz & Yaroslavsky 1995, IEEE Trans. Image Process. 4, 1371). Each shear shifts whole rows or
columns, which a windowed sinc does almost without error; quarter turns are taken out first and are exact.
"""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
from numpy.typing import ArrayLike

from lyot.cube import Floats, Images
from lyot.errors import BadInput
from lyot.reduce.parallel import spread

TAPS = 12  # the peak of a point source to 0.05 % in every frame, down to λ/D = 2.5 px
STEPS = 4096  # fractions of a pixel in the table of weights: positions to 1.2e-4 px

# What the compiler may assume. Not that NaN is absent: NaN marks what was not seen.
SUMS_MAY_BE_REORDERED = {"reassoc", "contract", "nsz"}


@cache
def sinc_weights(taps: int = TAPS) -> Images:
    """Weights that interpolate between samples: a sinc under a Kaiser window, of unit sum.

    Returns
    -------
    (STEPS + 1, taps), dimensionless
        Row `i` gives the value at i / STEPS px right of a sample; its first weight belongs to the sample
        taps / 2 − 1 px left of that one.

    Raises
    ------
    BadInput
        If `taps` is no multiple of 4 between 4 and 64.
    """
    if taps % 4 or not 4 <= taps <= 64:
        raise BadInput(f"{taps} taps asked of the interpolation, a multiple of 4 from 4 to 64 is needed")
    half = taps // 2
    distance = np.arange(1 - half, half + 1) - np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    window = np.i0(_window_shape(taps) * np.sqrt(np.maximum(0.0, 1.0 - (distance / half) ** 2)))
    weights = np.sinc(distance) * window
    table: Images = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return table


def _window_shape(taps: int) -> float:
    """Kaiser's β: what keeps the error least, over point sources of λ/D from 2.5 to 6 px (2.15 px beyond 20 taps)."""
    return 6.7 + 0.2 * (taps - 12)


def derotate(
    frames: ArrayLike, angles: ArrayLike, *, taps: int = TAPS, out: Images | None = None
) -> Images:
    """Turn each frame counter-clockwise by its angle, about the star at (ny // 2, nx // 2).

    Parameters
    ----------
    frames : (time, y, x)
        NaN marks unknown pixels. They count as 0, and so do those outside the frame.
    angles : (time,), deg
        Position angle of each frame's +y axis.
    taps : int
        Samples that each interpolation weighs. 12 serve for λ/D ≥ 2.5 px; 24 down to 2.1 px.
    out : (time, y, x), optional
        Where to put the answer; may be `frames` itself.

    Returns
    -------
    (time, y, x), float32
        NaN where more than about half of what would be seen is unknown or outside the frame.

    Raises
    ------
    BadInput
        If there are not as many angles as frames, or an angle is no number.
    """
    source, turns = checked_frames(frames, angles)
    if out is None:
        out = np.empty_like(source)
    elif np.may_share_memory(source, out) and np.isnan(source).any():
        source = source.copy()  # what is unknown is asked for once more when a frame has been turned
    derotate_rows(source, turns, 0, out, taps=taps)
    return out


def derotate_rows(frames: Images, angles: Floats, first: int, out: Images, *, taps: int = TAPS) -> None:
    """Some rows of what `derotate` gives, for little more than their part of the work.

    Parameters
    ----------
    frames : (time, y, x)
    angles : (time,), deg
    first : int
        The first of the rows.
    out : (time, rows, x)
        Where to put them; all of `y` when it may be `frames` itself.
    """
    table, phi = sinc_weights(taps), np.radians(angles)
    spread(
        lambda start, stop: _derotate(frames[start:stop], phi[start:stop], table, first, out[start:stop]), len(frames)
    )


def checked_frames(frames: ArrayLike, angles: ArrayLike) -> tuple[Images, Floats]:
    """Frames and angles as the shears want them, or `BadInput`."""
    source = np.ascontiguousarray(frames, dtype=np.float32)
    turns = np.atleast_1d(np.asarray(angles, dtype=np.float64))
    if source.ndim != 3:
        raise BadInput(f"frames to derotate have shape {source.shape}, (time, y, x) is needed")
    if turns.shape != (len(source),):
        raise BadInput(f"{len(source)} frames to derotate but angles of shape {turns.shape}; one angle each is needed")
    if not np.isfinite(turns).all():
        raise BadInput(f"{int((~np.isfinite(turns)).sum())} of {len(turns)} angles are not numbers")
    return source, turns


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _filter_row(out, row, first, weights):  # type: ignore[no-untyped-def]
    """out[x] = Σ_k weights[k] row[first + x + k], four taps at a time to spare the memory."""
    count = len(out)
    out[:] = 0
    for k in range(0, len(weights), 4):
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        seen = row[first + k : first + k + count + 3]  # sliced, so that the loop below is known to stay inside
        for x in range(count):
            out[x] += w0 * seen[x] + w1 * seen[x + 1] + w2 * seen[x + 2] + w3 * seen[x + 3]


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _filter_columns(out, rows, weights):  # type: ignore[no-untyped-def]
    """out[x] = Σ_k weights[k, x] rows[k, x], four taps at a time."""
    out[:] = 0
    for k in range(0, len(weights), 4):
        a, b, c, d = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        wa, wb, wc, wd = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        for x in range(len(out)):
            out[x] += wa[x] * a[x] + wb[x] * b[x] + wc[x] * c[x] + wd[x] * d[x]


@numba.njit(cache=True, nogil=True)
def _split(shift):  # type: ignore[no-untyped-def]
    """Whole pixels of a shift, and the row of the table of weights for the rest."""
    whole = int(np.floor(shift))
    return whole, int((shift - whole) * STEPS + 0.5)


@numba.njit(cache=True, nogil=True)
def _quarter_turned(row, frame, quarters, y):  # type: ignore[no-untyped-def]
    """Fill `row` with row `y` of `frame` turned counter-clockwise by quarters, NaN as 0; whether there was any NaN."""
    ny, nx = frame.shape
    missing = False
    for x in range(len(row)):
        if quarters == 0:
            value = frame[y, x]
        elif quarters == 1:
            value = frame[ny - 1 - x, y]
        elif quarters == 2:
            value = frame[ny - 1 - y, nx - 1 - x]
        else:
            value = frame[x, nx - 1 - y]
        known = value == value
        missing |= not known
        row[x] = value if known else np.float32(0)
    return missing


@numba.njit(cache=True, nogil=True)
def _derotate(frames, angles, table, first, out):  # type: ignore[no-untyped-def]
    """Rows of some frames from `first` on, as many as `out` has, derotated by angles in radians."""
    for t in range(len(frames)):
        ny, nx = frames[t].shape
        cy, cx = ny // 2, nx // 2
        quarters = int(np.round(angles[t] / (np.pi / 2)))
        rest = angles[t] - quarters * (np.pi / 2)
        quarters %= 4
        # The star's pixel in the frame after the quarter turns.
        sy, sx = cy, cx
        if quarters == 1:
            sy, sx = cx, ny - 1 - cy
        elif quarters == 2:
            sy, sx = ny - 1 - cy, nx - 1 - cx
        elif quarters == 3:
            sy, sx = nx - 1 - cx, cy
        missing = _three_shears(frames[t], quarters, sy, sx, rest, table, cy - first, out[t])
        _hide_unknown(out[t], angles[t], frames[t], first, missing)


@numba.njit(cache=True, nogil=True)
def _three_shears(frame, quarters, sy, sx, phi, table, cy, out):  # type: ignore[no-untyped-def]
    """Turn by at most an eighth of a turn what is `frame` after quarter turns, and say whether any NaN was read.

    The star is at (sy, sx) before and at (cy, nx // 2) of `out` after.

    The first shear gives sheared(x, y) = image(x + a y, y) with a = tan(φ/2), on columns that reach `margin` past
    `out` since the last shear will look there. Its rows are kept so that row r of `stack` holds, for every column,
    the r-th sample that the shear along y needs: that shear is then a sum of whole rows. Of each row only the
    stretch of columns that finds a place in `stack` is sheared.
    """
    height, nx = out.shape
    rows, columns = frame.shape if quarters % 2 == 0 else frame.shape[::-1]
    cx = nx // 2
    taps = table.shape[1]
    before = taps // 2 - 1
    along_x, along_y = np.tan(phi / 2), -np.sin(phi)
    margin = int(np.ceil(abs(along_x) * max(abs(cy), abs(height - 1 - cy)))) + taps
    width = nx + 2 * margin
    pad = margin + cx + int(np.ceil(abs(along_x) * rows)) + taps
    row = np.zeros(columns + 2 * pad + width, np.float32)
    sheared = np.empty(width, np.float32)
    shift = np.empty(width, np.int64)
    weights = np.empty((taps, width), np.float32)
    for x in range(width):
        whole, step = _split(along_y * (x - margin - cx))
        shift[x] = cy - sy + before - whole
        weights[:, x] = table[step]
    stack = np.zeros((height + taps, width), np.float32)
    falling = shift[::-1].copy()
    missing = False
    for y in range(rows):
        if along_y <= 0:  # then `shift` grows with x
            start, stop = np.searchsorted(shift, -y), np.searchsorted(shift, height + taps - y)
        else:
            start, stop = width - np.searchsorted(falling, height + taps - y), width - np.searchsorted(falling, -y)
        if start >= stop:
            continue
        missing |= _quarter_turned(row[pad : pad + columns], frame, quarters, y)
        whole, step = _split(along_x * (y - sy))
        _filter_row(sheared[start:stop], row, start + pad + sx - margin - cx + whole - before, table[step])
        for x in range(start, stop):
            stack[y + shift[x], x] = sheared[x]
    for y in range(height):
        _filter_columns(sheared, stack[y : y + taps], weights)
        whole, step = _split(along_x * (y - cy))
        _filter_row(out[y], sheared, margin + whole - before, table[step])
    return missing


@numba.njit(cache=True, nogil=True)
def _hide_unknown(out, phi, frame, top, missing):  # type: ignore[no-untyped-def]
    """Set to NaN the pixels of `out` that come from outside the frame, or mostly from unknown pixels.

    `out` holds the rows from `top` on; without `missing` no pixel is unknown. What comes from inside the frame is one
    stretch of each row, so rows are searched from both ends.
    """
    ny, nx = frame.shape
    cosine, sine = np.cos(phi), np.sin(phi)
    for row in range(len(out)):
        y, first, last = top + row, 0, nx - 1
        while first < nx and not _inside(y, first, cosine, sine, ny, nx):
            out[row, first] = np.nan
            first += 1
        while last > first and not _inside(y, last, cosine, sine, ny, nx):
            out[row, last] = np.nan
            last -= 1
        if missing:
            for x in range(first, last + 1):
                v, u = _source(y, x, cosine, sine, ny, nx)
                if _part_known(frame, v, u) < 0.5:
                    out[row, x] = np.nan


@numba.njit(cache=True, nogil=True)
def _source(y, x, cosine, sine, ny, nx):  # type: ignore[no-untyped-def]
    """Where in the frame (y, x) comes from what a turn of this cosine and sine brings to a pixel."""
    dy, dx = y - ny // 2, x - nx // 2
    return dy * cosine - dx * sine + ny // 2, dx * cosine + dy * sine + nx // 2


@numba.njit(cache=True, nogil=True)
def _inside(y, x, cosine, sine, ny, nx):  # type: ignore[no-untyped-def]
    """Whether that place is in the frame."""
    v, u = _source(y, x, cosine, sine, ny, nx)
    return -0.5 <= u <= nx - 0.5 and -0.5 <= v <= ny - 0.5


@numba.njit(cache=True, nogil=True)
def _part_known(frame, y, x):  # type: ignore[no-untyped-def]
    """How much of what a frame shows between its pixels is known, by bilinear weights; past its edge, at its edge."""
    ny, nx = frame.shape
    y, x = min(max(y, 0.0), ny - 1.0), min(max(x, 0.0), nx - 1.0)
    j, i = min(int(y), ny - 2), min(int(x), nx - 2)
    b, a = y - j, x - i
    known = 0.0
    known += 0.0 if np.isnan(frame[j, i]) else (1 - b) * (1 - a)
    known += 0.0 if np.isnan(frame[j, i + 1]) else (1 - b) * a
    known += 0.0 if np.isnan(frame[j + 1, i]) else b * (1 - a)
    known += 0.0 if np.isnan(frame[j + 1, i + 1]) else b * a
    return known
