"""Level 1 on disk: one FITS file that holds a `Cube`.

Primary (wave, time, y, x) float32; BINTABLE `FRAMES` (time, angle, brightness, more when known), BINTABLE `WAVELENGTHS`
(wavelength, star flux and its error, FWHM), IMAGE `PSF` (wave, y, x) when there is one. The header of the frames it
came from is kept.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning

from lyot.cube import Cube
from lyot.errors import BadInput

#: Cards that say how a unit is stored, not what it holds.
STRUCTURAL = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTEND|EXTNAME|EXTVER|EXTLEVEL|INHERIT|BZERO|BSCALE|BLANK|CHECKSUM"
    r"|DATASUM|END"
)
#: Cards that place the input's pixels on the sky: of frames that are cut, moved and not turned they would say wrong.
WORLD = re.compile(
    r"WCSAXES\w?|W(CSNAME|CAX)\w*|C(RPIX|RVAL|DELT|ROTA|TYPE|UNIT)\d+\w?|(CD|PC)\d+_\d+\w?|(CD|PC)\d{6}"
    r"|LTV\d|LTM\d_\d|L(ON|AT)POLE\w?"
)


def write_cube(
    cube: Cube,
    header: fits.Header | None = None,
    cards: dict[str, tuple[Any, str]] | None = None,
    columns: Sequence[fits.Column] = (),
) -> bytes:
    """The bytes of a Level 1 file.

    Holds `cube`, the cards of `header`, `cards` of our own with their comments, and further `columns` of `FRAMES`. One
    of these, `FLAG`, says why a frame is unfit, and is empty when it is not.
    """
    primary = fits.PrimaryHDU(cube.frames)
    for card in (header.cards if header is not None else ()):
        if not STRUCTURAL.fullmatch(card.keyword) and not WORLD.fullmatch(card.keyword):
            primary.header.append(card, end=True)
    own = {
        "LYOT LEVEL": (1, "calibrated, centred frames (wave, time, y, x)"),
        "LYOT PIXSCALE": (cube.pixel_scale, "[mas/px] pixel scale"),
        "LYOT STAR X": (cube.star[1], "[px] star, zero-based"),
        "LYOT STAR Y": (cube.star[0], "[px] star, zero-based"),
        **(cards or {}),
    }
    if cube.psf_normalised is not None:
        own["LYOT PSF NORMALISED"] = (cube.psf_normalised, "unit flux where STAR_FLUX was measured")
    for keyword, (value, comment) in own.items():
        primary.header[f"HIERARCH {keyword}"] = (value, comment)
    nwave, ntime = cube.frames.shape[:2]
    nothing = np.full(ntime, np.nan)
    frames = fits.BinTableHDU.from_columns(
        [
            fits.Column("TIME", "D", unit="d", array=nothing if cube.times is None else cube.times),
            fits.Column("ANGLE", "D", unit="deg", array=cube.angles),
            *_brightness(cube),
            *columns,
        ],
        name="FRAMES",
    )
    unknown = np.full(nwave, np.nan)
    wavelengths = fits.BinTableHDU.from_columns(
        [
            fits.Column("WAVELENGTH", "D", unit="um", array=cube.wavelengths),
            fits.Column("STAR_FLUX", "D", unit="count", array=unknown if cube.star_flux is None else cube.star_flux),
            fits.Column("STAR_FLUX_ERROR", "D", unit="count",
                        array=unknown if cube.star_flux_error is None else cube.star_flux_error),
            fits.Column("FWHM", "D", unit="pixel", array=unknown if cube.fwhm is None else cube.fwhm),
        ],
        name="WAVELENGTHS",
    )
    hdus: list[Any] = [primary, frames, wavelengths]
    if cube.psf is not None:
        hdus.append(fits.ImageHDU(cube.psf, name="PSF"))
    buffer = io.BytesIO()
    with warnings.catch_warnings():  # raw cards with long comments, once their values are written as FITS wants them
        warnings.filterwarnings("ignore", "Card is too long, comment will be truncated", VerifyWarning)
        fits.HDUList(hdus).writeto(buffer, output_verify="silentfix")
    return buffer.getvalue()


def _brightness(cube: Cube) -> list[fits.Column]:
    """The column `BRIGHTNESS` of `FRAMES`, a value a wavelength, when there is one."""
    if cube.brightness is None:
        return []
    return [fits.Column("BRIGHTNESS", f"{len(cube.wavelengths)}D", array=cube.brightness.T)]


def read_cube(data: bytes) -> Cube:
    """The `Cube` of a Level 1 file, without the frames that are flagged in it.

    Raises
    ------
    BadInput
        If it is no Level 1 file.
    """
    try:
        with fits.open(io.BytesIO(data), memmap=False) as hdus:
            header = hdus[0].header
            frames, wavelengths = hdus["FRAMES"].data, hdus["WAVELENGTHS"].data
            cube = Cube(
                frames=hdus[0].data,
                angles=frames["ANGLE"],
                wavelengths=wavelengths["WAVELENGTH"],
                pixel_scale=header["LYOT PIXSCALE"],
                psf=hdus["PSF"].data if "PSF" in hdus else None,
                star_flux=_known(wavelengths["STAR_FLUX"]),
                star_flux_error=(
                    _known(wavelengths["STAR_FLUX_ERROR"]) if "STAR_FLUX_ERROR" in wavelengths.names else None
                ),
                brightness=(
                    frames["BRIGHTNESS"].reshape(len(frames), -1).T if "BRIGHTNESS" in frames.names else None
                ),
                times=_known(frames["TIME"]),
                fwhm=_known(wavelengths["FWHM"]),
                psf_normalised=header.get("LYOT PSF NORMALISED"),
            )
            fit = np.array([not str(flag).strip() for flag in frames["FLAG"]]) if "FLAG" in frames.names else None
            return cube if fit is None or fit.all() else cube.select(fit)
    except KeyError as error:
        raise BadInput(f"no Level 1 file: {error.args[0]}") from None
    except OSError as error:
        raise BadInput(f"no FITS file: {error}") from None


def _known(column: Any) -> Any:
    """The column, or None when it says nothing."""
    values = np.array(column, dtype=float)
    return None if np.isnan(values).all() else values
