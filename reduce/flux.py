"""The star off the coronagraph: its image, and its flux in the counts of a science frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from lyot.cube import Floats, Images
from lyot.errors import Unprocessable
from lyot.instruments.sphere_frames import SATURATION, transmission, transmission_error
from lyot.reduce.apertures import aperture_sum
from lyot.reduce.calibrate.pixels import median3
from lyot.reduce.calibrate.raw import Stack
from lyot.reduce.calibrate.resample import resample
from lyot.reduce.classify import RawFile
from lyot.reduce.irdis import geometry
from lyot.reduce.night import Night
from lyot.reduce.psf_image import gaussian_fit
from lyot.reduce.step import Step
from lyot.reduce.strehl import Followed, follow

FIT = 5  # px, half of the box that the star is fitted in


@dataclass(frozen=True, eq=False)
class FluxFrame:
    """The star off the coronagraph in frame `number` of a flux file: (wave, y, x), counts of a science frame."""

    file: RawFile
    number: int
    image: Images


class MeasureStar(Step):
    """Median image of the star off the coronagraph, for the exposure and neutral density of the science frames."""

    half: int = Field(32, ge=8, description="px, half the side of the image")
    one_band: bool = Field(False, description="both fields show the same: average them")
    follow_strehl: bool = Field(True, description="scale the star to the Strehl ratio of the science frames")

    def __call__(self, night: Night) -> Night:
        """The same night, with PSF, star flux and FWHM; without, and said so, if no flux frame serves."""
        _, stretch, taps = geometry(night)
        frames: list[FluxFrame] = []
        flux, notes = unsaturated(night)
        for file, number, fields in flux:
            try:
                cut = [self._cut(field, stretch, taps) for field in fields]
            except Unprocessable as error:
                notes.append(f"{file.path}, frame {number}: {error.message}")
                continue
            through = [transmission(night.dataset.science[0].density, band) / transmission(file.density, band)
                       for band in night.bands]
            frames.append(FluxFrame(file, number, as_science(night, file, cut, np.array(through))))
        errors = np.array([density_error(night, band) for band in night.bands])
        found = with_star(night.noting(*notes), frames, errors, self.follow_strehl)
        if not self.one_band or found.psf is None:
            return found
        psf = np.broadcast_to(found.psf.mean(axis=0), found.psf.shape).copy()
        fwhm, star = measured(psf)
        return replace(found, psf=psf, fwhm=fwhm, star_flux=star)

    def _cut(self, field: Images, stretch: tuple[float, float], taps: int) -> Images:
        """The star in the middle of a square of odd side, its surroundings at 0."""
        y, x = find_star(field)
        side = 2 * self.half + 1
        stamp = resample(field, (y, x), side, stretch, taps)
        v, u = np.indices(stamp.shape) - self.half
        edge = np.hypot(v, u) > self.half - 3
        return np.asarray(np.nan_to_num(stamp - np.nanmedian(stamp[edge])), np.float32)


def unsaturated(night: Night) -> tuple[Stack, list[str]]:
    """Flux frames of files in which the star is not saturated, and a sentence for each of the others."""
    full = saturated_files(Stack(night.flux.files, night.flux.windows))
    kept = tuple(one for one in night.flux.files if one.path not in full)
    return replace(night.flux, files=kept), [f"{path}: the star is saturated, left out" for path in sorted(full)]


def as_science(night: Night, file: RawFile, images: Sequence[Images], through: Floats) -> Images:
    """Images of a flux file in counts of a science frame, (wave, y, x).

    Parameters
    ----------
    images : one a wavelength, (y, x), counts
    through : (wave,), transmission of the science frames' density over that of the flux file's
    """
    ratio = through * (night.dataset.science[0].exposure or 0.0) / (file.exposure or 1.0)
    return np.asarray(np.stack(images) * ratio[:, None, None], np.float32)


def density_error(night: Night, band: str = "") -> float:
    """Relative error of the star's flux for that of the neutral densities; none when all frames have the same."""
    used = {one.density for one in (night.dataset.science[0], *night.flux.files)}
    return 0.0 if len(used) == 1 else max(transmission_error(density, band) for density in used)


def with_star(night: Night, frames: Sequence[FluxFrame], density_errors: Floats, follow_strehl: bool) -> Night:
    """A night with the median of its flux frames as PSF, the star's flux and its error.

    The error has three parts: the scatter of the flux between files (of frames, when there is one file), half of what
    following the Strehl ratio changed, and the transmission of the neutral density.
    """
    if not frames:
        return night.noting("no usable flux frame: without the star's flux no contrast is stated")
    followed = follow(night, list({one.file.path: one.file for one in frames}.values())) if follow_strehl else None
    scaled, change = _scaled(frames, followed, len(night.wavelengths))
    psf = np.median([one.image for one in scaled], axis=0)
    fwhm, flux = measured(psf)
    series = np.array([[_core(image, width) for image, width in zip(one.image, fwhm, strict=True)] for one in scaled])
    scatter = _scatter(series / flux, [one.file.path for one in scaled])
    error = np.sqrt(scatter**2 + ((change - 1.0) / 2.0) ** 2 + density_errors**2)
    brightness = None if followed is None else followed.science
    found = replace(night, psf=psf, fwhm=fwhm, star_flux=flux, star_flux_error=flux * error, brightness=brightness)
    return found.carding(
        FLUX_FRAMES=(len(scaled), "frames of the star off the coronagraph"),
        FLUX_SCATTER=(float(scatter.max()), "relative, of the star's flux, of the mean"),
        FLUX_STREHL=(float(np.median(change)), "star's flux times this: Strehl ratio of science frames"),
        FLUX_ERROR=(float(error.max()), "relative, of the star's flux, 1 sigma"),
    )


def _scaled(frames: Sequence[FluxFrame], followed: Followed | None, waves: int) -> tuple[Sequence[FluxFrame], Floats]:
    """Frames as they would be at the Strehl ratio of the science frames, and the mean factor, (wave,).

    Frames whose Strehl ratio is not known are left out when that of others is.
    """
    known = [] if followed is None else [(one, followed.flux[one.file.path][one.number]) for one in frames]
    known = [(one, factor) for one, factor in known if np.isfinite(factor).all()]
    if not known:
        return frames, np.ones(waves)
    scaled = [replace(one, image=(one.image * factor[:, None, None]).astype(np.float32)) for one, factor in known]
    return scaled, np.asarray(np.mean([factor for _, factor in known], axis=0), dtype=float)


def _core(image: Images, fwhm: float) -> float:
    middle = image.shape[-1] // 2
    return aperture_sum(image, middle, middle, fwhm / 2)


def _scatter(series: Floats, files: Sequence[str]) -> Floats:
    """Error of the mean of (frame, wave), from the scatter between files, or of the frames of the only one."""
    groups = [series[[path == file for path in files]] for file in dict.fromkeys(files)]
    if len(groups) == 1:
        return np.asarray(series.std(axis=0, ddof=1) if len(series) > 1 else np.zeros(series.shape[1]))
    return np.asarray(np.std([group.mean(axis=0) for group in groups], axis=0, ddof=1) / len(groups) ** 0.5)


def measured(psf: Images) -> tuple[Floats, Floats]:
    """FWHM (px) and flux in an aperture of one FWHM (counts) of each PSF."""
    fwhm = np.array([gaussian_fit(one)[2] for one in psf])
    return fwhm, np.array([_core(one, width) for one, width in zip(psf, fwhm, strict=True)])


def find_star(field: Images) -> tuple[float, float]:
    """Place of the star in a field, (y, x) px.

    Raises
    ------
    Unprocessable
        If there is none that stands out of the field and away from its edge.
    """
    smooth = median3(np.nan_to_num(field))  # a hot pixel is no star
    y, x = (int(n) for n in np.unravel_index(np.argmax(smooth), smooth.shape))
    margin = 2 * FIT
    if not (margin <= y < field.shape[0] - margin and margin <= x < field.shape[1] - margin):
        raise Unprocessable(f"the brightest point, ({y}, {x}), is at the edge of the field")
    noise = 1.4826 * float(np.median(np.abs(smooth - np.median(smooth))))
    if smooth[y, x] < 20 * max(noise, 1e-6):
        raise Unprocessable(f"no star: the brightest point is {smooth[y, x] / max(noise, 1e-6):.1f} σ")
    box = field[y - FIT : y + FIT + 1, x - FIT : x + FIT + 1]
    dy, dx, _ = gaussian_fit(box - np.median(field))
    return y - FIT + dy, x - FIT + dx


def saturated_files(raw: Stack) -> set[str]:
    """Files whose star reaches the end of the converter, or has a flat top: several pixels at the very maximum."""
    full: set[str] = set()
    for file, _, fields in raw:
        for field in fields:
            smooth = median3(field)
            y, x = np.unravel_index(np.argmax(smooth), smooth.shape)
            core = field[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5]
            if core.max() >= SATURATION or (core >= core.max() * 0.9995).sum() >= 4:
                full.add(file.path)
    return full
