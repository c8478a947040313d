"""A reduction in the words of the catalogue: its HCI-FITS file and its rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

import lyot
from lyot.build.plan import Job
from lyot.catalog.hciformat import Card, HciFits, Limits
from lyot.catalog.table import tables
from lyot.cube import Cube, Floats, Images, star_position
from lyot.errors import NotFound
from lyot.instrument import instrument
from lyot.product import spelled
from lyot.reduce.psf_image import fwhm_of
from lyot.reduce.reduction import Reduction, Source

MAGNITUDE = 2.5 / math.log(10.0)  # error of a magnitude over the relative error of a flux


class Made(NamedTuple):
    """All that one job knows when it is done."""

    job: Job
    cube: Cube
    observation: Mapping[str, Any]
    reduction: Reduction
    date: str  # ISO, UTC

    @property
    def reduction_id(self) -> str:
        """Name of the reduction in the catalogue."""
        return f"{self.job.dataset}/{self.job.label}-{self.job.reduction.key[:8]}"


def rows_of(made: Made) -> dict[str, pa.Table]:
    """The rows of `reduction`, `detection` and `detection_limit`, by table."""
    places = _places(made)
    rows = {
        "reduction": [_reduction(made)],
        "detection": [
            _detection(made, one) | {"false_alarms": known(one.false_alarm_probability * places[one.wave])}
            for one in made.reduction.sources
        ],
        "detection_limit": _detection_limits(made),
    }
    return {name: tables()[name].rows(values) for name, values in rows.items()}


def _shared(made: Made) -> dict[str, Any]:
    """What every row of a reduction says of where it comes from."""
    observation = made.observation
    return {
        "target_id": observation["target_id"],
        "observation_id": observation["observation_id"],
        "reduction_id": made.reduction_id,
        "simulated": observation["simulated"],
        "workspace": observation["workspace"],
    }


def _reduction(made: Made) -> dict[str, Any]:
    recipe = made.job.recipe
    return {
        **_shared(made),
        "recipe": recipe.name,
        "algorithm": type(recipe.model).__name__,
        "strategy": recipe.strategy,
        "parameters": _parameters(made),
        "software": "Lyot",
        "version": lyot.__version__,
        "date": made.date,
        "frames_used": made.reduction.frames_used,
        "record": json.dumps(recipe.record(), sort_keys=True),
        "product_key": made.job.reduction.key,
    }


def _parameters(made: Made) -> str:
    """Parameters of the recipe, and what the cube decided where the recipe left it open: `ncomp=auto (15)`."""
    chosen = made.reduction.settled.get("components")
    written = made.job.recipe.parameters
    return written if chosen is None else written.replace("ncomp=auto", f"ncomp=auto ({chosen['ncomp']})")


def _places(made: Made) -> Sequence[float]:
    """Places as large as a source at which one could have been found, by wavelength; NaN where none was looked for."""
    if made.reduction.snr is None or (made.cube.psf is None and made.cube.fwhm is None):
        return [math.nan] * len(made.cube.wavelengths)
    return [
        float(np.isfinite(snr).sum() / (math.pi / 4.0 * fwhm_of(made.cube, wave) ** 2))
        for wave, snr in enumerate(made.reduction.snr)
    ]


def _detection(made: Made, source: Source) -> dict[str, Any]:
    contrast, contrast_error = known(source.contrast), known(source.contrast_error)
    bright = contrast is not None and contrast > 0
    return {
        **_shared(made),
        "number": source.number,
        "mjd": made.observation["mjd"],
        "mjd_error": made.observation.get("mjd_error"),
        "filter": made.observation["filter"],
        "wavelength": float(made.cube.wavelengths[source.wave]),
        "separation": source.separation,
        "separation_error": known(source.separation_error),
        "position_angle": source.position_angle % 360.0,
        "position_angle_error": known(source.position_angle_error),
        "dra": source.dra,
        "dra_error": known(source.dra_error),
        "ddec": source.ddec,
        "ddec_error": known(source.ddec_error),
        "dra_ddec_correlation": known(source.dra_ddec_correlation),
        "contrast": contrast,
        "contrast_error": contrast_error,
        "delta_mag": -2.5 * math.log10(contrast) if contrast is not None and bright else None,
        "delta_mag_error": MAGNITUDE * contrast_error / contrast if contrast_error and contrast and bright else None,
        "snr": known(source.snr),
        "false_alarm_probability": known(source.false_alarm_probability),
    }


def _detection_limits(made: Made) -> list[dict[str, Any]]:
    shared = {**_shared(made), "filter": made.observation["filter"]}
    return [
        {
            **shared,
            "wavelength": float(made.cube.wavelengths[limit.wave]),
            "noise": limit.noise,
            "sigma": limit.sigma,
            "separation": float(separation),
            "contrast": float(contrast),
            "delta_mag": -2.5 * math.log10(contrast),
            "throughput": known(throughput),
        }
        for limit in made.reduction.limits
        for separation, contrast, throughput in zip(limit.separation, limit.contrast, limit.throughput, strict=True)
        if np.isfinite(contrast) and contrast > 0
    ]


def known(value: float | None) -> float | None:
    """A number, or None where it is none: NaN in a table would be taken for a value."""
    return None if value is None or not math.isfinite(value) else float(value)


def hci_of(made: Made) -> HciFits:
    """The HCI-FITS file of a reduction."""
    reduction, observation, recipe = made.reduction, made.observation, made.job.recipe
    count = len(reduction.image)
    width = _bandwidth(observation)
    limits = tuple(_limits(made, noise) for noise in dict.fromkeys(limit.noise for limit in reduction.limits))
    information = {
        "orientation": np.zeros(count),
        "rotation": np.full(count, made.cube.rotation),
        "exposures": np.full(count, reduction.frames_used),
        "exposure_time": np.full(count, _or_nan(observation["exposure_time"])),
        "midpoint": np.full(count, _or_nan(observation["mjd"])),
        "wavelength": made.cube.wavelengths,
        "bandwidth": np.full(count, width),
        "polarization": np.full(count, "I"),
    }
    cards: dict[str, Card] = {
        "ORIGIN": f"Lyot {lyot.__version__}",
        "DATE": made.date[:19],
        "DATATYPE": recipe.strategy.upper(),
        "TELESCOP": observation["telescope"],
        "INSTRUME": observation["instrument"],
        "FILTER": spelled(observation["filter"] or ""),
        "TARGNAME": spelled(observation["target_name"]),
        "DATE-OBS": observation["date"],
        "PIXSCALE": made.cube.pixel_scale / 1e3,  # arcsec, as the format has it
        "SIMULATE": bool(observation["simulated"]),
    }
    image_cards: dict[str, Card] = {
        "BUNIT": "ct",
        "REDALGO": type(recipe.model).__name__,
        "REDSTRAT": recipe.strategy.upper(),
        "REDPARAM": _parameters(made),
        "NPSFLIBR": reduction.frames_used,
    }
    return HciFits(
        images=reduction.image,
        information=information,
        labels=tuple(f"{wavelength:.4g} um" for wavelength in made.cube.wavelengths),
        sources=_candidates(made),
        limits=limits,
        snr=reduction.snr,
        sensitivity=_sensitivity(made, limits[0]) if limits else None,
        cards=cards,
        image_cards=image_cards,
        corrected=reduction.corrected,
        stacked=reduction.stacked,
        record={
            "recipe": recipe.record(),
            "settled": dict(reduction.settled),
            "inputs": list(made.job.reduction.inputs),
            "notes": list(reduction.notes),
        },
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _bandwidth(observation: Mapping[str, Any]) -> float:
    """Width of the filter, µm; NaN when the instrument does not know the filter."""
    try:
        return instrument(observation["instrument"]).filter(observation["filter"] or "").width
    except NotFound:
        return math.nan


def _limits(made: Made, noise: str) -> Limits:
    """The curves of all wavelengths by one definition of the noise, as rows padded with NaN."""
    curves = {limit.wave: limit for limit in made.reduction.limits if limit.noise == noise}
    longest = max(len(curve.separation) for curve in curves.values())
    shape = (len(made.reduction.image), longest)
    separation, contrast, throughput = (np.full(shape, np.nan) for _ in range(3))
    for wave, curve in curves.items():
        used = slice(0, len(curve.separation))
        separation[wave, used], contrast[wave, used] = curve.separation, curve.contrast
        throughput[wave, used] = curve.throughput
    sigma = next(iter(curves.values())).sigma
    return Limits(noise, sigma, separation, contrast, throughput)


def _sensitivity(made: Made, limits: Limits) -> Images:
    """Contrast of the faintest source that would have been detected at each pixel, (wave, y, x)."""
    shape = made.reduction.image.shape
    cy, cx = star_position(shape)
    rows, columns = np.indices(shape[1:])
    radius = np.hypot(rows - cy, columns - cx) * made.cube.pixel_scale
    maps = [_at(radius, *curve) for curve in zip(limits.separation, limits.contrast, strict=True)]
    return np.where(np.isnan(made.reduction.image), np.nan, np.stack(maps)).astype(np.float32)


def _at(radius: Floats, separation: Floats, contrast: Floats) -> Floats:
    """A curve at every pixel's radius; NaN where it says nothing."""
    good = np.isfinite(separation) & np.isfinite(contrast)
    if not good.any():
        return np.full(radius.shape, np.nan)
    return np.interp(radius, separation[good], contrast[good], left=np.nan, right=np.nan)


def _candidates(made: Made) -> dict[str, Any]:
    """Sources as the format wants them: a row per candidate, a vector over images."""
    sources = made.reduction.sources
    numbers = sorted({source.number for source in sources})
    shape = (len(numbers), len(made.reduction.image))
    names = ("separation", "position_angle", "dra", "ddec", "contrast")
    table: dict[str, Any] = {name: np.full(shape, np.nan) for one in names for name in (one, f"{one}_error")}
    table["snr"] = np.full(shape, np.nan)
    for source in sources:
        row = _detection(made, source)
        for name, values in table.items():
            values[numbers.index(source.number), source.wave] = _or_nan(row[name])
    return {"number": np.array(numbers, dtype=int), **table}
