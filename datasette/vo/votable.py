"""VOTable 1.4, written as the rows come: TABLEDATA and BINARY2."""

from __future__ import annotations

import binascii
import re
import struct
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Any

import numpy as np

from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.lines import Lines
from lyot.datasette.vo.run import Row, Rows
from lyot.datasette.vo.schema import Field

MEDIA = "application/x-votable+xml"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)
CODES = {"double": "f8", "float": "f4", "long": "i8", "int": "i4", "short": "i2", "unsignedByte": "u1"}
COUNT = struct.Struct(">i").pack
LINE = 12_288  # bytes of a line of base64, in threes
#: What XML 1.0 cannot hold, however it is written.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def text(value: object) -> str:
    """Text as XML holds it, in elements and between double quotes."""
    return _NOT_XML.sub("\ufffd", str(value)).translate(_ESCAPES)


LINES = Lines(
    "<TR><TD>", "</TD><TD>", "</TD></TR>\n", infinite=("+Inf", "-Inf"), escape=text,
    special=re.compile(f'[&<>"\r]|{_NOT_XML.pattern}'),
)  # fmt: skip


def error(message: str) -> bytes:
    """The document that says what was wrong (DALI 1.1)."""
    info = f'<INFO name="QUERY_STATUS" value="ERROR">{text(message)}</INFO>'
    return f'{HEAD}<RESOURCE type="results">\n{info}\n</RESOURCE>\n</VOTABLE>\n'.encode()


def tabledata(rows: Rows, info: dict[str, str], more: str = "") -> Generator[bytes]:
    """A table as text, in pieces; `info` is said at the head, `more` are resources that follow it."""
    yield (_opening(rows, info) + "<DATA><TABLEDATA>\n").encode()
    yield from map(LINES.write, _until_stopped(rows))
    yield ("</TABLEDATA></DATA>\n" + _closing(rows, more)).encode()


def binary2(rows: Rows, info: dict[str, str], more: str = "") -> Generator[bytes]:
    """A table as numbers, in pieces."""
    yield (_opening(rows, info) + '<DATA><BINARY2><STREAM encoding="base64">\n').encode()
    left = b""
    for batch in _until_stopped(rows):
        left += _packed(batch, rows.fields)
        whole = len(left) - len(left) % LINE
        yield _base64(left[:whole])
        left = left[whole:]
    yield _base64(left) + ("</STREAM></BINARY2></DATA>\n" + _closing(rows, more)).encode()


@lru_cache(4096)
def field_xml(field: Field) -> str:
    """A column's description."""
    said = {
        "ID": field.name if field.name == "obs_publisher_did" else "", "name": field.name, "datatype": field.datatype,
        "arraysize": field.arraysize, "unit": field.unit, "ucd": field.ucd, "utype": field.utype, "xtype": field.xtype,
    }  # fmt: skip
    attributes = "".join(f' {name}="{text(value)}"' for name, value in said.items() if value)
    doc = f"<DESCRIPTION>{text(field.doc)}</DESCRIPTION>" if field.doc else ""
    return f"<FIELD{attributes}>{doc}</FIELD>\n" if doc else f"<FIELD{attributes}/>\n"


def _opening(rows: Rows, info: dict[str, str]) -> str:
    infos = "".join(f'<INFO name="{text(name)}" value="{text(value)}"/>\n' for name, value in info.items())
    fields = "".join(map(field_xml, rows.fields))
    status = '<INFO name="QUERY_STATUS" value="OK"/>\n'
    return f'{HEAD}<RESOURCE type="results">\n{status}{infos}<TABLE>\n{fields}'


def _until_stopped(rows: Rows) -> Iterator[list[Row]]:
    """Batches; a query that is stopped half-way ends the table, and its closing words say so."""
    try:
        yield from rows
    except QueryError as stopped:
        rows.failure = str(stopped)


def _closing(rows: Rows, more: str) -> str:
    over = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>\n' if rows.overflow else ""
    if rows.failure:
        over = f'<INFO name="QUERY_STATUS" value="ERROR">{text(rows.failure)}</INFO>\n'
    return f"</TABLE>\n{over}</RESOURCE>\n{more}</VOTABLE>\n"


def _packed(batch: list[Row], fields: Sequence[Field]) -> bytes:
    """Rows as BINARY2 has them: flags of what is null, then the cells; columns of numbers side by side at once."""
    columns = list(zip(*batch, strict=True))
    cells = [_flags(columns, len(batch))]
    for are_texts, group in groupby(zip(fields, columns, strict=True), key=lambda pair: pair[0].is_text):
        if are_texts:
            cells += [_texts(column, field) for field, column in group]
        else:
            cells.append(_numbers(list(group), len(batch)))
    return b"".join(chain.from_iterable(zip(*cells, strict=True)))


def _flags(columns: list[tuple[Any, ...]], count: int) -> list[bytes]:
    """A bit for every column, set where a value is null."""
    empty = np.zeros((count, len(columns)), bool)
    for number, column in enumerate(columns):
        if None in column:
            empty[:, number] = [one is None for one in column]
    return _cells(np.packbits(empty, axis=1).tobytes(), (len(columns) + 7) // 8)


def _numbers(group: list[tuple[Field, tuple[Any, ...]]], count: int) -> list[bytes]:
    """Cells of neighbouring columns of numbers, big endian."""
    table = np.zeros(count, [("", ">" + CODES[field.datatype]) for field, _ in group])
    for name, (field, column) in zip(table.dtype.names or (), group, strict=True):
        if not field.is_whole:
            table[name] = np.array(column, float)  # which has NaN for null
        else:
            table[name] = [0 if one is None else int(one) for one in column]
    return _cells(table.tobytes(), table.itemsize)


def _texts(column: tuple[Any, ...], field: Field) -> list[bytes]:
    """Cells of texts: how many characters there are, then these."""
    encoding, size = ("utf-16-be", 2) if field.datatype == "unicodeChar" else ("utf-8", 1)
    raw = [b"" if one is None else str(one).encode(encoding, "replace") for one in column]
    return [COUNT(len(one) // size) + one for one in raw]


def _cells(raw: bytes, size: int) -> list[bytes]:
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def _base64(raw: bytes) -> bytes:
    return b"".join(binascii.b2a_base64(raw[start : start + LINE]) for start in range(0, len(raw), LINE))


def document(fields: Sequence[Field], rows: Iterable[Row], info: dict[str, str], more: str = "") -> bytes:
    """A whole small table at once."""
    from lyot.datasette.vo.budget import Budget

    made = Rows(tuple(fields), Budget(0.0), 0)
    made._batches = iter([list(rows)])
    return b"".join(tabledata(made, info, more))
