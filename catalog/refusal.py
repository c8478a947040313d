"""Why a star does not serve in a night: the first constraint that it fails, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lyot.catalog.constraints import Constraints
from lyot.catalog.history import History
from lyot.catalog.nights import Nights
from lyot.catalog.visibility import Passage

Row = Mapping[str, Any]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Refusal:
    """One constraint: where it fails (star, night), a word for many stars and a sentence for one."""

    fails: Bools
    word: str
    sentence: Callable[[int], str]


@dataclass(frozen=True)
class Refusals:
    """Every constraint, in the order they are looked at; `allowed` (star, night) passes them all."""

    each: tuple[Refusal, ...]
    allowed: Bools
    first: NDArray[np.int_]  # (star, night): number of the first that fails; their count where none does

    def why(self, star: int) -> str:
        """Why a star serves in no night: what stops it in the nights in which it comes furthest."""
        stops = self.first[star]
        stops = stops[stops < len(self.each)]
        return self.each[int(stops.max())].sentence(star) if stops.size else ""

    def common(self, night: int) -> Counter[str]:
        """How many stars each constraint stops in a night."""
        stops = self.first[:, night]
        return Counter(self.each[int(stop)].word for stop in stops if stop < len(self.each))


def refusals(
    targets: Sequence[Row], past: Sequence[History], dark: Nights, passage: Passage, asked: Constraints
) -> Refusals:
    """What stops each star in each night.

    Parameters
    ----------
    targets : rows of stars
    past : their histories
    dark, passage : of the same stars and nights
    asked : Constraints
    """
    shape = passage.transit.shape
    each = tuple(
        Refusal(np.broadcast_to(one.fails, shape), one.word, one.sentence)
        for one in (*_of_stars(targets, past, dark, asked), *_of_nights(dark, passage, asked))
    )
    failing = np.stack([one.fails for one in each])
    first = np.where(failing.any(axis=0), failing.argmax(axis=0), len(each))
    return Refusals(each, first == len(each), first)


def _of_stars(
    targets: Sequence[Row], past: Sequence[History], dark: Nights, asked: Constraints
) -> list[Refusal]:
    """What does not depend on how the star passes."""
    nowhere = [row.get("ra") is None or row.get("dec") is None for row in targets]
    found = [Refusal(_column(nowhere), "without a position", lambda s: "its position is not known")]
    values = [row.get(asked.magnitude) for row in targets]
    limits = asked.faintest is not None or asked.brightest is not None
    unknown = _column([limits and value is None for value in values])
    found.append(Refusal(unknown, f"without a magnitude in {asked.band}", lambda s: f"its {asked.band} is not known"))
    for limit, word, sign in ((asked.faintest, "faint", 1), (asked.brightest, "bright", -1)):
        if limit is None:
            continue
        beyond = [value is not None and sign * (value - limit) > 0 for value in values]

        def sentence(s: int, word: str = word, limit: float = limit) -> str:
            return f"too {word}: {asked.band} = {values[s]:.2f}, the limit is {limit:g}"

        found.append(Refusal(_column(beyond), f"too {word}", sentence))
    if asked.deep_enough is not None:
        deep = [history.depth is not None and history.depth >= asked.deep_enough for history in past]
        waits = np.array([[bool(one.decides(day)) for day in dark.dates] if one.pending else [False] * len(dark.dates)
                          for one in past]).reshape(len(past), len(dark.dates))  # fmt: skip

        def seen(s: int) -> str:
            return f"seen to {past[s].depth:.1f} mag at 0.5″ ({past[s].depth_of}), {asked.deep_enough:g} is enough"

        found.append(Refusal(_column(deep) & ~waits, "deep enough", seen))
    return found


def _of_nights(dark: Nights, passage: Passage, asked: Constraints) -> list[Refusal]:
    """What depends on how the star passes."""
    longest = np.nan_to_num(passage.end - passage.begin)
    moon_up = passage.moon_distance < 180
    return [
        Refusal(np.asarray(dark.dark_hours == 0), "without a night", lambda s: "there is no night"),
        Refusal(passage.never_up, "never up", lambda s: f"never rises above airmass {asked.airmass:g}"),
        Refusal(np.isnan(passage.begin), "up by day", lambda s: "is up by day only"),
        Refusal(
            np.isnan(passage.window_begin), "up too short",
            lambda s: f"up at night for {60 * longest[s].max():.0f} min at most, {asked.window:g} min are needed",
        ),
        Refusal(
            passage.rotation < asked.rotation, "turning too little",
            lambda s: f"the field turns by {np.nanmax(passage.rotation[s]):.1f}° at most in {asked.window:g} min, "
                      f"{asked.rotation:g}° are needed",
        ),
        Refusal(
            passage.moon_distance < asked.moon_distance, "near the Moon",
            lambda s: f"within {asked.moon_distance:g}° of the Moon",
        ),
        Refusal(
            moon_up & (dark.moon_lit > asked.moon_illumination), "under a bright Moon",
            lambda s: f"the Moon is up and lit by more than {100 * asked.moon_illumination:g}%",
        ),
    ]  # fmt: skip


def _column(values: Sequence[bool]) -> Bools:
    """One value a star, for all nights."""
    return np.array(values, bool)[:, None]
