"""The star off the coronagraph: its image, and its flux in the counts of a science frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import Field

from lyot.cube import Floats, Images
from lyot.errors import Unprocessable
from lyot.instruments.sphere_frames import SATURATION, transmission
from lyot.reduce.apertures import aperture_sum
from lyot.reduce.calibrate.pixels import median3
from lyot.reduce.calibrate.raw import Stack
from lyot.reduce.calibrate.resample import resample
from lyot.reduce.classify import RawFile
from lyot.reduce.irdis import geometry
from lyot.reduce.night import Night
from lyot.reduce.psf_image import gaussian_fit
from lyot.reduce.step import Step

FIT = 5  # px, half of the box that the star is fitted in


class MeasureStar(Step):
    """Median image of the star off the coronagraph, for the exposure and neutral density of the science frames."""

    half: int = Field(32, ge=8, description="px, half the side of the image")
    one_band: bool = Field(False, description="both fields show the same: average them")

    def __call__(self, night: Night) -> Night:
        """The same night, with PSF, star flux and FWHM; without, and said so, if no flux frame serves."""
        full = saturated_files(Stack(night.flux.files, night.flux.windows))
        notes = [f"{path}: the star is saturated, left out" for path in sorted(full)]
        _, stretch, taps = geometry(night)
        images: list[Images] = []
        for file, number, fields in replace(night.flux, files=tuple(f for f in night.flux.files if f.path not in full)):
            try:
                cut = [self._cut(field, stretch, taps) for field in fields]
            except Unprocessable as error:
                notes.append(f"{file.path}, frame {number}: {error.message}")
                continue
            ratio = self._ratio(night, file)
            images.append(np.stack([one * np.float32(r) for one, r in zip(cut, ratio, strict=True)]))
        if not images:
            return night.noting(*notes, "no usable flux frame: without the star's flux no contrast is stated")
        psf = np.median(images, axis=0)
        if self.one_band:
            psf = np.broadcast_to(psf.mean(axis=0), psf.shape).copy()
        fwhm, flux = measured(psf)
        scatter = self._scatter(np.array(images), fwhm)
        return replace(night, psf=psf, fwhm=fwhm, star_flux=flux).noting(*notes).carding(
            FLUX_FRAMES=(len(images), "frames of the star off the coronagraph"),
            FLUX_SCATTER=(scatter, "relative, of the star's flux between frames"),
        )

    def _cut(self, field: Images, stretch: tuple[float, float], taps: int) -> Images:
        """The star in the middle of a square of odd side, its surroundings at 0."""
        y, x = find_star(field)
        side = 2 * self.half + 1
        stamp = resample(field, (y, x), side, stretch, taps)
        v, u = np.indices(stamp.shape) - self.half
        edge = np.hypot(v, u) > self.half - 3
        return np.asarray(np.nan_to_num(stamp - np.nanmedian(stamp[edge])), np.float32)

    def _ratio(self, night: Night, file: RawFile) -> Floats:
        """Counts of a science frame per count of a flux frame, (field,)."""
        science = night.dataset.science[0]
        through = [transmission(science.density, b) / transmission(file.density, b) for b in night.bands]
        return np.array(through) * (science.exposure or 0.0) / (file.exposure or 1.0)

    def _scatter(self, images: Images, fwhm: Floats) -> float:
        """Relative scatter of the flux between frames."""
        if len(images) < 2:
            return 0.0
        middle = images.shape[-1] // 2
        flux = np.array([[aperture_sum(one, middle, middle, w / 2) for one, w in zip(i, fwhm, strict=True)]
                         for i in images])
        return float((flux.std(axis=0) / flux.mean(axis=0)).max())


def measured(psf: Images) -> tuple[Floats, Floats]:
    """FWHM (px) and flux in an aperture of one FWHM (counts) of each PSF."""
    middle = psf.shape[-1] // 2
    fwhm = np.array([gaussian_fit(one)[2] for one in psf])
    return fwhm, np.array([aperture_sum(one, middle, middle, w / 2) for one, w in zip(psf, fwhm, strict=True)])


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
