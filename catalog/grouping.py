"""Which detections are of one object: over reductions, epochs and surveys.

Detections that a source already gives to a companion stay there. The others are taken observation by observation, in
the order of time: positions that several reductions of the same frames give for one source are put together, and a
source belongs to the object that is foretold there (`catalog.forecast`, bound or in the background), if it is within
4σ and 20 times likelier there than any other object, and than any other source to be that object. Where several
assignments are plausible none is made, and they are proposed; where none is, the source is a new object.

All targets go together: the next observation of each of them is one step, of which the foretelling is one batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from lyot.catalog.forecast import foretell_both
from lyot.catalog.motion import ODDS, Source, batches, judged
from lyot.catalog.positions import SAME_EPOCH, Positions, columns_of, determinant, distance, places
from lyot.sky import Floats, Star

Row = Mapping[str, Any]

PLAUSIBLE = 4.0  # σ; farther from where it is foretold, a source is another object
LEEWAY = 10.0  # mas, added to the errors: centring behind a mask, North and algorithms differ by more than fits say
NEAREST = 16  # positions in time that foretell a place; more say nothing new of it
FAINTEST = 5.0  # signal to noise of what may found a new object
MOST_ALARMS = 1e-3  # peaks of noise as high in an image: of one that is less rare, a second reduction must tell too


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


@dataclass(frozen=True)
class Detections:
    """Detections as columns (row,).

    Parameters
    ----------
    times : MJD
    offsets, covariances : (row, 2), mas, and (row, 2, 2), mas²
    snr : 0 where it is not known
    alarms : peaks of noise as high expected in the image; NaN where it is not known, and S/N alone counts
    observation, reduction : identifiers
    companion : `companion_id`s, or nothing
    """

    times: Floats
    offsets: Floats
    covariances: Floats
    snr: Floats
    alarms: Floats
    observation: Sequence[str]
    reduction: Sequence[str]
    companion: Sequence[str | None]

    @cached_property
    def mjd(self) -> list[float]:
        """`times`, to be asked for one by one."""
        return list(self.times.tolist())

    @cached_property
    def spread(self) -> list[float]:
        """Determinants of `covariances`, as `mjd`."""
        return list(determinant(self.covariances).tolist())

    @property
    def placed(self) -> np.ndarray:
        """Whether time, place and error are known, (row,)."""
        return np.asarray(np.isfinite(self.times) & np.isfinite(determinant(self.covariances) * self.offsets.sum(1)))

    @classmethod
    def of(cls, columns: Mapping[str, Floats], snr: Floats, alarms: Floats, *names: Sequence[Any]) -> Detections:
        """Of the columns that `positions.places` takes."""
        return cls(columns["mjd"], *places(columns), np.nan_to_num(snr), alarms, *names)

    def believed(self, rows: Sequence[int]) -> bool:
        """Whether detections of one source in one observation may found an object."""
        if max(self.snr[row] for row in rows) < FAINTEST:
            return False
        rare = any(not self.alarms[row] > MOST_ALARMS for row in rows)  # NaN: nobody said
        return rare or len({self.reduction[row] for row in rows}) > 1


@dataclass(frozen=True)
class Field:
    """A target and what was seen around it.

    Parameters
    ----------
    target_id : str
        New objects are named by it: `<target_id>-cc1` and so on.
    star : Star, or None where its motion is not known
        Without it nothing is joined over epochs.
    mass : solar masses, of the star
    rows : places of its detections
    known : objects that sources describe; one whose place is unknown may be anything seen, so nothing is founded
    """

    target_id: str
    star: Star | None
    mass: float | None
    rows: Sequence[int]
    known: Iterable[str] = ()


def group(
    target_id: str, star: Star | None, rows: Sequence[Row], mass: float | None = None, known: Iterable[str] = ()
) -> Grouping:
    """Group the detections of one target, `rows` of `detection`, all of them; the rest as in `Field`."""
    seen = Detections.of(
        columns_of(rows),
        np.array([row.get("snr") for row in rows], float),
        np.array([row.get("false_alarms") for row in rows], float),
        *([str(row.get(name)) for row in rows] for name in ("observation_id", "reduction_id")),
        [row.get("companion_id") for row in rows],
    )
    return group_all(seen, [Field(target_id, star, mass, range(len(rows)), known)])


def group_all(seen: Detections, fields: Iterable[Field]) -> Grouping:
    """Group the detections of many targets."""
    grouping = Grouping()
    placed = seen.placed.tolist()
    waiting = [one for one in (_State(field, seen, placed) for field in fields) if one.nights]
    while waiting:
        asked = [(state, name) for state in waiting for name in state.to_foretell(seen)]
        told = _foretell([state.source(name, seen) for state, name in asked],
                         np.array([state.now for state, _ in asked], float))  # fmt: skip
        foretold: dict[int, dict[str, list[_Place]]] = {}
        for (state, name), where in zip(asked, told, strict=True):
            foretold.setdefault(id(state), {})[name] = where
        for state in waiting:
            state.assign(seen, foretold.get(id(state), {}), grouping)
        waiting = [state for state in waiting if state.nights]
    return grouping


@dataclass(frozen=True)
class _Place:
    """Where something stands, or is foretold to: (2,), mas, (2, 2), mas²."""

    offset: Floats
    covariance: Floats


def _foretell(sources: list[Source], when: Floats) -> list[list[_Place]]:
    """Where each source would stand at its time, by each hypothesis that is open."""
    told: list[list[_Place]] = [[] for _ in sources]
    for batch in batches(sources):
        odds, around, behind = foretell_both(batch, when[batch.numbers][:, None])
        for n, number in enumerate(batch.numbers):
            epochs = sources[number][1].epochs
            status = judged(float(odds[n]), epochs) if epochs > 1 else "UNDEFINED"
            if status != "BACKGROUND":
                told[number].append(_Place(around.places[n, 0], around.covariances[n, 0]))
            if status != "COMPANION":
                told[number].append(_Place(behind.places[n, 0], behind.covariances[n, 0]))
    return told


class _State:
    """A target on the way: the objects known so far, and the observations still to come (the next one last)."""

    def __init__(self, field: Field, seen: Detections, placed: Sequence[bool]) -> None:
        self.field = field
        self.objects: dict[str, list[int]] = {name: [] for name in field.known}
        free = []
        for row in field.rows:
            companion = seen.companion[row]
            if companion:
                self.objects.setdefault(companion, []).extend([row] if placed[row] else [])
            elif placed[row]:
                free.append((seen.mjd[row], seen.observation[row], row))
        free.sort()
        self._given = frozenset(self.objects)
        self.nights = [[row for *_, row in same] for _, same in groupby(free, key=lambda one: one[:2])][::-1]

    @property
    def now(self) -> float:
        """MJD of the next observation; what `to_foretell` looked at."""
        return self._now

    def to_foretell(self, seen: Detections) -> Iterator[str]:
        """Objects of which it must be told where they stand at the next observation."""
        self._now = seen.mjd[self.nights[-1][0]]
        self._here: dict[str, list[_Place]] = {}
        self._anywhere: tuple[str, ...] = ()
        for name, rows in self.objects.items():
            if not rows:
                self._anywhere += (name,)
                continue
            nearest = min(rows, key=lambda row: abs(seen.mjd[row] - self._now))
            if abs(seen.mjd[nearest] - self._now) < SAME_EPOCH:
                self._here[name] = [_Place(seen.offsets[nearest], seen.covariances[nearest])]
            elif self.field.star is not None:
                yield name
            elif name in self._given:
                self._anywhere += (name,)

    def source(self, name: str, seen: Detections) -> Source:
        """The positions of an object that are nearest in time: one of each observation, the most precise."""
        best: dict[str, int] = {}
        for row in self.objects[name]:
            other = best.setdefault(seen.observation[row], row)
            if seen.spread[row] < seen.spread[other]:
                best[seen.observation[row]] = row
        near: Iterable[int] = best.values()
        if len(best) > NEAREST:
            near = sorted(near, key=lambda row: abs(seen.mjd[row] - self._now))[:NEAREST]
        rows = sorted(near, key=seen.mjd.__getitem__)
        return self.field.star, Positions(seen.times[rows], seen.offsets[rows], seen.covariances[rows]), self.field.mass

    def assign(self, seen: Detections, foretold: Mapping[str, list[_Place]], grouping: Grouping) -> None:
        """Give the sources of the next observation to objects, or let them found new ones."""
        sources = _sources(self.nights.pop(), seen)
        likely = _fits(sources, {**self._here, **foretold}, seen)
        for number, rows in enumerate(sources):
            mine = sorted((name for other, name in likely if other == number), key=lambda name: -likely[number, name])
            if mine and not _stands_out(number, mine[0], likely):
                grouping.proposed.update(dict.fromkeys(rows, tuple(mine)))
                continue
            if not mine and not seen.believed(rows):
                continue
            if not mine and self._anywhere:
                grouping.proposed.update(dict.fromkeys(rows, self._anywhere))
                continue
            name = mine[0] if mine else self._new_name()
            if not mine:
                grouping.founded.append(name)
            grouping.assigned.update(dict.fromkeys(rows, name))
            self.objects.setdefault(name, []).extend(rows)

    def _new_name(self) -> str:
        number = 1
        while f"{self.field.target_id}-cc{number}" in self.objects:
            number += 1
        return f"{self.field.target_id}-cc{number}"


def _sources(rows: list[int], seen: Detections) -> list[list[int]]:
    """Detections of one observation, put together where they stand together; the strongest first."""
    if len(rows) == 1:
        return [rows]
    order = sorted(rows, key=lambda row: -seen.snr[row])
    off = seen.offsets[order][:, None] - seen.offsets[order]
    spread = seen.covariances[order][:, None] + seen.covariances[order] + LEEWAY**2 * np.eye(2)
    same = (distance(off, spread) < PLAUSIBLE).tolist()
    firsts: dict[int, list[int]] = {}
    for n, row in enumerate(order):
        joined = next((first for first in firsts if same[first][n]), None)
        firsts.setdefault(n if joined is None else joined, []).append(row)
    return list(firsts.values())


def _fits(
    sources: list[list[int]], objects: Mapping[str, list[_Place]], seen: Detections
) -> dict[tuple[int, str], float]:
    """Log-likelihood that a source is an object, by number and name, where it is near enough."""
    told = [(name, place) for name, several in objects.items() for place in several]
    if not told:
        return {}
    firsts = [rows[0] for rows in sources]
    off = seen.offsets[firsts][:, None] - np.array([place.offset for _, place in told])
    spread = seen.covariances[firsts][:, None] + np.array([place.covariance for _, place in told])
    spread = spread + LEEWAY**2 * np.eye(2)
    apart = distance(off, spread)
    fits = -0.5 * apart**2 - 0.5 * np.log(determinant(spread))
    likely: dict[tuple[int, str], float] = {}
    for number, n in np.argwhere(apart < PLAUSIBLE).tolist():
        pair = number, told[n][0]
        likely[pair] = max(likely.get(pair, -math.inf), float(fits[number, n]))
    return likely


def _stands_out(number: int, name: str, likely: Mapping[tuple[int, str], float]) -> bool:
    """Whether this pair is far likelier than every other pair that shares its source or its object."""
    best = likely[number, name]
    rivals = [fit for pair, fit in likely.items() if (pair[0] == number) != (pair[1] == name)]
    return all(best - fit > math.log(ODDS) for fit in rivals)
