"""A release of any size, made by the real baker from random rows of fixed seed."""

from __future__ import annotations

from pathlib import Path

import duckdb

from lyot.build.bake import bake_sqlite
from lyot.catalog.table import tables

ABOUT = {"workspace": None, "as_of": "2026-01-01", "with_simulated": 0, "made": "2026-01-01T00:00:00+00:00",
         "version": "0"}  # fmt: skip
RIGHTS = "false AS simulated, 'main' AS workspace, '2020-01-01' AS release_date"


def bake_sky(folder: Path, targets: int, detections: int) -> Path:
    """A folder with `lyot.db` and a home page: stars all over the sky, one observation and one product of each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "index.html").write_text("<h1>sky</h1>")
    with duckdb.connect(config={"threads": 2}) as connection:
        for table in tables().values():
            connection.execute(table.create())
        connection.execute("SELECT setseed(0.5)")
        for name, rows in _rows(targets, detections).items():
            connection.execute(f"INSERT INTO {name} BY NAME {rows}")
        bake_sqlite(connection, folder / "lyot.db", ABOUT)
    return folder


def _rows(targets: int, detections: int) -> dict[str, str]:
    star = "'star-' || i AS target_id"
    return {
        "workspace": "SELECT 'main' AS workspace, 'release-date' AS policy",
        "reference": "SELECT 'ref' AS reference_id, 'Author 2020' AS citation, 2020 AS year",
        "target": f"SELECT {star}, 'Star ' || i AS name, random() * 360 AS ra, "
        "degrees(asin(2 * random() - 1)) AS dec, 2016.0 AS ref_epoch, 1 + 99 * random() AS parallax, "
        "5 + 10 * random() AS mag_h, 10 ^ (3 * random()) AS age, 'ref' AS reference_id, "
        f"{RIGHTS} FROM range({targets}) t(i)",
        "target_alias": f"SELECT {star}, 'HD ' || i AS alias, {RIGHTS} FROM range({targets}) t(i)",
        "observation": f"SELECT 'obs-' || i AS observation_id, {star}, 'naco' AS instrument, 'L''' AS filter, "
        "3.8 AS wavelength, '2013-02-01' AS date, 55000 + i % 5000 AS mjd, 3600.0 AS exposure_time, "
        "100 AS frames, 27.0 AS pixel_scale, 13.5 AS field_of_view, "
        f"'p' || i AS product_key, {RIGHTS} FROM range({targets}) t(i)",
        "reduction": f"SELECT 'red-' || i AS reduction_id, 'obs-' || i AS observation_id, {star}, 'pca' AS recipe, "
        f"{RIGHTS} FROM range({targets}) t(i)",
        "product": f"SELECT 'p' || i AS product_key, {star}, 'd' || i AS dataset, 'cube' AS kind, 1 AS level, "
        f"'main/d' || i || '.fits' AS path, 1000000 AS size, {RIGHTS} FROM range({targets}) t(i)",
        "detection": f"SELECT 'star-' || (i % {targets}) AS target_id, 'obs-' || (i % {targets}) AS observation_id, "
        f"'red-' || (i % {targets}) AS reduction_id, i // {targets} AS number, 3.8 AS wavelength, "
        "56000 + 1000 * random() AS mjd, 'L''' AS filter, "
        "5000 * random() AS separation, 360 * random() AS position_angle, "
        "2000 * random() - 1000 AS dra, 2000 * random() - 1000 AS ddec, 10 ^ (-6 * random()) AS contrast, "
        f"5 + 5 * random() AS snr, 'CANDIDATE' AS status, {RIGHTS} FROM range({detections}) t(i)",
    }
