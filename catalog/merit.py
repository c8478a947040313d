"""What puts one star before another in a night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lyot.catalog.history import History
from lyot.catalog.nights import Nights
from lyot.catalog.visibility import Bools, Passage
from lyot.sky import Floats

Row = Mapping[str, Any]

FEW_NIGHTS = 10  # a star with so few nights left goes before those that can wait
NEAR_ZENITH = 3.0  # deg; a telescope on an alt-azimuth mount cannot follow a star there
LAST = 1e9  # a priority after every one that people give
NEVER = -1e9  # depth of a star that nobody observed
UNKNOWN_DEPTH = -1e8  # observed, but no limit is known


@dataclass(frozen=True)
class Merits:
    """The merits of stars in nights, each so that less is better.

    Parameters
    ----------
    names : of the stars
    histories : of the stars
    days : ISO dates of the nights
    allowed : (star, night)
    keys : (criterion, star, night)
        Priority, decides (0) or not (1), nights left if few, depth, −rotation, airmass; rounded as they are told.
    left : (star, night)
        Nights that serve, from this one on.
    zenith_distances : (star, night), deg
        Least in the window.
    """

    names: Sequence[str]
    histories: Sequence[History]
    days: Sequence[str]
    allowed: Bools
    keys: Floats
    left: NDArray[np.integer[Any]]
    zenith_distances: Floats

    def order(self, night: int) -> list[int]:
        """Numbers of the stars that serve in a night, best first; of equals, in the order given."""
        stars = np.flatnonzero(self.allowed[:, night])
        keys = self.keys[:, stars, night]
        return [int(s) for s in stars[np.lexsort(keys[::-1])]]

    def words(self, star: int, night: int) -> str:
        """What speaks for a star in a night, as a sentence."""
        priority, _, _, _, rotation, airmass = self.keys[:, star, night]
        said = [_priority(priority)] if priority < LAST else []
        for one in self.histories[star].decides(self.days[night]):
            said.append(f"a new epoch would decide what {one.name} is (since {one.decides_on})")
        said.append(_depth_words(self.histories[star]))
        said.append(f"{_nights(self.left[star, night])} left")
        said.append(f"the field turns by {-rotation:.1f}°")
        said.append(f"airmass {airmass:.2f}")
        if self.zenith_distances[star, night] < NEAR_ZENITH:
            said.append(f"passes {self.zenith_distances[star, night]:.1f}° from the zenith")
        return "; ".join(said)

    def reason(self, night: int, order: Sequence[int], place: int) -> str:
        """Why a star has its place in the order of a night: what sets it behind the star before, or at the top."""
        if len(order) == 1:
            return "the only star"
        star, other, word = order[place], order[place - 1] if place else order[1], "after" if place else "before"
        differing = np.flatnonzero(self.keys[:, star, night] != self.keys[:, other, night])
        if not differing.size:
            return f"{word} {self.names[other]}, its equal, as they were listed"
        return f"{word} {self.names[other]}: {self._difference(int(differing[0]), star, other, night)}"

    def _difference(self, criterion: int, star: int, other: int, night: int) -> str:
        mine, theirs = float(self.keys[criterion, star, night]), float(self.keys[criterion, other, night])
        if criterion == 0:
            return f"{_priority(mine)} against {_priority(theirs)}"
        if criterion == 1:
            waiting = self.histories[star if mine < theirs else other].decides(self.days[night])
            return f"a new epoch would decide what {waiting[0].name} is"
        if criterion == 2:
            return f"{_nights(self.left[star, night])} left against {_nights(self.left[other, night])}"
        if criterion == 3:
            return f"{_depth_words(self.histories[star])}, against {_depth_words(self.histories[other])}"
        if criterion == 4:
            return f"the field turns by {-mine:.1f}° against {-theirs:.1f}°"
        return f"airmass {mine:.2f} against {theirs:.2f}"


def merits(
    targets: Sequence[Row], past: Sequence[History], dark: Nights, passage: Passage, allowed: Bools
) -> Merits:
    """The merits of stars in nights.

    Parameters
    ----------
    targets : rows of stars, with `priority` where people gave one
    past : their histories
    dark, passage : of the same stars and nights
    allowed : (star, night)
    """
    shape = passage.transit.shape
    left = np.cumsum(allowed[:, ::-1].astype(np.int64), axis=1)[:, ::-1]
    priority = [LAST if row.get("priority") is None else float(row["priority"]) for row in targets]
    undecided = np.ones(shape)
    for s, history in enumerate(past):
        if history.pending:
            undecided[s] = [not history.decides(day) for day in dark.dates]
    keys = np.stack(
        [
            np.broadcast_to(np.array(priority)[:, None], shape),
            undecided,
            np.minimum(left, FEW_NIGHTS + 1),
            np.broadcast_to(np.array([_depth_key(history) for history in past])[:, None], shape),
            -np.round(np.nan_to_num(passage.rotation), 1),
            np.round(np.nan_to_num(passage.airmass_least, nan=99.0), 2),
        ]
    )
    return Merits([str(row["name"]) for row in targets], past, dark.dates, allowed, keys, left, passage.zenith_distance)


def _priority(value: float) -> str:
    return f"priority {value:g}" if value < LAST else "no priority"


def _nights(count: int) -> str:
    return "1 night" if count == 1 else f"{count} nights"


def _depth_key(history: History) -> float:
    if history.depth is not None:
        return round(history.depth, 1)
    return UNKNOWN_DEPTH if history.observations else NEVER


def _depth_words(history: History) -> str:
    if history.depth is not None:
        return f"seen to {history.depth:.1f} mag at 0.5″"
    return f"observed, last {history.last}, to no known depth" if history.observations else "never observed"
