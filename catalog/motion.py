"""Background or bound: what the positions of a source over time say of it.

`judge` weighs the two models of `catalog.evidence` and gives a verdict at odds of 20 to 1. Two epochs are one
displacement, which an orbit can make by chance where a background star would have gone (beta Pic b from MJD 55194 to
55517, 40 to 1 for the wrong side): of them the square of the odds is asked. Cuts on the χ² of either model do not
work on real data: a background star moves by itself, and an orbit is no constant offset.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from lyot.catalog.astrometry import complete
from lyot.catalog.evidence import bound, log_odds
from lyot.errors import BadInput
from lyot.sky import Drift, Floats, Star, drift_past, earth_position

ODDS = 20.0  # to 1, for a verdict
FLOOR = 1.0  # mas, added in quadrature to every error: no two instruments agree better on scale and North
SAME_EPOCH = 3.0  # d; nights that follow one another are one epoch: same set-up, and neither hypothesis moves
MASS = 1.0  # solar masses, of a star of which none is known
SURE = 6  # power of ten beyond which odds are no longer told: the models themselves are not that certain
BATCH = 512  # sources judged at once


@dataclass(frozen=True)
class Positions:
    """Offsets of a source from its star over time.

    Parameters
    ----------
    times : (time,), MJD, in order
    offsets : (time, 2), mas
        East and North.
    covariances : (time, 2, 2), mas²
    """

    times: Floats
    offsets: Floats
    covariances: Floats

    @property
    def epochs(self) -> int:
        """Number of distinct epochs: what was measured within a few nights counts once."""
        return int((np.diff(self.times) > SAME_EPOCH).sum()) + 1 if len(self.times) else 0

    @property
    def time_span(self) -> float:
        """Days from first to last."""
        return float(np.ptp(self.times)) if len(self.times) else 0.0

    @property
    def separation(self) -> float:
        """Median separation, mas."""
        return float(np.median(np.hypot(*self.offsets.T)))

    def select(self, which: Sequence[int] | Floats) -> Positions:
        """Some of them."""
        return Positions(self.times[which], self.offsets[which], self.covariances[which])


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


def positions(rows: Iterable[Mapping[str, Any]], floor: float = FLOOR) -> Positions:
    """Positions of one source from its detections.

    Several reductions and wavelengths of one observation show the same frames: only the most precise of them counts.
    A detection without a time or an error says nothing and is left out.

    Parameters
    ----------
    rows : rows of `detection` of one companion
    floor : mas
        Added in quadrature to the errors.
    """
    best: dict[str, tuple[float, float, Floats, Floats]] = {}
    for number, row in enumerate(rows):
        said = complete({name: value for name, value in row.items() if value is not None})
        if not {"mjd", "dra", "ddec", "dra_error", "ddec_error"} <= said.keys():
            continue
        east, north = said["dra_error"], said["ddec_error"]
        both = said.get("dra_ddec_correlation", 0.0) * east * north
        covariance = np.array([[east**2 + floor**2, both], [both, north**2 + floor**2]])
        size = float(np.linalg.det(covariance))
        observation = str(said.get("observation_id", number))
        if observation not in best or size < best[observation][0]:
            best[observation] = (size, said["mjd"], np.array([said["dra"], said["ddec"]]), covariance)
    chosen = sorted(best.values(), key=lambda one: one[1])
    return Positions(
        np.array([one[1] for one in chosen], float),
        np.array([one[2] for one in chosen], float).reshape(-1, 2),
        np.array([one[3] for one in chosen], float).reshape(-1, 2, 2),
    )


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


def judge(star: Star | None, seen: Positions, mass: float | None = None) -> Verdict:
    """Bound or background?

    Parameters
    ----------
    star : Star, or None where its motion is not known
    seen : Positions
    mass : solar masses, of the star
    """
    return judge_all([(star, seen, mass)])[0]


def judge_all(sources: Sequence[tuple[Star | None, Positions, float | None]]) -> list[Verdict]:
    """Verdicts on many sources: (star, positions, mass of the star) each; those of as many epochs go together."""
    weighed: dict[int, tuple[float, float]] = {}
    order = [n for n, (star, seen, _) in enumerate(sources) if star is not None and seen.epochs >= 2]
    order.sort(key=lambda n: len(sources[n][1].times))
    for _, alike in groupby(order, key=lambda n: len(sources[n][1].times)):
        numbers = list(alike)
        for first in range(0, len(numbers), BATCH):
            some = numbers[first : first + BATCH]
            weighed.update(zip(some, _weigh([sources[n] for n in some]), strict=True))
    return [_verdict(star, seen, weighed.get(n)) for n, (star, seen, _) in enumerate(sources)]


def _weigh(sources: Sequence[tuple[Star | None, Positions, float | None]]) -> list[tuple[float, float]]:
    """Log-odds, and χ² of the best background star, of sources with as many positions each."""
    stars = [star for star, _, _ in sources if star is not None]
    together = Star(*(np.array(values) for values in zip(*(vars(star).values() for star in stars), strict=True)))
    times = np.stack([seen.times for _, seen, _ in sources])
    offsets = np.stack([seen.offsets for _, seen, _ in sources])
    covariances = np.stack([seen.covariances for _, seen, _ in sources])
    separation = np.array([seen.separation for _, seen, _ in sources])
    masses = np.array([mass or MASS for _, _, mass in sources])
    sky = drift_past(together, times, times.mean(axis=1), earth_position(times))
    bodies = bound(times, covariances, separation, 1000 / np.asarray(together.parallax), masses)
    odds = log_odds(sky, bodies, covariances, offsets)
    return list(zip(odds.tolist(), _least_squares(sky, offsets, covariances)[3].tolist(), strict=True))


def _verdict(star: Star | None, seen: Positions, weighed: tuple[float, float] | None) -> Verdict:
    epochs, span = seen.epochs, seen.time_span
    if weighed is None:
        why = "the motion of the star is not known" if star is None and epochs > 1 else "it was seen once"
        if not epochs:
            why = "no position with an error is known"
        return Verdict("UNDEFINED", None, epochs, span, None, why)
    odds, chi2 = weighed
    degrees = seen.offsets.size - 4
    reduced = chi2 / degrees if degrees > 0 else None
    needed = ODDS if epochs > 2 else ODDS**2
    if abs(odds) < math.log(needed):
        why = f"odds {_said(odds)}, less than the {needed:g} to 1 that {epochs} epochs need"
        return Verdict("AMBIGUOUS", odds, epochs, span, reduced, why)
    status = "COMPANION" if odds > 0 else "BACKGROUND"
    return Verdict(status, odds, epochs, span, reduced, f"odds {_said(odds)}, over {epochs} epochs in {span:.0f} d")


def _said(odds: float) -> str:
    """Log-odds in words."""
    side = "bound" if odds > 0 else "background"
    power = abs(odds) / math.log(10)
    if power > SURE:
        return f"more than 10^{SURE} to 1 for {side}"
    return f"{10**power:.{1 if power < 1 else 0}f} to 1 for {side}"
