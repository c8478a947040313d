"""Pictures of a target's reductions, written beside its page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from lyot.site.images import Picture, Plane, picture, planes
from lyot.site.overlay import Sky, overlay
from lyot.site.release import Release, Row
from lyot.site.words import plural, with_error
from lyot.site.writer import Writer

#: Extensions of an HCI-FITS file that become pictures: name, heading, whether it is a map of S/N.
EXTENSIONS = (("REDUCED_DATA", "Image", False), ("SNR_MAP", "Signal to noise, −2 to 8", True))


@dataclass(frozen=True)
class Shown:
    """One picture of a view: where the file is, what lies over it, what it is called."""

    heading: str
    address: str
    overlay: str
    width: int
    height: int


#: From the plainest model of the starlight to the most careful, as one compares them from left to right.
ORDER = ("no-adi", "radial", "cadi", "pca", "annular-pca", "loci", "tloci")


@dataclass(frozen=True)
class View:
    """One reduction side by side: its image and its S/N map."""

    reduction: Row
    observation: Row
    pictures: tuple[Shown, ...]
    sources: tuple[Row, ...]
    best_snr: float

    @property
    def caption(self) -> str:
        """The recipe with its parameters, and what it was made of."""
        made = " ".join(part for part in (self.reduction.get("recipe"), self.reduction.get("parameters")) if part)
        return made or self.reduction["reduction_id"]


def views(release: Release, target: Row, files: Mapping[str, bytes], writer: Writer) -> list[View]:
    """One view for each reduction whose pixels are released, in the order of date and recipe.

    Parameters
    ----------
    release : Release
    target : row of `target`
    files : HCI-FITS files by product key
    writer : Writer
        Takes the pictures, under `images/`.
    """
    key = target["target_id"]
    observations = {row["observation_id"]: row for row in release.of_target("observation", key)}
    found = []
    for reduction in release.of_target("reduction", key):
        data = files.get(reduction["product_key"] or "")
        if data is None:
            continue
        observation = observations.get(reduction["observation_id"], {})
        sources = _sources(release, key, reduction["reduction_id"])
        shown = _pictures(data, target, reduction, observation, sources, writer)
        if shown:
            best = max((row["snr"] or 0.0 for row in sources), default=0.0)
            found.append(View(reduction, observation, shown, tuple(sources), best))
    return sorted(found, key=_place)


def _place(view: View) -> tuple[str, str, int, str]:
    """By observation, and in it by recipe."""
    recipe = view.reduction["recipe"] or ""
    rank = ORDER.index(recipe) if recipe in ORDER else len(ORDER)
    return view.observation.get("date") or "", view.reduction["observation_id"], rank, view.caption


def by_observation(found: Sequence[View]) -> list[tuple[Row, list[View]]]:
    """Views with the observation they are of."""
    return [
        (group[0].observation, group)
        for group in (list(views) for _, views in groupby(found, key=lambda view: view.reduction["observation_id"]))
    ]


def _pictures(
    data: bytes, target: Row, reduction: Row, observation: Row, sources: Sequence[Row], writer: Writer
) -> tuple[Shown, ...]:
    sky = Sky(observation.get("pixel_scale"), target.get("parallax"), _mask(reduction))
    shown = []
    for extension, heading, symmetric in EXTENSIONS:
        cube = planes(data, extension)
        if cube is None or not np.isfinite(cube).any():
            continue
        made = picture(stacked(cube), symmetric=symmetric)
        address = f"images/{reduction['product_key']}-{extension.lower().replace('_', '-')}.webp"
        writer.write(address, made.data)
        recipe = f"{reduction.get('recipe') or 'reduction'} {reduction.get('parameters') or ''}".rstrip()
        marked = plural(len(sources), "detection")
        says = f"{heading} of {target['name']}, {recipe}: North up, East left, {marked} marked"
        shown.append(Shown(heading, address, overlay(made, sky, sources, says), *_size(made)))
    return tuple(shown)


def _size(made: Picture) -> tuple[int, int]:
    return made.width, made.height


def stacked(cube: Plane) -> Plane:
    """Median over the planes of those pixels that any plane saw."""
    if len(cube) == 1:
        return cube[0]
    seen = np.isfinite(cube).any(axis=0)
    out = np.full(cube.shape[1:], np.nan, dtype=np.float32)
    out[seen] = np.nanmedian(cube[:, seen], axis=0)
    return out


def _sources(release: Release, target_id: str, reduction_id: str) -> list[dict[str, Any]]:
    """Detections in one reduction, each source once (at its best S/N), with what marks it in the picture."""
    names = {row["companion_id"]: row["name"] for row in release.of_target("companion", target_id)}
    best: dict[int, Row] = {}
    for row in release.of_target("detection", target_id):
        if row["reduction_id"] == reduction_id:
            known = best.get(row["number"])
            if known is None or (row["snr"] or 0.0) > (known["snr"] or 0.0):
                best[row["number"]] = row
    sources = []
    for number_of, row in sorted(best.items()):
        name = names.get(row["companion_id"])
        where = f"{with_error(row['separation'], row['separation_error'])} mas"
        at = f"{with_error(row['position_angle'], row['position_angle_error'])}°"
        letter = name.rsplit(" ", 1)[-1][:3] if name else str(number_of + 1)
        sources.append({**row, "letter": letter, "label": f"{name or f'source {number_of + 1}'}: {where}, {at}"})
    return sources


def _mask(reduction: Row) -> float:
    """Radius (px) that the recipe left out around the star, as its record says."""
    try:
        record = json.loads(reduction.get("record") or "{}")
    except ValueError:
        return 0.0
    radius = record.get("mask_radius", 0.0) if isinstance(record, dict) else 0.0
    return float(radius) if isinstance(radius, int | float) else 0.0
