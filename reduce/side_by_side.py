"""Frames in which the pixels of each zone stand side by side.

The pixels of a ring are a few in every row of a frame. To gather them from all frames, ring by ring, for the scalar
products and again for the subtraction, and to put back what is left, takes longer than the products. So each frame is
brought in the order of the zones once, while the cache holds it, is cleaned there, and brought back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

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
        NaN in pixels of no zone, before and after.
    """
    own = comparison.library is comparison.science
    if len(zones) < 2 or not own or any(zone.optimisation is not zone.pixels for zone in zones):
        yield comparison, zones
        return
    order = np.concatenate([zone.pixels for zone in zones])
    place = np.zeros(residuals.shape[1], np.intp)
    place[order] = np.arange(len(order))
    moved = residuals[:, : len(order)]
    outside = np.ones(len(place), np.bool_)
    outside[order] = False

    def there(start: int, stop: int) -> None:
        for t in range(start, stop):
            np.take(comparison.science[t], order, out=moved[t], mode="clip")

    def back(start: int, stop: int) -> None:
        for t in range(start, stop):
            np.take(moved[t].copy(), place, out=residuals[t], mode="clip")
            residuals[t, outside] = np.nan

    spread(there, len(residuals))
    yield replace(comparison, science=moved, library=moved), list(_renumbered(zones))
    spread(back, len(residuals))


def _renumbered(zones: list[Zone]) -> Iterator[Zone]:
    """The zones, their pixels numbered as they come."""
    first = 0
    for zone in zones:
        pixels = np.arange(first, first + len(zone.pixels))
        first += len(pixels)
        yield replace(zone, pixels=pixels, optimisation=pixels)
