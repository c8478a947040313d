"""The lenslets of the IFS and their spectra on the detector.

Lenslets stand in rows of hexagons. The frame of the lenslets, x along a row and y across the rows, is the frame of
the cubes; the detector is turned to it. Each lenslet's light becomes a short spectrum along the detector's columns.
Facts of the lattice: the consortium's lenslet model (side 161.5 µm, pixels of 18 µm) and published positions of the
laser lines (Brandt et al. 2017, CHARIS pipeline, for SPHERE).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lyot.cube import Floats, Images

SIDE = 161.5 / 18.0  # px of the detector, side of a hexagon
PITCH = SIDE * np.sqrt(3.0)  # px, from one lenslet of a row to the next
ROW = 1.5 * SIDE  # px, from one row to the next
TURN = -10.87  # deg, counter-clockwise, of the rows to the rows of the detector
MIDDLE = (1031.6, 1025.7)  # px (x, y), zero-based: where the lattice's origin has the middle of its spectrum
PIXELS = 2048
EDGE = 3  # px of the detector that no spectrum may touch
ROWS, COLUMNS = 92, 80  # of lenslets on either side of the origin that are looked at
BEND = 0.25  # px by which the camera displaces spectra at the edge of the detector
LEAN = -0.0056  # px along rows per px along columns
WIDTH = 0.85  # px, σ of the image of a lenslet: 2 px at half maximum
HALF = 3  # px, of that image
PHASES = 256  # places inside a pixel at which it is tabulated
FINE = 56  # points along a spectrum
#: Column positions (px, arbitrary origin) of laser lines (µm) for each prism.
LINES = {
    "YJ": ((0.9877, 997.710), (1.1237, 1011.114), (1.3094, 1026.467)),
    "YJH": ((0.9877, 1041.580), (1.1237, 1049.872), (1.3094, 1059.231), (1.5451, 1070.053)),
}
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Every lenslet whose spectrum falls on the detector.

    Parameters
    ----------
    column, row : (n,), the lenslet's place in the lattice
    x, y : (n,), px of the detector from the lattice's origin, in the frame of the lenslets
    left, up : (n,), px of the detector, where the middle of its spectrum falls
    """

    prism: str
    band: tuple[float, float]
    column: Indices
    row: Indices
    x: Floats
    y: Floats
    left: Floats
    up: Floats

    def along(self, wavelength: Floats) -> Floats:
        """Displacement (px) up the column from the middle of the spectrum, at wavelengths in µm."""
        knots, places = np.array(LINES[self.prism]).T
        curve = np.polynomial.Polynomial.fit(knots, places, len(knots) - 1)
        ends = curve(np.array(self.band))
        return np.asarray(curve(np.asarray(wavelength)) - ends.mean())

    @property
    def fine(self) -> Floats:
        """Wavelengths (µm) of the points at which spectra are drawn; a little more than the band."""
        return np.linspace(self.band[0] - 0.012, self.band[1] + 0.012, FINE)


def lattice(prism: str, band: tuple[float, float], shift: Floats, turn: float) -> Lattice:
    """The lattice with its origin displaced by `shift` (x, y) px and turned by `turn` deg more than usual."""
    rows, columns = np.mgrid[-ROWS : ROWS + 1, -COLUMNS : COLUMNS + 1]
    row, column = rows.ravel(), columns.ravel()
    x, y = places(column, row)
    angle = np.radians(TURN + turn)
    left = MIDDLE[0] + shift[0] + x * np.cos(angle) - y * np.sin(angle)
    up = MIDDLE[1] + shift[1] + x * np.sin(angle) + y * np.cos(angle)
    far = np.hypot(left - PIXELS / 2, up - PIXELS / 2) / (PIXELS / 2)
    bend = BEND * far**2  # the camera's distortion grows as the cube of the distance
    left, up = left + bend * (left / (PIXELS / 2) - 1), up + bend * (up / (PIXELS / 2) - 1)
    made = Lattice(prism, band, column, row, x, y, left, up)
    reach = np.abs(made.along(made.fine)).max() + HALF + EDGE
    inside = (left > EDGE + HALF) & (left < PIXELS - EDGE - HALF) & (up > reach) & (up < PIXELS - reach)
    return Lattice(prism, band, column[inside], row[inside], x[inside], y[inside], left[inside], up[inside])


def places(column: Indices, row: Indices) -> tuple[Floats, Floats]:
    """Places (px of the detector) of lenslets in their own frame: every other row is half a pitch to the right."""
    return np.asarray((column + 0.5 * (row % 2)) * PITCH), np.asarray(row * ROW)


def _profiles() -> Images:
    """The light that falls on each of the pixels around a Gaussian, for every phase of its middle in a pixel."""
    fine = np.arange(-HALF - 1.0, HALF + 1.0, 1.0 / PHASES)
    steps = np.arange(PHASES) / PHASES - 0.5
    table = np.empty((PHASES, 2 * HALF + 1), dtype=np.float32)
    for i, phase in enumerate(steps):
        light = np.exp(-0.5 * ((fine - phase) / WIDTH) ** 2)
        for j in range(2 * HALF + 1):
            inside = (fine >= j - HALF - 0.5) & (fine < j - HALF + 0.5)
            table[i, j] = light[inside].sum()
    return np.asarray(table / table.sum(axis=1, keepdims=True), dtype=np.float32)


PROFILES = _profiles()


def draw(made: Lattice, flux: Images, wavelengths: Floats, reference: float) -> tuple[Images, Images]:
    """Spectra on the detector.

    Parameters
    ----------
    flux : (lenslet, wavelength), ADU
    wavelengths : (wavelength,), µm
    reference : float, µm

    Returns
    -------
    light, coloured : (y, x), ADU
        The counts, and the counts times their wavelength less `reference` (µm).
    """
    up = made.along(wavelengths)
    light = np.zeros((PIXELS, PIXELS), dtype=np.float32)
    coloured = np.zeros_like(light)
    colour = (wavelengths - reference).astype(np.float32)
    _deposit(light, coloured, made.left, made.up, LEAN * up, up, colour, flux.astype(np.float32), PROFILES)
    return light, coloured


@njit(cache=True, fastmath=True)
def _deposit(light, coloured, left, up, dx, dy, colour, flux, profiles):  # type: ignore[no-untyped-def]
    phases = profiles.shape[0]
    width = profiles.shape[1]
    half = width // 2
    for i in range(left.shape[0]):
        for k in range(dx.shape[0]):
            amount = flux[i, k]
            if amount == 0:
                continue
            x = left[i] + dx[k]
            y = up[i] + dy[k]
            column = int(np.floor(x + 0.5))
            row = int(np.floor(y + 0.5))
            across = profiles[min(int((x - column + 0.5) * phases), phases - 1)]
            along = profiles[min(int((y - row + 0.5) * phases), phases - 1)]
            for j in range(width):
                share = amount * along[j]
                tinted = share * colour[k]
                for m in range(width):
                    light[row + j - half, column + m - half] += share * across[m]
                    coloured[row + j - half, column + m - half] += tinted * across[m]
