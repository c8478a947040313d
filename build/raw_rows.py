"""Rows of `raw_file` and `association`: what products were made of, and how well calibrations fit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from lyot.product import Product
from lyot.reduce.associate import Association
from lyot.reduce.classify import RawFile


def raw_file_id(file: RawFile) -> str:
    """Short name of a raw file."""
    return file.sha256[:16]


def raw_rows(files: Iterable[RawFile], product: Product) -> list[dict[str, Any]]:
    """A row for each file that went into a product; without folders, which are nobody's business."""
    return [
        {
            "raw_file_id": raw_file_id(one),
            "name": PurePath(one.path).name,
            "sha256": one.sha256,
            "instrument": f"sphere-{one.arm}" if one.arm in ("irdis", "ifs") else "sphere",
            "role": one.role,
            "mjd": one.start,
            "exposure_time": one.exposure,
            "frames": one.frames,
            "frames_planned": one.planned or None,
            "filter": one.filter or None,
            "density": one.density or None,
            "coronagraph": one.coronagraph or None,
            "target_name": one.target or None,
            "programme": one.programme or None,
            "product_key": product.key,
            "simulated": one.simulated,
            "workspace": product.workspace,
        }
        for one in {one.sha256: one for one in files}.values()
    ]


def association_rows(
    found: Iterable[Association], masters: Mapping[str, str], product: Product, simulated: bool
) -> list[dict[str, Any]]:
    """A row for each need of an observation; `masters` are the keys of the products that serve them."""
    return [
        {
            "observation_id": product.dataset,
            "need": one.need,
            "role": one.role if one.found else None,
            "level": one.level if one.found else None,
            "hours": one.hours if one.found else None,
            "why": one.why,
            "raw_files": json.dumps([raw_file_id(file) for file in one.files]),
            "product_key": masters.get(one.need),
            "simulated": simulated,
            "workspace": product.workspace,
        }
        for one in found
    ]
