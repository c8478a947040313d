"""The hexagonal lattice of the IFS lenslets on its detector, found in a frame of the calibration lasers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter, uniform_filter

from lyot.cube import Floats, Images
from lyot.errors import Unprocessable
from lyot.instruments.sphere_frames import LENSLETS

CENTRAL = 512  # px, half of the part of the detector that the lattice is looked for in
FAR = 120  # px, farthest shift that the lattice is measured by
CELL = 32  # samples along each step of the lattice
STRANGE = 3.0  # px, most that a line may be from its usual place in a spectrum
APART = 2.5  # px, least distance of two lines from each other
WORTH = 3.0  # how much brighter than between them the lines must be


@dataclass(frozen=True, eq=False)
class Lattice:
    """Lenslet (a, b) puts the light of the middle line at origin + a · first + b · second, px (y, x).

    `shifts`, (line, 2) px (y, x), say how far from it the other lines are.
    """

    origin: Floats
    first: Floats
    second: Floats
    shifts: Floats

    def lenslets(self, side: int, margin: float = 4.0) -> Floats:
        """Indices (a, b) of the lenslets whose middle line falls on a detector of `side` px, (n, 2)."""
        reach = int(2 * side / LENSLETS.pitch)
        a, b = (n.ravel() for n in np.mgrid[-reach : reach + 1, -reach : reach + 1])
        places = self.places(np.stack([a, b], axis=1))
        inside = ((places > -margin) & (places < side - 1 + margin)).all(axis=1)
        return np.stack([a, b], axis=1)[inside].astype(float)

    def places(self, indices: Floats) -> Floats:
        """Where lenslets put the middle line, (n, 2) px (y, x)."""
        found: Floats = self.origin + indices @ np.stack([self.first, self.second])
        return found

    def ideal(self, indices: Floats) -> Floats:
        """Lenslets on an undistorted lattice of the nominal pitch, its rows along x, (n, 2) px (y, x).

        The lenslets, not the detector, sample the sky: images of the IFS are upright on the lattice, which is turned
        by about −11° on the detector.
        """
        angle = direction(self) - turn(self)
        steps = [[np.sin(t), np.cos(t)] for t in (angle, angle + np.pi / 3)]
        found: Floats = indices @ (LENSLETS.pitch * np.array(steps))
        return found


def direction(lattice: Lattice) -> float:
    """Direction of the first step from +x, counter-clockwise, rad, by both steps."""
    first = np.arctan2(*lattice.first)
    second = np.arctan2(*lattice.second) - np.pi / 3
    return float(np.angle(np.exp(1j * first) + np.exp(1j * second)))


def turn(lattice: Lattice) -> float:
    """Direction of a row of lenslets from +x, counter-clockwise, rad: of the six, that nearest to the model's."""
    sixth, usual = np.pi / 3, np.radians(LENSLETS.rotation)
    return float(usual + (direction(lattice) - usual + sixth / 2) % sixth - sixth / 2)


def find_lattice(laser: Images, usual: Floats) -> Lattice:
    """The lattice in a frame of lasers: its steps from what the frame has in common with itself.

    Parameters
    ----------
    laser : (y, x), counts, dark subtracted
    usual : (line,), px
        How far along the dispersion each line usually is from the middle one.

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
    start, shifts = _ordered(_peaks(cell, len(usual), first, second), first, second, usual)
    return Lattice(start + middle, first, second, shifts)


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


def _ordered(peaks: Floats, first: Floats, second: Floats, usual: Floats) -> tuple[Floats, Floats]:
    """Which spot is which line: the order, and the lenslets, in which they are as far apart as usual.

    Returns
    -------
    (2,) px (y, x), the middle line from the middle of the image
    (line, 2) px (y, x), the lines from the middle one
    """
    turns = np.stack([n.ravel() for n in np.mgrid[-5:6, -5:6]], axis=1) @ np.stack([first, second])
    best, found = np.inf, (np.zeros(2), np.zeros((len(usual), 2)))
    for order in permutations(range(len(peaks))):
        start = peaks[order[len(order) // 2]]
        shifts = np.empty((len(usual), 2))
        for n, (line, shift) in enumerate(zip(order, usual, strict=True)):
            places = peaks[line] - start + turns
            shifts[n] = places[np.argmin(np.hypot(*(places - [shift, 0]).T))]
        off = float(np.hypot(*(shifts - np.stack([usual, np.zeros(len(usual))], axis=1)).T).max())
        if off < best:
            best, found = off, (start, shifts)
    if best > STRANGE:
        raise Unprocessable(f"the lasers are {best:.1f} px from where they usually are in a spectrum")
    return found
