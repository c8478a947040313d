"""The row of `observation` of a data set that was brought to Level 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.time import Time

from lyot.errors import Unprocessable
from lyot.product import Product, slug
from lyot.reduce.cards import Cards, read_header
from lyot.reduce.night import Night
from lyot.reduce.telemetry import at_frames, read_telemetry

if TYPE_CHECKING:
    from lyot.build.level1 import RawJob


def _atmosphere(job: RawJob, night: Night) -> dict[str, float | None]:
    """Medians over the frames of what the adaptive optics said, at the zenith; empty when it said nothing."""
    times = night.finished().times
    if not job.telemetry or times is None:
        return {}
    try:
        said = read_telemetry([one.path for one in job.telemetry])
    except Unprocessable:
        return {}
    first = job.frames.science[0]
    airmass = Cards(read_header(first.path)).number("TEL AIRM START") or 1.0
    seeing, coherence_time = said.at_zenith(airmass)
    found = {"seeing": seeing, "coherence_time": coherence_time, "strehl": said.strehl}
    medians = {}
    for name, values in found.items():
        at = at_frames(said.times, values, times, first.exposure or 0.0)
        medians[name] = float(np.nanmedian(at)) if np.isfinite(at).any() else None
    return medians


def observation(job: RawJob, product: Product, night: Night) -> dict[str, Any]:
    """What is known of the observation, for the catalogue."""
    cube, first = night.finished(), job.frames.science[0]
    date = job.frames.night
    true_north = night.instrument.constant("true_north", date)
    scale = night.instrument.constant("pixel_scale", date)
    middle = job.frames.middle if cube.times is None else float(cube.times.mean())
    return {
        "observation_id": product.dataset,
        "target_id": slug(job.frames.target),
        "target_name": job.frames.target,
        "telescope": night.instrument.telescope,
        "instrument": night.instrument.name,
        "filter": job.frames.filter,
        "wavelength": float(cube.wavelengths.mean()),
        "coronagraph": first.coronagraph or None,
        "date": Time(middle, format="mjd", scale="utc").iso[:10],
        "mjd": middle,
        **_atmosphere(job, night),
        "exposure_time": sum((one.exposure or 0.0) * one.frames for one in job.frames.science),
        "frames": cube.frames.shape[1],
        "parallactic_angle": night.cards["LYOT PARALLACTIC"][0] if "LYOT PARALLACTIC" in night.cards else None,
        "field_rotation": cube.rotation,
        "true_north": true_north.value,
        "true_north_error": true_north.error,
        "pixel_scale": scale.value,
        "pixel_scale_error": scale.error,
        "centring_error": None if night.star_error is None else night.star_error * cube.pixel_scale,
        "programme": first.programme or None,
        "product_key": product.key,
        "simulated": job.simulated,
        "workspace": job.workspace,
    }
