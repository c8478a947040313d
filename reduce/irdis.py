"""Steps from raw IRDIS frames to Level 1."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from lyot.angles import DEROTATOR_FIXED
from lyot.cube import Cube, Images
from lyot.errors import NotFound, Unprocessable
from lyot.instruments.sphere import SPHERE_IRDIS
from lyot.instruments.sphere_frames import DUAL_BANDS, LEFT, RIGHT, SPOT_ANGLE
from lyot.reduce.calibrate.flat import window_of
from lyot.reduce.calibrate.master import Master
from lyot.reduce.calibrate.mending import Mending
from lyot.reduce.calibrate.pixels import mend_hits
from lyot.reduce.calibrate.raw import Stack, Window
from lyot.reduce.calibrate.resample import resample
from lyot.reduce.cards import Cards, read_header
from lyot.reduce.centre import Spots, combine, find_spots, spot_radius
from lyot.reduce.classify import RawFile
from lyot.reduce.group import DataSet
from lyot.reduce.night import Night
from lyot.reduce.orientation import LARGE_DRIFT, orientation
from lyot.reduce.step import Step

COLUMNS = min(f.columns[1] - f.columns[0] for f in (LEFT, RIGHT))
WINDOWS: tuple[Window, ...] = tuple(window_of(f.rows, (f.columns[0], f.columns[0] + COLUMNS)) for f in (LEFT, RIGHT))
#: Where the stars usually are, px of each field.
STARS = np.array([[f.star[0] - f.rows[0], f.star[1] - f.columns[0]] for f in (LEFT, RIGHT)])


def begin(dataset: DataSet, masters: dict[str, Master]) -> Night:
    """A data set before the first step; its frames are split into left and right as they are read.

    Raises
    ------
    Unprocessable
        If its filter is none that is imaged.
    """
    bands = DUAL_BANDS.get(dataset.filter, (dataset.filter, dataset.filter))
    try:
        wavelengths = np.array([SPHERE_IRDIS.filter(band).wavelength for band in bands])
    except NotFound as error:
        raise Unprocessable(f"{dataset.name}: {error.message}") from None
    return Night(
        dataset=dataset,
        instrument=SPHERE_IRDIS,
        masters=masters,
        science=Stack(dataset.science, WINDOWS),
        centre=Stack(dataset.centre, WINDOWS),
        flux=Stack(dataset.flux, WINDOWS),
        bands=bands,
        wavelengths=wavelengths,
        notes=dataset.notes,
    )


class SubtractBackground(Step):
    """Take off the background of the same exposure time; in K it is scaled to each frame, away from the star."""

    radius: float = Field(285.0, gt=0, description="px around the star that the scale is not measured in")

    def __call__(self, night: Night) -> Night:
        """The same night, every frame without background."""
        planes = {need: np.stack([m.planes["VALUE"][w] for w in WINDOWS]) for need, m in night.masters.items()
                  if need.startswith("background")}
        y, x = np.indices(planes[next(iter(planes))].shape[1:]) if planes else (np.zeros(0), np.zeros(0))
        far = np.stack([np.hypot(y - star[0], x - star[1]) > self.radius for star in STARS])
        far &= ~night.bad(WINDOWS) if planes else False
        scaled = "K" in night.dataset.filter.upper().rsplit("_", 1)[-1]

        def subtract(fields: Images, file: RawFile) -> Images:
            background = planes.get(f"background {file.exposure or 0.0:g} s {file.density}")
            if background is None:
                return fields - np.median(fields, axis=(1, 2), keepdims=True)
            if scaled:
                for field, level, outside in zip(fields, background, far, strict=True):
                    field -= level_ratio(field[outside], level[outside]) * level
                return fields
            fields -= background
            return fields

        return night.treated(subtract)


def level_ratio(seen: Images, background: Images) -> np.float32:
    """Factor of a background in a frame, by least squares of its level; 1 where the background shows nothing.

    Its structure from pixel to pixel is no help: much of it is the noise of a few skies, which would make it smaller.
    """
    power = float(background @ background)
    factor = float(background @ seen) / power if power > 0 else 1.0
    return np.float32(factor if 0.5 < factor < 2.0 else 1.0)


class DivideByFlat(Step):
    """Make every pixel equally sensitive."""

    def __call__(self, night: Night) -> Night:
        """The same night, every frame divided by the flat; unchanged, and said so, without one."""
        master = night.master("flat")
        if master is None:
            return night.noting("no flat: every pixel is taken to be equally sensitive")
        inverse = np.stack([1.0 / master.planes["VALUE"][window] for window in WINDOWS]).astype(np.float32)

        def divide(fields: Images, file: RawFile) -> Images:
            fields *= inverse
            return fields

        return night.treated(divide)


class MendBadPixels(Step):
    """Replace pixels that are bad in every frame by their neighbours."""

    def __call__(self, night: Night) -> Night:
        """The same night, every frame mended."""
        bad = night.bad(WINDOWS)
        mendings = [Mending.of_images(field, beam(night)) for field in bad]

        def mend(fields: Images, file: RawFile) -> Images:
            for field, mending in zip(fields, mendings, strict=True):
                mending.mend(field)
            return fields

        return night.treated(mend).carding(BAD_PIXELS=(float(bad.mean()), "fraction of bad pixels, mended"))


class MendHits(Step):
    """Replace pixels hit in one frame alone; never in flux frames, whose star is as sharp."""

    sigma: float = Field(4.0, gt=0, description="scatter of the surroundings")
    box: int = Field(7, ge=3, description="px, side of the surroundings")

    def __call__(self, night: Night) -> Night:
        """The same night, science and centre frames mended."""

        def mend(fields: Images, file: RawFile) -> Images:
            for field in fields:
                mend_hits(field, self.sigma, self.box)
            return fields

        return night.treated(mend, flux=False)


class FindStar(Step):
    """The star behind the coronagraph, in each field, from the satellite spots of the centre frames."""

    version: ClassVar[int] = 2  # what stands beside a spot counts for less

    gate: float = Field(0.7, gt=0, description="px; past it a second method is tried")

    def __call__(self, night: Night) -> Night:
        """The same night, with the undithered place of the star; without, and said so, if no centre frame serves."""
        found: list[list[Spots]] = [[], []]
        dithers: list[tuple[float, float]] = []
        notes: list[str] = []
        scale = night.instrument.constant("pixel_scale", night.dataset.night).value
        for file, number, fields in night.centre:
            try:
                spots = [
                    find_spots(field, tuple(star + file.dither[::-1]), spot_radius(wave, scale),
                               SPOT_ANGLE["irdis"].get(file.waffle), self.gate)
                    for field, star, wave in zip(fields, STARS, night.wavelengths, strict=True)
                ]
            except Unprocessable as error:
                notes.append(f"{file.path}, frame {number}: {error.message}")
                continue
            dithers.append(file.dither)
            for one, field_spots in zip(spots, found, strict=True):
                field_spots.append(one)
        if not dithers:
            return night.noting(*notes, "no usable centre frame: the star is only roughly in the middle; Level 1 only")
        combined = [combine(spots, dithers) for spots in found]
        star, uncertain = np.array([c[0] for c in combined]), max(c[1] for c in combined)
        return replace(night, star=star, star_error=uncertain).noting(*notes).carding(
            CENTRE_ERROR=(uncertain, "[px] of the star, 1 sigma"),
            CENTRE_METHOD=(found[0][0].method, "how the star was found"),
            CENTRE_FRAMES=(len(dithers), "frames with satellite spots"),
        )


class OrientFrames(Step):
    """Mid-exposure time of each science frame, and the position angle (ICRS) of its +y axis."""

    def __call__(self, night: Night) -> Night:
        """The same night, with times and angles.

        Raises
        ------
        Unprocessable
            If a header does not say when or where.
        """
        found = [
            orientation(Cards(read_header(one.path), one.path), one.frames, night.instrument)
            for one in night.dataset.science
        ]
        notes = [
            f"{one.path}: the derotator lagged by {o.drift:.2f}°, corrected"
            for one, o in zip(night.dataset.science, found, strict=True)
            if abs(o.drift) > LARGE_DRIFT
        ]
        if night.dataset.science[0].tracking == "FIELD" and found[0].times[0] < DEROTATOR_FIXED:
            notes.append("before 2016-07-12 the derotator lagged; by how much in field tracking is not known")
        angles = np.concatenate([o.angles for o in found])
        times = np.concatenate([o.times for o in found])
        date = night.dataset.night
        return replace(night, times=times, angles=np.degrees(np.unwrap(np.radians(angles)))).noting(*notes).carding(
            NORTH_ICRS=(float(np.mean([o.north for o in found])), "[deg] subtracted: pole of date to ICRS"),
            PARALLACTIC=(float(np.median(found[len(found) // 2].parallactic)), "[deg] mid-sequence, pole of date"),
            TRUE_NORTH=(night.instrument.constant("true_north", date).value, "[deg] in the angles"),
            DEROTATOR=(float(found[0].drift), "[deg] added for the derotator's drift (before 2016-07-12)"),
        )


class Register(Step):
    """Cut every science frame around the star, on square pixels of the sky, and make the cube."""

    size: int = Field(401, ge=31, description="px, side of the frames; the fields allow some 850")
    one_band: bool = Field(False, description="both fields show the same: average them")

    def __call__(self, night: Night) -> Night:
        """The same night, with its cube.

        Raises
        ------
        Unprocessable
            If times and angles are unknown.
        """
        if night.angles is None:
            raise Unprocessable(f"{night.dataset.name}: the angles of its frames are unknown")
        date = night.dataset.night
        scale, stretch, taps = geometry(night)
        stars = STARS if night.star is None else night.star
        count = len(night.science)
        frames = np.empty((1 if self.one_band else 2, count, self.size, self.size), np.float32)
        for t, (file, _, fields) in enumerate(night.science):
            cut = [
                resample(field, (star[0] + file.dither[1], star[1] + file.dither[0]), self.size, stretch, taps)
                for field, star in zip(fields, stars, strict=True)
            ]
            frames[:, t] = np.mean(cut, axis=0) if self.one_band else cut
        waves = slice(0, 1) if self.one_band else slice(None)
        cube = Cube(
            frames=frames,
            angles=night.angles,
            times=night.times,
            brightness=None if night.brightness is None else night.brightness[waves],
            wavelengths=night.wavelengths[waves],
            pixel_scale=scale,
            psf=None if night.psf is None else night.psf[waves],
            star_flux=None if night.star_flux is None else night.star_flux[waves],
            star_flux_error=None if night.star_flux_error is None else night.star_flux_error[waves],
            fwhm=None if night.fwhm is None else night.fwhm[waves],
            psf_normalised=None if night.psf is None else False,  # it is in counts, however few these are
        )
        error = night.instrument.constant("pixel_scale", date).error
        return replace(night, cube=cube).carding(PIXSCALE_ERROR=(error, "[mas/px]"))


def geometry(night: Night) -> tuple[float, tuple[float, float], int]:
    """Pixel scale (mas/px), stretch (y, x), and samples that an interpolation must weigh."""
    date = night.dataset.night
    scale = night.instrument.constant("pixel_scale", date).value
    stretch = tuple(night.instrument.constant(f"stretch_{axis}", date).value for axis in "yx")
    return scale, (stretch[0], stretch[1]), 12 if beam(night) >= 2.5 else 20


def beam(night: Night) -> float:
    """λ/D of the shortest wavelength, px."""
    scale = night.instrument.constant("pixel_scale", night.dataset.night).value
    return float(np.degrees(night.wavelengths.min() * 1e-6 / night.instrument.diameter) * 3.6e6 / scale)
