"""Where the stars are on the sky, as a drawing without script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from lyot.site.paths import line as line_through
from lyot.site.paths import tenth

WIDTH, HEIGHT = 720.0, 360.0
FINE = 2000  # stars; of more, those that fall on one pixel are drawn once


def line(places: Sequence[tuple[float, float]]) -> str:
    """Path data through places (x, y) of the map."""
    return line_through(*np.array(places).T)


def place(ra: float, dec: float) -> tuple[float, float]:
    """Pixel (x, y) of a direction (deg): Hammer's equal-area projection, RA 0 in the middle and growing to the left."""
    longitude = math.radians((ra + 180.0) % 360.0 - 180.0) / 2.0
    latitude = math.radians(dec)
    depth = math.sqrt(1.0 + math.cos(latitude) * math.cos(longitude))
    x = math.cos(latitude) * math.sin(longitude) / depth
    y = math.sin(latitude) / depth
    return WIDTH / 2 * (1.0 - x), HEIGHT / 2 * (1.0 - y)


def stars(places: Iterable[tuple[float, float]]) -> str:
    """Path data of a dot at each direction (ra, dec; deg)."""
    found = [place(ra, dec) for ra, dec in places]
    step = 10 if len(found) <= FINE else 1
    pixels = dict.fromkeys((round(x * step) * 10 // step, round(y * step) * 10 // step) for x, y in found)
    return "".join(f"M{tenth(x)} {tenth(y)}h0" for x, y in pixels)


def grid() -> str:
    """Path data of meridians every three hours and parallels every 30°; the whole turn is drawn a little short."""
    meridians = [[place(ra, dec) for dec in range(-90, 91, 6)] for ra in (*range(45, 180, 45), *range(225, 360, 45), 0)]
    parallels = [[place(180.01 + step * 359.98 / 60, dec) for step in range(61)] for dec in range(-60, 61, 30)]
    return "".join(line(path) for path in (*meridians, *parallels))


def outline() -> str:
    """Path data of the edge of the sky."""
    edge = [place(180.001, dec) for dec in range(-90, 91, 3)] + [place(179.999, dec) for dec in range(90, -91, -3)]
    return line(edge) + "z"


def galactic_plane() -> str:
    """Path data of the galactic equator, after the IAU 1958 pole in ICRS (ESA 1997, Hipparcos vol. 1, §1.5.3)."""
    pole_ra, pole_dec, node = map(math.radians, (192.85948, 27.12825, 32.93192))
    points = []
    for degrees in range(0, 361, 4):
        angle = math.radians(degrees) - node
        dec = math.asin(math.cos(pole_dec) * math.sin(angle))
        ra = pole_ra + math.atan2(math.cos(angle), -math.sin(pole_dec) * math.sin(angle))
        points.append(place(math.degrees(ra) % 360.0, math.degrees(dec)))
    pieces, piece = [], points[:1]
    for before, after in pairwise(points):
        if abs(after[0] - before[0]) > WIDTH / 3:  # over the edge
            pieces.append(piece)
            piece = []
        piece.append(after)
    return "".join(line(one) for one in [*pieces, piece] if one)
