"""Tables that come with a query: checked before they are read, kept in memory for that query alone."""

from __future__ import annotations

import io
import math
import re
import sqlite3
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import numpy as np
from astropy.io.votable import exceptions, parse

from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.schema import Field, Relation
from lyot.datasette.vo.scope import quoted

MOST_ROWS = 100_000
MOST_CELLS = 1_000_000
MOST_FIELDS = 200
LARGEST_ARRAY = 10_000  # elements of a field of fixed size
MOST_UPLOADS = 10
LARGE = 100_000  # bytes
#: Held while a large table is read, which takes many times its size, and all the time that Python has.
_one_large = threading.Lock()
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_KINDS = {
    "double": "REAL", "float": "REAL", "long": "INTEGER", "int": "INTEGER", "short": "INTEGER",
    "unsignedByte": "INTEGER", "boolean": "INTEGER",
}  # fmt: skip


@dataclass(frozen=True)
class Upload:
    """A table as `TAP_UPLOAD.<name>`."""

    name: str
    fields: tuple[Field, ...]
    rows: list[tuple[Any, ...]]

    @property
    def relation(self) -> Relation:
        """What a query may say of it."""
        return Relation(f"TAP_UPLOAD.{self.name}", f"tap_upload_{self.name.lower()}", self.fields)

    def store(self, connection: sqlite3.Connection) -> None:
        """Write it into the connection's own memory; positions get an index, for joins by place."""
        table = quoted(self.relation.physical)
        columns = ", ".join(f"{quoted(one.name)} {_KINDS.get(one.datatype, 'TEXT')}" for one in self.fields)
        marks = ", ".join("?" for _ in self.fields)
        connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", self.rows)


def read(name: str, content: bytes) -> Upload:
    """The table in a VOTable.

    Raises
    ------
    QueryError
        If it is no VOTable, or one that is too large, or one that would have us read something else.
    """
    if not _NAME.fullmatch(name):
        raise QueryError(f"a table cannot be called {name[:40]!r}", hint="a letter, then letters, digits and _")
    with _one_large if len(content) > LARGE else nullcontext():
        return _read(name, content)


def _read(name: str, content: bytes) -> Upload:
    _check(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", exceptions.VOWarning)
            table = parse(io.BytesIO(content), verify="ignore").get_first_table()
            columns = [_column(table.array[field.name], field.datatype) for field in table.fields]
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, SyntaxError, MemoryError) as error:
        said = " ".join(str(error).split())[:200]
        raise QueryError(f"upload {name} cannot be read: {said or type(error).__name__}") from error
    fields = tuple(
        Field(str(field.name), _datatype(field), _size(field), str(field.unit or ""), field.ucd or "",
              field.utype or "", field.xtype or "")
        for field in table.fields
    )  # fmt: skip
    return Upload(name, _distinct(fields), list(zip(*columns, strict=True)))


def _check(content: bytes) -> None:
    """Look through the document before a real parser does: no entities, nothing from elsewhere, nothing huge."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise QueryError("the upload is no VOTable", hint="compressed tables are not taken")
    counts = {"TR": 0, "TD": 0, "FIELD": 0}

    def start(tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag in counts:
            counts[tag] += 1
        if tag == "STREAM" and ("href" in attributes or attributes.get("encoding", "none") not in ("none", "base64")):
            raise QueryError("the upload refers to data elsewhere, or compresses them", hint="send a plain VOTable")
        if tag == "FIELD" and _elements(attributes.get("arraysize", "")) > LARGEST_ARRAY:
            raise QueryError(f"a field of the upload has more than {LARGEST_ARRAY:,} elements")
        if counts["TR"] > MOST_ROWS or counts["TD"] > MOST_CELLS or counts["FIELD"] > MOST_FIELDS:
            allowed = f"{MOST_ROWS:,} rows, {MOST_CELLS:,} cells and {MOST_FIELDS} fields are allowed"
            raise QueryError(f"the upload is too large: {allowed}")

    def refuse(*_: object) -> None:
        raise QueryError("the upload declares entities or a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise QueryError(f"the upload is no XML: {error}") from error


def _elements(arraysize: str) -> int:
    """How many values one cell of a field of fixed size holds."""
    return math.prod(int(one) for one in re.findall(r"\d{1,9}", arraysize))


def _datatype(field: Any) -> str:
    """Type of a column of an upload; what SQLite has no numbers for becomes text."""
    if field.datatype in _KINDS and _size(field) == "":
        return "short" if field.datatype == "boolean" else str(field.datatype)
    return "char" if field.datatype == "char" else "unicodeChar"


def _size(field: Any) -> str:
    size = str(field.arraysize or "")
    if field.datatype in ("char", "unicodeChar"):
        return "*"
    return "" if size in ("", "1") else "*"


def _column(values: Any, datatype: str) -> list[Any]:
    """Values as SQLite takes them: numbers, texts, nulls."""
    if len(values) > MOST_ROWS:
        raise QueryError(f"the upload has {len(values):,} rows; {MOST_ROWS:,} are allowed")
    masked: Any = np.ma.getmaskarray(values)
    plain: Any = np.ma.getdata(values)
    if plain.ndim > 1 or datatype not in _KINDS:
        hidden = masked.reshape(len(values), -1).all(axis=1) if len(values) else masked
        return [None if gone else _text(one) for one, gone in zip(plain, hidden, strict=True)]
    listed = plain.astype(int).tolist() if datatype == "boolean" else plain.tolist()
    return [None if gone or one != one else one for one, gone in zip(listed, masked, strict=True)]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return " ".join(map(str, value.tolist())) if isinstance(value, np.ndarray) else str(value)


def _distinct(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    names = [field.name.lower() for field in fields]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise QueryError(f"the upload has {', '.join(sorted(twice))} twice")
    return fields
