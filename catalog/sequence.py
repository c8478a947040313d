"""Where an object stands against the reference sequence of a colour–magnitude plane.

A sequence turns back on itself in colour where methane sets in, so that one colour has two magnitudes; but it has one
colour at each absolute magnitude in its redder band. A place against it is therefore told at the absolute magnitude of
the object: by how much it is redder than its members there, and which spectral type they have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lyot.sky import Floats

FEWEST = 4.0  # members that weigh in at a magnitude; fewer say nothing of their spread
_AT_ONCE = 4096  # objects


@dataclass(frozen=True)
class Members:
    """What a sequence is made of.

    Parameters
    ----------
    names : identifiers, (member,)
    magnitude, colour : (member,), mag
        Absolute magnitude in the band that orders the sequence, and colour.
    kind : (member,)
        Spectral type as a number (M0 is 0, L0 is 10, T0 is 20), NaN where it is not known.
    width : mag
        1σ of the weights in absolute magnitude: the sequence is straight over this much.
    """

    names: NDArray[np.str_]
    magnitude: Floats
    colour: Floats
    kind: Floats
    width: float


@dataclass(frozen=True)
class Stand:
    """Places against a sequence, (object,); NaN where too few members are that bright.

    `offset` (mag) is positive for what is redder than the members of its magnitude; `offset_error` holds the errors of
    the object and the spread of the members, so that the ratio of both is a significance. `kind` is the spectral type
    as a number that members of this magnitude have, with its 1σ error.
    """

    offset: Floats
    offset_error: Floats
    kind: Floats
    kind_error: Floats


def stand(
    members: Members,
    names: NDArray[np.str_],
    magnitude: tuple[Floats, Floats],
    colour: tuple[Floats, Floats],
    shared: Floats,
) -> Stand:
    """Where objects stand against a sequence; a member is compared with the others.

    Parameters
    ----------
    members : Members
    names : (object,)
    magnitude, colour : values and 1σ errors, (object,), mag
    shared : (object,), mag²
        Covariance of magnitude and colour, which have a band in common: σ² of that band if the magnitude is of the
        bluer one, −σ² if it is of the redder.
    """
    columns = (*magnitude, *colour, shared)
    parts = [
        _stand(members, names[n : n + _AT_ONCE], *(values[n : n + _AT_ONCE] for values in columns))
        for n in range(0, len(names), _AT_ONCE)
    ]
    return Stand(*np.concatenate([np.empty((4, 0)), *parts], axis=1))


def _stand(
    members: Members, names: NDArray[np.str_], magnitude: Floats, error: Floats, colour: Floats, colour_error: Floats,
    shared: Floats,
) -> Floats:  # fmt: skip
    """The four columns of `Stand`, (4, object).

    The offset is the colour less that of the sequence, which changes by `slope` with the magnitude: the variance of a
    difference of two numbers that are not independent.
    """
    away = members.magnitude - magnitude[:, None]
    weights = np.exp(-0.5 * (away / members.width) ** 2) * (members.names != names[:, None])
    expected, slope, spread = _local_line(away, members.colour, weights)
    offset_error = np.sqrt(colour_error**2 + (slope * error) ** 2 - 2 * slope * shared + spread**2)
    typed = np.isfinite(members.kind)
    kind, rise, scatter = _local_line(away[:, typed], members.kind[typed], weights[:, typed])
    return np.array([colour - expected, offset_error, kind, np.hypot(scatter, rise * error)])


def _local_line(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Value at x = 0, slope and spread, (3, object), of a weighted straight line through each row (object, member).

    NaN where fewer than `FEWEST` members weigh in, or all stand on one side: a line is no guess beyond its points.
    """
    total = weights.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        count = total**2 / (weights**2).sum(1)
        middle, level = (weights * x).sum(1) / total, (weights * y).sum(1) / total
        lever = (weights * (x - middle[:, None]) ** 2).sum(1)
        slope = (weights * (x - middle[:, None]) * (y - level[:, None])).sum(1) / lever
        left = y - level[:, None] - slope[:, None] * (x - middle[:, None])
        spread = np.sqrt((weights * left**2).sum(1) / total * count / (count - 2) * (1 + 1 / count))
    inside = (weights * (x > 0)).any(1) & (weights * (x < 0)).any(1) & (count >= FEWEST)
    return np.where(inside, np.array([level - slope * middle, slope, spread]), np.nan)


def spelled_type(kind: float) -> str:
    """A spectral type as a number in letters: 14.5 is L4.5."""
    tenths = round(10 * kind)
    return f"{'MLTY'[min(max(tenths // 100, 0), 3)]}{tenths % 100 / 10:g}" if 0 <= tenths < 400 else f"{kind:.1f}"
