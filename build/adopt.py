"""Bring in a cube that someone else calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import lyot
from lyot.build.centred import centred, peak_in_the_middle, without_gaps
from lyot.build.options import AdoptOptions
from lyot.build.outside import FitsFile, read_fits
from lyot.build.rights import settle
from lyot.catalog.names import target_id_of
from lyot.catalog.release import utc_day
from lyot.catalog.tables.observation import OBSERVATION_TABLE
from lyot.catalog.tables.survey import SURVEY
from lyot.cube import Cube, Floats, Images
from lyot.errors import BadInput, NotFound
from lyot.instrument import Instrument, instrument
from lyot.level1 import write_cube
from lyot.product import Product, slug, spelled
from lyot.progress import say
from lyot.reduce.psf_image import own_normalisation
from lyot.sky import mjd_error_of, mjd_of
from lyot.store import Kept, Store

VERSION = 1  # bumped when the same files and options give another cube
AIRY_FWHM = 1.029  # of a filled circular aperture, in λ/D


@dataclass(frozen=True)
class _Setup:
    """What the options mean, with what the instrument knows put in."""

    camera: Instrument
    filter: str | None
    wavelengths: Floats
    pixel_scale: float
    pixel_scale_error: float
    true_north_error: float


def adopt(store: Store, cube_path: str | Path, *, options: AdoptOptions) -> Kept:
    """Keep a calibrated cube as a Level 1 product, with its row of `observation`.

    Everything is checked before anything is written. The same files and options give the same product, and adopting
    them again makes nothing; the release date is no part of it and may change.

    Parameters
    ----------
    store : Store
    cube_path : path of a FITS file, (time, y, x) or (wave, time, y, x), counts
    options : AdoptOptions

    Raises
    ------
    BadInput
        If a file or an option is not what it must be: one sentence naming it, and nothing is written.
    """
    files = {"cube": read_fits(cube_path), "angles": read_fits(options.angles)}
    if options.psf is not None:
        files["psf"] = read_fits(options.psf)
    frames = _frames(files["cube"])
    turns = np.unique(files["angles"].values).size > 1  # the pupil was held: how well is in the error of North
    setup = _setup(options, len(frames), files["cube"].name, turns)
    cube = _cube(files, frames, setup, options)
    product = Product(
        kind="cube",
        dataset=dataset_name(setup.camera, options.target, _when(options.date), setup.filter),
        record=_record(files, setup, options),
        workspace=options.workspace,
        about={
            "target": options.target,
            "instrument": setup.camera.name,
            "level": 1,
            "version": lyot.__version__,
            "simulated": options.simulated,
            "lacks": [what for what, there in (("psf", options.psf), ("star flux", options.star_flux)) if not there],
        },
    )
    row = _observation(product, cube, setup, options)
    _check_normalisation(cube)
    content = write_cube(cube, files["cube"].header, _cards(options, setup))
    rows = {"observation": OBSERVATION_TABLE.rows([row])}
    if options.survey is not None:
        about = {"name": options.survey, "description": options.survey_description}
        rows["survey"] = SURVEY.rows([{"survey_id": slug(options.survey), **about}])
    settle(store, product, options.release_date, "lyot adopt")
    return store.put(product, {"fits": content}, rows)


def _check_normalisation(cube: Cube) -> None:
    """Say what the star flux is taken to mean when the PSF looks normalised and nobody said so.

    Raises
    ------
    BadInput
        If a normalisation is stated that the PSF has not, or there is no PSF that could have one.
    """
    if cube.psf is None:
        if cube.psf_normalised is not None:
            raise BadInput("it is said how the PSF is normalised, but there is no PSF", hint="give one: --psf")
        return
    own = own_normalisation(cube)
    if own is not None and cube.psf_normalised is None and cube.star_flux is not None:
        say(
            f"The PSF looks normalised: its flux in 1 FWHM is {own:.3f}, and the star is taken for the star flux times "
            "the PSF. Say --psf-normalised if that is right, --psf-counts if the star flux stands as it is."
        )


def dataset_name(camera: Instrument, target: str, day: str, filter_name: str | None) -> str:
    """Name of a data set, as `naco/beta-pic/2013-01-31/lp`."""
    parts = [camera.name, target_id_of(target), day]
    if filter_name:
        parts.append(slug(filter_name.replace("'", "p").replace("′", "p")))
    return "/".join(parts)


def _when(date: str) -> str:
    """The day (UTC), with the time where one is given: a star may be observed twice in a night."""
    moment = datetime.fromisoformat(date.strip())
    if len(date.strip()) <= len("2013-01-31"):
        return utc_day(date)
    utc = moment if moment.tzinfo is None else moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dt%H%M")


def _frames(file: FitsFile) -> Images:
    """The frames, (wave, time, y, x)."""
    values = file.values
    if values.ndim not in (3, 4) or 0 in values.shape:
        raise BadInput(
            f"{file.name} holds data of shape {values.shape}, (time, y, x) or (wave, time, y, x) is needed"
        )
    frames = np.asarray(values[None] if values.ndim == 3 else values, dtype=np.float32)
    if not np.isfinite(frames).any():
        raise BadInput(f"{file.name} holds no number at all: every pixel of its {frames.shape[1]} frames is NaN")
    dead = np.asarray(~np.isfinite(frames).any(axis=(2, 3)).all(axis=0))
    if dead.any():
        which = ", ".join(str(t) for t in np.flatnonzero(dead)[:5])
        raise BadInput(
            f"{file.name} has {dead.sum()} of {len(dead)} frames without any number (first: {which})",
            hint="remove these frames, and their angles",
        )
    return frames


def _angles(file: FitsFile, cube: FitsFile, ntime: int) -> Floats:
    """The angles, (time,), deg."""
    values = file.values
    if max(values.shape, default=1) != values.size:
        raise BadInput(f"{file.name} holds data of shape {values.shape}, one angle per frame is needed: ({ntime},)")
    angles = np.asarray(values, dtype=np.float64).ravel()
    if len(angles) != ntime:
        raise BadInput(
            f"{file.name} holds {len(angles)} angles, but {cube.name} has {ntime} frames",
            hint="was a frame rejected after the angles were computed?",
        )
    bad = int((~np.isfinite(angles)).sum())
    if bad:
        raise BadInput(f"{file.name} holds {bad} angles of {ntime} that are not numbers")
    return angles


def _psf(file: FitsFile, cube: FitsFile, shape: tuple[int, int, int]) -> Images:
    """The star off the coronagraph, (wave, y, x), odd sides, brightest pixel in the middle."""
    nwave, ny, nx = shape
    values = np.asarray(file.values, dtype=np.float32)
    psf = np.broadcast_to(values, (nwave, *values.shape)) if values.ndim == 2 else values
    if psf.ndim != 3 or len(psf) != nwave:
        raise BadInput(f"{file.name} holds data of shape {values.shape}, ({nwave}, y, x) is needed")
    if psf.shape[1] > ny or psf.shape[2] > nx:
        raise BadInput(
            f"{file.name} holds a PSF of {psf.shape[1]} × {psf.shape[2]} px, larger than the frames of "
            f"{cube.name}, {ny} × {nx} px",
            hint="cut it around its peak",
        )
    if not np.isfinite(psf).all():
        raise BadInput(f"{file.name} holds {int((~np.isfinite(psf)).sum())} pixels that are not numbers")
    if (psf.sum(axis=(1, 2)) <= 0).any():
        raise BadInput(f"{file.name} holds a PSF without positive flux")
    return peak_in_the_middle(psf, file.name)


def _cube(files: Mapping[str, FitsFile], frames: Images, setup: _Setup, options: AdoptOptions) -> Cube:
    source = files["cube"]
    nwave, ntime, ny, nx = frames.shape
    angles = _angles(files["angles"], source, ntime)
    psf = _psf(files["psf"], source, (nwave, ny, nx)) if "psf" in files else None
    if len(options.star_flux) not in (0, 1, nwave):
        raise BadInput(f"{len(options.star_flux)} star fluxes for the {nwave} channels of {source.name}")
    cut = centred(without_gaps(frames), options.centre, source.name)
    airy = AIRY_FWHM * np.degrees(setup.wavelengths * 1e-6 / setup.camera.diameter) * 3.6e6 / setup.pixel_scale
    return Cube(
        frames=cut,
        angles=angles + options.north,
        wavelengths=setup.wavelengths,
        pixel_scale=setup.pixel_scale,
        psf=None if psf is None else _fitting(psf, cut.shape),
        star_flux=np.asarray(options.star_flux) if options.star_flux else None,
        fwhm=airy if psf is None else None,
        psf_normalised=options.psf_normalised,
    )


def _fitting(psf: Images, shape: tuple[int, ...]) -> Images:
    """The PSF, trimmed evenly where recentring left frames smaller than it."""
    half = [min(psf.shape[axis] // 2, (shape[axis] - 1) // 2) for axis in (-2, -1)]
    cy, cx = psf.shape[-2] // 2, psf.shape[-1] // 2
    return psf[:, cy - half[0] : cy + half[0] + 1, cx - half[1] : cx + half[1] + 1]


def _setup(options: AdoptOptions, nwave: int, name: str, turns: bool) -> _Setup:
    camera = instrument(options.instrument)
    day = utc_day(options.date)
    filter_name, wavelengths = options.filter, options.wavelengths
    if options.filter is not None:
        try:
            known = camera.filter(options.filter)
        except NotFound:
            if not wavelengths:
                raise
        else:
            filter_name, wavelengths = known.name, wavelengths or (known.wavelength,)
    if not wavelengths:
        raise BadInput(f"the wavelength of {name} is unknown", hint="name its filter or its wavelength")
    if len(wavelengths) != nwave:
        raise BadInput(f"{name} has {nwave} wavelength channels, but {len(wavelengths)} wavelengths are given")
    constant = camera.constant("pixel_scale", day)
    return _Setup(
        camera=camera,
        filter=filter_name,
        wavelengths=np.asarray(wavelengths),
        pixel_scale=options.pixel_scale or constant.value,
        pixel_scale_error=constant.error * (options.pixel_scale or constant.value) / constant.value,
        true_north_error=camera.north_error(day, pupil_held=turns),
    )


def _record(files: Mapping[str, FitsFile], setup: _Setup, options: AdoptOptions) -> dict[str, Any]:
    """Every option that changes pixels or meaning, as it was understood, and the digest of every file."""
    left_out = {"angles", "psf", "release_date", "workspace"}
    meant = options.model_dump(mode="json", exclude=left_out)
    meant.update(
        instrument=setup.camera.name,
        filter=setup.filter,
        wavelengths=setup.wavelengths.tolist(),
        pixel_scale=setup.pixel_scale,
        pixel_scale_error=setup.pixel_scale_error,
        true_north_error=setup.true_north_error,
    )
    return {
        "step": "adopt",
        "version": VERSION,
        "options": meant,
        "files": {name: file.sha256 for name, file in files.items()},
    }


def _cards(options: AdoptOptions, setup: _Setup) -> dict[str, tuple[Any, str]]:
    """Cards of our own, each with its comment."""
    cards: dict[str, tuple[Any, str]] = {
        "LYOT TARGET": (spelled(options.target), "target"),
        "LYOT INSTRUMENT": (setup.camera.name, "instrument"),
        "LYOT DATE": (options.date, "UTC"),
        "LYOT NORTH": (options.north, "[deg] added to every angle"),
        "LYOT SIMULATED": (options.simulated, "made by a simulator"),
    }
    if setup.filter is not None:
        cards["LYOT FILTER"] = (spelled(setup.filter), "filter")
    if options.centre is not None:
        cards["LYOT CENTRE Y"] = (options.centre[0], "[px] star in the frames as given, from 0")
        cards["LYOT CENTRE X"] = (options.centre[1], "[px] star in the frames as given, from 0")
    return cards


def _observation(product: Product, cube: Cube, setup: _Setup, options: AdoptOptions) -> dict[str, Any]:
    return {
        "observation_id": product.dataset,
        "target_id": target_id_of(options.target),
        "target_name": options.target,
        "survey_id": slug(options.survey) if options.survey else None,
        "telescope": setup.camera.telescope,
        "instrument": setup.camera.name,
        "filter": setup.filter,
        "wavelength": float(setup.wavelengths.mean()),
        "coronagraph": options.coronagraph,
        "date": utc_day(options.date),
        "mjd": mjd_of(options.date),
        "mjd_error": mjd_error_of(options.date),
        "exposure_time": options.exposure_time,
        "frames": cube.frames.shape[1],
        "field_rotation": cube.rotation,
        "true_north": options.north,
        "true_north_error": setup.true_north_error,
        "pixel_scale": setup.pixel_scale,
        "pixel_scale_error": setup.pixel_scale_error,
        "field_of_view": min(cube.frames.shape[-2:]) * setup.pixel_scale / 1e3,
        "centring_error": None if options.centre_error is None else options.centre_error * setup.pixel_scale,
        "programme": options.programme,
        "product_key": product.key,
        "simulated": options.simulated,
        "workspace": options.workspace,
    }
