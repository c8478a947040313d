"""What the tables of a release hold, as digests of their Parquet files: by column, and by the rows of each target."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from lyot.catalog.table import tables

#: Tables without which a release says nothing.
NEEDED = {"target", "observation", "reduction", "product", "reference", "survey"}


@dataclass
class Columns:
    """Digests of the columns of a table whose Parquet file has this checksum; that of `""` counts its rows."""

    sha256: str
    digests: dict[str, str]


def parquet_files(folder: Path) -> dict[str, Path]:
    """The tables that a release has; it may be older than one that is declared now."""
    paths = {name: folder / "parquet" / f"{name}.parquet" for name in tables()}
    return {name: path for name, path in paths.items() if path.is_file()}


def of_columns(folder: Path, before: Mapping[str, Columns]) -> dict[str, Columns]:
    """A digest of each column of each table: of its values with the places of their rows.

    Parameters
    ----------
    folder : Path
        Of the release.
    before : Columns by table
        Known before: those of a file that is the same are taken over.
    """
    found = {}
    with database() as connection:
        for name, path in parquet_files(folder).items():
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            same = name in before and before[name].sha256 == sha256
            found[name] = before[name] if same else Columns(sha256, _digests(connection, path))
    return found


def _digests(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    names = pq.read_schema(path).names
    sums = ", ".join(f'sum(hash(file_row_number, "{name}"))' for name in names)
    query = f"SELECT count(*), {sums} FROM read_parquet('{quoted(path)}', file_row_number = true)"
    (values,) = connection.execute(query).fetchall()
    rows = str(values[0])
    return {"": rows} | {name: f"{rows}:{value}" for name, value in zip(names, values[1:], strict=True)}


def by_name(columns: Mapping[str, Columns]) -> dict[str, str]:
    """The digest of each column by the name that SQLite gives it, as `target.name`."""
    return {f"{table}.{name}": value for table, of in columns.items() for name, value in of.digests.items()}


def of_targets(folder: Path) -> dict[str, str]:
    """A digest of the rows of each target, and of what they point to.

    Empty when the release lacks Parquet files: then nothing is known to be unchanged.
    """
    paths = parquet_files(folder)
    if not paths.keys() >= NEEDED:
        return {}
    owned = [name for name in paths if "target_id" in tables()[name].names]
    parts = [f"SELECT target_id, hash('{name}', one) AS h FROM {name} one" for name in owned]
    cited = " UNION ".join(
        f"SELECT target_id, reference_id FROM {name}" for name in owned if "reference_id" in tables()[name].names
    )
    parts += [
        f"SELECT target_id, hash('cited', one) FROM ({cited}) JOIN reference one USING (reference_id)",
        "SELECT target_id, hash('survey', one) FROM (SELECT DISTINCT target_id, survey_id FROM observation) "
        "JOIN survey one USING (survey_id)",
        *(
            f"SELECT {name}.target_id, hash('file', one) FROM {name} JOIN product one USING (product_key)"
            for name in ("observation", "reduction")
        ),
    ]
    with database() as connection:
        for name, path in paths.items():
            connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{quoted(path)}')")
        query = f"SELECT target_id, sum(h)::VARCHAR FROM ({' UNION ALL '.join(parts)}) GROUP BY target_id"
        return {key: str(value) for key, value in connection.execute(query).fetchall() if key is not None}


def database(**settings: str | bool | int | float | list[str]) -> duckdb.DuckDBPyConnection:
    """A database in memory that does not draw how far it is: lines of ours say that."""
    connection = duckdb.connect(config=settings)
    connection.execute("SET enable_progress_bar = false")
    return connection


def quoted(path: Path) -> str:
    """A path inside quotes of SQL."""
    return str(path).replace("'", "''")
