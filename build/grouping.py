"""Say which detections are of one object, where their sources do not."""

from __future__ import annotations

from itertools import groupby

import duckdb
import pyarrow as pa

from lyot.build.rows import read
from lyot.catalog.grouping import group
from lyot.catalog.motion import star_of

_TARGETS = """
SELECT target_id, ra, dec, ref_epoch, pmra, pmdec, parallax, radial_velocity, mass
FROM target
WHERE target_id IN (SELECT target_id FROM detection WHERE companion_id IS NULL AND mjd IS NOT NULL)
"""
_DETECTIONS = """
SELECT rowid AS row, target_id, companion_id, observation_id, mjd, separation, separation_error, position_angle,
    position_angle_error, dra, dra_error, ddec, ddec_error, dra_ddec_correlation, snr
FROM detection
WHERE target_id IN (SELECT target_id FROM detection WHERE companion_id IS NULL AND mjd IS NOT NULL)
ORDER BY target_id, mjd, reduction_id, number, wavelength
"""


def group_detections(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill in `detection.companion_id` where one known object only is plausible.

    New objects are not made: a source a few errors off a known one is more often an error too small than a new planet.
    """
    stars = {row["target_id"]: row for row in read(connection, _TARGETS)}
    assigned: dict[int, str] = {}
    for target_id, found in groupby(read(connection, _DETECTIONS), lambda row: row["target_id"]):
        rows, star = list(found), stars.get(target_id)
        if star is not None:
            grouping = group(target_id, star_of(star), rows, star["mass"])
            assigned |= {
                rows[place]["row"]: name
                for place, name in grouping.assigned.items()
                if name not in grouping.founded
            }
    if not assigned:
        return
    connection.register("_assigned", pa.table({"row": list(assigned), "companion_id": list(assigned.values())}))
    connection.execute(
        "UPDATE detection SET companion_id = a.companion_id FROM _assigned a WHERE detection.rowid = a.row"
    )
    connection.unregister("_assigned")
