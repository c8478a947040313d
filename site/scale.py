"""Linear and logarithmic axes: ranges, places and round ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lyot.site.words import MINUS
from lyot.sky import Floats

LEAST = 1e-300  # what a logarithmic scale takes for nothing


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` over pixels from `start` to `end` (swap these to reverse).

    `slope` and `zero` are those of the pixels, over values or their logarithms.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    slope: float = field(init=False, compare=False)
    zero: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        low, high = self.low, self.high
        if self.log:
            low, high = math.log10(max(low, LEAST)), math.log10(max(high, LEAST))
        slope = (self.end - self.start) / (high - low)
        object.__setattr__(self, "slope", slope)
        object.__setattr__(self, "zero", self.start - low * slope)

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        return self.zero + self.slope * (math.log10(max(value, LEAST)) if self.log else value)

    def all(self, values: Floats) -> Floats:
        """Pixels of many values (point,)."""
        return np.asarray((self.logarithms(values) if self.log else values) * self.slope + self.zero)

    @staticmethod
    def logarithms(values: Floats) -> Floats:
        """Of values (point,), what is nothing or less taken for the least."""
        return np.asarray(np.log10(np.maximum(values, LEAST)))

    def ticks(self, wanted: int = 6) -> list[float]:
        """About so many round values inside the range."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            decades = [10.0**power for power in range(first, last + 1)]
            if len(decades) >= 3:
                return decades[:: math.ceil(len(decades) / wanted)]
            steps = [m * 10.0**p for p in range(first - 1, last + 1) for m in (1, 2, 3, 5)]
            return [value for value in steps if self.low <= value <= self.high]
        step = round_step((self.high - self.low) / max(wanted, 1))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def round_step(rough: float) -> float:
    """The least of 1, 2, 2.5 or 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))


def spread(values: Sequence[float], margin: float = 0.06, log: bool = False) -> tuple[float, float]:
    """Least and greatest value with a margin; a lone value gets a range about it."""
    low, high = min(values), max(values)
    if log:
        low, high = max(low, 1e-12), max(high, 1e-12)
        factor = (high / low) ** margin if high > low else 2.0
        return low / factor, high * factor
    extent = high - low
    if extent <= 1e-9 * max(abs(low), abs(high), 1e-9):
        extent = max(abs(high), 1.0) * 0.5
        return low - extent, high + extent
    return low - margin * extent, high + margin * extent


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """The numbers of an axis, all with the same decimals."""
    form = f".{_decimals(ticks)}f"
    return [format(tick, form).replace("-", MINUS) if abs(tick) > 5e-10 else "0" for tick in ticks]


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """One number of an axis."""
    return tick_texts([value])[0] if len(ticks) < 2 else tick_texts(ticks)[ticks.index(value)]


def _decimals(ticks: Sequence[float]) -> int:
    if len(ticks) < 2:
        return 0
    step = ticks[1] - ticks[0]  # the least: ticks are even, or grow by decades
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step * 10**places) != round(step * 10**places, 6):  # a step of 2.5
        places += 1
    return min(places, 8)
