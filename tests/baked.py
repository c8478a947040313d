"""A small release made by hand: what the site reads, with values chosen to be awkward."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from astropy.io import fits

from lyot.catalog.table import tables
from lyot.product import Product
from lyot.store import Store

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b> \u202eשלום 🪐 }}{{ 7*7 }}"
PIXEL_SCALE = 20.0  # mas/px
SEPARATION, POSITION_ANGLE = 400.0, 120.0  # mas, deg East of North
RIGHTS = {"simulated": 0, "workspace": "main", "release_date": "2020-01-01"}
SQLITE = {"text": "TEXT", "int": "INTEGER", "float": "REAL", "bool": "INTEGER", "date": "TEXT", "json": "TEXT"}

Rows = dict[str, list[dict[str, Any]]]


def bake(folder: Path, rows: Rows) -> Path:
    """Write `lyot.db` and `parquet/` with every table and these rows, as `lyot build` does."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "lyot.db")
    for table in tables().values():
        columns = ", ".join(f'"{column.name}" {SQLITE[column.type]}' for column in table.columns)
        connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
        for row in rows.get(table.name, []):
            unknown = set(row) - set(table.names)
            assert not unknown, f"{table.name} has no {unknown}"
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            connection.execute(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', list(row.values()))
    connection.commit()
    connection.close()
    (folder / "parquet").mkdir(exist_ok=True)
    for table in tables().values():
        flags = [column.name for column in table.columns if column.type == "bool"]
        said = [
            {name: bool(value) if name in flags and value is not None else value for name, value in row.items()}
            for row in rows.get(table.name, [])
        ]
        pq.write_table(table.rows(said), folder / "parquet" / f"{table.name}.parquet")
    return folder


def image(side: int = 61) -> np.ndarray:
    """Noise with one bright source at the known place: North up (rows grow to the North), East to the left."""
    plane = np.random.default_rng(5).normal(size=(side, side)).astype(np.float32)
    angle, radius = np.radians(POSITION_ANGLE), SEPARATION / PIXEL_SCALE
    y, x = np.indices(plane.shape)
    at_y, at_x = side // 2 + radius * np.cos(angle), side // 2 - radius * np.sin(angle)
    return plane + 60.0 * np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / 4.0).astype(np.float32)


def hci() -> bytes:
    """A file with the extensions that the site shows."""
    plane = image()
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(plane[None], name="REDUCED_DATA"),
        fits.ImageHDU(plane[None] / 5.0, name="SNR_MAP"),
    ]
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    return buffer.getvalue()


def _star(name: str, key: str, **more: Any) -> dict[str, Any]:
    place = {"ra": 86.82, "dec": -51.066, "ref_epoch": 2016.0, "pmra": 100.0, "pmdec": 0.0, "parallax": 50.0}
    return {"target_id": key, "name": name, **place, "pmra_error": 0.1, "reference_id": "ref", **RIGHTS, **more}


def _detection(key: str, number: int, mjd: float, **more: Any) -> dict[str, Any]:
    angle = np.radians(POSITION_ANGLE)
    return {
        "target_id": key, "observation_id": f"{key}/o", "reduction_id": f"{key}/r", "number": number, "mjd": mjd,
        "companion_id": f"{key} b", "wavelength": 3.8, "filter": "L'", "separation": SEPARATION,
        "separation_error": 2.5, "position_angle": POSITION_ANGLE, "position_angle_error": 0.3,
        "dra": SEPARATION * np.sin(angle), "dra_error": 2.0, "ddec": SEPARATION * np.cos(angle), "ddec_error": 2.1,
        "snr": 12.25, "status": "COMPANION", "reference_id": "ref", **RIGHTS, **more,
    }  # fmt: skip


def _photometry(key: str, name: str, band: str, value: float) -> dict[str, Any]:
    return {
        "target_id": key, "companion_id": name, "quantity": "apparent_mag", "band": band, "number": 0, "value": value,
        "error_minus": 0.1, "error_plus": 0.1, "unit": "mag", "preferred": 1, "reference_id": "ref", **RIGHTS,
    }  # fmt: skip


def release(folder: Path) -> tuple[Path, Store]:
    """A release of a good star, a simulated one and a hostile one, and the store with their file."""
    store = Store(str(folder / "store"))
    kept = store.put(Product("reduction", "naco/good/2013-01-31", {"recipe": "pca"}, label="pca"), {"fits": hci()})
    rights = {"good": RIGHTS, "sim": {**RIGHTS, "simulated": 1}, HOSTILE: RIGHTS}
    rows: Rows = {name: [] for name in tables()}
    rows["workspace"] = [{"workspace": "main", "policy": "release-date"}]
    rows["reference"] = [
        {"reference_id": "ref", "citation": f"Author {HOSTILE} 2020", "year": 2020, "url": "javascript:alert(1)"}
    ]
    rows["field_dwarf"] = [
        {"name": f"Dwarf {HOSTILE} {n}", "parallax": 100.0, "mko_j": 10.0 + n, "mko_h": 9.5 + n / 2,
         "reference_id": "ref"}
        for n in range(3)
    ]  # fmt: skip
    rows["survey"] = [{"survey_id": "s", "name": f"Survey {HOSTILE}", "description": HOSTILE}]
    for key, own in rights.items():
        name = {"good": "Good star", "sim": "Simulated star"}.get(key, HOSTILE)
        rows["target"].append(_star(name, key, **own))
        rows["target_alias"].append({"target_id": key, "alias": f"alias of {name}", **own})
        rows["observation"].append(
            {"observation_id": f"{key}/o", "target_id": key, "survey_id": "s", "instrument": "naco", "filter": "L'",
             "date": "2013-01-31", "mjd": 56323.0, "pixel_scale": PIXEL_SCALE, "frames": 61, "programme": name, **own}
        )  # fmt: skip
        rows["reduction"].append(
            {"reduction_id": f"{key}/r", "observation_id": f"{key}/o", "target_id": key, "recipe": "pca",
             "parameters": "ncomp=5", "date": "2026-01-01", "record": '{"recipe": "pca", "mask_radius": 3}',
             "product_key": kept.key if key == "good" else None, **own}
        )  # fmt: skip
        rows["companion"].append(
            {"companion_id": f"{key} b", "target_id": key, "name": f"{name} b", "status": "COMPANION", **own}
        )
        rows["verdict"].append(
            {"companion_id": f"{key} b", "target_id": key, "origin": "human", "status": "COMPANION",
             "author": name, "reason": f"because {name}", "date": "2026-01-01", **own}
        )  # fmt: skip
        rows["detection"] += [_detection(key, 0, 56323.0, **own), _detection(key, 1, 56323.0 + 365.25, **own)]
        rows["detection_limit"] += [
            {"target_id": key, "observation_id": f"{key}/o", "reduction_id": f"{key}/r", "wavelength": 3.8,
             "noise": "mawet", "separation": 200.0 * step, "delta_mag": 5.0 + step, "sigma": 5.0, **own}
            for step in (1, 2, 3)
        ]  # fmt: skip
        rows["measurement"] += [
            _photometry(key, f"{key} b", f"SPHERE/{band}", value) for band, value in (("H2", 13.5), ("H3", 12.9))
        ]
        rows["measurement"] += [
            _photometry(key, f"{key} b", f"MKO/{band}", value) for band, value in (("J", 13.0), ("H", 12.2))
        ]
    data = hci()
    rows["product"] = [
        {"product_key": kept.key, "target_id": "good", "dataset": "naco/good/2013-01-31", "kind": "reduction",
         "path": f"{kept.stem}.fits", "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **RIGHTS}
    ]  # fmt: skip
    return bake(folder / "public", rows), store
