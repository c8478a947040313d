"""Read the rows of selected products out of the store's Parquet files into DuckDB, with the rights they inherit."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from lyot.build.visible import Audience, Selection
from lyot.catalog.release import public_sql
from lyot.catalog.table import SQL, Column, Table, tables
from lyot.store import Kept, Store

_SOURCE = pa.schema(
    [
        pa.field(name, pa.string())
        for name in (
            "filename", "key", "kind", "workspace", "policy", "release_date", "validation", "validation_reason"
        )
    ]
    + [pa.field("rank", pa.int64()), pa.field("simulated", pa.bool_())]
)  # fmt: skip
#: Rows of small files, each with the name of its file, and of merged ones, which say whose each row was.
_READ = "read_parquet(?, union_by_name = true, filename = true, hive_partitioning = false)"
_READ_MERGED = f"(SELECT * EXCLUDE (filename, _stem), ? || _stem || ? AS filename FROM {_READ})"


class Sources:
    """The Parquet files of the selected products, as DuckDB sees them through `connection`.

    Makes the table `_source`: for each file, what its rows inherit from their product. Rows of later sources
    (higher rank) count more.
    """

    def __init__(
        self, store: Store, connection: duckdb.DuckDBPyConnection, selection: Selection, audience: Audience
    ) -> None:
        self.connection = connection
        self.audience = audience
        self._store = store
        self._merged = {name: _whole(name, selection) for name in tables()}
        copied = {name: {stem for one in some for stem in one.product.record["stems"]}
                  for name, some in self._merged.items()}  # fmt: skip
        self._stems = {
            name: [
                one.kept.stem
                for one in selection.chosen
                if name in one.kept.tables and one.kept.stem not in copied[name]
            ]
            for name in tables()
        }
        if not _is_local(store):
            connection.register_filesystem(store.fs)
        rows: list[dict[str, Any]] = [
            {
                "filename": self._url(one.kept.stem, table),
                "key": one.kept.key,
                "kind": one.kept.product.kind,
                "workspace": one.kept.product.workspace,
                "policy": selection.policies[one.kept.product.workspace]["policy"],
                "release_date": one.release_date,
                "validation": one.validation,
                "validation_reason": one.validation_reason,
                "rank": rank,
                "simulated": one.simulated,
            }
            for rank, one in enumerate(selection.chosen)
            for table in one.kept.tables
        ]
        connection.register("_source_rows", pa.Table.from_pylist(rows, _SOURCE))
        connection.execute("CREATE TEMP TABLE _source AS FROM _source_rows")
        connection.unregister("_source_rows")

    def find_simulated(self, selection: Selection) -> set[str]:
        """Keys of the products that a simulator had a part in: by their word, by a row, or by an input.

        Marks them in `_source`: every row of theirs counts as simulated.
        """
        found = {one.kept.key for one in selection.chosen if one.simulated}
        for table in tables().values():
            query, files = self._all(table)
            if query and "simulated" in self._columns(query, files):
                marked = self.connection.execute(
                    f"SELECT DISTINCT s.key FROM {query} r JOIN _source s USING (filename) WHERE r.simulated", files
                )
                found.update(key for (key,) in marked.fetchall())
        for one in selection.chosen:  # inputs come before what is made from them
            if found.intersection(one.kept.product.inputs):
                found.add(one.kept.key)
        self.connection.execute("UPDATE _source SET simulated = true WHERE list_contains(?, key)", [sorted(found)])
        return found

    def read(self, table: Table) -> None:
        """Make `given_<table>`: every row there is of it that the audience may see, with the `_rank` of its source."""
        query, files = self._all(table)
        if not query:
            columns = ", ".join(f'NULL::{SQL[column.type]} AS "{column.name}"' for column in table.columns)
            self.connection.execute(
                f'CREATE TEMP TABLE "given_{table.name}" AS SELECT {columns}, NULL::BIGINT AS _rank LIMIT 0'
            )
            return
        there = self._columns(query, files)
        values = [f'{_value(column, column.name in there)} AS "{column.name}"' for column in table.columns]
        rights = [f"s.{name}" for name in ("workspace", "release_date", "simulated") if name not in table.names]
        names = ", ".join(f'"{name}"' for name in table.names)
        self.connection.execute(
            f'CREATE TEMP TABLE "given_{table.name}" AS SELECT {names}, _rank FROM ('
            f"SELECT {', '.join(values + rights)}, s.policy, s.rank AS _rank "
            f"FROM {query} r JOIN _source s USING (filename)) WHERE {_may_see(self.audience)}",
            files,
        )

    def _all(self, table: Table) -> tuple[str, list[Any]]:
        """Query of all rows of a table, with what to put in for its question marks; empty where there is none."""
        small = [self._url(stem, table.name) for stem in self._stems[table.name]]
        merged = [self._url(one.stem, table.name) for one in self._merged[table.name]]
        queries = [f"(FROM {_READ})"] if small else []
        values: list[Any] = [small] if small else []
        if merged:
            queries.append(_READ_MERGED)
            before, after = self._url("\0", table.name).split("\0")
            values += [before, after, merged]
        return f"({' UNION ALL BY NAME '.join(queries)})" if queries else "", values

    def _columns(self, query: str, files: list[Any]) -> set[str]:
        return {row[0] for row in self.connection.execute(f"DESCRIBE FROM {query}", files).fetchall()}

    def _url(self, stem: str, table: str) -> str:
        """How DuckDB names a file of the store."""
        path = self._store.path(f"{stem}.{table}.parquet")
        if _is_local(self._store):
            return path
        protocol = self._store.fs.protocol
        return f"{protocol if isinstance(protocol, str) else protocol[0]}://{path}"


def _whole(table: str, selection: Selection) -> list[Kept]:
    """Merged files of a table all of whose rows may be read, no two with rows of one product; the largest first.

    A merged file in which something is withheld is not opened: its products are read one by one.
    """
    open_ = {one.kept.stem for one in selection.chosen}
    found: list[Kept] = []
    for one in sorted(selection.merged, key=lambda one: -len(one.product.record["stems"])):
        stems = one.product.record["stems"]
        if table in one.tables and open_.issuperset(stems):
            found.append(one)
            open_.difference_update(stems)
    return found


def _may_see(audience: Audience) -> str:
    """Condition on rows: some rows of a visible product may be released later than the rest."""
    public = public_sql(audience.as_of, audience.with_simulated)
    if audience.workspace is None:
        return public
    observed = "true" if audience.with_simulated else "NOT simulated"
    return f"{public} OR (workspace = '{audience.workspace}' AND {observed})"


def _value(column: Column, there: bool) -> str:
    """What a row has in `column`: what it says itself, what it inherits from its product, or the stricter of both."""
    own = f'CAST(r."{column.name}" AS {SQL[column.type]})' if there else f"CAST(NULL AS {SQL[column.type]})"
    match column.name:
        case "workspace":
            return "s.workspace"
        case "simulated":
            return f"coalesce({own}, false) OR s.simulated"
        case "release_date":  # null is private, and `greatest` would pass over it
            return f"CASE WHEN s.release_date IS NOT NULL THEN greatest({own}, s.release_date) END"
        case "validation" | "validation_reason":
            return f"coalesce(s.{column.name}, {own})"
        case "product_key":
            return f"coalesce({own}, CASE WHEN s.kind IN ('cube', 'reduction') THEN s.key END)"
    return own


def _is_local(store: Store) -> bool:
    return "file" in store.fs.protocol
