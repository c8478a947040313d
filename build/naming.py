"""One star, one target: rows that name a star by another of its names are given the target that has that name."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from lyot.build.rows import read
from lyot.catalog.names import dictionary, same_star
from lyot.catalog.table import tables


def resolve_targets(connection: duckdb.DuckDBPyConnection) -> None:
    """Rewrite `target_id` in the tables `given_…`, by the names and aliases that the sources give.

    Only rows of targets that no source describes are rewritten: two descriptions of one star under two names are
    left as they are.
    """
    using = [table for table in tables().values() if "target_id" in table.names and table.name != "product"]
    observed = " UNION ".join(
        f"SELECT target_id, {'target_name' if 'target_name' in table.names else 'NULL'} AS name "
        f'FROM "given_{table.name}" WHERE target_id IS NOT NULL'
        for table in using
    )
    pairs = connection.execute(
        f"SELECT * FROM ({observed}) ANTI JOIN given_target USING (target_id) ORDER BY target_id, name"
    ).fetchall()
    if not pairs:
        return
    names = dictionary(
        read(connection, "SELECT DISTINCT target_id, name FROM given_target"),
        read(connection, "SELECT DISTINCT target_id, alias FROM given_target_alias"),
    )
    meant = same_star(names, pairs)
    if not meant:
        return
    connection.register("_meant", pa.table({"given": list(meant), "target_id": list(meant.values())}))
    for table in using:
        connection.execute(
            f'UPDATE "given_{table.name}" AS r SET target_id = m.target_id FROM _meant m WHERE r.target_id = m.given'
        )
    connection.unregister("_meant")
