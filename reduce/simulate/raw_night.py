"""Write the raw files of a night of SPHERE whose truth is known, and that truth beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.time import Time
from threadpoolctl import threadpool_limits

from lyot.declaration import digest
from lyot.reduce.simulate.headers import Moment, archive_name, header
from lyot.reduce.simulate.ifs import Ifs, ifs
from lyot.reduce.simulate.irdis import Irdis, irdis
from lyot.reduce.simulate.raw_file import header_of, write_image
from lyot.reduce.simulate.raw_plan import Exposure, plan
from lyot.reduce.simulate.raw_scene import Arm, FileTruth, Night, Truth, night
from lyot.reduce.simulate.raw_sky import point, transit
from lyot.reduce.simulate.raw_view import Watch, seen_sources
from lyot.reduce.simulate.sparta import Turbulence, telemetry, turbulence

TRUTH = "truth.json"
Camera = Irdis | Ifs


def simulate_night(folder: str | Path, arm: Arm = "irdis", *, seed: int = 1, **options: Any) -> Truth:
    """Write a night of raw files, its calibrations and its telemetry into a folder, with `truth.json` beside them.

    Parameters
    ----------
    folder : str or Path
        Made if it does not exist.
    arm : "irdis" or "ifs"
    seed : int
        The same seed gives the same files.
    **options
        Fields of `Night`: star, planets, background, date, band, nscience, ndit, dit, faults and so on.

    Returns
    -------
    Truth

    Raises
    ------
    BadInput
        If the star is not up that night or the band is not one of the arm's.
    """
    chosen = night(arm, **options)
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    middle = float(transit(chosen.star, chosen.date).mjd)
    exposures = plan(chosen, middle)
    camera: Camera = ifs(chosen, seed) if arm == "ifs" else irdis(chosen, seed)
    sky = [exposure for exposure in exposures if exposure.on_sky]
    weather = turbulence(np.random.default_rng([seed, 13]), sky[0].start - 0.01, sky[-1].end(arm) + 0.01)
    sources = seen_sources(chosen, middle, camera.wavelengths)
    watch = Watch(chosen, weather, sources, seed)
    with threadpool_limits(1):  # the matrices are small: threads would only wait for one another
        files = [_write(where, exposure, camera, watch, seed) for exposure in exposures]
    files.append(_write_telemetry(where, sky, weather, chosen, seed))
    _spoil(where, chosen, files)
    truth = _truth(camera, seed, middle, sources, files)
    (where / TRUTH).write_text(json.dumps(truth.model_dump(mode="json"), indent=1) + "\n")
    return truth


def _write(where: Path, exposure: Exposure, camera: Camera, watch: Watch, seed: int) -> FileTruth:
    chosen = watch.night
    frames = tuple(watch.frames(exposure)) if exposure.on_sky else ()
    data = camera.expose(exposure, frames, np.random.default_rng([seed, 14, exposure.number]))
    name = _file_name(exposure, chosen)
    cards = header(exposure, chosen, _moment(exposure, watch) if exposure.on_sky else None)
    write_image(where / name, data, cards)
    kept = frames[: len(data)]
    middles = [0.5 * sum(exposure.window(chosen.arm, i)) for i in range(len(data))]
    pointed = exposure.on_sky and exposure.kind != "SKY"
    return FileTruth(
        name=name,
        kind=exposure.kind,
        category=exposure.category,
        dit=exposure.light_dit or exposure.dit,
        nframes=len(data),
        times=tuple(middles),
        parallactic_icrs=tuple(frame.zenith_icrs for frame in kept),
        parallactic_date=tuple(frame.zenith_date for frame in kept),
        north=tuple(frame.north for frame in kept),
        stars=camera.stars(exposure) if pointed else (),
        transmission=camera.transmission(exposure.light_nd or exposure.nd) if pointed else (),
        strehl=tuple(frame.strehl for frame in kept),
    )


def _moment(exposure: Exposure, watch: Watch) -> Moment:
    times = Time([exposure.start, exposure.end(watch.night.arm)], format="mjd", scale="utc")
    return Moment(point(watch.night.star.at(times[0]), times), watch.weather)


def _file_name(exposure: Exposure, chosen: Night) -> str:
    name = archive_name(exposure).replace(":", "_")
    return f"{digest(name, 12)}.fits" if "unsorted_names" in chosen.faults else name


def _write_telemetry(where: Path, sky: list[Exposure], weather: Turbulence, chosen: Night, seed: int) -> FileTruth:
    begin, end = float(weather.times[0]), float(weather.times[-1])
    exposure = Exposure("OBJECT,AO", "CALIB", "IMAGE", begin, 0.0, 1, number=len(sky) + 1, begun=begin)
    cards = header_of(header(exposure, chosen, None))
    for name in [name for name in cards if name.startswith(("ESO SEQ", "ESO DET", "ESO INS1", "ESO INS2"))]:
        del cards[name]  # the adaptive optics belongs to no arm
    name = _file_name(exposure, chosen)
    rng = np.random.default_rng([seed, 15])
    telemetry(weather, rng, cards).writeto(where / name, overwrite=True, checksum=True)
    return FileTruth(
        name=name, kind=exposure.kind, category=exposure.category, dit=0.0, nframes=0, times=(begin, end)
    )


def _spoil(where: Path, chosen: Night, files: list[FileTruth]) -> None:
    """Faults of files as such: a card that cannot be read, a file twice, a file of another instrument."""
    science = [one for one in files if one.kind == "OBJECT"]
    if "broken_card" in chosen.faults:
        path = where / science[-1].name
        with path.open("r+b") as stream:
            place = stream.read(200 * 2880).index(b"HIERARCH ESO TEL AMBI RHUM")
            stream.seek(place)
            stream.write(b"HIERARCH ESO TEL AMBI RHUM = 1x.5.2 '".ljust(80))
    if "duplicate_file" in chosen.faults:
        shutil.copyfile(where / science[0].name, where / f"copy_{science[0].name}")
    if "foreign_file" in chosen.faults:
        alien = fits.PrimaryHDU(np.zeros((4, 4), dtype=np.float32))
        alien.header["INSTRUME"] = "NAOS+CONICA"
        alien.header["DATE-OBS"] = "2019-05-12T03:00:00"
        alien.writeto(where / "NACO.2019-05-12T03_00_00.000.fits", overwrite=True)


def _truth(camera: Camera, seed: int, epoch: float, sources: Any, files: list[FileTruth]) -> Truth:
    return Truth(
        seed=seed,
        night=camera.night,
        epoch=epoch,
        wavelengths=camera.wavelengths,
        pixel_scale=camera.pixel_scale,
        squeeze=camera.squeeze,
        rotation=camera.rotation,
        star_flux=(camera.night.rate,) * len(camera.wavelengths),
        bad_fraction=float(camera.detector.bad.mean()),
        gain=camera.detector.gain,
        read_noise=camera.detector.read_noise,
        lenslets=camera.lenslets,
        sources=sources,
        files=tuple(files),
    )
