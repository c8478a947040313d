"""The hexagonal lattice of the IFS lenslets on its detector, found in a frame of the calibration lasers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter, uniform_filter

from lyot.cube import Floats, Images
from lyot.errors import Unprocessable
from lyot.instruments.sphere_frames import IFS_CHANNELS, LENSLETS

CENTRAL = 512  # px, half of the part of the detector that the lattice is looked for in
FAR = 120  # px, farthest shift that the lattice is measured by
CELL = 32  # samples along each step of the lattice
APART = 2.5  # px, least distance of two lines from each other
WORTH = 3.0  # how much brighter than between them the lines must be


@dataclass(frozen=True, eq=False)
class Lattice:
    """Lenslet (a, b) puts the light of `reference` µm at origin + a · first + b · second, px (y, x).

    `dispersion` is the step along y and x for 1 µm.
    """

    origin: Floats
    first: Floats
    second: Floats
    reference: float
    dispersion: Floats

    def lenslets(self, side: int, margin: float = 4.0) -> Floats:
        """Indices (a, b) of the lenslets whose reference light falls on a detector of `side` px, (n, 2)."""
        reach = int(2 * side / LENSLETS.pitch)
        a, b = (n.ravel() for n in np.mgrid[-reach : reach + 1, -reach : reach + 1])
        places = self.places(np.stack([a, b], axis=1))
        inside = ((places > -margin) & (places < side - 1 + margin)).all(axis=1)
        return np.stack([a, b], axis=1)[inside].astype(float)

    def places(self, indices: Floats) -> Floats:
        """Where lenslets put the light of the reference wavelength, (n, 2) px (y, x)."""
        found: Floats = self.origin + indices @ np.stack([self.first, self.second])
        return found

    def ideal(self, indices: Floats) -> Floats:
        """Lenslets on an undistorted lattice of the nominal pitch, as it is turned here, (n, 2) px (y, x)."""
        angle = direction(self)
        steps = [[np.sin(t), np.cos(t)] for t in (angle, angle + np.pi / 3)]
        found: Floats = indices @ (LENSLETS.pitch * np.array(steps))
        return found


def direction(lattice: Lattice) -> float:
    """Direction of the first step from +x, counter-clockwise, rad, by both steps."""
    first = np.arctan2(*lattice.first)
    second = np.arctan2(*lattice.second) - np.pi / 3
    return float(np.angle(np.exp(1j * first) + np.exp(1j * second)))


def find_lattice(laser: Images, lines: Floats, wavelengths: tuple[float, float]) -> Lattice:
    """The lattice in a frame of lasers: its steps and the dispersion from what the frame has in common with itself.

    Parameters
    ----------
    laser : (y, x), counts, dark subtracted
    lines : (line,), µm
    wavelengths : ends of the spectra, µm; they say how long a spectrum should be, within a fifth

    Raises
    ------
    Unprocessable
        If no lattice shows all the lines.
    """
    middle = np.array(laser.shape) // 2
    half = min(CENTRAL, *middle)
    part = laser[middle[0] - half : middle[0] + half, middle[1] - half : middle[1] + half]
    flat = part - uniform_filter(part, 31)
    flat = np.clip(flat, 0, np.percentile(flat, 99.8))
    alike = _alike(flat)
    first, second = _steps(alike)
    cell = _folded(gaussian_filter(flat, 0.7), first, second)
    start, dispersion = _ordered(_peaks(cell, len(lines), first, second), first, second, lines, wavelengths)
    return Lattice(start + middle, first, second, float(lines[len(lines) // 2]), dispersion)


def _alike(image: Images) -> Floats:
    """Autocorrelation for shifts up to `FAR` px, as coefficients of a cubic spline; no shift is in the middle."""
    spectrum = rfft2(image - image.mean())
    whole = np.fft.fftshift(irfft2(np.abs(spectrum) ** 2, image.shape))
    middle = whole.shape[0] // 2
    part = whole[middle - FAR : middle + FAR + 1, middle - FAR : middle + FAR + 1]
    return np.asarray(spline_filter(part.astype(float), order=3), dtype=float)


def _sampled(alike: Floats, dy: Floats, dx: Floats) -> Floats:
    return np.asarray(map_coordinates(alike, [FAR + dy, FAR + dx], order=3, prefilter=False), dtype=float)


def _steps(alike: Floats) -> tuple[Floats, Floats]:
    """Two steps of the lattice, 60° apart, (y, x) px: where the image is most like itself, near first, then far."""
    near = [(1.0, 0.0), (3**0.5, 30.0), (2.0, 0.0)]
    far = [(5.0, 0.0), (4 * 3**0.5, 30.0)]
    found = (0.0, 1.0)
    for rings, turns, pitches in (
        (near, np.arange(0, 60, 0.5), np.arange(-0.03, 0.031, 0.005)),
        (far, np.arange(-0.6, 0.61, 0.1), np.arange(-0.006, 0.0061, 0.001)),
        (far, np.arange(-0.1, 0.11, 0.02), np.arange(-0.001, 0.0011, 0.0002)),
    ):
        turn, pitch = np.meshgrid(turns + found[0], pitches + found[1], indexing="ij")
        score = np.zeros(turn.shape)
        for times, offset in rings:
            for sixth in (0.0, 60.0, 120.0):
                t = np.radians(turn + offset + sixth)
                length = LENSLETS.pitch * pitch * times
                score += _sampled(alike, length * np.sin(t), length * np.cos(t))
        j, i = np.unravel_index(np.argmax(score), score.shape)
        found = (float(turn[j, i]), float(pitch[j, i]))
    step = LENSLETS.pitch * found[1]
    first, second = (step * np.array([np.sin(t), np.cos(t)]) for t in np.radians([found[0], found[0] + 60]))
    return first, second


def _folded(smooth: Images, first: Floats, second: Floats) -> Floats:
    """Mean of all cells of the lattice, by fractions of both steps from the middle of the image, (CELL, CELL)."""
    middle = np.array(smooth.shape) / 2
    reach = int(0.8 * middle.min() / LENSLETS.pitch)
    a, b = (n.ravel() for n in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    corners = np.stack([a, b], axis=1) @ np.stack([first, second])
    corners = corners[np.hypot(*corners.T) < 0.8 * middle.min()] + middle
    fractions = np.stack([n.ravel() for n in np.mgrid[0:CELL, 0:CELL] / CELL], axis=1) @ np.stack([first, second])
    mean = [map_coordinates(smooth, (corners + offset).T, order=1).mean() for offset in fractions]
    return np.array(mean).reshape(CELL, CELL)


def _peaks(cell: Floats, count: int, first: Floats, second: Floats) -> Floats:
    """The brightest spots of the cell, (count, 2) px (y, x).

    Raises
    ------
    Unprocessable
        If the faintest of them does not stand out.
    """
    steps = np.stack([first, second])
    places = np.stack([n.ravel() for n in np.mgrid[0:CELL, 0:CELL] / CELL], axis=1)
    left = cell.ravel().copy()
    found: list[Floats] = []
    floor = max(float(np.percentile(cell, 25)), 1e-9)
    for _ in range(count):
        at = int(np.argmax(left))
        if left[at] < WORTH * floor:
            raise Unprocessable(f"only {len(found)} of {count} lasers show in the lattice of lenslets; were they on?")
        away = places - places[at]
        near = np.hypot(*((away - np.round(away)) @ steps).T) < APART
        found.append(places[at] @ steps)
        left[near] = 0.0
    return np.array(found)


def _ordered(
    peaks: Floats, first: Floats, second: Floats, lines: Floats, wavelengths: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Which spot is which line: the order in which they are as far apart as a spectrum is long, one above the other.

    Returns
    -------
    (2,) px (y, x), the reference line from the middle of the image
    (2,) px (y, x), step for 1 µm
    """
    nominal = IFS_CHANNELS / (wavelengths[1] - wavelengths[0])
    away = lines - lines[len(lines) // 2]
    turns = np.stack([n.ravel() for n in np.mgrid[-5:6, -5:6]], axis=1) @ np.stack([first, second])
    best, found = np.inf, (np.zeros(2), np.zeros(2))
    for order in permutations(range(len(peaks))):
        start = peaks[order[len(order) // 2]]
        for sign in (1.0, -1.0):
            gaps = []
            for line, shift in zip(order, away, strict=True):
                places = peaks[line] - start + turns
                gaps.append(places[np.argmin(np.hypot(*(places - [sign * nominal * shift, 0]).T))])
            dispersion = np.array(gaps).T @ away / (away @ away)
            off = np.hypot(*(np.array(gaps) - away[:, None] * dispersion).T).max()
            cost = off + 0.2 * np.hypot(*(dispersion - [sign * nominal, 0])) * np.abs(away).max()
            if cost < best:
                best, found = float(cost), (start, dispersion)
    return found
