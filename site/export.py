"""A table of Parquet as compressed text: the database makes the lines, which are compressed as they come."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from html import escape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lyot.catalog.table import Column, Table
from lyot.site.digests import database, quoted

A_BATCH = 10_000  # rows
GZIP = 31  # window of 2¹⁵ bytes, with the head and the tail of gzip
WORDS = ("text", "date", "json")
#: How VOTable names our types.
VOTABLE = {
    "text": 'datatype="unicodeChar" arraysize="*"',
    "date": 'datatype="unicodeChar" arraysize="*"',
    "json": 'datatype="unicodeChar" arraysize="*"',
    "int": 'datatype="long"',
    "float": 'datatype="double"',
    "bool": 'datatype="boolean"',
}


def write_csv(table: Table, parquet: Path, path: Path) -> None:
    """A table as gzipped CSV with a line of names; no value is an empty field, an empty text is one in quotes."""
    columns = _there(table, parquet)
    fields = ", ".join(f"coalesce({_field(column)}, '')" for column in columns)
    _write(path, ",".join(column.name for column in columns) + "\n", f"concat_ws(',', {fields})", parquet, "")


def write_votable(table: Table, parquet: Path, path: Path) -> None:
    """A table as a gzipped VOTable 1.4 (TABLEDATA) with unit, UCD and description of each column."""
    columns = _there(table, parquet)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE><TABLE name="{table.name}"><DESCRIPTION>{escape(table.doc)}</DESCRIPTION>\n'
        f"{''.join(_described(column) for column in columns)}<DATA><TABLEDATA>\n"
    )
    cells = ", ".join(f"coalesce({_cell(column)}, '')" for column in columns)
    line = f"'<TR><TD>' || concat_ws('</TD><TD>', {cells}) || '</TD></TR>'"
    _write(path, head, line, parquet, "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n")


#: What writes a table, by the ending of its file.
WRITERS: dict[str, Callable[[Table, Path, Path], None]] = {"csv": write_csv, "vot": write_votable}


def _there(table: Table, parquet: Path) -> list[Column]:
    """The columns that a file has: a release may be older than one."""
    names = set(pq.read_schema(parquet).names)
    return [column for column in table.columns if column.name in names]


def _field(column: Column) -> str:
    """SQL that writes a value of a column as a field of CSV."""
    text = f'"{column.name}"::VARCHAR'
    if column.type not in WORDS:
        return text
    marks = " OR ".join(f"contains({text}, {mark})" for mark in ("','", "'\"'", "chr(10)", "chr(13)"))
    return f"""CASE WHEN {text} = '' OR {marks} THEN '"' || replace({text}, '"', '""') || '"' ELSE {text} END"""


def _described(column: Column) -> str:
    unit = f' unit="{escape(column.unit)}"' if column.unit else ""
    ucd = f' ucd="{escape(column.ucd)}"' if column.ucd else ""
    doc = f"<DESCRIPTION>{escape(column.doc)}</DESCRIPTION>"
    return f'<FIELD name="{column.name}" {VOTABLE[column.type]}{unit}{ucd}>{doc}</FIELD>\n'


def _cell(column: Column) -> str:
    """SQL that writes a value of a column as text of a cell. XML knows no control characters."""
    text = f'"{column.name}"::VARCHAR'
    if column.type not in WORDS:
        return text
    text = f"regexp_replace({text}, '[\\x00-\\x08\\x0b-\\x1f]', ' ', 'g')"
    for character in "&<>":  # the ampersand first
        text = f"replace({text}, '{character}', '{escape(character)}')"
    return f"replace({text}, chr(10), '&#10;')"


def _write(path: Path, head: str, line: str, parquet: Path, tail: str) -> None:
    """`head`, the line that SQL makes of each row, and `tail`; a reader sees the old file or the new one."""
    press = zlib.compressobj(wbits=GZIP)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file, database(threads=1) as connection:
        file.write(press.compress(head.encode()))
        query = f"SELECT {line} || chr(10) FROM read_parquet('{quoted(parquet)}')"
        for batch in connection.sql(query).to_arrow_reader(A_BATCH):
            file.write(press.compress(_text(batch.column(0))))
        file.write(press.compress(tail.encode()))
        file.write(press.flush())
    os.replace(part, path)


def _text(lines: pa.StringArray) -> memoryview:
    """The bytes of all strings of an array, one behind the other, as Arrow holds them."""
    _, offsets, text = lines.buffers()
    places = memoryview(offsets).cast("i")[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(text)[places[0] : places[-1]]
