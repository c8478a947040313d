"""Magnitudes of companions: from contrast to apparent and absolute, and colours, each with its error.

Errors are 1σ and independent; contrasts with errors above a third are no longer Gaussian in magnitudes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lyot.errors import BadInput

PER_MAGNITUDE = 2.5 / math.log(10)  # mag of a relative change of flux


@dataclass(frozen=True)
class Magnitude:
    """A magnitude, or a difference of two, and its 1σ error; the error is NaN where none is known."""

    value: float
    error: float = math.nan

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise BadInput(f"a magnitude is {self.value}, a number is needed")
        if self.error < 0:
            raise BadInput(f"the error of a magnitude is {self.error}, it cannot be negative")

    def __add__(self, other: Magnitude) -> Magnitude:
        return Magnitude(self.value + other.value, math.hypot(self.error, other.error))

    def __sub__(self, other: Magnitude) -> Magnitude:
        return Magnitude(self.value - other.value, math.hypot(self.error, other.error))


def delta_magnitude(contrast: float, error: float = math.nan) -> Magnitude:
    """How much fainter than its star a source of this contrast is: −2.5 log₁₀ contrast.

    Raises
    ------
    BadInput
        If the contrast is not positive.
    """
    if not (math.isfinite(contrast) and contrast > 0):
        raise BadInput(f"a contrast of {contrast:g} has no magnitude", hint="a source below zero is a limit")
    return Magnitude(-2.5 * math.log10(contrast), PER_MAGNITUDE * error / contrast)


def contrast_of(delta: float, error: float = math.nan) -> tuple[float, float]:
    """Contrast, and its error, of a source fainter than its star by `delta` mag."""
    contrast = 10 ** (-0.4 * delta)
    return contrast, contrast * error / PER_MAGNITUDE


def distance_modulus(parallax: float, error: float = math.nan) -> Magnitude:
    """Apparent minus absolute magnitude at a parallax (mas): 10 − 5 log₁₀ parallax, no extinction.

    Raises
    ------
    BadInput
        If the parallax is not positive, or worse known than to a third: its inverse is then no distance
        (Bailer-Jones 2015, PASP 127, 994).
    """
    if not (math.isfinite(parallax) and parallax > 0):
        raise BadInput(f"a parallax of {parallax:g} mas is no distance")
    if error > parallax / 3:
        raise BadInput(f"a parallax of {parallax:g} ± {error:g} mas is no distance", hint="a third at most is sound")
    return Magnitude(10 - 5 * math.log10(parallax), 2 * PER_MAGNITUDE * error / parallax)


def apparent(star: Magnitude, delta: Magnitude) -> Magnitude:
    """Apparent magnitude of a source `delta` fainter than its star."""
    return star + delta


def absolute(magnitude: Magnitude, parallax: float, parallax_error: float = 0.0) -> Magnitude:
    """Absolute magnitude of a source at a parallax (mas)."""
    return magnitude - distance_modulus(parallax, parallax_error)


def preferred(values: Iterable[Mapping[str, Any]]) -> Magnitude | None:
    """One magnitude of several of the same filter, rows of `measurement`: the inverse-variance mean.

    Where the values scatter more than their errors say, the error is widened by √(χ²/dof) (as the Particle Data Group
    does). Values without an error count only where none has one; limits never do.
    """
    rows = [row for row in values if row.get("value") is not None and not row.get("limit")]
    known = [(row["value"], _error(row)) for row in rows if _error(row) > 0]
    if not known:
        return Magnitude(float(np.mean([row["value"] for row in rows]))) if rows else None
    value, error = np.array(known).T
    weights = error**-2
    mean = float((weights * value).sum() / weights.sum())
    chi2 = float((weights * (value - mean) ** 2).sum())
    spread = max(1.0, chi2 / (len(value) - 1)) if len(value) > 1 else 1.0
    return Magnitude(mean, math.sqrt(spread / float(weights.sum())))


def colours(by_band: Mapping[str, Magnitude], pairs: Iterable[tuple[str, str]]) -> dict[str, Magnitude]:
    """Colours, as `H2-H3`, of the pairs of bands that are both there."""
    return {
        f"{_short(blue)}-{_short(red)}": by_band[blue] - by_band[red]
        for blue, red in pairs
        if blue in by_band and red in by_band
    }


#: Pairs of bands that colour–magnitude diagrams of SPHERE and of the near infrared are made of.
PAIRS: tuple[tuple[str, str], ...] = (
    ("SPHERE/H2", "SPHERE/H3"),
    ("SPHERE/K1", "SPHERE/K2"),
    ("SPHERE/J2", "SPHERE/J3"),
    ("SPHERE/Y2", "SPHERE/Y3"),
    ("MKO/J", "MKO/H"),
    ("MKO/J", "MKO/K"),
    ("2MASS/J", "2MASS/H"),
    ("2MASS/J", "2MASS/Ks"),
)


def _error(row: Mapping[str, Any]) -> float:
    """The larger of the two errors of a measurement; 0 where none is known."""
    return max(float(row.get("error_minus") or 0.0), float(row.get("error_plus") or 0.0))


def _short(band: str) -> str:
    return band.rpartition("/")[2]
