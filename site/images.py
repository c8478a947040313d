"""Pixels of released reductions as small pictures that a browser shows."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from PIL import Image

from lyot.cube import star_position
from lyot.errors import BadInput

Plane = NDArray[np.float32]
SIDE = 480  # px, of the picture's longer side
# Anchors of the colours, dark to light: black, deep blue, violet, ember, straw; lightness grows evenly.
ANCHORS = np.array(
    [
        (4, 6, 14), (17, 24, 58), (58, 28, 92), (124, 36, 96),
        (190, 62, 72), (236, 118, 48), (252, 190, 92), (255, 246, 214),
    ],
    dtype=float,
)


@dataclass(frozen=True)
class Picture:
    """A plane as a WebP file, with what places marks on it.

    `width`, `height` are pixels of the detector plane; `star` is its (x, y) there.
    """

    data: bytes
    width: int
    height: int
    star: tuple[float, float]


def planes(data: bytes, name: str) -> NDArray[np.float32] | None:
    """Planes (n, y, x) of one extension of an HCI-FITS file; None when the file has none of that name.

    Raises
    ------
    BadInput
        If `data` is no FITS file.
    """
    try:
        with fits.open(io.BytesIO(data), memmap=False) as hdus:
            if name not in hdus or hdus[name].data is None:
                return None
            values = np.asarray(hdus[name].data, dtype=np.float32)
    except OSError as error:
        raise BadInput(f"a released file is no FITS file: {error}") from None
    return values.reshape(-1, *values.shape[-2:])


def picture(plane: Plane, *, symmetric: bool = False) -> Picture:
    """A plane (y, x), North up, as a WebP picture with North up: row 0 of the plane is its last.

    The stretch is asinh about the median, its knee at the robust rms, so that the noise is seen and a planet does
    not burn out; with `symmetric` it is linear from −2 to 8, for maps of signal to noise.
    """
    ny, nx = plane.shape
    level = np.clip((plane + 2.0) / 10.0, 0.0, 1.0) if symmetric else asinh_stretch(plane)
    colours = colour_table()[np.nan_to_num(np.rint(level * 255)).astype(np.uint8)]
    colours[~np.isfinite(plane)] = (10, 12, 20)
    image = Image.fromarray(colours[::-1].astype(np.uint8), "RGB")
    factor = SIDE / max(ny, nx)
    if factor > 1:
        how = Image.Resampling.BICUBIC if factor < 8 else Image.Resampling.NEAREST
    else:
        how = Image.Resampling.LANCZOS
    image = image.resize((max(1, round(nx * factor)), max(1, round(ny * factor))), how)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=86, method=4)
    star_y, star_x = star_position(plane.shape)
    return Picture(buffer.getvalue(), nx, ny, (star_x, star_y))


def asinh_stretch(plane: Plane) -> NDArray[np.float64]:
    """`plane` to 0…1 by asinh, from 3 robust rms below its median to its 99.9th percentile."""
    known = plane[np.isfinite(plane)].astype(float)
    if not known.size:
        return np.zeros(plane.shape)
    middle = float(np.median(known))
    rms = 1.4826 * float(np.median(np.abs(known - middle))) or float(np.std(known)) or 1.0
    scaled = np.arcsinh((plane.astype(float) - middle) / (3.0 * rms))
    low, high = np.arcsinh(-1.0), max(float(np.arcsinh((np.percentile(known, 99.9) - middle) / (3.0 * rms))), 0.9)
    stretched: NDArray[np.float64] = np.clip((scaled - low) / (high - low), 0.0, 1.0)
    return stretched


def colour_table() -> NDArray[np.float64]:
    """256 colours (256, 3) between the anchors."""
    places = np.linspace(0, 255, len(ANCHORS))
    return np.stack([np.interp(np.arange(256), places, ANCHORS[:, band]) for band in range(3)], axis=1)
