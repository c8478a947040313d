"""Where each lenslet puts each wavelength: the lines of the lasers followed over the detector."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np
from numpy.typing import NDArray

from lyot.cube import Floats, Images
from lyot.errors import Unprocessable
from lyot.reduce.ifs.lattice import Lattice, turn

SPOT_SIGMA = 0.85  # px, of a line of 2 px FWHM
STAGES = ((400.0, 1), (800.0, 3), (1600.0, 5))  # px from the middle of the detector, degree of the map
LIT = 0.2  # of the usual brightness: fainter lenslets are dark


@dataclass(frozen=True, eq=False)
class Traces:
    """Paths of light on the detector.

    Parameters
    ----------
    ideal : (lenslet, 2), px (y, x)
        Places on an undistorted lattice, relative to its middle.
    lines : (line,), µm
    places : (lenslet, line, 2), px (y, x)
    rms : float, px
        Scatter of the measured lines along the dispersion.
    turn : float, deg
        Of the rows of lenslets from the detector's +x, counter-clockwise.
    """

    ideal: Floats
    lines: Floats
    places: Floats
    rms: float
    turn: float

    def at(self, wavelengths: Floats) -> Floats:
        """Where each lenslet puts each wavelength (µm), (lenslet, wave, 2) px (y, x).

        Along the dispersion the polynomial that passes through the lines, across it a straight line.
        """
        middle = float(self.lines.mean())
        known, wanted = self.lines - middle, np.asarray(wavelengths, float) - middle
        through = np.vander(wanted, len(known)) @ np.linalg.inv(np.vander(known, len(known)))
        straight = np.vander(wanted, 2) @ np.linalg.pinv(np.vander(known, 2))
        return np.stack([self.places[..., 0] @ through.T, self.places[..., 1] @ straight.T], axis=-1)


def follow(laser: Images, lattice: Lattice, lines: Floats) -> Traces:
    """Follow the lines from the middle of the detector outwards, and describe them by smooth maps.

    Parameters
    ----------
    laser : (y, x), counts, dark subtracted
    lattice : as found in its middle
    lines : (line,), µm

    Raises
    ------
    Unprocessable
        If too few lines are found.
    """
    indices = lattice.lenslets(laser.shape[0])
    start = lattice.places(indices)
    middle = (np.array(laser.shape) - 1) / 2
    away = np.hypot(*(start - middle).T)
    scaled = (start - middle) / 1024.0
    expected = start[:, None] + lattice.shifts[None]
    found, bright = np.empty_like(expected), np.empty(expected.shape[:2])
    rms = np.inf
    for reach, degree in STAGES:
        for _ in range(2):
            near = away < reach
            for n in range(len(lines)):
                found[:, n], bright[:, n] = centroids(laser, expected[:, n])
            lit = bright.min(axis=1) > LIT * np.median(bright[near].min(axis=1))
            misfits = []
            for n in range(len(lines)):
                expected[:, n], misfit = _mapped(scaled, found[:, n], near & lit, expected[:, n], degree)
                misfits.append(misfit)
            rms = float(np.sqrt(np.mean(np.square(misfits))))
    if not np.isfinite(rms) or rms > 0.5 or lit.sum() < 1000:
        raise Unprocessable(f"the lasers are followed to {rms:.2f} px in {int(lit.sum())} lenslets only")
    kept = lit & _inside(expected, laser.shape[0])
    lattice = _refined(lattice, indices, expected[:, len(lines) // 2], kept & (away < STAGES[0][0]))
    ideal = lattice.ideal(indices)
    inverse = np.linalg.inv(np.stack([lattice.first, lattice.second]))
    centre = lattice.ideal(np.asarray((middle - lattice.origin)[None] @ inverse, float))
    return Traces(ideal[kept] - centre, np.asarray(lines, float), expected[kept], rms, float(np.degrees(turn(lattice))))


def _refined(lattice: Lattice, indices: Floats, places: Floats, near: NDArray[np.bool_]) -> Lattice:
    """The lattice with the steps that the lines show in the middle of the detector, where it is not distorted."""
    design = np.column_stack([np.ones(near.sum()), indices[near]])
    origin, first, second = np.linalg.lstsq(design, places[near], rcond=None)[0]
    return replace(lattice, origin=origin, first=first, second=second)


def straighten(traces: Traces, lamp: Images) -> Traces:
    """Correct the traces across the dispersion by the spectra of a white lamp.

    Parameters
    ----------
    traces : from the lasers
    lamp : (y, x), counts, dark subtracted
    """
    places = traces.places.copy()
    scaled = (places.mean(axis=1) - 1023.5) / 1024.0
    for n in range(len(traces.lines)):
        offset, bright = across(lamp, places[:, n])
        good = (bright > LIT * np.median(bright)) & (np.abs(offset) < 1.0)
        if good.sum() > 1000:
            design = monomials(scaled, 4)
            places[:, n, 1] += design @ np.linalg.lstsq(design[good], offset[good], rcond=None)[0]
    return Traces(traces.ideal, traces.lines, places, traces.rms, traces.turn)


def _inside(places: Floats, side: int) -> NDArray[np.bool_]:
    """Lenslets all of whose lines are on the detector."""
    return np.asarray(((places > 3) & (places < side - 4)).all(axis=(1, 2)))


def _mapped(
    scaled: Floats, found: Floats, good: NDArray[np.bool_], expected: Floats, degree: int
) -> tuple[Floats, float]:
    """A smooth map of where one line was found, and the scatter about it along y, px."""
    design = monomials(scaled, degree)
    use = good & np.isfinite(found).all(axis=1)
    left = np.zeros(len(found))
    for _ in range(3):
        if use.sum() < 10 * design.shape[1]:
            raise Unprocessable(f"only {int(use.sum())} lenslets show the lasers")
        model = design @ np.linalg.lstsq(design[use], found[use], rcond=None)[0]
        left = np.hypot(*(found - model).T)
        use = good & (left < max(4 * 1.4826 * np.median(left[use]), 0.02))
    return model, float((found - model)[use, 0].std())


def monomials(scaled: Floats, degree: int) -> Floats:
    """Products of powers of both coordinates up to a total degree, (n, terms)."""
    y, x = scaled.T
    return np.stack([y**i * x**j for i in range(degree + 1) for j in range(degree + 1 - i)], axis=1)


def centroids(image: Images, expected: Floats) -> tuple[Floats, Floats]:
    """Centre of each spot near where it is expected, (n, 2) px (y, x), and its brightness; NaN where it is lost."""
    found, bright = np.empty((len(expected), 2)), np.empty(len(expected))
    _centroids(image, np.ascontiguousarray(expected), found, bright, SPOT_SIGMA)
    return found, bright


def across(image: Images, expected: Floats) -> tuple[Floats, Floats]:
    """How far each trace is from where it is expected, along x, (n,) px, and its brightness."""
    offset, bright = np.empty(len(expected)), np.empty(len(expected))
    _across(image, np.ascontiguousarray(expected), offset, bright, SPOT_SIGMA)
    return offset, bright


@numba.njit(nogil=True, cache=True)
def _centroids(image, expected, found, bright, sigma):  # type: ignore[no-untyped-def]
    """Gaussian-weighted centroids; the step is doubled, as the weight halves it, and repeated until it is nothing."""
    ny, nx = image.shape
    for n in range(len(expected)):
        y0, x0 = expected[n]
        flux = 0.0
        for _ in range(12):
            top, left = round(y0) - 3, round(x0) - 2
            if top < 0 or top + 7 > ny or left < 0 or left + 5 > nx:
                flux = 0.0
                break
            flux, dy, dx = 0.0, 0.0, 0.0
            for y in range(top, top + 7):
                for x in range(left, left + 5):
                    w = np.exp(-0.5 * ((y - y0) ** 2 + (x - x0) ** 2) / sigma**2) * image[y, x]
                    flux += w
                    dy += w * (y - y0)
                    dx += w * (x - x0)
            if flux <= 0:
                break
            dy, dx = 2 * dy / flux, 2 * dx / flux
            y0 += min(max(dy, -1.0), 1.0)
            x0 += min(max(dx, -1.0), 1.0)
            if abs(dy) + abs(dx) < 1e-4:
                break
        bright[n] = max(flux, 0.0)
        lost = flux <= 0 or abs(y0 - expected[n, 0]) > 3 or abs(x0 - expected[n, 1]) > 2
        found[n, 0] = np.nan if lost else y0
        found[n, 1] = np.nan if lost else x0


@numba.njit(nogil=True, cache=True)
def _across(image, expected, offset, bright, sigma):  # type: ignore[no-untyped-def]
    ny, nx = image.shape
    for n in range(len(expected)):
        y0, x0 = expected[n]
        row = round(y0)
        flux = 0.0
        for _ in range(12):
            left = round(x0) - 2
            if row < 1 or row >= ny - 1 or left < 0 or left + 5 > nx:
                flux = 0.0
                break
            flux, dx = 0.0, 0.0
            for y in range(row - 1, row + 2):
                for x in range(left, left + 5):
                    w = np.exp(-0.5 * (x - x0) ** 2 / sigma**2) * image[y, x]
                    flux += w
                    dx += w * (x - x0)
            if flux <= 0:
                break
            dx = min(max(2 * dx / flux, -1.0), 1.0)
            x0 += dx
            if abs(dx) < 1e-4:
                break
        bright[n] = max(flux, 0.0)
        offset[n] = x0 - expected[n, 1] if flux > 0 else np.inf
