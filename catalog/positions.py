"""Where sources were seen over time: positions with their errors, from detections, one object's or all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lyot.sky import DAYS_PER_YEAR, Floats

FLOOR = 1.0  # mas, added in quadrature to every error: no two instruments agree better on scale and North
SAME_EPOCH = 3.0  # d; nights that follow one another are one epoch: same set-up, and neither hypothesis moves

#: Columns of `detection` that say where a source stands.
COLUMNS = (
    "mjd", "mjd_error", "separation", "separation_error", "position_angle", "position_angle_error", "dra",
    "dra_error", "ddec", "ddec_error", "dra_ddec_correlation",
)  # fmt: skip


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
        return int((self.times[1:] - self.times[:-1] > SAME_EPOCH).sum()) + 1 if len(self.times) else 0

    @property
    def time_span(self) -> float:
        """Days from first to last."""
        return float(self.times[-1] - self.times[0]) if len(self.times) else 0.0

    def select(self, which: Sequence[int] | NDArray[Any] | slice) -> Positions:
        """Some of them."""
        return Positions(self.times[which], self.offsets[which], self.covariances[which])

    @property
    def separation(self) -> float:
        """Median separation, mas."""
        return float(np.median(np.hypot(*self.offsets.T)))


def columns_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Floats]:
    """What rows of `detection` say of their places, as columns (row,); NaN where they say nothing."""
    listed = list(rows)
    return {name: np.array([row.get(name) for row in listed], float) for name in COLUMNS}


def places(columns: Mapping[str, Floats], floor: float = FLOOR) -> tuple[Floats, Floats]:
    """Offsets (row, 2), mas, and their covariances (row, 2, 2), mas²; NaN where a place or an error is not known.

    Offsets East and North as they are given, else made of separation and position angle, to first order.

    Parameters
    ----------
    columns : by name of `COLUMNS`, (row,)
        With `pmra` and `pmdec` of the star (mas/yr) too, the error of the time counts as well, by how far the sky
        drifts past the star in it.
    floor : mas
        Added in quadrature to the errors.
    """
    radius, angle = columns["separation"], np.radians(columns["position_angle"])
    sine, cosine = np.sin(angle), np.cos(angle)
    radial = columns["separation_error"] ** 2
    across = (radius * np.radians(columns["position_angle_error"])) ** 2
    flat = np.isfinite(columns["dra"]) & np.isfinite(columns["ddec"])
    east, north = columns["dra_error"], columns["ddec_error"]
    both = np.nan_to_num(columns["dra_ddec_correlation"]) * east * north
    made = np.empty((len(radius), 2, 2))
    made[:, 0, 0] = np.where(flat, east**2, radial * sine**2 + across * cosine**2) + floor**2
    made[:, 1, 1] = np.where(flat, north**2, radial * cosine**2 + across * sine**2) + floor**2
    made[:, 0, 1] = made[:, 1, 0] = np.where(flat, both, (radial - across) * sine * cosine)
    if "pmra" in columns:
        years = np.nan_to_num(columns["mjd_error"]) / DAYS_PER_YEAR
        drift = np.nan_to_num(np.stack([columns["pmra"], columns["pmdec"]], 1)) * years[:, None]
        made += drift[:, :, None] * drift[:, None, :]
    offsets = np.where(
        flat[:, None], np.stack([columns["dra"], columns["ddec"]], 1), radius[:, None] * np.stack([sine, cosine], 1)
    )
    return offsets, made


def positions(rows: Iterable[Mapping[str, Any]], floor: float = FLOOR) -> Positions:
    """Positions of one source from its detections, as `positions_of_all`."""
    listed = list(rows)
    names = [row.get("observation_id", number) for number, row in enumerate(listed)]
    _, observation = np.unique([str(name) for name in names], return_inverse=True)
    return positions_of_all(columns_of(listed), np.zeros(len(listed), int), observation, 1, floor)[0]


def positions_of_all(
    columns: Mapping[str, Floats], source: NDArray[Any], observation: NDArray[Any], count: int, floor: float = FLOOR
) -> list[Positions]:
    """Positions of each of `count` sources.

    Several reductions and wavelengths of one observation show the same frames: only the most precise of them counts.
    A detection without a time or an error says nothing and is left out.

    Parameters
    ----------
    columns : by name of `COLUMNS`, (row,)
    source : (row,), 0 … count − 1
    observation : (row,), numbers
    count : int
    floor : mas
        Added in quadrature to the errors.
    """
    offsets, covariances = places(columns, floor)
    times, size = columns["mjd"], determinant(covariances)
    known = np.flatnonzero(np.isfinite(times) & np.isfinite(size) & np.isfinite(offsets).all(axis=1))
    order = known[np.lexsort((size[known], observation[known], source[known]))]
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(source[order]) != 0) | (np.diff(observation[order]) != 0)
    best = order[first]
    best = best[np.lexsort((best, times[best], source[best]))]
    whole = Positions(times[best], offsets[best], covariances[best])
    edges = np.searchsorted(source[best], np.arange(count + 1)).tolist()
    return [whole.select(slice(*pair)) for pair in pairwise(edges)]


def determinant(covariances: Floats) -> Floats:
    """Of symmetric covariances (..., 2, 2)."""
    return np.asarray(covariances[..., 0, 0] * covariances[..., 1, 1] - covariances[..., 0, 1] ** 2)


def distance(offsets: Floats, covariances: Floats) -> Floats:
    """Lengths of offsets (..., 2) in units of their errors, by their covariances (..., 2, 2)."""
    east, north = offsets[..., 0], offsets[..., 1]
    ee, en, nn = covariances[..., 0, 0], covariances[..., 0, 1], covariances[..., 1, 1]
    squared = (east**2 * nn - 2 * east * north * en + north**2 * ee) / determinant(covariances)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))
