"""Turning frames so that North is up, by three one-dimensional shears.

A rotation by φ is a shear along x by tan(φ/2), one along y by −sin φ, and the first again (Paeth 1986, Graphics
Interface 77; Unser, Thévenaz & Yaroslavsky 1995, IEEE Trans. Image Process. 4, 1371). Each shear shifts whole rows or
columns, which a windowed sinc does almost without error; quarter turns are taken out first and are exact.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import ArrayLike

from lyot.cube import Floats, Images
from lyot.errors import BadInput
from lyot.reduce.parallel import spread
from lyot.reduce.shears import (
    SUMS_MAY_BE_REORDERED,
    TAPS,
    before_quarter_turns,
    in_frame,
    pixel_below,
    place_before,
    shears_of,
    sinc_weights,
    split,
)

TOGETHER = 4  # rows of the second shear that are filtered at a time: they weigh much the same samples alike


def derotate(frames: ArrayLike, angles: ArrayLike, *, taps: int = TAPS, out: Images | None = None) -> Images:
    """Turn each frame counter-clockwise by its angle, about the star at (ny // 2, nx // 2).

    Parameters
    ----------
    frames : (time, y, x)
        NaN marks unknown pixels. In what is seen beside them they count as 0, and so do those outside the frame.
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


def derotate_rows(
    frames: Images, angles: Floats, first: int, out: Images, *, taps: int = TAPS, filling: Images | None = None
) -> None:
    """Some rows of what `derotate` gives, for little more than their part of the work.

    Parameters
    ----------
    frames : (time, y, x)
    angles : (time,), deg
    first : int
        The first of the rows.
    out : (time, rows, x)
        Where to put them; all of `y` when it may be `frames` itself.
    filling : (y, x), optional
        What unknown pixels count as, instead of 0.
    """
    table, phi = sinc_weights(taps), np.radians(angles)
    unknown = np.zeros(frames.shape[1:], np.float32) if filling is None else filling
    spread(
        lambda start, stop: _derotate(frames[start:stop], unknown, phi[start:stop], table, first, out[start:stop]),
        len(frames),
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
    """out[x] = Σ_k weights[k] row[first + x + k], six taps at a time to spare the memory."""
    count = len(out)
    out[:] = 0
    for k in range(0, len(weights), 6):
        a, b, c, d, e, f = weights[k], weights[k + 1], weights[k + 2], weights[k + 3], weights[k + 4], weights[k + 5]
        seen = row[first + k : first + k + count + 5]  # sliced, so that the loop below is known to stay inside
        for x in range(count):
            nearer = a * seen[x] + b * seen[x + 1] + c * seen[x + 2]
            out[x] += nearer + d * seen[x + 3] + e * seen[x + 4] + f * seen[x + 5]


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _filter_columns(out, rows, weights, start, stop):  # type: ignore[no-untyped-def]
    """out[i, x] = Σ_k weights[k, x] rows[i + k, x] for four rows i, four taps at a time, x from `start` to `stop`."""
    o, p, q, r = out[0, start:stop], out[1, start:stop], out[2, start:stop], out[3, start:stop]
    o[:] = 0
    p[:] = 0
    q[:] = 0
    r[:] = 0
    for k in range(0, len(weights), 4):
        a, b, c, d = rows[k, start:stop], rows[k + 1, start:stop], rows[k + 2, start:stop], rows[k + 3, start:stop]
        e, f, g = rows[k + 4, start:stop], rows[k + 5, start:stop], rows[k + 6, start:stop]
        s, t = weights[k, start:stop], weights[k + 1, start:stop]
        u, v = weights[k + 2, start:stop], weights[k + 3, start:stop]
        for x in range(len(o)):
            o[x] += s[x] * a[x] + t[x] * b[x] + u[x] * c[x] + v[x] * d[x]
            p[x] += s[x] * b[x] + t[x] * c[x] + u[x] * d[x] + v[x] * e[x]
            q[x] += s[x] * c[x] + t[x] * d[x] + u[x] * e[x] + v[x] * f[x]
            r[x] += s[x] * d[x] + t[x] * e[x] + u[x] * f[x] + v[x] * g[x]


@numba.njit(cache=True, nogil=True)
def _scatter(line, room, offset, start):  # type: ignore[no-untyped-def]
    """Put each value of a line `offset` beyond `start`. Unsigned, so that nobody asks whether to count from the end."""
    for x in range(len(line)):
        room[np.uint64(start + offset[x])] = line[x]


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _quarter_turned(row, frame, filling, quarters, y):  # type: ignore[no-untyped-def]
    """Fill `row` with row `y` of `frame` turned counter-clockwise by quarters, and NaN in it; whether there was any."""
    ny, nx = frame.shape
    if quarters == 0:
        row[:] = frame[y]
    elif quarters == 1:
        row[:] = frame[::-1, y]
    elif quarters == 2:
        row[:] = frame[ny - 1 - y, ::-1]
    else:
        row[:] = frame[:, nx - 1 - y]
    total = np.float32(0)
    for x in range(len(row)):  # a sum with a NaN is NaN, and quicker than asking each
        total += row[x]
    if total == total:
        return False
    for x in range(len(row)):
        if np.isnan(row[x]):
            row[x] = filling[before_quarter_turns(y, x, quarters, ny, nx)]
    return True


@numba.njit(cache=True, nogil=True)
def _derotate(frames, filling, angles, table, first, out):  # type: ignore[no-untyped-def]
    """Rows of some frames from `first` on, as many as `out` has, derotated by angles in radians."""
    height, nx = out.shape[1:]
    taps = table.shape[1]
    # Room for the shears of an eighth of a turn, the widest: fresh memory for each frame would cost as much as they do.
    reach = max(abs(frames.shape[1] // 2 - first), abs(height - 1 - frames.shape[1] // 2 + first))
    widest = nx + 2 * _margin(np.tan(np.pi / 8), reach, taps)
    room = np.empty((height + taps + TOGETHER - 1) * widest, np.float32)
    for t in range(len(frames)):
        missing = _three_shears(frames[t], filling, angles[t], table, first, reach, room, out[t])
        _hide_unknown(out[t], angles[t], frames[t], first, missing)


@numba.njit(cache=True, nogil=True)
def _margin(along_x, reach, taps):  # type: ignore[no-untyped-def]
    """Columns that the last shear looks beyond the frame, `reach` rows from the star."""
    return int(np.ceil(abs(along_x) * reach)) + taps


@numba.njit(cache=True, nogil=True)
def _three_shears(frame, filling, angle, table, top, reach, room, out):  # type: ignore[no-untyped-def]
    """Turn a frame by an angle in radians into `out`, its rows from `top` on, and say whether any NaN was read.

    The first shear gives sheared(x, y) = image(x + a y, y) with a = tan(φ/2), on columns that reach `margin` past
    `out` since the last shear will look there. Its rows are kept so that row r of `stack` holds, for every column,
    the r-th sample that the shear along y needs: that shear is then a sum of whole rows. Of each row only the
    stretch of columns is sheared that finds a place in `stack`, where the other shears will look.
    """
    height, nx = out.shape
    quarters, sy, sx, along_x, along_y = shears_of(angle, frame.shape[0], nx)
    rows, columns = frame.shape if quarters % 2 == 0 else frame.shape[::-1]
    cy, cx = frame.shape[0] // 2 - top, nx // 2
    taps = table.shape[1]
    before = taps // 2 - 1
    margin = _margin(along_x, reach, taps)
    width = nx + 2 * margin
    pad = margin + cx + int(np.ceil(abs(along_x) * rows)) + taps
    row = np.zeros(columns + 2 * pad + width, np.float32)
    sheared = np.empty((TOGETHER, width), np.float32)
    shift = np.empty(width, np.int64)
    weights = np.empty((taps, width), np.float32)
    for x in range(width):
        whole, step = split(along_y * (x - margin - cx))
        shift[x] = cy - sy + before - whole
        for k in range(taps):
            weights[k, x] = table[step, k]
    deep = height + taps + TOGETHER - 1
    stack = room[: deep * width].reshape(deep, width)
    stack[:] = 0
    offset = shift * width + np.arange(width)
    missing = False
    start = stop = width if along_y <= 0 else 0
    cosine = 1 + along_x * along_y  # of the angle that is left after quarter turns
    for y in range(rows):
        start, stop = _stretch(shift, start, stop, y, height + taps, along_y)
        # Beyond these columns, two taps generously given, no row of the last shear looks into the rows they fall on.
        leaning = along_x * (y - sy + before + along_y * cx)
        first = max(start, margin + int(np.floor((leaning - 2 * taps) / cosine)))
        last = min(stop, margin + int(np.ceil((leaning + nx + 2 * taps) / cosine)))
        if first >= last:
            continue
        missing |= _quarter_turned(row[pad : pad + columns], frame, filling, quarters, y)
        whole, step = split(along_x * (y - sy))
        line = sheared[0, first:last]
        _filter_row(line, row, first + pad + sx - margin - cx + whole - before, table[step])
        _scatter(line, room, offset[first:last], y * width)
    for y in range(0, height, TOGETHER):
        last = min(TOGETHER, height - y)
        here, there = split(along_x * (y - cy))[0], split(along_x * (y + last - 1 - cy))[0]
        left, right = margin - before + min(here, there), margin - before + max(here, there) + nx + taps
        _filter_columns(sheared, stack[y : y + taps + TOGETHER - 1], weights, left, right)
        for i in range(last):
            whole, step = split(along_x * (y + i - cy))
            _filter_row(out[y + i], sheared[i], margin + whole - before, table[step])
    return missing


@numba.njit(cache=True, nogil=True)
def _stretch(shift, start, stop, y, deep, along_y):  # type: ignore[no-untyped-def]
    """Columns, first and past the last, for which 0 ≤ y + shift < deep, from those of the row before.

    `shift` grows with the column where the slope along y is negative, and falls where it is not.
    """
    if along_y <= 0:
        while start > 0 and y + shift[start - 1] >= 0:
            start -= 1
        while stop > 0 and y + shift[stop - 1] >= deep:
            stop -= 1
    else:
        while start < len(shift) and y + shift[start] >= deep:
            start += 1
        while stop < len(shift) and y + shift[stop] >= 0:
            stop += 1
    return start, stop


@numba.njit(cache=True, nogil=True)
def _hide_unknown(out, phi, frame, top, missing):  # type: ignore[no-untyped-def]
    """Set to NaN the pixels of `out` that come from outside the frame, or mostly from unknown pixels.

    `out` holds the rows from `top` on; without `missing` no pixel is unknown. What comes from inside the frame is one
    stretch of each row, so rows are searched from both ends; what comes from where pixels are unknown is another.
    """
    ny, nx = frame.shape
    cosine, sine = np.cos(phi), np.sin(phi)
    lowest, highest, leftmost, rightmost = _bounds_of_unknown(frame) if missing else (0, 0, 0, 0)
    for row in range(len(out)):
        y, first, last = top + row, 0, nx - 1
        while first < nx and not _inside(y, first, cosine, sine, ny, nx):
            out[row, first] = np.nan
            first += 1
        while last > first and not _inside(y, last, cosine, sine, ny, nx):
            out[row, last] = np.nan
            last -= 1
        if missing:
            v, u = place_before(y, 0, cosine, sine, ny, nx)
            first, last = _between(first, last, v, -sine, lowest - 1, highest + 1)
            first, last = _between(first, last, u, cosine, leftmost - 1, rightmost + 1)
            for x in range(first, last + 1):
                v, u = place_before(y, x, cosine, sine, ny, nx)
                if _part_known(frame, v, u) < 0.5:
                    out[row, x] = np.nan


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _bounds_of_unknown(frame):  # type: ignore[no-untyped-def]
    """First and last row, first and last column that hold unknown pixels; there is one."""
    ny, nx = frame.shape
    lowest, highest, leftmost, rightmost = ny, -1, nx, -1
    for y in range(ny):
        row, total = frame[y], np.float32(0)
        for x in range(nx):  # a sum with a NaN is NaN, and quicker than asking each
            total += row[x]
        if total == total:
            continue
        lowest, highest = min(lowest, y), y
        for x in range(nx):
            if np.isnan(row[x]):
                leftmost, rightmost = min(leftmost, x), max(rightmost, x)
    return lowest, highest, leftmost, rightmost


@numba.njit(cache=True, nogil=True)
def _between(first, last, start, slope, low, high):  # type: ignore[no-untyped-def]
    """Those of the pixels x from `first` to `last` for which low ≤ start + slope · x ≤ high, and perhaps one beside."""
    if abs(slope) * (last + 1) < 1.0:  # less than a pixel along the whole row
        return (first, last) if low - 1 <= start <= high + 1 else (0, -1)
    one, other = (low - start) / slope, (high - start) / slope
    return max(first, int(np.floor(min(one, other)))), min(last, int(np.ceil(max(one, other))))


@numba.njit(cache=True, nogil=True)
def _inside(y, x, cosine, sine, ny, nx):  # type: ignore[no-untyped-def]
    """Whether what a turn brings to a pixel comes from inside the frame."""
    v, u = place_before(y, x, cosine, sine, ny, nx)
    return in_frame(v, u, ny, nx)


@numba.njit(cache=True, nogil=True)
def _part_known(frame, y, x):  # type: ignore[no-untyped-def]
    """How much of what a frame shows between its pixels is known, by bilinear weights; past its edge, at its edge."""
    j, b = pixel_below(y, frame.shape[0])
    i, a = pixel_below(x, frame.shape[1])
    known = 0.0
    known += 0.0 if np.isnan(frame[j, i]) else (1 - b) * (1 - a)
    known += 0.0 if np.isnan(frame[j, i + 1]) else (1 - b) * a
    known += 0.0 if np.isnan(frame[j + 1, i]) else b * (1 - a)
    known += 0.0 if np.isnan(frame[j + 1, i + 1]) else b * a
    return known
