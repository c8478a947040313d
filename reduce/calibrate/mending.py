"""Bad pixels mended from their good neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import j0

from lyot.cube import Floats, Images
from lyot.reduce.calibrate.pixels import Mask

NEIGHBOURS = 24
REACH = 6  # px, how far neighbours are looked for
NOISE = 1e-3  # variance of the noise of a pixel over that of the light: keeps weights from growing


@dataclass(frozen=True, eq=False)
class Mending:
    """Bad pixels of one field, and the good ones that each is mended from.

    Parameters
    ----------
    places : (n,), indices into the flattened field
    sources : (n, neighbours), indices; −1 where there are fewer
    weights : (n, neighbours), of unit sum
    """

    places: NDArray[np.int64]
    sources: NDArray[np.int64]
    weights: Images

    @classmethod
    def of_images(cls, bad: Mask, beam: float) -> Mending:
        """How to mend the bad pixels of an image, (y, x), from their 24 nearest good neighbours.

        Light through a pupil changes over λ/D at the fastest: what stands in a bad pixel follows from those around it,
        even at the peak of a star, where a mean of neighbours would miss up to a tenth of its flux. The weights are
        those of ordinary kriging (Cressie 1993, Statistics for Spatial Data, ch. 3), the covariance that of point
        sources seen through a round pupil.

        Parameters
        ----------
        bad : (y, x)
        beam : float, px
            λ/D of the shortest wavelength seen.
        """
        places, offsets = np.flatnonzero(bad), _offsets()
        sources = np.full((len(places), NEIGHBOURS), -1, np.int64)
        weights = np.zeros(sources.shape, np.float32)
        _nearest(bad, places, offsets, sources)
        dy, dx = np.indices((2 * REACH + 1, 2 * REACH + 1))
        _weigh(sources, places, bad.shape[1], covariance(beam, np.hypot(dy, dx)), weights)
        return cls(places, sources, weights)

    @classmethod
    def along_columns(cls, bad: Mask) -> Mending:
        """How to mend the bad pixels of spectra that run along columns: between the nearest good ones of the same."""
        places, offsets = np.flatnonzero(bad), _offsets()
        sources = np.full((len(places), 2), -1, np.int64)
        _nearest(bad, places, offsets[offsets[:, 1] == 0], sources)
        near = np.abs(sources - places[:, None]) / bad.shape[1]
        share = np.where(sources >= 0, 1.0 / np.maximum(near, 1.0) ** 2, 0.0)
        total = np.maximum(share.sum(axis=1, keepdims=True), 1e-12)
        return cls(places, sources, (share / total).astype(np.float32))

    def mend(self, image: Images) -> None:
        """Mend one field in place."""
        _mend(image.reshape(-1), self.places, self.sources, self.weights)


def _offsets() -> NDArray[np.int64]:
    """Steps (y, x) to the neighbours of a pixel, the nearest first."""
    dy, dx = np.indices((2 * REACH + 1, 2 * REACH + 1)) - REACH
    order = np.argsort(np.hypot(dy, dx).ravel(), kind="stable")[1:]
    return np.stack([dy.ravel()[order], dx.ravel()[order]], axis=1)


def covariance(beam: float, apart: Floats) -> Floats:
    """Covariance of two places some distance apart in a field of point sources, 1 at no distance.

    The transform of the square of a round pupil's optical transfer function. Lengths in units of one's own.
    """
    f = np.linspace(0.0, 1.0, 257)  # of the cut-off D/λ
    transfer = 2 / np.pi * (np.arccos(f) - f * np.sqrt(1 - f * f))
    power = transfer**2 * f
    found: Floats = j0(2 * np.pi / beam * apart[..., None] * f) @ power / power.sum()
    return found


@numba.njit(nogil=True, cache=True)
def _nearest(bad, places, offsets, sources):  # type: ignore[no-untyped-def]
    ny, nx = bad.shape
    for n in range(len(places)):
        y, x = places[n] // nx, places[n] % nx
        found = 0
        for k in range(len(offsets)):
            v, u = y + offsets[k, 0], x + offsets[k, 1]
            if v < 0 or v >= ny or u < 0 or u >= nx or bad[v, u]:
                continue
            sources[n, found] = v * nx + u
            found += 1
            if found == sources.shape[1]:
                break


@numba.njit(nogil=True, cache=True)
def _weigh(sources, places, nx, covariance, weights):  # type: ignore[no-untyped-def]
    """Weights of unit sum that estimate each place best; the last row and column of the system see to the sum."""
    for n in range(len(places)):
        count = 0
        while count < sources.shape[1] and sources[n, count] >= 0:
            count += 1
        if count == 0:
            continue
        system, wanted = np.ones((count + 1, count + 1)), np.ones(count + 1)
        system[count, count] = 0.0
        for i in range(count):
            y, x = sources[n, i] // nx, sources[n, i] % nx
            wanted[i] = covariance[abs(y - places[n] // nx), abs(x - places[n] % nx)]
            for j in range(i + 1):
                v, u = sources[n, j] // nx, sources[n, j] % nx
                system[i, j] = system[j, i] = covariance[abs(y - v), abs(x - u)]
            system[i, i] += NOISE
        found = np.linalg.solve(system, wanted)
        for i in range(count):
            weights[n, i] = found[i]


@numba.njit(nogil=True, cache=True)
def _mend(flat, places, sources, weights):  # type: ignore[no-untyped-def]
    for n in range(len(places)):
        value = np.float32(0.0)
        for k in range(sources.shape[1]):
            if sources[n, k] >= 0:
                value += weights[n, k] * flat[sources[n, k]]
        flat[places[n]] = value
