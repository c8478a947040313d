"""The observing catalogue: which stars to point at in each night, when, and why in that order.

Stars are put in order of, one after the other: the priority that people gave; an epoch that would decide what a
candidate is; few nights left in the plan; least depth reached so far; rotation of the field; airmass. The reason of a
rank names the first of these that differs from the star before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lyot.catalog.constraints import Constraints
from lyot.catalog.history import History
from lyot.catalog.merit import Merits, merits
from lyot.catalog.nights import Nights, nights
from lyot.catalog.refusal import refusals
from lyot.catalog.visibility import TURN, Passage, parallactic_angle, passages, sine_of_height
from lyot.sky import Floats

Row = Mapping[str, Any]

CURVE = 13  # points of the curves over a window, ends included


@dataclass(frozen=True)
class Entry:
    """A star in one night. Times are ISO (UTC) to the second, empty where there are none.

    `parallactic_angles` (deg, from the pole of date, without jumps) and `airmasses` are at equal steps over the
    window, both ends included; `moon_distance` (deg) is none while the Moon is down; `decides` names the objects
    that an epoch in this night would decide.
    """

    target_id: str
    name: str
    rank: int
    reason: str
    merits: str
    rise: str
    transit: str
    set: str
    begin: str
    end: str
    window_begin: str
    window_end: str
    field_rotation: float
    airmass_least: float
    airmass_most: float
    zenith_distance: float
    moon_distance: float | None
    parallactic_angles: tuple[float, ...]
    airmasses: tuple[float, ...]
    decides: tuple[str, ...]


@dataclass(frozen=True)
class NightPlan:
    """One night: its dark time, its Moon, and the stars to point at, best first.

    Parameters
    ----------
    date : ISO date of the evening at the site
    dusk, dawn : ISO, UTC; empty where there is no night
    moon_illumination : 0 to 1
    entries : tuple of Entry
    note : why there are none, else empty
    """

    date: str
    dusk: str
    dawn: str
    dark_hours: float
    moon_illumination: float
    entries: tuple[Entry, ...]
    note: str


@dataclass(frozen=True)
class Season:
    """One star over all nights: how many serve, the first, the last and the best, or why none does."""

    target_id: str
    name: str
    row: Row
    history: History
    nights: int
    first: str
    last: str
    best: str
    best_rotation: float | None
    why_not: str


@dataclass(frozen=True)
class ObservingCatalogue:
    """What to observe, night by night and star by star."""

    constraints: Constraints
    nights: tuple[NightPlan, ...]
    targets: tuple[Season, ...]


def plan(
    targets: Sequence[Row], known: Mapping[str, History], constraints: Constraints
) -> ObservingCatalogue:
    """The observing catalogue of these stars.

    Parameters
    ----------
    targets : rows with `target_id`, `name`, `ra`, `dec`
        And, if known, `ref_epoch`, `pmra`, `pmdec`, magnitudes, and `priority` (1 comes first).
    known : History by `target_id`
    constraints : Constraints
    """
    dark = nights(constraints.site, constraints.first, constraints.last, constraints.twilight)
    passage = passages(targets, dark, constraints.airmass, constraints.window / 60)
    past = [known.get(str(row["target_id"]), History()) for row in targets]
    refused = refusals(targets, past, dark, passage, constraints)
    allowed = refused.allowed
    worth = merits(targets, past, dark, passage, allowed)
    times = {name: iso(dark.mjd(getattr(passage, name))) for name in TIMES}
    season = tuple(
        _season(row, history, dark, allowed[s], passage.rotation[s], refused.why(s))
        for s, (row, history) in enumerate(zip(targets, past, strict=True))
    )
    dusk, dawn = iso(dark.mjd(dark.dusk)), iso(dark.mjd(dark.dawn))
    made = tuple(
        NightPlan(
            date=date,
            dusk=dusk[n],
            dawn=dawn[n],
            dark_hours=round(float(dark.dark_hours[n]), 3),
            moon_illumination=round(float(dark.moon_lit[n]), 3),
            entries=_entries(n, targets, dark, passage, worth, times),
            note=_note(n, constraints, dark, allowed, refused.common(n)),
        )
        for n, date in enumerate(dark.dates)
    )
    return ObservingCatalogue(constraints, made, season)


TIMES = ("rise", "transit", "set", "begin", "end", "window_begin", "window_end")


def iso(mjd: Floats) -> list[Any]:
    """MJD (UTC) as ISO to the nearest second, empty for NaN; nested lists as the array."""
    known = np.isfinite(mjd)
    seconds = np.round(np.where(known, mjd, 0.0) * 86400).astype("int64")
    text = np.datetime_as_string(np.datetime64("1858-11-17T00:00:00") + seconds.astype("timedelta64[s]"))
    return list(np.where(known, text, "").tolist())


def _entries(
    n: int, targets: Sequence[Row], dark: Nights, passage: Passage, worth: Merits, times: Mapping[str, list[Any]]
) -> tuple[Entry, ...]:
    """The stars of night `n`, best first."""
    order = worth.order(n)
    entries = []
    angles, airmasses = _curves(n, order, dark, passage)
    for place, s in enumerate(order):
        moon = float(passage.moon_distance[s, n])
        entries.append(
            Entry(
                target_id=str(targets[s]["target_id"]),
                name=str(targets[s]["name"]),
                rank=place + 1,
                reason=worth.reason(n, order, place),
                merits=worth.words(s, n),
                **{name: times[name][s][n] for name in TIMES},
                field_rotation=round(float(passage.rotation[s, n]), 2),
                airmass_least=round(float(passage.airmass_least[s, n]), 3),
                airmass_most=round(float(passage.airmass_most[s, n]), 3),
                zenith_distance=round(float(passage.zenith_distance[s, n]), 2),
                moon_distance=None if moon >= 180 else round(moon, 1),
                parallactic_angles=tuple(angles[place]),
                airmasses=tuple(airmasses[place]),
                decides=tuple(one.name for one in worth.histories[s].decides(dark.dates[n])),
            )
        )
    return tuple(entries)


def _curves(n: int, order: Sequence[int], dark: Nights, passage: Passage) -> tuple[list[Any], list[Any]]:
    """Parallactic angles (deg) and airmasses over the window of each star, (star, `CURVE`)."""
    stars = np.asarray(order, int)
    hours = np.linspace(passage.window_begin[stars, n], passage.window_end[stars, n], CURVE, axis=-1)
    latitude, declination = np.radians(dark.site.latitude), passage.declination[stars, n, None]
    from_meridian = (hours - passage.transit[stars, n, None]) * TURN
    angles = np.degrees(parallactic_angle(latitude, declination, from_meridian))
    airmasses = 1 / np.maximum(sine_of_height(latitude, declination, from_meridian), 1e-6)
    return np.round(angles, 2).tolist(), np.round(airmasses, 3).tolist()


def _season(
    row: Row, history: History, dark: Nights, allowed: np.ndarray, rotation: Floats, why_not: str
) -> Season:
    good = np.flatnonzero(allowed)
    turns = np.round(rotation[good], 1)
    equals = good[turns == turns.max()] if good.size else good  # nights without end turn alike: the one amid them
    best = int(equals[len(equals) // 2]) if good.size else -1
    return Season(
        target_id=str(row["target_id"]),
        name=str(row["name"]),
        row=row,
        history=history,
        nights=int(good.size),
        first=dark.dates[good[0]] if good.size else "",
        last=dark.dates[good[-1]] if good.size else "",
        best=dark.dates[best] if good.size else "",
        best_rotation=round(float(rotation[best]), 2) if good.size else None,
        why_not="" if good.size else why_not,
    )


def _note(n: int, constraints: Constraints, dark: Nights, allowed: np.ndarray, common: Counter[str]) -> str:
    """Why a night has no star."""
    if not dark.dark_hours[n]:
        return f"no night: the Sun stays above {constraints.twilight} twilight"
    if allowed[:, n].any():
        return ""
    if not common:
        return "no star was asked for"
    return "no star serves: " + ", ".join(f"{count} {why}" for why, count in common.most_common())
