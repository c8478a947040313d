"""VOTable 1.4, written as the rows come: TABLEDATA and BINARY2."""

from __future__ import annotations

import binascii
import math
import re
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

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
CODES = {"double": "d", "float": "f", "long": "q", "int": "i", "short": "h", "unsignedByte": "B"}
#: What stands where BINARY2's flags say that there is no value.
NOTHING = {"double": math.nan, "float": math.nan}
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
    packers = [_packer(field) for field in rows.fields]
    left = b""
    for batch in _until_stopped(rows):
        left += b"".join(_packed(row, packers) for row in batch)
        whole = len(left) - len(left) % 57  # of which base64 makes whole lines
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


def _packed(row: Row, packers: list[Callable[[Any], bytes]]) -> bytes:
    flags = 0
    for one in row:
        flags = (flags << 1) | (one is None)
    width = (len(row) + 7) // 8
    flags <<= 8 * width - len(row)
    return flags.to_bytes(width, "big") + b"".join(pack(one) for pack, one in zip(packers, row, strict=True))


def _packer(field: Field) -> Callable[[Any], bytes]:
    if field.datatype == "unicodeChar":
        return lambda one: _counted("" if one is None else str(one), "utf-16-be", 2)
    if field.datatype == "char":
        return lambda one: _counted("" if one is None else str(one), "utf-8", 1)
    pack, nothing = struct.Struct(">" + CODES[field.datatype]).pack, NOTHING.get(field.datatype, 0)
    kind = float if field.datatype in ("double", "float") else int
    return lambda one: pack(nothing if one is None else kind(one))


def _counted(value: str, encoding: str, size: int) -> bytes:
    raw = value.encode(encoding, "replace")
    return struct.pack(">i", len(raw) // size) + raw


def _base64(raw: bytes) -> bytes:
    return b"".join(binascii.b2a_base64(raw[start : start + 57]) for start in range(0, len(raw), 57))


def document(fields: Sequence[Field], rows: Iterable[Row], info: dict[str, str], more: str = "") -> bytes:
    """A whole small table at once."""
    from lyot.datasette.vo.budget import Budget

    made = Rows(tuple(fields), Budget(0.0), 0)
    made._batches = iter([list(rows)])
    return b"".join(tabledata(made, info, more))
