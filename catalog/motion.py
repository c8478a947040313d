"""Background or bound: what the positions of a source over time say of it.

`judge` weighs the two models of `catalog.evidence` and gives a verdict at odds of 20 to 1. Two epochs are one
displacement, which an orbit can make by chance where a background star would have gone (beta Pic b from MJD 55194 to
55517, 40 to 1 for the wrong side): of them the square of the odds is asked. Cuts on the χ² of either model do not
work on real data: a background star moves by itself, and an orbit is no constant offset.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from lyot.catalog.evidence import background, log_evidence
from lyot.catalog.orbit import Sightings, orbits
from lyot.catalog.orbit import log_evidence as log_evidence_of_orbits
from lyot.catalog.positions import Positions
from lyot.errors import BadInput
from lyot.sky import DAYS_PER_YEAR, Drift, Floats, Star, drift_past, earth_position

ODDS = 20.0  # to 1, for a verdict
MASS = 1.0  # solar masses, of a star of which none is known
SURE = 1e6  # odds beyond which they are no longer told: the models themselves are not that certain
TOO_FAST = 1.5  # times the speed of escape: masses and distances are not known better
BATCH = 40_000  # sources judged at once, if each has one position; fewer by the square of what they have


@dataclass(frozen=True)
class Verdict:
    """What the positions of a source say of it: columns of the table `verdict`."""

    status: str
    log_odds: float | None
    epochs: int
    time_span: float
    chi2_background: float | None
    reason: str


@dataclass(frozen=True)
class BackgroundFit:
    """The track of a background star that fits best.

    Parameters
    ----------
    chi2 : float
    degrees : int
        Of freedom.
    place : (2,), mas
        Barycentric offset (East, North) from the star's at `epoch`.
    motion, motion_error : (2,), mas/yr
        Its own proper motion.
    epoch : MJD
    residuals : (time, 2), mas
        Measured minus modelled.
    """

    chi2: float
    degrees: int
    place: Floats
    motion: Floats
    motion_error: Floats
    epoch: float
    residuals: Floats

    @property
    def reduced(self) -> float | None:
        """χ² per degree of freedom, if there is any."""
        return self.chi2 / self.degrees if self.degrees > 0 else None


def star_of(target: Mapping[str, Any]) -> Star | None:
    """Place and motion of a target, or nothing where they are not known."""
    needed = ("ra", "dec", "ref_epoch", "pmra", "pmdec", "parallax")
    values = [math.nan if target.get(name) is None else float(target[name]) for name in needed]
    if not all(math.isfinite(value) for value in values) or values[-1] <= 0:
        return None
    values.append(float(target.get("radial_velocity") or 0.0))
    return Star(*values)


def fit_background(star: Star, seen: Positions, *, moving: bool = True) -> BackgroundFit:
    """The best track of an infinitely far background star, with its own proper motion fitted or at rest.

    Raises
    ------
    BadInput
        If there are no positions.
    """
    if not len(seen.times):
        raise BadInput("no track can be fitted to no positions")
    epoch = float(seen.times.mean())
    sky = drift_past(star, seen.times, epoch)
    values, covariance, residuals, chi2 = _least_squares(sky, seen.offsets, seen.covariances, moving)
    return BackgroundFit(
        chi2=float(chi2),
        degrees=seen.offsets.size - values.size,
        place=values[:2],
        motion=values[2:] if moving else np.zeros(2),
        motion_error=np.sqrt(np.diag(covariance)[2:]) if moving else np.zeros(2),
        epoch=epoch,
        residuals=residuals,
    )


def _least_squares(
    sky: Drift, offsets: Floats, covariances: Floats, moving: bool = True
) -> tuple[Floats, Floats, Floats, Floats]:
    """Place and motion (..., 2 or 4), their covariance, residuals (..., time, 2) and χ² (...) of background stars."""
    steps = sky.turn * sky.years[..., None, None]
    design = np.concatenate([sky.turn, steps], axis=-1) if moving else sky.turn
    weights = np.linalg.inv(covariances)
    left = offsets - sky.drift
    normal = np.einsum("...tka,...tkm,...tmb->...ab", design, weights, design, optimize=True)
    data = np.einsum("...tka,...tkm,...tm->...a", design, weights, left, optimize=True)
    covariance = np.linalg.pinv(normal, hermitian=True)  # one epoch leaves the motion open
    values = np.einsum("...ab,...b->...a", covariance, data)
    residuals = left - np.einsum("...tka,...a->...tk", design, values)
    chi2 = np.einsum("...tk,...tkm,...tm->...", residuals, weights, residuals, optimize=True)
    return values, covariance, residuals, np.asarray(chi2)


class Batch(NamedTuple):
    """Sources with as many positions each, around known stars.

    Parameters
    ----------
    numbers : their places among those that were given
    star : Star, of arrays (source,)
    times : (source, time), MJD
    offsets : (source, time, 2), mas
    covariances : (source, time, 2, 2), mas²
    mass : (source,), solar masses
    """

    numbers: list[int]
    star: Star
    times: Floats
    offsets: Floats
    covariances: Floats
    mass: Floats

    def sightings(self) -> Sightings:
        """The same, with the orbits that each may have."""
        count, size = self.times.shape
        separation = np.median(np.hypot(self.offsets[..., 0], self.offsets[..., 1]), axis=1)
        return Sightings(
            np.arange(count + 1) * size,
            self.times.reshape(-1),
            self.offsets.reshape(-1, 2),
            self.covariances.reshape(-1, 2, 2),
            *orbits(separation, 1000 / np.asarray(self.star.parallax), self.mass),
        )


#: A star (None where its motion is not known), positions of a source near it, and the star's mass (solar masses).
Source = tuple[Star | None, Positions, float | None]


def batches(sources: Sequence[Source]) -> Iterator[Batch]:
    """Those sources that were seen, around stars of known motion, in batches of as many positions each."""
    order = [n for n, (star, seen, _) in enumerate(sources) if star is not None and len(seen.times)]
    order.sort(key=lambda n: len(sources[n][1].times))
    for size, alike in groupby(order, key=lambda n: len(sources[n][1].times)):
        numbers = list(alike)
        some = max(1, BATCH // size**2)
        for first in range(0, len(numbers), some):
            yield _batch(sources, numbers[first : first + some])


def _batch(sources: Sequence[Source], numbers: list[int]) -> Batch:
    chosen = [sources[n] for n in numbers]
    stars = [list(vars(star).values()) for star, _, _ in chosen if star is not None]
    return Batch(
        numbers,
        Star(*np.array(stars, float).T),
        np.stack([seen.times for _, seen, _ in chosen]),
        np.stack([seen.offsets for _, seen, _ in chosen]),
        np.stack([seen.covariances for _, seen, _ in chosen]),
        np.array([mass or MASS for _, _, mass in chosen]),
    )


def fit_backgrounds(sources: Sequence[Source]) -> list[BackgroundFit | None]:
    """`fit_background` of many sources; those of as many epochs go together. None for what has no star or position."""
    found: list[BackgroundFit | None] = [None] * len(sources)
    for batch in batches(sources):
        epochs = batch.times.mean(axis=1)
        sky = drift_past(batch.star, batch.times, epochs, earth_position(batch.times))
        values, covariance, residuals, chi2 = _least_squares(sky, batch.offsets, batch.covariances)
        errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)[:, 2:])
        degrees = batch.offsets[0].size - 4
        for n, number in enumerate(batch.numbers):
            found[number] = BackgroundFit(
                float(chi2[n]), degrees, values[n, :2], values[n, 2:], errors[n], float(epochs[n]), residuals[n]
            )
    return found


def judge(star: Star | None, seen: Positions, mass: float | None = None) -> Verdict:
    """Bound or background?

    Parameters
    ----------
    star : Star, or None where its motion is not known
    seen : Positions
    mass : solar masses, of the star
    """
    return judge_all([(star, seen, mass)])[0]


def judge_all(sources: Sequence[Source]) -> list[Verdict]:
    """Verdicts on many sources; those of as many epochs go together."""
    several = [n for n, (_, seen, _) in enumerate(sources) if seen.epochs >= 2]
    weighed: dict[int, tuple[float, float]] = {}
    for batch in batches([sources[n] for n in several]):
        weighed.update(zip((several[n] for n in batch.numbers), _weigh(batch), strict=True))
    return [_verdict(source, weighed.get(n)) for n, source in enumerate(sources)]


def _weigh(batch: Batch) -> list[tuple[float, float]]:
    """Log-odds, and χ² of the best background star."""
    _, _, times, offsets, covariances, _ = batch
    sky = drift_past(batch.star, times, times.mean(axis=1), earth_position(times))
    odds = log_evidence_of_orbits(batch.sightings()) - log_evidence(background(sky, covariances), offsets)
    return list(zip(odds.tolist(), _least_squares(sky, offsets, covariances)[3].tolist(), strict=True))


def judged(odds: float, epochs: int) -> str:
    """The verdict at these log-odds."""
    if abs(odds) < math.log(_needed(epochs)):
        return "AMBIGUOUS"
    return "COMPANION" if odds > 0 else "BACKGROUND"


def _needed(epochs: int) -> float:
    return ODDS if epochs > 2 else ODDS**2


def _verdict(source: tuple[Star | None, Positions, float | None], weighed: tuple[float, float] | None) -> Verdict:
    star, seen, mass = source
    epochs, span = seen.epochs, seen.time_span
    if weighed is None:
        why = "the motion of the star is not known" if star is None and epochs > 1 else "it was seen once"
        if not epochs:
            why = "no position with an error is known"
        return Verdict("UNDEFINED", None, epochs, span, None, why)
    odds, chi2 = weighed
    degrees = seen.offsets.size - 4
    reduced = chi2 / degrees if degrees > 0 else None
    status = judged(odds, epochs)
    if status == "COMPANION" and star is not None and (over := _over_escape(star, seen, mass or MASS)) is not None:
        why = f"it fits neither: no star in the background, but {over:.1f} times too fast to be bound"
        return Verdict("AMBIGUOUS", odds, epochs, span, reduced, why)
    if status == "AMBIGUOUS":
        why = f"{_said(odds)}, less than the {_needed(epochs):g} to 1 that {epochs} epochs need"
    else:
        why = f"{_said(odds)}, over {epochs} epochs in {span:.0f} d"
    return Verdict(status, odds, epochs, span, reduced, why)


def _over_escape(star: Star, seen: Positions, mass: float) -> float | None:
    """Speed over that of escape, where it is surely too much for a bound object; None where it may be bound.

    The odds say which of two models is the less bad; a position of the wrong sign, or a fast star of the field, fits
    neither. The speed is that of the best straight line, which no orbit exceeds; that of escape is taken at the
    smallest projected separation, where it is largest: √(8π² M / r) in AU/yr, M in solar masses and r in AU.
    """
    separation = float(np.hypot(*seen.offsets.T).min())
    parallax = float(star.parallax)
    escape = math.sqrt(8 * math.pi**2 * mass * parallax / max(separation, 1e-9)) * parallax  # mas/yr
    years = (seen.times - seen.times.mean()) / DAYS_PER_YEAR
    chord = np.hypot(*(seen.offsets[-1] - seen.offsets[0])) / max(float(years[-1] - years[0]), 1e-9)
    if chord < escape:
        return None
    design = np.stack([np.ones_like(years), years], axis=1)
    weights = np.linalg.inv(seen.covariances)
    normal = np.einsum("ta,tkm,tb->akbm", design, weights, design).reshape(4, 4)
    data = np.einsum("ta,tkm,tm->ak", design, weights, seen.offsets).reshape(4)
    covariance = np.linalg.inv(normal)
    velocity = (covariance @ data)[2:]
    speed = float(np.hypot(*velocity))
    along = velocity / speed
    error = math.sqrt(float(along @ covariance[2:, 2:] @ along))
    return speed / escape if speed - 3 * error > TOO_FAST * escape else None


def _said(odds: float) -> str:
    """Log-odds in words."""
    side = "bound" if odds > 0 else "background"
    if abs(odds) > math.log(SURE):
        return f"odds of more than a million to 1 for {side}"
    ratio = math.exp(abs(odds))
    return f"odds of {ratio:,.{1 if ratio < 10 else 0}f} to 1 for {side}"
