"""Frames in which the pixels of each zone stand side by side.

The pixels of a ring are a few in every row of a frame. To gather them from all frames, ring by ring, for the scalar
products and again for the subtraction, and to put back what is left, takes longer than the products. So each frame is
brought in the order of the zones once, while the cache holds it, is cleaned there, and brought back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numba
import numpy as np

from lyot.cube import Images
from lyot.reduce.library import Comparison
from lyot.reduce.parallel import spread
from lyot.reduce.zone import Zone


@contextmanager
def side_by_side(
    comparison: Comparison, zones: list[Zone], residuals: Images
) -> Iterator[tuple[Comparison, list[Zone]]]:
    """The same comparison and zones, in the order of the zones; what is left is in that of the frame at the end.

    Frames are copied to `residuals` and cleaned there in place, so that no memory is needed. Those that are not their
    own library, or in which zones are weighed by other pixels than their own, stay as they are.

    Parameters
    ----------
    comparison : Comparison
    zones : list of Zone
    residuals : (nframe, ny · nx)
        NaN in pixels of no zone at the end.
    """
    own = comparison.library is comparison.science
    if len(zones) < 2 or not own or any(zone.optimisation is not zone.pixels for zone in zones):
        yield comparison, zones
        return
    inside = np.concatenate([zone.pixels for zone in zones])
    place = np.full(residuals.shape[1], len(inside), np.uint32)  # all others in the one place behind
    place[inside] = np.arange(len(inside))
    ordered = replace(comparison, science=residuals, library=residuals)

    spread(lambda start, stop: _bring(comparison.science[start:stop], place, residuals[start:stop]), len(residuals))
    yield ordered, list(_renumbered(zones))
    spread(lambda start, stop: _bring_back(residuals[start:stop], place, len(inside)), len(residuals))


@numba.njit(cache=True, nogil=True)
def _bring(frames, place, moved):  # type: ignore[no-untyped-def]
    for t in range(len(frames)):
        row, there = frames[t], moved[t]
        for i in range(len(place)):
            there[place[i]] = row[i]


@numba.njit(cache=True, nogil=True)
def _bring_back(moved, place, count):  # type: ignore[no-untyped-def]
    row = np.empty(moved.shape[1], np.float32)
    for t in range(len(moved)):
        here = moved[t]
        row[:] = here
        row[count:] = np.nan
        for i in range(len(place)):
            here[i] = row[place[i]]


def _renumbered(zones: list[Zone]) -> Iterator[Zone]:
    """The zones, their pixels numbered as they come."""
    first = 0
    for zone in zones:
        pixels = np.arange(first, first + len(zone.pixels))
        first += len(pixels)
        yield replace(zone, pixels=pixels, optimisation=pixels)
