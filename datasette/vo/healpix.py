"""Cells of the sky: HEALPix in the nested order (Górski et al. 2005, ApJ 622, 759), and maps of coverage in them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator

import numpy as np
from astropy.io import fits


def cell(ra: float, dec: float, order: int) -> int:
    """Number of the cell of order `order` (0 to 29) that holds a place (deg), nested."""
    side = 1 << order
    z, quarter = math.sin(math.radians(dec)), (ra % 360.0) / 90.0
    if abs(z) <= 2.0 / 3.0:
        rising, falling = side * (0.5 + quarter) - 0.75 * side * z, side * (0.5 + quarter) + 0.75 * side * z
        up, down = int(rising), int(falling)  # lines that climb, and that sink, towards larger ra
        face = _face_of_belt(up >> order, down >> order)
        x, y = down & (side - 1), side - (up & (side - 1)) - 1
    else:
        base = min(3, int(quarter))
        across = quarter - base
        # 1 − |z| loses its digits near a pole
        from_pole = side * math.sqrt(6.0) * abs(math.sin(math.radians((90.0 - abs(dec)) / 2.0)))
        up, down = min(side - 1, int(across * from_pole)), min(side - 1, int((1.0 - across) * from_pole))
        face, x, y = (base, side - down - 1, side - up - 1) if z >= 0 else (base + 8, up, down)
    return face * side * side + (_spread(x) | _spread(y) << 1)


def _face_of_belt(up: int, down: int) -> int:
    """Which of the twelve large cells: of the belt, or where one of the caps reaches into it."""
    if up == down:
        return (up & 3) | 4
    return up & 3 if up < down else (down & 3) + 8


def moc(fields: Iterable[tuple[float, float, float | None]], order: int) -> bytes:
    """The cells that fields touch, as a MOC 2.0 in FITS.

    Parameters
    ----------
    fields : of (ra, dec, radius)
        Circles, deg, ICRS; of one whose radius is not known, the cell of its middle. They are small against a cell.
    order : int
        0 to 29.
    """
    touched = set[int]().union(*(_touched(ra, dec, radius or 0.0, order) for ra, dec, radius in fields))
    cells = sorted(4 ** (order + 1) + number for number in touched)
    table = fits.BinTableHDU.from_columns([fits.Column("UNIQ", "K", array=np.array(cells, dtype=np.int64))], name="MOC")
    cards = {
        "MOCVERS": "2.0", "MOCDIM": "SPACE", "ORDERING": "NUNIQ", "COORDSYS": "C", "MOCORD_S": order,
        "MOCORDER": order, "PIXTYPE": "HEALPIX", "MOCTOOL": "Lyot",
    }  # fmt: skip
    table.header.update(cards)
    made = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(made)
    return made.getvalue()


def _touched(ra: float, dec: float, radius: float, order: int) -> set[int]:
    """Cells that a circle touches: most lie in one, as the corners of the square around them show."""
    found = {cell(ra, dec, order)}
    if radius:
        found |= {cell(*place, order) for place in _ring(ra, dec, math.sqrt(2.0) * radius, range(0, 360, 90))}
    if len(found) == 1:
        return found
    return {cell(ra, dec, order)} | {cell(*place, order) for place in _ring(ra, dec, radius, range(5, 360, 10))}


def _ring(ra: float, dec: float, radius: float, bearings: Iterable[int]) -> Iterator[tuple[float, float]]:
    """Places (ra, dec) on a small circle, in the plane that touches the sphere in its middle; all in deg."""
    (sin_ra, cos_ra), (sin_dec, cos_dec) = ((math.sin(one), math.cos(one)) for one in map(math.radians, (ra, dec)))
    far = math.tan(math.radians(radius))
    for bearing in map(math.radians, bearings):
        north, east = far * math.cos(bearing), far * math.sin(bearing)
        out = cos_dec - north * sin_dec
        x, y, z = out * cos_ra - east * sin_ra, out * sin_ra + east * cos_ra, sin_dec + north * cos_dec
        yield math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))


def _spread(number: int) -> int:
    """Bits of a number with a zero before each."""
    return int(f"{number:b}", 4)
