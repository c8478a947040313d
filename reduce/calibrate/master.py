"""Master calibrations: images made of raw lamp and dark frames, with figures that say how good they are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from lyot.errors import BadInput


@dataclass(frozen=True, eq=False)
class Master:
    """A calibration: named planes of numbers, and figures of quality.

    Parameters
    ----------
    need : str
        What it serves, as `background 16 s OPEN` or `flat`.
    planes : name → array
        `VALUE` (y, x) and `BAD` (y, x) for images; those of wavelength solutions say themselves what they are.
    quality : name → number
        `read_noise` (electrons), `rms`, `bad_fraction`, `wavelength_rms` (nm)…
    """

    need: str
    planes: Mapping[str, NDArray[Any]]
    quality: Mapping[str, float] = field(default_factory=dict)

    def to_fits(self, cards: Mapping[str, tuple[Any, str]] | None = None) -> bytes:
        """The bytes of a FITS file: one image extension a plane, figures in the primary header."""
        primary = fits.PrimaryHDU()
        primary.header["HIERARCH LYOT NEED"] = (self.need, "what it calibrates")
        for keyword, (value, comment) in (cards or {}).items():
            primary.header[f"HIERARCH {keyword}"] = (value, comment)
        for name, value in self.quality.items():
            primary.header[f"HIERARCH LYOT QC {name.upper().replace('_', ' ')}"] = float(value)
        hdus: list[Any] = [primary]
        for name, plane in self.planes.items():
            stored = plane.astype(np.uint8) if plane.dtype == np.bool_ else plane
            hdus.append(fits.ImageHDU(stored, name=name))
        buffer = io.BytesIO()
        fits.HDUList(hdus).writeto(buffer)
        return buffer.getvalue()

    @classmethod
    def from_fits(cls, data: bytes) -> Master:
        """The master of a FITS file.

        Raises
        ------
        BadInput
            If it is none of ours.
        """
        with fits.open(io.BytesIO(data), memmap=False) as hdus:
            header = hdus[0].header
            if "LYOT NEED" not in header:
                raise BadInput("no master calibration: its header has no card LYOT NEED")
            planes = {hdu.name: _native(hdu.data, hdu.name == "BAD") for hdu in hdus[1:]}
            quality = {
                key.removeprefix("LYOT QC ").lower().replace(" ", "_"): float(header[key])
                for key in header
                if key.startswith("LYOT QC ")
            }
            return cls(header["LYOT NEED"], planes, quality)


def _native(values: NDArray[Any], mask: bool) -> NDArray[Any]:
    return values.astype(bool if mask else values.dtype.newbyteorder("="))
