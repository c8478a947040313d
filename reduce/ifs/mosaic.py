"""Square pixels of the sky from hexagonal lenslets, as one sparse matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from lyot.cube import Floats
from lyot.instruments.sphere_frames import LENSLETS
from lyot.reduce.calibrate.mending import covariance

NEIGHBOURS = 19  # a lenslet and the two rings around it
NOISE = 1e-3  # variance of the noise of a lenslet over that of the light: keeps weights from growing
AROUND = 1.16  # pitches to the third lenslet: one that is missing is bridged, the field does not grow
TOGETHER = 8192  # pixels solved at a time


def squares(ideal: Floats, size: int, good: NDArray[np.bool_], beam: float) -> tuple[csr_matrix, NDArray[np.bool_]]:
    """Matrix that makes square pixels of lenslets.

    A pixel is as wide as a hexagon's side. Its size on the sky (7.46 mas) is what was measured on such images. Light
    through a pupil changes over λ/D at the fastest, and lenslets stand closer than that needs: what stands between
    them follows from those around, where shares of areas would leave steps that depend on where a star falls on its
    lenslets. The weights are those of ordinary kriging (Cressie 1993, Statistics for Spatial Data, ch. 3), the
    covariance that of point sources seen through a round pupil.

    Parameters
    ----------
    ideal : (lenslet, 2), detector px (y, x) on the undistorted lattice
    size : int, px
    good : (lenslet,), those that may be used
    beam : float, square px
        λ/D of the shortest wavelength seen.

    Returns
    -------
    matrix : (size², lenslet)
    seen : (size, size), pixels among lenslets
    """
    tree = cKDTree(ideal[good])
    grid = (np.stack([n.ravel() for n in np.indices((size, size))], axis=1) - size // 2) * LENSLETS.side
    apart, near = tree.query(grid, k=NEIGHBOURS)
    area = LENSLETS.side**2 / (LENSLETS.pitch**2 * 3**0.5 / 2)
    step = LENSLETS.pitch / 256
    distances: Floats = np.linspace(0.0, 8 * LENSLETS.pitch, 8 * 256 + 1)  # farther than any two of them are apart
    table = covariance(beam * LENSLETS.side, distances)
    weights = np.empty(apart.shape, np.float32)
    for first in range(0, len(grid), TOGETHER):
        these = slice(first, first + TOGETHER)
        places = tree.data[near[these]]
        between = np.hypot(*np.moveaxis(places[:, :, None] - places[:, None], -1, 0))
        weights[these] = area * _kriging(_at(between, table, step), _at(apart[these], table, step))
    columns = np.flatnonzero(good)[near]
    starts = np.arange(len(grid) + 1) * NEIGHBOURS
    matrix = csr_matrix((weights.ravel(), columns.ravel(), starts), shape=(size * size, len(ideal)))
    return matrix, (apart[:, 2] < AROUND * LENSLETS.pitch).reshape(size, size)


def _kriging(among: Floats, here: Floats) -> Floats:
    """Weights of unit sum, (pixel, lenslet); covariances of lenslets with each other, and with the pixel."""
    count = here.shape[1]
    system = np.ones((len(here), count + 1, count + 1))
    system[:, :count, :count] = among + NOISE * np.eye(count)
    system[:, count, count] = 0.0
    wanted = np.ones((len(here), count + 1, 1))
    wanted[:, :count, 0] = here
    return np.asarray(np.linalg.solve(system, wanted)[:, :count, 0])


def _at(distance: Floats, table: Floats, step: float) -> Floats:
    at = np.minimum(distance / step, len(table) - 2.0)
    low = at.astype(np.int64)
    return np.asarray(table[low] + (at - low) * (table[low + 1] - table[low]))
