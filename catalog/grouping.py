"""Which detections are of one object: over reductions, epochs and surveys.

Detections that a source already gives to a companion stay there. The others are taken observation by observation, in
the order of time: positions that several reductions of the same frames give for one source are put together, and a
source belongs to the object that is foretold there (`catalog.forecast`, bound or in the background), if it is within
4σ and 20 times likelier there than any other object, and than any other source to be that object. Where several
assignments are plausible none is made, and they are proposed; where none is, the source is a new object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from lyot.catalog.forecast import Foretold, foretell_background, foretell_bound
from lyot.catalog.motion import MASS, ODDS, SAME_EPOCH, Positions, judge, positions
from lyot.sky import Floats, Star

Row = Mapping[str, Any]

PLAUSIBLE = 4.0  # σ; farther from where it is foretold, a source is another object
LEEWAY = 10.0  # mas, added to the errors: centring behind a mask, North and algorithms differ by more than fits say
NEAREST = 16  # positions in time that foretell a place; more say nothing new of it
FAINTEST = 5.0  # signal to noise of what may found a new object


@dataclass
class Grouping:
    """What belongs together: places of rows in the list that was given.

    Parameters
    ----------
    assigned : place of the row → `companion_id`
        Also of new objects.
    founded : new `companion_id`s, in the order of time
    proposed : place of the row → `companion_id`s of which it may be, where several are plausible
    """

    assigned: dict[int, str] = field(default_factory=dict)
    founded: list[str] = field(default_factory=list)
    proposed: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class _Source:
    """Rows of one source in one observation, and where it stands."""

    places: list[int]
    time: float
    offset: Floats
    covariance: Floats


def group(
    target_id: str, star: Star | None, rows: Sequence[Row], mass: float | None = None, taken: Iterable[str] = ()
) -> Grouping:
    """Group the detections of one target.

    Parameters
    ----------
    target_id : str
        New objects are named by it: `<target_id>-cc1` and so on.
    star : Star, or None where its motion is not known
        Without it nothing is joined over epochs.
    rows : rows of `detection` of this target, all of them
    mass : solar masses, of the star
    taken : names that no new object may have
    """
    grouping = Grouping()
    objects: dict[str, list[Row]] = {name: [] for name in taken if name.startswith(f"{target_id}-cc")}
    for row in rows:
        if row.get("companion_id"):
            objects.setdefault(row["companion_id"], []).append(row)
    for sources in _observations(rows):
        _assign(target_id, star, mass or MASS, sources, objects, rows, grouping)
    return grouping


def _observations(rows: Sequence[Row]) -> Iterable[list[_Source]]:
    """Sources without an object, by observation, in the order of time."""
    free = [
        (float(row["mjd"]), str(row.get("observation_id")), place)
        for place, row in enumerate(rows)
        if not row.get("companion_id") and row.get("mjd") is not None and _is_placed(row)
    ]
    for _, same in groupby(sorted(free), key=lambda one: one[:2]):
        yield _sources([place for _, _, place in same], rows)


def _is_placed(row: Row) -> bool:
    return len(positions([row]).times) == 1


def _sources(places: list[int], rows: Sequence[Row]) -> list[_Source]:
    """Detections of one observation, put together where they stand together; the strongest first."""
    sources: list[_Source] = []
    for place in sorted(places, key=lambda place: -(rows[place].get("snr") or 0.0)):
        seen = positions([rows[place]])
        one = _Source([place], float(seen.times[0]), seen.offsets[0], seen.covariances[0])
        for source in sources:
            spread = source.covariance + one.covariance + LEEWAY**2 * np.eye(2)
            if _distance(source.offset - one.offset, spread) < PLAUSIBLE:
                source.places.append(place)
                break
        else:
            sources.append(one)
    return sources


def _assign(
    target_id: str,
    star: Star | None,
    mass: float,
    sources: list[_Source],
    objects: dict[str, list[Row]],
    rows: Sequence[Row],
    grouping: Grouping,
) -> None:
    """Give the sources of one observation to objects, or let them found new ones."""
    known = {name: positions(seen) for name, seen in objects.items()}
    likely = {
        (number, name): fit
        for number, source in enumerate(sources)
        for name, seen in known.items()
        if len(seen.times) and (fit := _fit(star, mass, seen, source)) is not None
    }
    for number, source in enumerate(sources):
        mine = sorted((name for other, name in likely if other == number), key=lambda name: -likely[number, name])
        if mine and not _stands_out(number, mine[0], likely):
            grouping.proposed.update(dict.fromkeys(source.places, tuple(mine)))
            continue
        if not mine and max(rows[place].get("snr") or 0.0 for place in source.places) < FAINTEST:
            continue
        name = mine[0] if mine else _new_name(target_id, objects)
        if not mine:
            grouping.founded.append(name)
        grouping.assigned.update(dict.fromkeys(source.places, name))
        objects.setdefault(name, []).extend(rows[place] for place in source.places)


def _stands_out(number: int, name: str, likely: Mapping[tuple[int, str], float]) -> bool:
    """Whether this pair is far likelier than every other pair that shares its source or its object."""
    best = likely[number, name]
    rivals = [fit for pair, fit in likely.items() if (pair[0] == number) != (pair[1] == name)]
    return all(best - fit > np.log(ODDS) for fit in rivals)


def _new_name(target_id: str, objects: Mapping[str, Any]) -> str:
    number = 1
    while f"{target_id}-cc{number}" in objects:
        number += 1
    return f"{target_id}-cc{number}"


def _fit(star: Star | None, mass: float, seen: Positions, source: _Source) -> float | None:
    """Log-likelihood that a source is the object with these positions; None where it is too far off."""
    fits = []
    for place, covariance in _foretold(star, mass, seen, source):
        off = source.offset - place
        if _distance(off, covariance) < PLAUSIBLE:
            fits.append(-0.5 * _distance(off, covariance) ** 2 - 0.5 * float(np.linalg.slogdet(covariance)[1]))
    return max(fits, default=None)


def _foretold(star: Star | None, mass: float, seen: Positions, source: _Source) -> Iterator[tuple[Floats, Floats]]:
    """Where the object would stand at the time of the source, by each hypothesis that is open, with the covariance."""
    around = source.covariance + LEEWAY**2 * np.eye(2)
    nearest = int(np.argmin(np.abs(seen.times - source.time)))
    if abs(seen.times[nearest] - source.time) < SAME_EPOCH:
        yield seen.offsets[nearest], seen.covariances[nearest] + around
        return
    if star is None:
        return
    seen = seen.select(np.sort(np.argsort(np.abs(seen.times - source.time))[:NEAREST]))
    status, when = judge(star, seen, mass).status, np.array([source.time])
    foretold: list[Foretold] = []
    if status != "BACKGROUND":
        foretold.append(foretell_bound(star, seen, mass, when))
    if status != "COMPANION":
        foretold.append(foretell_background(star, seen, when))
    yield from ((one.places[0], one.covariances[0] + around) for one in foretold)


def _distance(offset: Floats, covariance: Floats) -> float:
    """Length of an offset in units of its error."""
    return float(np.sqrt(offset @ np.linalg.solve(covariance, offset)))
