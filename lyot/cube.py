"""Calibrated frames of one star, and the conventions of every image in Lyot.

Frames are always `(wave, time, y, x)`. The star stands at `(ny // 2, nx // 2)`, zero-based, pixel centres at
integers. Angles are degrees East of North; in an image with North up, East is left, so angles grow
counter-clockwise. `angles[t]` is the position angle of the +y axis of frame `t`: turning that frame
counter-clockwise by it brings North up, and a source at position angle θ stands in the frame at θ − `angles[t]`,
counter-clockwise from +y.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lyot.errors import BadInput
from lyot.instrument import Coronagraph

Floats = NDArray[np.float64]
Images = NDArray[np.float32]


def star_position(shape: tuple[int, ...]) -> tuple[int, int]:
    """Pixel (y, x) of the star in images of this shape (its last two axes)."""
    return shape[-2] // 2, shape[-1] // 2


@dataclass(frozen=True, eq=False)
class Cube:
    """Calibrated, centred frames of one star with what is needed to reduce and measure them.

    Parameters
    ----------
    frames : (wave, time, y, x), detector counts, float32
        NaN marks a bad pixel; a frame may not be all NaN.
    angles : (time,), deg
        Position angle (East of North) of the +y axis of each frame.
    wavelengths : (wave,), µm
    pixel_scale : float, mas/px
    psf : (wave, y, x), optional
        Image of the star off the coronagraph, any normalisation, odd side, brightest pixel at the middle.
    star_flux : (wave,), counts, optional
        The star's flux in an aperture of diameter 1 FWHM, in the units of `frames`. Without it no contrast exists.
    star_flux_error : (wave,), counts, optional
        Its 1σ error.
    brightness : (wave, time), optional
        How bright the core of any source was in each frame, over its mean: the adaptive optics' doing. Ones if unknown.
    times : (time,), MJD (UTC), optional
        Mid-exposure times.
    fwhm : (wave,), px, optional
        Full width at half maximum of the PSF; measured on `psf` when not given.
    psf_normalised : bool, optional
        Whether `psf` has unit flux in the aperture in which `star_flux` was measured, so that the star is `star_flux`
        times `psf`; else `star_flux` is taken as it stands. When not said, judged by the flux of `psf`.
    coronagraph : Coronagraph, optional
        Takes its part of the light of whatever stands near the star, but not of `psf` and `star_flux`.

    Raises
    ------
    BadInput
        If shapes, units or values do not fit together.
    """

    frames: Images
    angles: Floats
    wavelengths: Floats
    pixel_scale: float
    psf: Images | None = None
    star_flux: Floats | None = None
    times: Floats | None = None
    fwhm: Floats | None = None
    psf_normalised: bool | None = None
    coronagraph: Coronagraph | None = None
    star_flux_error: Floats | None = None
    brightness: Floats | None = None

    def __post_init__(self) -> None:
        set_ = object.__setattr__  # the only place where a Cube is written
        set_(self, "frames", _frames(self.frames))
        nwave, ntime, ny, nx = self.frames.shape
        set_(self, "angles", _vector("angles", self.angles, ntime, "frames"))
        set_(self, "wavelengths", _vector("wavelengths", self.wavelengths, nwave, "channels", positive=True))
        if not (np.isfinite(self.pixel_scale) and self.pixel_scale > 0):
            raise BadInput(f"pixel scale is {self.pixel_scale}, it must be a positive number of mas per pixel")
        set_(self, "pixel_scale", float(self.pixel_scale))
        if self.times is not None:
            set_(self, "times", _vector("times", self.times, ntime, "frames"))
        if self.star_flux is not None:
            flux = np.broadcast_to(np.atleast_1d(np.asarray(self.star_flux, float)), (nwave,))
            set_(self, "star_flux", _vector("star flux", flux, nwave, "channels", positive=True))
        if self.star_flux_error is not None:
            error = np.broadcast_to(np.atleast_1d(np.asarray(self.star_flux_error, float)), (nwave,))
            set_(self, "star_flux_error", _vector("errors of the star flux", error, nwave, "channels"))
        if self.brightness is not None:
            set_(self, "brightness", _brightness(self.brightness, (nwave, ntime)))
        if self.psf is not None:
            set_(self, "psf", _psf(self.psf, nwave, (ny, nx)))
        if self.fwhm is not None:
            fwhm = np.broadcast_to(np.atleast_1d(np.asarray(self.fwhm, float)), (nwave,))
            set_(self, "fwhm", _vector("FWHM", fwhm, nwave, "channels", positive=True))

    @property
    def star(self) -> tuple[int, int]:
        """Pixel (y, x) of the star."""
        return star_position(self.frames.shape)

    def transmission(self, separation: float) -> float:
        """Part of the light of a source at `separation` (px) that the coronagraph lets through; NaN if nobody knows."""
        return 1.0 if self.coronagraph is None else self.coronagraph.transmission(separation * self.pixel_scale)

    @property
    def rotation(self) -> float:
        """Field rotation over the sequence, deg: from the smallest to the largest angle, unwrapped."""
        return float(np.ptp(np.unwrap(self.angles, period=360.0)))

    def brightness_of(self, wave: int) -> Floats:
        """How bright the core of any source was in each frame, over its mean, (time,)."""
        return np.ones(len(self.angles)) if self.brightness is None else self.brightness[wave]

    def select(self, keep: ArrayLike) -> Cube:
        """The same cube with only the frames that `keep` (a mask or indices over time) names."""
        keep = np.asarray(keep)
        return replace(
            self,
            frames=self.frames[:, keep],
            angles=self.angles[keep],
            times=None if self.times is None else self.times[keep],
            brightness=None if self.brightness is None else self.brightness[:, keep],
        )

    def channel(self, wave: int) -> Cube:
        """The same cube at one wavelength."""
        one = slice(wave, wave + 1)

        def of(values: Any) -> Any:
            return None if values is None else values[one]

        return replace(
            self,
            frames=self.frames[one],
            wavelengths=self.wavelengths[one],
            psf=of(self.psf),
            star_flux=of(self.star_flux),
            star_flux_error=of(self.star_flux_error),
            brightness=of(self.brightness),
            fwhm=of(self.fwhm),
        )


def _frames(frames: ArrayLike) -> Images:
    raw = np.asarray(frames)
    if raw.ndim == 3:
        raw = raw[None]
    if raw.ndim != 4:
        raise BadInput(
            f"frames have {raw.ndim} dimensions {raw.shape}, 4 are needed: (wave, time, y, x)",
            hint="one wavelength may be given as (time, y, x)",
        )
    if raw.dtype.kind not in "fiu":
        raise BadInput(f"frames are of type {raw.dtype}, real numbers are needed")
    if 0 in raw.shape:
        raise BadInput(f"frames are empty: {raw.shape}")
    native: Images = np.ascontiguousarray(raw, dtype=np.float32)
    dead = ~np.isfinite(native).any(axis=(-2, -1))
    if dead.any():
        which = ", ".join(str(t) for t in np.flatnonzero(dead.any(axis=0))[:5])
        raise BadInput(
            f"{int(dead.any(axis=0).sum())} of {native.shape[1]} frames hold no number at all (first: {which})",
            hint="remove these frames, and their angles",
        )
    if np.isinf(native).any():
        raise BadInput("frames hold infinite values; mark bad pixels with NaN")
    return native


def _vector(name: str, values: ArrayLike, length: int, of_what: str, *, positive: bool = False) -> Floats:
    vector: Floats = np.ascontiguousarray(np.atleast_1d(np.asarray(values, dtype=np.float64)))
    if vector.ndim != 1 or len(vector) != length:
        raise BadInput(
            f"cube has {length} {of_what} but {vector.size} {name}" if vector.ndim == 1
            else f"{name} have shape {vector.shape}, one dimension is needed",
            hint="each frame needs one angle; was a frame rejected after the angles were computed?"
            if name == "angles" and vector.ndim == 1 else "",
        )
    bad = int((~np.isfinite(vector)).sum())
    if bad:
        raise BadInput(f"{bad} of {length} {name} are not numbers")
    if positive and (vector <= 0).any():
        raise BadInput(f"{name} must be positive, found {vector.min():g}")
    return vector


def _brightness(values: ArrayLike, shape: tuple[int, int]) -> Floats:
    found: Floats = np.asarray(values, dtype=np.float64)
    if found.shape != shape:
        raise BadInput(f"brightness has shape {found.shape}, (wave, time) = {shape} is needed")
    if not (np.isfinite(found) & (found > 0)).all():
        raise BadInput("brightness must be positive, relative to its mean")
    return found


def _psf(psf: ArrayLike, nwave: int, frame: tuple[int, int]) -> Images:
    raw = np.asarray(psf)
    if raw.ndim == 2:
        raw = np.broadcast_to(raw, (nwave, *raw.shape))
    if raw.ndim != 3 or raw.shape[0] != nwave:
        raise BadInput(f"PSF has shape {raw.shape}, ({nwave}, y, x) is needed")
    if raw.shape[1] > frame[0] or raw.shape[2] > frame[1]:
        raise BadInput(
            f"PSF of {raw.shape[1]} × {raw.shape[2]} px is larger than the frames of {frame[0]} × {frame[1]} px",
            hint="cut it around its peak",
        )
    if raw.shape[1] % 2 == 0 or raw.shape[2] % 2 == 0:
        raise BadInput(f"PSF of {raw.shape[1]} × {raw.shape[2]} px has no middle pixel, odd sides are needed")
    native: Images = np.ascontiguousarray(raw, dtype=np.float32)
    if not np.isfinite(native).all():
        raise BadInput("PSF holds values that are not numbers")
    if (native.sum(axis=(1, 2)) <= 0).any():
        raise BadInput("PSF has no positive flux")
    return native
