"""The row of `observation` of a data set that was brought to Level 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from astropy.time import Time

from lyot.catalog.names import target_id_of
from lyot.product import Product
from lyot.reduce.conditions import medians
from lyot.reduce.night import Night

if TYPE_CHECKING:
    from lyot.build.level1 import RawJob


#: Unit of each condition in the table of frames.
UNITS = {"seeing": "arcsec", "coherence_time": "ms", "strehl": "", "r0": "m", "wind": "m/s"}


def frame_columns(night: Night) -> list[fits.Column]:
    """Further columns of `FRAMES`: why a frame is unfit, and what the adaptive optics said during it."""
    columns = [fits.Column(name.upper(), "D", unit=UNITS[name], array=night.conditions[name])
               for name in UNITS if name in night.conditions]
    if night.flags:
        width = max(1, *map(len, night.flags))
        columns.append(fits.Column("FLAG", f"{width}A", array=np.array(night.flags)))
    return columns


def observation(job: RawJob, product: Product, night: Night) -> dict[str, Any]:
    """What is known of the observation, for the catalogue: of the frames that are not flagged, as reductions use it."""
    cube, first = night.finished(), job.frames.science[0]
    each = [(one.exposure or 0.0, one.frames) for one in job.frames.science]
    exposures = np.repeat([time for time, _ in each], [count for _, count in each])
    if any(night.flags):
        fit = np.array([not flag for flag in night.flags])
        cube, exposures = cube.select(fit), exposures[fit]
    date = job.frames.night
    true_north = night.instrument.constant("true_north", date)
    scale = night.instrument.constant("pixel_scale", date)
    middle = job.frames.middle if cube.times is None else float(cube.times.mean())
    return {
        "observation_id": product.dataset,
        "target_id": target_id_of(job.frames.target),
        "target_name": job.frames.target,
        "telescope": night.instrument.telescope,
        "instrument": night.instrument.name,
        "filter": job.frames.filter,
        "wavelength": float(cube.wavelengths.mean()),
        "coronagraph": first.coronagraph or None,
        "date": Time(middle, format="mjd", scale="utc").iso[:10],
        "mjd": middle,
        **medians(night),
        "exposure_time": float(exposures.sum()),
        "frames": cube.frames.shape[1],
        "parallactic_angle": night.cards["LYOT PARALLACTIC"][0] if "LYOT PARALLACTIC" in night.cards else None,
        "field_rotation": cube.rotation,
        "true_north": true_north.value,
        "true_north_error": night.instrument.north_error(date, pupil_held=first.tracking == "PUPIL"),
        "pixel_scale": scale.value,
        "pixel_scale_error": scale.error,
        "field_of_view": min(cube.frames.shape[-2:]) * cube.pixel_scale / 1e3,
        "centring_error": None if night.star_error is None else night.star_error * cube.pixel_scale,
        "programme": first.programme or None,
        "product_key": product.key,
        "simulated": job.simulated,
        "workspace": job.workspace,
    }

