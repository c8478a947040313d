"""Where the star behind the coronagraph is, from the four satellite spots that the deformable mirror makes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, median_filter
from scipy.optimize import least_squares
from scipy.signal import fftconvolve

from lyot.cube import Floats, Images
from lyot.errors import Unprocessable
from lyot.instruments.sphere_frames import PUPIL_DIAMETER, SPOT_CYCLES

HIGH_PASS = 15  # px
BOX = 8  # px, half of the box that a spot is fitted in
SEARCH = 15  # px around the expected place of the star
WORTH = 4.0  # a spot stands out of the noise by so much, or is none
BESIDE = 0.05  # of its height; what differs from a spot by more, a planet beside it, counts for less


@dataclass(frozen=True, eq=False)
class Spots:
    """The four spots of one frame and the star in their middle.

    Parameters
    ----------
    star : (y, x), px
    error : px, 1σ
    places : (4, 2), px, (y, x) counter-clockwise from the one nearest `angle`; NaN by the method of symmetry
    angle : deg, from +x to the first spot, counter-clockwise
    method : `spots` or `symmetry`
    """

    star: tuple[float, float]
    error: float
    places: Floats
    angle: float
    method: str

    @property
    def radius(self) -> float:
        """Mean distance of opposite spots, halved, px."""
        apart = self.places[:2] - self.places[2:]
        return float(np.hypot(*apart.T).mean() / 2)


def spot_radius(wavelength: float, pixel_scale: float) -> float:
    """Distance of the spots from the star, px; wavelength µm, pixel scale mas/px."""
    return float(SPOT_CYCLES * math.degrees(wavelength * 1e-6 / PUPIL_DIAMETER) * 3.6e6 / pixel_scale)


def find_spots(
    image: Images, guess: tuple[float, float], radius: float, angle: float | None, gate: float = 0.7
) -> Spots:
    """The star between its four spots: intersection of the diagonals of four fitted Gaussians.

    When that is uncertain by more than `gate`, the centre of symmetry is tried too, and the better of both kept.

    Parameters
    ----------
    image : (y, x), counts
    guess : (y, x), px
        Where the star is expected, within 15 px.
    radius : float, px
        Expected distance of the spots.
    angle : float, deg, or None
        Expected direction of a spot from +x; None looks in all directions.
    gate : float, px

    Raises
    ------
    Unprocessable
        If there are no four spots.
    """
    top, left, cut = _high_passed(image, guess, radius)
    found, direction = _locate(cut, (guess[0] - top, guess[1] - left), radius, angle)
    fitted = _by_spots(cut, found, radius, direction)
    if fitted.error > gate:
        other = _by_symmetry(cut, found, radius, direction)
        fitted = min(fitted, other, key=lambda one: one.error)
    offset = np.array([top, left], float)
    star = (fitted.star[0] + top, fitted.star[1] + left)
    return Spots(star, fitted.error, fitted.places + offset, fitted.angle, fitted.method)


def combine(found: list[Spots], dithers: list[tuple[float, float]]) -> tuple[tuple[float, float], float]:
    """The star without dither, and its error, from several frames: star = place without dither + dither.

    Parameters
    ----------
    found : spots of each frame
    dithers : (x, y) of each frame, px

    Returns
    -------
    star : (y, x), px
    error : px, 1σ of the mean
    """
    places = np.array([one.star for one in found]) - np.array([(y, x) for x, y in dithers])
    weights = 1.0 / np.array([max(one.error, 0.02) for one in found]) ** 2
    middle = np.median(places, axis=0)
    near = np.hypot(*(places - middle).T) <= max(1.0, 3 * float(np.median(np.hypot(*(places - middle).T))))
    mean = (places[near] * weights[near, None]).sum(axis=0) / weights[near].sum()
    away = np.hypot(*(places[near] - mean).T)
    spread = math.sqrt(float(away @ away) / max(1, near.sum() - 1) / 2)  # of one coordinate
    stated = float(np.median([one.error for one, kept in zip(found, near, strict=True) if kept]))
    return (float(mean[0]), float(mean[1])), max(spread, stated) / math.sqrt(near.sum())


def _high_passed(image: Images, guess: tuple[float, float], radius: float) -> tuple[int, int, Images]:
    """The part of the image around the spots, without its smooth light; its first row and column."""
    half = math.ceil(radius + SEARCH + 2 * BOX)
    top, left = max(0, round(guess[0]) - half), max(0, round(guess[1]) - half)
    cut = np.nan_to_num(image[top : round(guess[0]) + half + 1, left : round(guess[1]) + half + 1])
    if min(cut.shape) < 2 * radius:
        raise Unprocessable(f"the spots {radius:.0f} px around {guess} are outside the frame of {image.shape}")
    return top, left, np.asarray(cut - median_filter(cut, HIGH_PASS), np.float32)


def _offsets(radius: float, angle: float) -> Floats:
    """The four spots relative to the star, (4, 2), px (y, x)."""
    direction = np.radians(angle + 90.0 * np.arange(4))
    return np.stack([radius * np.sin(direction), radius * np.cos(direction)], axis=1)


def _locate(
    cut: Images, guess: tuple[float, float], radius: float, angle: float | None
) -> tuple[tuple[float, float], float]:
    """The star to a pixel, and the direction of its spots: where the faintest of four smoothed spots is brightest."""
    smooth = np.pad(gaussian_filter(cut, 1.5), SEARCH, constant_values=-np.inf)
    directions = np.arange(0.0, 90.0, 2.0) if angle is None else angle + np.arange(-6.0, 6.1, 2.0)
    base = np.round(guess).astype(int)
    best, found = -np.inf, ((0.0, 0.0), 0.0)
    for direction in directions:
        faintest = np.full((2 * SEARCH + 1, 2 * SEARCH + 1), np.inf)
        for dy, dx in np.round(_offsets(radius, direction)).astype(int):
            y, x = base[0] + dy, base[1] + dx
            if not (0 <= y < cut.shape[0] and 0 <= x < cut.shape[1]):
                faintest[:] = -np.inf
                break
            np.minimum(faintest, smooth[y : y + 2 * SEARCH + 1, x : x + 2 * SEARCH + 1], out=faintest)
        j, i = np.unravel_index(np.argmax(faintest), faintest.shape)
        if faintest[j, i] > best:
            best = float(faintest[j, i])
            found = ((float(base[0] + j - SEARCH), float(base[1] + i - SEARCH)), float(direction))
    finite = smooth[np.isfinite(smooth)]
    noise = 1.4826 * float(np.median(np.abs(finite - np.median(finite))))
    if best < WORTH * noise:
        raise Unprocessable(
            f"no four satellite spots {radius:.1f} px around the star: the faintest is {best / max(noise, 1e-9):.1f} σ"
        )
    return found


def _by_spots(cut: Images, star: tuple[float, float], radius: float, angle: float) -> Spots:
    fits = [_fit_spot(cut, star[0] + dy, star[1] + dx) for dy, dx in _offsets(radius, angle)]
    places = np.array([fit[:2] for fit in fits])
    alone = np.array([fit[2] for fit in fits])
    middle = _crossing(places)
    # The diagonals of an undisturbed square halve each other where they cross.
    halves = (places[:2] + places[2:]) / 2
    apart = float(np.hypot(*(halves[0] - halves[1])) / 2)
    far = float(np.abs(np.hypot(*(places - middle).T) - radius).max())
    error = math.hypot(apart, float(np.sqrt((alone**2).sum()) / 4))
    if not np.isfinite(error) or far > 0.2 * radius:
        error = math.inf
    direction = math.degrees(math.atan2(places[0, 0] - middle[0], places[0, 1] - middle[1]))
    return Spots((float(middle[0]), float(middle[1])), error, places, direction, "spots")


def _fit_spot(cut: Images, y0: float, x0: float) -> tuple[float, float, float]:
    """Place of one spot by a round Gaussian on a constant, and the error of each coordinate, px."""
    top, left = max(0, round(y0) - BOX), max(0, round(x0) - BOX)
    box = cut[top : round(y0) + BOX + 1, left : round(x0) + BOX + 1].astype(float)
    y, x = np.indices(box.shape)
    near = np.hypot(y + top - y0, x + left - x0) < BOX / 1.5
    peak = np.unravel_index(np.argmax(np.where(near, box, -np.inf)), box.shape)
    height = max(float(box[peak]), 1e-6)

    def misfit(p: Floats) -> Floats:
        model = p[0] * np.exp(-0.5 * ((y - p[1]) ** 2 + (x - p[2]) ** 2) / p[3] ** 2) + p[4]
        return np.asarray((model - box) / height).ravel()

    fit = least_squares(misfit, [height, *peak, 1.8, 0.0], x_scale=[height, 1, 1, 1, height], loss="soft_l1",
                        f_scale=BESIDE, max_nfev=60)
    freedom = box.size - 5
    normal = fit.jac.T @ fit.jac
    if np.linalg.cond(normal) > 1e14 or not 0.4 < abs(fit.x[3]) < BOX:
        return y0, x0, math.inf
    scatter = np.linalg.inv(normal) * (2 * fit.cost / freedom)
    return float(fit.x[1] + top), float(fit.x[2] + left), float(np.sqrt((scatter[1, 1] + scatter[2, 2]) / 2))


def _crossing(places: Floats) -> Floats:
    """Where the lines 0–2 and 1–3 cross."""
    first, second = places[2] - places[0], places[3] - places[1]
    along = np.linalg.solve(np.stack([first, -second], axis=1), places[1] - places[0])
    crossing: Floats = places[0] + along[0] * first
    return crossing


def _by_symmetry(cut: Images, star: tuple[float, float], radius: float, angle: float) -> Spots:
    """The point about which the spots are most like themselves turned by half."""
    offsets = _offsets(radius, angle)
    pairs = [_symmetric(cut, star, offsets[[n, n + 2]]) for n in (0, 1)]
    middle = _symmetric(cut, star, offsets)
    error = float(np.hypot(*(pairs[0] - pairs[1])) / 2)
    return Spots((float(middle[0]), float(middle[1])), error, np.full((4, 2), np.nan), angle, "symmetry")


def _symmetric(cut: Images, star: tuple[float, float], offsets: Floats) -> Floats:
    y, x = np.indices(cut.shape)
    near: NDArray[np.bool_] = np.zeros(cut.shape, bool)
    for dy, dx in offsets:
        near |= np.hypot(y - star[0] - dy, x - star[1] - dx) < BOX
    image = np.where(near, cut, 0.0)
    like = fftconvolve(image, image)  # at 2c it is the product of the image and itself turned about c
    j, i = (round(2 * place) for place in star)
    around = like[j - 6 : j + 7, i - 6 : i + 7]
    m, n = (int(np.clip(at, 1, 11)) for at in np.unravel_index(np.argmax(around), around.shape))

    def vertex(below: float, at: float, above: float) -> float:
        bend = below - 2 * at + above
        return 0.5 * (below - above) / bend if bend < 0 else 0.0

    dy = vertex(around[m - 1, n], around[m, n], around[m + 1, n])
    dx = vertex(around[m, n - 1], around[m, n], around[m, n + 1])
    return np.array([j - 6 + m + dy, i - 6 + n + dx]) / 2
