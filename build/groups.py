"""Give the detections that no source gives to a companion to the objects they are of."""

from __future__ import annotations

from itertools import groupby

import duckdb
import pyarrow as pa

from lyot.build.rows import Row, insert, read
from lyot.catalog.grouping import group
from lyot.catalog.motion import star_of
from lyot.catalog.table import tables

#: All that was detected around the targets with detections of no companion.
_DETECTIONS = """
SELECT rowid AS place, *
FROM detection
WHERE target_id IN (SELECT target_id FROM detection WHERE companion_id IS NULL AND mjd IS NOT NULL)
ORDER BY target_id, simulated, mjd, reduction_id, number, wavelength
"""


def add_groups(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill in `companion_id` of detections where it is plain, and add the objects that this finds to `companion`.

    A target's simulated detections are grouped apart from the observed ones.
    """
    targets = {row["target_id"]: row for row in read(connection, "FROM target")}
    names = {row["companion_id"] for row in read(connection, "SELECT companion_id FROM companion")}
    assigned: list[Row] = []
    founded: list[Row] = []
    for (target_id, _), some in groupby(read(connection, _DETECTIONS), lambda r: (r["target_id"], r["simulated"])):
        rows, target = list(some), targets.get(target_id, {})
        found = group(target_id, star_of(target), rows, target.get("mass"), names)
        assigned += [{"place": rows[place]["place"], "name": name} for place, name in found.assigned.items()]
        names.update(found.founded)
        for name in found.founded:
            own = [rows[place] for place, whose in found.assigned.items() if whose == name]
            founded.append(_companion(name, target, own))
    schema = pa.schema([("place", pa.int64()), ("name", pa.string())])
    connection.register("_assigned", pa.Table.from_pylist(assigned, schema))
    connection.execute("UPDATE detection SET companion_id = a.name FROM _assigned a WHERE detection.rowid = a.place")
    connection.unregister("_assigned")
    insert(connection, tables()["companion"], founded)


def _companion(name: str, target: Row, rows: list[Row]) -> Row:
    """A row of `companion` for an object that nobody described yet; private if any of its detections is."""
    dates = [row["release_date"] for row in rows]
    return {
        "companion_id": name,
        "target_id": rows[0]["target_id"],
        "name": f"{target.get('name') or rows[0]['target_id']} {name.rpartition('-')[2]}",
        "simulated": any(row["simulated"] for row in rows),
        "workspace": rows[0]["workspace"],
        "release_date": None if None in dates else max(dates),
    }
