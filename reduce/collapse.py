"""Frames to one image: median and mean over time, what was not seen left out."""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from lyot.cube import Images
from lyot.errors import BadInput
from lyot.reduce.parallel import spread

NETWORK_UP_TO = 500  # frames; the network grows as n log² n, selection as n
BLOCK = 64  # pixels sorted side by side: the network's buffer stays in the cache


def collapse(frames: ArrayLike, how: str = "median", *, out: Images | None = None) -> Images:
    """Median or mean of frames over time.

    Parameters
    ----------
    frames : (time, ...)
        NaN marks what was not seen.
    how : "median" or "mean"
    out : (...), float32, optional
        Where to put the answer.

    Returns
    -------
    (...), float32
        NaN where nothing was seen in any frame.

    Raises
    ------
    BadInput
        If there is no frame, or `how` is neither word.
    """
    stack = np.ascontiguousarray(frames, dtype=np.float32)
    if stack.ndim < 1 or len(stack) == 0:
        raise BadInput("no frame to combine")
    if how not in ("median", "mean"):
        raise BadInput(f"frames are combined by median or mean, not by {how!r}")
    pixels = stack.reshape(len(stack), -1)
    image = np.empty(pixels.shape[1], np.float32)
    if how == "mean":
        spread(lambda start, stop: _mean(pixels, start, stop, image), pixels.shape[1])
    elif len(pixels) > NETWORK_UP_TO:
        spread(lambda start, stop: _select(pixels, start, stop, image), pixels.shape[1])
    else:
        network = median_network(len(pixels))
        spread(lambda start, stop: _sort_through(pixels, network, start, stop, image), -(-pixels.shape[1] // BLOCK))
    if out is None:
        return image.reshape(stack.shape[1:])
    out[...] = image.reshape(stack.shape[1:])
    return out


@cache
def median_network(count: int) -> NDArray[np.int32]:
    """Comparisons that put the two middle ranks of `count` numbers in place (for odd counts, the middle and below).

    Batcher's merge-exchange network (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M), without the
    comparisons on which neither rank depends.

    Returns
    -------
    (comparison, 2), the smaller number goes to the first place
    """
    comparisons = _merge_exchange(count)
    needed = {max(count // 2 - 1, 0), count // 2}
    kept = []
    for low, high in reversed(comparisons):
        if low in needed or high in needed:
            kept.append((low, high))
            needed |= {low, high}
    return np.array(kept[::-1], dtype=np.int32).reshape(-1, 2)


def _merge_exchange(count: int) -> list[tuple[int, int]]:
    comparisons = []
    top = 1 << max((count - 1).bit_length() - 1, 0)
    p = top if count > 1 else 0
    while p:
        q, r, d = top, 0, p
        while True:
            comparisons += [(i, i + d) for i in range(count - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    return comparisons


@numba.njit(cache=True, nogil=True)
def _sort_through(pixels, network, start, stop, image):  # type: ignore[no-untyped-def]
    """Medians of blocks of pixels. A pair of unseen values counts as one −∞ and one +∞, which moves no median."""
    count, total = pixels.shape
    middle = count // 2
    values = np.empty((count, BLOCK), np.float32)
    seen = np.empty(BLOCK, np.int64)
    for block in range(start, stop):
        first = block * BLOCK
        width = min(BLOCK, total - first)
        _load(pixels, first, width, values, seen)
        for k in range(len(network)):
            low, high = values[network[k, 0]], values[network[k, 1]]
            for j in range(BLOCK):
                a, b = low[j], high[j]
                low[j] = a if a < b else b
                high[j] = b if a < b else a
        for j in range(width):
            if seen[j] == 0:
                image[first + j] = np.nan
            elif seen[j] % 2 == 0:
                image[first + j] = np.float32(0.5) * (values[middle - 1, j] + values[middle, j])
            else:  # an odd number unseen among an even number of frames leaves one more +∞ than −∞
                image[first + j] = values[middle if count % 2 else middle - 1, j]


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _load(pixels, first, width, values, seen):  # type: ignore[no-untyped-def]
    """Copy a block of pixels, +∞ and −∞ by turns for what was not seen; count what was.

    A row's sum is NaN if one of its values is, and is quicker than asking each.
    """
    count = len(pixels)
    seen[:] = count
    for i in range(count):
        row, total = pixels[i, first : first + width], np.float32(0)
        for j in range(width):
            values[i, j] = row[j]
            total += row[j]
        values[i, width:] = 0
        if np.isnan(total):
            for j in range(width):
                if np.isnan(values[i, j]):
                    values[i, j] = np.inf if (count - seen[j]) % 2 == 0 else -np.inf
                    seen[j] -= 1


@numba.njit(cache=True, nogil=True)
def _select(pixels, start, stop, image):  # type: ignore[no-untyped-def]
    values = np.empty(len(pixels), np.float32)
    for x in range(start, stop):
        seen = 0
        for i in range(len(pixels)):
            if pixels[i, x] == pixels[i, x]:
                values[seen] = pixels[i, x]
                seen += 1
        image[x] = np.median(values[:seen]) if seen else np.nan


@numba.njit(cache=True, nogil=True)
def _mean(pixels, start, stop, image):  # type: ignore[no-untyped-def]
    total = np.zeros(stop - start)
    seen = np.zeros(stop - start)
    for i in range(len(pixels)):
        row = pixels[i, start:stop]
        for x in range(stop - start):
            known = row[x] == row[x]
            total[x] += row[x] if known else 0.0
            seen[x] += 1.0 if known else 0.0
    for x in range(stop - start):
        image[start + x] = total[x] / seen[x] if seen[x] else np.nan
