"""Steps from raw IFS frames to Level 1."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from lyot.cube import Cube, Floats, Images
from lyot.errors import Unprocessable
from lyot.instruments.sphere import SPHERE_IFS
from lyot.instruments.sphere_frames import IFS_RANGE, IFS_SIDE, SPOT_ANGLE
from lyot.reduce.calibrate.master import Master
from lyot.reduce.calibrate.mending import Mending
from lyot.reduce.calibrate.pixels import mend_hits
from lyot.reduce.calibrate.raw import Stack
from lyot.reduce.calibrate.resample import resample
from lyot.reduce.centre import Spots, find_spots, spot_radius
from lyot.reduce.classify import RawFile
from lyot.reduce.flux import FluxFrame, as_science, find_star, unsaturated, with_star
from lyot.reduce.group import DataSet
from lyot.reduce.ifs.crosstalk import without_crosstalk
from lyot.reduce.ifs.density import density_errors, through
from lyot.reduce.ifs.masters import bad_pixels, channels, spectra_matrix, traces_of
from lyot.reduce.ifs.mosaic import squares
from lyot.reduce.irdis import beam, geometry
from lyot.reduce.night import Night
from lyot.reduce.psf_image import gaussian_fit
from lyot.reduce.step import Step

SIZE = 291  # px, side of the square images
WHOLE = (slice(0, IFS_SIDE), slice(0, IFS_SIDE))


def begin(dataset: DataSet, masters: dict[str, Master]) -> Night:
    """A data set before the first step.

    Raises
    ------
    Unprocessable
        If its mode is unknown.
    """
    if dataset.filter not in IFS_RANGE:
        raise Unprocessable(f"{dataset.name}: {dataset.filter!r} is neither {' nor '.join(IFS_RANGE)}")
    wavelengths = channels(dataset.filter)
    return Night(
        dataset=dataset,
        instrument=SPHERE_IFS,
        masters=masters,
        science=Stack(dataset.science, (WHOLE,)),
        centre=Stack(dataset.centre, (WHOLE,)),
        flux=Stack(dataset.flux, (WHOLE,)),
        bands=tuple(f"{wave:.3f}" for wave in wavelengths),
        wavelengths=wavelengths,
        notes=dataset.notes,
    )


class CleanFrames(Step):
    """Take off the background, mend bad pixels along the dispersion, and hits, and take off the cross-talk."""

    version: ClassVar[int] = 2  # what spreads is the image, not what comes of it

    sigma: float = Field(6.0, gt=0, description="of the surroundings, for hits in one frame")

    def __call__(self, night: Night) -> Night:
        """The same night, every frame clean."""
        planes = {need: m.planes["VALUE"] for need, m in night.masters.items() if need.startswith("background")}
        bad = bad_pixels(night.masters, (IFS_SIDE, IFS_SIDE))
        mending = Mending.along_columns(bad)

        def clean(fields: Images, file: RawFile) -> Images:
            image = fields[0]
            background = planes.get(f"background {file.exposure or 0.0:g} s {file.density}")
            image -= background if background is not None else np.float32(np.percentile(image, 5))
            mending.mend(image)
            if file.role != "flux":
                mend_hits(image, self.sigma)
            return without_crosstalk(image)[None]

        return night.treated(clean).carding(BAD_PIXELS=(float(bad.mean()), "fraction of bad pixels, mended"))


class ExtractSpectra(Step):
    """Spectra of all lenslets, each as bright as the others, then square images; outside the field NaN."""

    version: ClassVar[int] = 2  # profiles fitted to good pixels; what stands between lenslets follows from all around

    def __call__(self, night: Night) -> Night:
        """The same night, every frame (wave, y, x).

        Raises
        ------
        Unprocessable
            If there is no wavelength solution.
        """
        master = night.master("wavelength")
        if master is None:
            raise Unprocessable(f"{night.dataset.name}: nothing says which wavelength falls where", hint="no lasers")
        traces = traces_of(master)
        spectra = spectra_matrix(traces, night.dataset.filter, IFS_SIDE, night.masters)
        flat = night.master("lenslet flat")
        known = flat is not None and "LENSLETS" in flat.planes
        gain = 1.0 / flat.planes["LENSLETS"] if flat is not None and known else np.ones(len(traces.ideal))
        lit = flat.planes["DARK"] == 0 if flat is not None and known else np.ones(len(traces.ideal), bool)
        mosaic, seen = squares(traces.ideal, SIZE, lit, beam(night))
        factor = gain.astype(np.float32)[:, None]

        def extract(fields: Images, file: RawFile) -> Images:
            light = (spectra @ fields[0].ravel()).reshape(len(factor), -1) * factor
            images = np.ascontiguousarray((mosaic @ light).T).reshape(-1, SIZE, SIZE)
            images[:, ~seen] = np.nan
            return images

        quality = master.quality
        return night.treated(extract).carding(
            WAVE_RMS=(quality.get("wavelength_rms", 0.0), "[nm] scatter of the lasers"),
            LENSLETS=(len(traces.ideal), "lenslets extracted"),
        )


class FindStar(Step):
    """The star in every channel from the satellite spots, smooth in wavelength; and how far the spots are from it."""

    version: ClassVar[int] = 2  # what stands beside a spot counts for less

    gate: float = Field(0.7, gt=0, description="px; past it a second method is tried")

    def __call__(self, night: Night) -> Night:
        """The same night, with the star's place; without, and said so, if no centre frame serves."""
        places, radii, errors, notes = [], [], [], []
        for file in night.centre.files:
            image = np.mean([f for _, _, f in replace(night.centre, files=(file,))], axis=0)
            found = self._channels(night, file, image)
            if sum(one is not None for one in found) < len(found) // 2:
                notes.append(f"{file.path}: satellite spots in {sum(o is not None for o in found)} channels only")
                continue
            place, error = smooth_places(found, night.wavelengths)
            places.append(place)
            errors.append(error)
            radii.append(smooth_radii(found, night.wavelengths))
        if not places:
            return night.noting(*notes, "no usable centre frame: the star is only roughly in the middle; Level 1 only")
        spread = float(np.hypot(*np.std(places, axis=0).mean(axis=0))) if len(places) > 1 else 0.0
        error = max(spread, float(np.median(errors))) / len(places) ** 0.5
        done = replace(night, star=np.mean(places, axis=0), star_error=error, spot_radii=np.mean(radii, axis=0))
        return done.noting(*notes).carding(
            CENTRE_ERROR=(error, "[px] of the star, 1 sigma"),
            CENTRE_FRAMES=(len(places), "files with satellite spots"),
        )

    def _channels(self, night: Night, file: RawFile, image: Images) -> list[Spots | None]:
        """Spots of each channel; where the usual direction shows none, every direction is tried."""
        scale = night.instrument.constant("pixel_scale", night.dataset.night).value
        for angle in (SPOT_ANGLE["ifs"].get(file.waffle), None):
            found: list[Spots | None] = []
            for channel, wave in zip(image, night.wavelengths, strict=True):
                try:
                    middle = (SIZE // 2, SIZE // 2)
                    found.append(find_spots(channel, middle, spot_radius(wave, scale), angle, self.gate))
                except Unprocessable:
                    found.append(None)  # telluric bands are dark; they are interpolated
            if sum(one is not None for one in found) >= len(found) // 2:
                break
        return found


def smooth_places(found: list[Spots | None], wavelengths: Floats) -> tuple[Floats, float]:
    """The star against wavelength, by parabolas that leave out what is far off, (wave, 2) px (y, x), and its error.

    Speckles grow with wavelength as the spots do: the same lie under them in every channel, and many channels are no
    better than one.
    """
    good = np.array([one is not None and np.isfinite(one.error) for one in found])
    values = np.array([one.star if one is not None else (np.nan, np.nan) for one in found])
    fitted, left = np.empty_like(values), np.empty_like(values)
    for axis in (0, 1):
        fitted[:, axis] = _parabola(wavelengths, values[:, axis], good)
        left[:, axis] = values[:, axis] - fitted[:, axis]
    scatter = 1.4826 * float(np.median(np.abs(left[good])))
    one_alone = float(np.median([one.error for one, use in zip(found, good, strict=True) if use and one is not None]))
    return fitted, max(one_alone, scatter * (3.0 / good.sum()) ** 0.5)


def smooth_radii(found: list[Spots | None], wavelengths: Floats) -> Floats:
    """Mean distance of the spots against wavelength, by a parabola, (wave,) px."""
    values = np.array([one.radius if one is not None and one.method == "spots" else np.nan for one in found])
    return _parabola(wavelengths, values, np.isfinite(values))


def _parabola(x: Floats, y: Floats, good: np.ndarray) -> Floats:
    use = good.copy()
    fit = np.zeros(3)
    for _ in range(4):
        fit = np.polyfit(x[use], y[use], 2)
        left = np.abs(y - np.polyval(fit, x))
        use = good & (left <= max(3 * 1.4826 * float(np.median(left[use])), 1e-3))
    return np.asarray(np.polyval(fit, x), dtype=float)


class MeasureStar(Step):
    """Median image of the star off the coronagraph in every channel, in the counts of a science frame."""

    version: ClassVar[int] = 3  # channels are as wide as the lasers show, the error of their wavelengths is told

    half: int = Field(20, ge=8, description="px, half the side of the image")
    follow_strehl: bool = Field(True, description="scale the star to the Strehl ratio of the science frames")

    def __call__(self, night: Night) -> Night:
        """The same night, with PSF, star flux and FWHM; without, and said so, if no flux frame serves."""
        _, stretch, taps = geometry(night)
        waves = night.wavelengths
        frames: list[FluxFrame] = []
        flux, notes = unsaturated(night)
        for file, number, images in flux:
            try:
                places = self._places(np.nan_to_num(images), waves)
            except Unprocessable as error:
                notes.append(f"{file.path}, frame {number}: {error.message}")
                continue
            stamps = [self._stamp(image, place, stretch, taps) for image, place in zip(images, places, strict=True)]
            frames.append(FluxFrame(file, number, as_science(night, file, stamps, through(night, file))))
        return with_star(night.noting(*notes), frames, density_errors(night), self.follow_strehl)

    def _places(self, images: Images, wavelengths: Floats) -> Floats:
        """The star in every channel, smooth in wavelength, (wave, 2) px (y, x)."""
        y, x = (round(n) for n in find_star(images.sum(axis=0)))
        half = 9
        places, good = np.zeros((len(images), 2)), np.zeros(len(images), bool)
        for n, image in enumerate(images):
            box = image[y - half : y + half + 1, x - half : x + half + 1]
            try:
                dy, dx, _ = gaussian_fit(box - np.median(image[image != 0]))
            except Unprocessable:
                continue
            places[n], good[n] = (y - half + dy, x - half + dx), True
        if good.sum() < len(images) // 2:
            raise Unprocessable(f"the star is seen in {int(good.sum())} channels only")
        return np.stack([_parabola(wavelengths, places[:, axis], good) for axis in (0, 1)], axis=1)

    def _stamp(self, image: Images, place: Floats, stretch: tuple[float, float], taps: int) -> Images:
        stamp = resample(np.nan_to_num(image), (place[0], place[1]), 2 * self.half + 1, stretch, taps)
        y, x = np.indices(stamp.shape) - self.half
        edge = np.hypot(y, x) > self.half - 2
        return np.asarray(np.nan_to_num(stamp - np.nanmedian(stamp[edge])), np.float32)


class Register(Step):
    """Cut every channel of every science frame around the star, on square pixels of the sky, and make the cube."""

    size: int = Field(SIZE, ge=31, description="px, side of the frames")

    def __call__(self, night: Night) -> Night:
        """The same night, with its cube.

        Raises
        ------
        Unprocessable
            If times and angles are unknown.
        """
        if night.angles is None:
            raise Unprocessable(f"{night.dataset.name}: the angles of its frames are unknown")
        scale, stretch, taps = geometry(night)
        count = len(night.wavelengths)
        stars = np.full((count, 2), SIZE // 2, float) if night.star is None else night.star
        frames = np.empty((count, len(night.science), self.size, self.size), np.float32)
        blind: np.ndarray | None = None
        for t, (_, _, images) in enumerate(night.science):
            if blind is None:
                unseen = np.isnan(images[0]).astype(np.float32)
                blind = ~(resample(unseen, tuple(stars.mean(axis=0)), self.size, stretch, taps) < 0.5)
            for wave, image in enumerate(np.nan_to_num(images)):
                frames[wave, t] = resample(image, tuple(stars[wave]), self.size, stretch, taps)
            frames[:, t, blind] = np.nan
        cube = Cube(
            frames=frames,
            angles=night.angles,
            times=night.times,
            brightness=night.brightness,
            wavelengths=night.wavelengths,
            pixel_scale=scale,
            psf=night.psf,
            star_flux=night.star_flux,
            star_flux_error=night.star_flux_error,
            fwhm=night.fwhm,
            psf_normalised=None if night.psf is None else False,  # it is in counts, however few these are
        )
        error = night.instrument.constant("pixel_scale", night.dataset.night).error
        return replace(night, cube=cube).carding(PIXSCALE_ERROR=(error, "[mas/px]"))
