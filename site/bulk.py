"""Whole tables for people to take away: SQLite, Parquet, CSV and VOTable, with checksums and row counts."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from lyot.catalog.table import Column, Table, tables
from lyot.site.release import Release
from lyot.site.writer import Writer

#: How VOTable names our types.
VOTABLE = {
    "text": 'datatype="unicodeChar" arraysize="*"',
    "date": 'datatype="unicodeChar" arraysize="*"',
    "json": 'datatype="unicodeChar" arraysize="*"',
    "int": 'datatype="long"',
    "float": 'datatype="double"',
    "bool": 'datatype="boolean"',
}


@dataclass(frozen=True)
class File:
    """A file of the bulk downloads; `rows` is None for what is no table."""

    address: str
    doc: str
    size: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True)
class Bulk:
    """The files, those of each table by format; `known` is what the next rendering should know of them."""

    files: list[File]
    formats: dict[str, dict[str, File]]
    known: dict[str, Any] = field(default_factory=dict)


def bulk(release: Release, writer: Writer, known: Mapping[str, Any]) -> Bulk:
    """The database and every table of the release, put into the site.

    Parameters
    ----------
    known : the `known` of the rendering before
        CSV and VOTable of a Parquet file that is the same are not written again.
    """
    database = release.folder / "lyot.db"
    writer.link("data/lyot.db", database)
    files = [File("data/lyot.db", "Every table, indexed, as one SQLite database", *measure(database))]
    formats: dict[str, dict[str, File]] = {}
    now: dict[str, Any] = {}
    for path in sorted((release.folder / "parquet").glob("*.parquet")):
        table = tables().get(path.stem)
        if table is None:
            continue
        address = f"data/parquet/{path.name}"
        writer.link(address, path)
        rows = pq.read_metadata(path).num_rows
        parquet = File(address, table.doc, *measure(path), rows)
        before = known.get(table.name, {})
        same = before.get("parquet") == parquet.sha256
        made = {"parquet": parquet}
        for ending, write in (("csv", write_csv), ("vot", write_votable)):
            made[ending] = _other(writer, table, path, rows, ending, write, before.get(ending) if same else None)
        now[table.name] = {"parquet": parquet.sha256, **{ending: asdict(made[ending]) for ending in ("csv", "vot")}}
        formats[table.name] = made
        files += made.values()
    listed = [{**asdict(file), "address": file.address.removeprefix("data/")} for file in files]
    writer.write("data/manifest.json", json.dumps({"release": _about(release), "files": listed}, indent=1))
    writer.write("data/SHA256SUMS", checksums(files))
    return Bulk(files, formats, now)


def _other(
    writer: Writer, table: Table, parquet: Path, rows: int, ending: str, write: Callable[..., None], known: Any
) -> File:
    address = f"data/{ending}/{table.name}.{ending}.gz"
    path = writer.folder / address
    if known and path.is_file() and path.stat().st_size == known["size"]:
        writer.keep([address])
        return File(**known)
    writer.write(address, b"")
    write(table, parquet, path)
    return File(address, table.doc, *measure(path), rows)


def files_csv(release: Release) -> str:
    """Every released FITS file: address below `data/`, size, checksum, and whose it is."""
    names = ("path", "size", "sha256", "target_id", "dataset", "kind", "level", "label", "simulated")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for row in release.each("SELECT * FROM product WHERE path LIKE '%.fits' ORDER BY path"):
        writer.writerow([row[name] for name in names])
    return text.getvalue()


def _about(release: Release) -> dict[str, Any]:
    return {name: release.about.get(name) for name in ("as_of", "version", "workspace", "with_simulated")}


def checksums(files: Sequence[File]) -> str:
    """One line a file, as `sha256sum --check` reads them, relative to `data/`."""
    return "".join(f"{file.sha256}  {file.address.removeprefix('data/')}\n" for file in files)


def measure(path: Path) -> tuple[int, str]:
    """Size and SHA-256."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def write_csv(table: Table, parquet: Path, path: Path) -> None:
    """A table as gzipped CSV with a line of names; no value is an empty field."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"COPY (FROM {_parquet(parquet)}) TO '{_quoted(path)}' (FORMAT csv, HEADER, COMPRESSION gzip)"
        )


def write_votable(table: Table, parquet: Path, path: Path) -> None:
    """A table as a gzipped VOTable 1.4 (TABLEDATA) with unit, UCD and description of each column.

    The rows are written by the database; a gzip file may be made of several that follow each other.
    """
    there = set(pq.read_schema(parquet).names)  # a release may be older than a column
    columns = [column for column in table.columns if column.name in there]
    fields = "".join(_field(column) for column in columns)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE><TABLE name="{table.name}"><DESCRIPTION>{escape(table.doc)}</DESCRIPTION>\n{fields}'
        "<DATA><TABLEDATA>\n"
    )
    cells = " || ".join(f"'<TD>' || {_cell(column)} || '</TD>'" for column in columns)
    part = path.with_name(path.name + ".part")
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"COPY (SELECT '<TR>' || {cells} || '</TR>' FROM {_parquet(parquet)}) TO '{_quoted(part)}' "
            "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x1f', COMPRESSION gzip)"
        )
    tail = "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n"
    with path.open("wb") as file:
        file.write(gzip.compress(head.encode(), mtime=0))
        file.write(part.read_bytes())
        file.write(gzip.compress(tail.encode(), mtime=0))
    part.unlink()


def _field(column: Column) -> str:
    unit = f' unit="{escape(column.unit)}"' if column.unit else ""
    ucd = f' ucd="{escape(column.ucd)}"' if column.ucd else ""
    doc = f"<DESCRIPTION>{escape(column.doc)}</DESCRIPTION>"
    return f'<FIELD name="{column.name}" {VOTABLE[column.type]}{unit}{ucd}>{doc}</FIELD>\n'


def _cell(column: Column) -> str:
    """SQL that writes a value of a column as text of a cell; nothing for no value. XML knows no control characters."""
    text = f'"{column.name}"::VARCHAR'
    if column.type in ("text", "date", "json"):
        text = f"regexp_replace({text}, '[\\x00-\\x08\\x0b-\\x1f]', ' ', 'g')"
        for character in "&<>":  # the ampersand first
            text = f"replace({text}, '{character}', '{escape(character)}')"
        text = f"replace({text}, chr(10), '&#10;')"
    return f"coalesce({text}, '')"


def _parquet(path: Path) -> str:
    return f"read_parquet('{_quoted(path)}')"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
