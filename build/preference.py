"""Of several published values of one quantity, mark the one that the catalogue uses."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from lyot.build.rows import read
from lyot.catalog.preference import prefer

#: Only what has a choice, or says nothing, needs a look.
_OPEN = """
SELECT rowid AS place, target_id, companion_id, quantity, band, number, error_minus, error_plus, "limit", preferred,
    preferred_reason, reference_id
FROM measurement
WINDOW same AS (PARTITION BY target_id, companion_id, quantity, band)
QUALIFY count(*) OVER same > 1 OR preferred IS DISTINCT FROM true
ORDER BY place
"""
_CHOSEN = pa.schema([("place", pa.int64()), ("preferred", pa.bool_()), ("why", pa.string())])


def prefer_values(connection: duckdb.DuckDBPyConnection) -> None:
    """Let exactly one value of each quantity be preferred, with the reason where there was a choice."""
    years = {row["reference_id"]: row["year"] for row in read(connection, "SELECT reference_id, year FROM reference")}
    chosen = [
        {"place": row["place"], "preferred": row["preferred"], "why": row["preferred_reason"]}
        for row in prefer(read(connection, _OPEN), years)
    ]
    connection.register("_chosen", pa.Table.from_pylist(chosen, _CHOSEN))
    connection.execute(
        "UPDATE measurement SET preferred = c.preferred, preferred_reason = c.why FROM _chosen c "
        "WHERE measurement.rowid = c.place"
    )
    connection.unregister("_chosen")
