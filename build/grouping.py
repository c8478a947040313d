"""Say which detections are of one object, where their sources do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from lyot.build.consolidate import FRAMES
from lyot.build.reuse import recall_groups
from lyot.build.rows import columns, read
from lyot.catalog.grouping import Detections, Field, Grouping, group_all
from lyot.catalog.motion import star_of
from lyot.catalog.positions import COLUMNS

_OPEN = "FROM _ungrouped"  # the targets that changed since the release before (`build.reuse`)
_TARGETS = f"""
SELECT target_id, ra, dec, ref_epoch, pmra, pmdec, parallax, radial_velocity, mass
FROM target WHERE target_id IN ({_OPEN})
ORDER BY target_id
"""
_KNOWN = f"SELECT target_id, companion_id FROM companion WHERE target_id IN ({_OPEN}) ORDER BY companion_id"
_DETECTIONS = f"""
SELECT detection.rowid AS row, target_id, companion_id, {FRAMES}, coalesce(snr, 0) AS snr, false_alarms, reduction_id,
    {", ".join(COLUMNS)},
    pmra, pmdec
FROM detection LEFT JOIN target USING (target_id) WHERE target_id IN ({_OPEN})
ORDER BY target_id, mjd, reduction_id, number, wavelength
"""


def group_detections(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill in `detection.companion_id` where one object only is plausible, `detection.proposed` where several are.

    A source that is none of the known objects is a new one, if it is bright enough to be believed. Targets that have
    not changed since the release before are as they were.
    """
    recall_groups(connection)
    rows = columns(connection, _DETECTIONS)
    if not len(rows["row"]):
        return
    names = [rows[name].to_pylist() for name in ("observation_id", "reduction_id", "companion_id")]
    numbers = {name: rows[name].to_numpy() for name in (*COLUMNS, "pmra", "pmdec", "snr", "false_alarms")}
    seen = Detections.of(numbers, numbers["snr"], numbers["false_alarms"], *names)
    grouping = group_all(seen, _fields(connection, rows["target_id"]))
    _write(connection, rows["row"].to_numpy(), grouping)


def _fields(connection: duckdb.DuckDBPyConnection, targets: pa.ChunkedArray) -> Iterator[Field]:
    """The targets; their detections stand together, in the order of `_DETECTIONS`."""
    known: dict[str, list[str]] = defaultdict(list)
    for row in read(connection, _KNOWN):
        known[row["target_id"]].append(row["companion_id"])
    names = targets.to_pylist()
    starts = [place for place, name in enumerate(names) if not place or name != names[place - 1]]
    places = {names[start]: (start, end) for start, end in zip(starts, [*starts[1:], len(names)], strict=False)}
    for row in read(connection, _TARGETS):
        name = row["target_id"]
        yield Field(name, star_of(row), row["mass"], range(*places[name]), known[name])


def _write(connection: duckdb.DuckDBPyConnection, rows: np.ndarray, grouping: Grouping) -> None:
    proposed = {place: ", ".join(names) for place, names in grouping.proposed.items()}
    for column, said in (("companion_id", grouping.assigned), ("proposed", proposed)):
        if said:
            connection.register("_said", pa.table({"row": rows[list(said)], "name": list(said.values())}))
            connection.execute(f"UPDATE detection SET {column} = s.name FROM _said s WHERE detection.rowid = s.row")
            connection.unregister("_said")
