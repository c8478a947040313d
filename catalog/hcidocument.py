"""What an HCI-FITS file says, as a document for `exchange`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lyot.catalog.hciformat import HciFits, Limits
from lyot.catalog.table import tables
from lyot.errors import BadInput
from lyot.product import slug

#: Cards of the primary header, and what they are of an observation.
OBSERVATION = {
    "TARGNAME": "target_name", "TELESCOP": "telescope", "INSTRUME": "instrument", "FILTER": "filter",
    "PROPOSID": "programme", "OBSID": "observation_id",
}  # fmt: skip
#: Cards of either header, and what they are of a reduction.
REDUCTION = {"ORIGIN": "software", "REDALGO": "algorithm", "REDSTRAT": "strategy", "DATE": "date"}


def document_of_hci(hci: HciFits) -> dict[str, Any]:
    """The observation of a file, with its reductions, their detections and limits.

    Limits by a definition of noise that is none of ours are told as an unknown column: they mean something else.
    Images at different wavelengths are of one reduction; where a wavelength comes again (as rolls beside their
    combination), another reduction begins.

    Raises
    ------
    BadInput
        If the file names no target, or no time of observation.
    """
    cards = {**hci.image_cards, **hci.cards}
    observation: dict[str, Any] = {
        ours: str(cards[card]).strip() for card, ours in OBSERVATION.items() if str(cards.get(card, "")).strip()
    }
    if "target_name" not in observation:
        raise BadInput("its primary header names no target", hint="the keyword is TARGNAME")
    midpoint = _first(hci, "midpoint")
    if midpoint is None:
        raise BadInput("its DATA_INFORMATION has no time of observation")
    observation["mjd"] = midpoint
    for name in ("wavelength", "exposure_time"):
        if (value := _first(hci, name)) is not None:
            observation[name] = value
    if "instrument" in observation:
        observation["instrument"] = slug(observation["instrument"])
    if cards.get("SIMULATE") is True:
        observation["simulated"] = True
    observation["reductions"] = [_reduction(hci, cards, images) for images in _by_reduction(hci)]
    return {"observations": [observation]}


def _by_reduction(hci: HciFits) -> list[list[int]]:
    """Numbers of the images of each reduction."""
    wavelengths = hci.information.get("wavelength", np.full(len(hci.images), np.nan))
    found: list[list[int]] = []
    for image, wavelength in enumerate(wavelengths):
        for images in found:
            if all(wavelengths[other] != wavelength for other in images) and np.isfinite(wavelength):
                images.append(image)
                break
        else:
            found.append([image])
    return found


def _reduction(hci: HciFits, cards: Mapping[str, Any], images: list[int]) -> dict[str, Any]:
    said: dict[str, Any] = {ours: str(cards[card]).strip() for card, ours in REDUCTION.items() if card in cards}
    if "strategy" in said:
        said["strategy"] = said["strategy"].lower()
    if len(hci.labels) > images[0]:
        said["parameters"] = hci.labels[images[0]]
    if hci.record:
        said["record"] = dict(hci.record)
    places = range(len(hci.sources.get("number", ())))
    said["detections"] = [row for image in images for place in places if (row := _source(hci, place, image))]
    for limits in hci.limits:
        ours = limits.noise in tables()["detection_limit"].column("noise").choices
        part = "detection_limits" if ours else f"detection_limits ({limits.noise} noise, {limits.sigma:g} sigma)"
        said.setdefault(part, []).extend(row for image in images for row in _limits(hci, limits, image))
    return said


def _source(hci: HciFits, place: int, image: int) -> dict[str, Any]:
    """A source in one image; nothing where it was not measured there."""
    known = set(tables()["detection"].names)
    row = {
        name: float(values[place, image])
        for name, values in hci.sources.items()
        if name in known and values.ndim == 2 and np.isfinite(values[place, image])
    }
    if not row:
        return {}
    if "position_angle" in row:
        row["position_angle"] %= 360.0
    return row | {"number": int(hci.sources["number"][place])} | _wavelength(hci, image)


def _limits(hci: HciFits, limits: Limits, image: int) -> list[dict[str, Any]]:
    """Rows of one limit curve; its empty end, and the middle of the mask, are left out."""
    unknown = np.full_like(limits.separation[image], np.nan)
    throughputs = unknown if limits.throughput is None else limits.throughput[image]
    return [
        {
            "noise": limits.noise,
            "sigma": limits.sigma,
            "separation": float(separation),
            "contrast": float(contrast),
            **({"throughput": float(throughput)} if np.isfinite(throughput) else {}),
        }
        | _wavelength(hci, image)
        for separation, contrast, throughput in zip(
            limits.separation[image], limits.contrast[image], throughputs, strict=True
        )
        if separation > 0 and np.isfinite(contrast) and contrast > 0
    ]


def _wavelength(hci: HciFits, image: int) -> dict[str, Any]:
    values = hci.information.get("wavelength")
    return {} if values is None or not np.isfinite(values[image]) else {"wavelength": float(values[image])}


def _first(hci: HciFits, name: str) -> float | None:
    values = hci.information.get(name)
    return float(values[0]) if values is not None and len(values) and np.isfinite(values[0]) else None
