"""Tables as people ask for them: VOTable, CSV, TSV, JSON, FITS, Parquet."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from lyot.datasette.vo import votable
from lyot.datasette.vo.dialect import Busy, QueryError
from lyot.datasette.vo.lines import Lines
from lyot.datasette.vo.run import Rows
from lyot.datasette.vo.schema import Field, nearest

Writer = Callable[[Rows, dict[str, str]], Generator[bytes]]
PIECE = 262_144  # bytes
GROUP, LARGEST_GROUP = 16_384, 2_000_000  # rows and bytes that Parquet holds together
LARGEST_WHOLE = 25_000_000  # bytes of a file that is made whole
WHOLE_AT_ONCE = 2
PATIENCE = 10.0  # seconds to wait for a place among these

_whole = threading.BoundedSemaphore(WHOLE_AT_ONCE)

ARROW = {
    "double": pa.float64(), "float": pa.float32(), "long": pa.int64(), "int": pa.int32(), "short": pa.int16(),
    "unsignedByte": pa.uint8(), "char": pa.string(), "unicodeChar": pa.string(),
}  # fmt: skip
FITS = {"double": "D", "float": "E", "long": "K", "int": "J", "short": "I", "unsignedByte": "B"}


@dataclass(frozen=True)
class Format:
    """A form of tables: its media type, what else it is called, and who writes it."""

    media: str
    aliases: tuple[str, ...]
    write: Writer
    suffix: str


def find(name: str) -> Format:
    """The form of that media type or alias, whatever its case.

    Raises
    ------
    QueryError
        If there is none.
    """
    asked = "".join(name.lower().split())
    for one in FORMATS:
        if asked in ("".join(one.media.lower().split()), *one.aliases):
            return one
    known = [alias for one in FORMATS for alias in one.aliases]
    raise QueryError(f"there is no format {name[:60]!r}", hint=nearest(asked, known) or f"one of {', '.join(known)}")


def _comma_separated(rows: Rows, info: dict[str, str]) -> Generator[bytes]:
    yield COMMAS.write([[field.name for field in rows.fields]])
    yield from map(COMMAS.write, rows)


def _tab_separated(rows: Rows, info: dict[str, str]) -> Generator[bytes]:
    yield TABS.write([[field.name for field in rows.fields]])
    yield from map(TABS.write, rows)


def _json(rows: Rows, info: dict[str, str]) -> Generator[bytes]:
    """Columns described, rows as lists, and whether there were more; infinities, which JSON cannot say, are null."""
    fields = [
        {key: getattr(field, key) for key in ("name", "datatype", "unit", "ucd", "doc") if getattr(field, key)}
        for field in rows.fields
    ]
    yield (json.dumps({"info": info, "columns": fields}, ensure_ascii=False)[:-1] + ', "rows": [').encode()
    between = b"\n"
    for batch in rows:
        yield between + LISTS.write(batch)[:-2]  # without the last comma
        between = b",\n"
    yield f'\n], "overflow": {json.dumps(rows.overflow)}}}\n'.encode()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _spaced(text: str) -> str:
    """Tab-separated values have no quotes: what would break a line is a space."""
    return " ".join(text.splitlines()).replace("\t", " ")


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


COMMAS = Lines("", ",", "\r\n", special=re.compile(r'[",\r\n]'), escape=_quoted)
TABS = Lines("", "\t", "\n", special=re.compile(r"[^\S ]"), escape=_spaced)
LISTS = Lines(
    "[", ", ", "],\n", special=re.compile(r'["\\\x00-\x1f]'), escape=_escaped, infinite=(None, None), nothing="null",
    quote='"',
)  # fmt: skip


def _batches(rows: Rows, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows as Arrow: Python's own numbers would take ten times the memory."""
    kinds = [str if field.is_text else int if field.is_whole else float for field in rows.fields]
    for batch in rows:
        columns = [
            pa.array([None if one is None else kind(one) for one in column], type_)
            for column, kind, type_ in zip(zip(*batch, strict=True), kinds, schema.types, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _arrow_field(field: Field) -> pa.Field:
    said = {"unit": field.unit, "ucd": field.ucd, "description": field.doc}
    return pa.field(field.name, ARROW[field.datatype], metadata={key: value for key, value in said.items() if value})


class _Outlet(io.RawIOBase):
    """A file that is taken away while it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._made = bytearray()
        self._taken = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._made += piece
        return len(piece)

    def tell(self) -> int:
        return self._taken + len(self._made)

    def take(self) -> bytes:
        """What was written since it was last asked."""
        piece, self._made = bytes(self._made), bytearray()
        self._taken += len(piece)
        return piece


def _parquet(rows: Rows, info: dict[str, str]) -> Generator[bytes]:
    """Row groups as they come."""
    schema = pa.schema([_arrow_field(field) for field in rows.fields])
    outlet, group = _Outlet(), list[pa.RecordBatch]()
    with pq.ParquetWriter(pa.PythonFile(outlet, mode="w"), schema, compression="zstd") as writer:
        for batch in _batches(rows, schema):
            group.append(batch)
            if sum(one.num_rows for one in group) >= GROUP or sum(one.nbytes for one in group) > LARGEST_GROUP:
                writer.write_table(pa.Table.from_batches(group))
                group.clear()
                yield outlet.take()
        writer.write_table(pa.Table.from_batches(group, schema))
        writer.add_key_value_metadata({**info, "overflow": json.dumps(rows.overflow)})
    yield outlet.take()


def _fits(rows: Rows, info: dict[str, str]) -> Generator[bytes]:
    """A file whose head says how many rows follow, so that it is made whole: a few at once, and none too large."""
    if not _whole.acquire(timeout=PATIENCE):
        raise Busy("too many FITS files are being made", hint="try again in a moment, or ask for another format")
    try:
        made = _fits_file(rows)
        while piece := made.read(PIECE):
            yield piece
    finally:
        _whole.release()


def _fits_file(rows: Rows) -> io.BytesIO:
    schema = pa.schema([_arrow_field(field) for field in rows.fields])
    batches, widest, size = [], [8] * len(rows.fields), 0
    for batch in _batches(rows, schema):
        batches.append(batch)
        widths = (max(map(len, filter(None, one.to_pylist())), default=1) if pa.types.is_string(one.type) else 8
                  for one in batch.columns)  # fmt: skip
        widest = list(map(max, widest, widths))
        size += batch.num_rows
        if size * sum(widest) > LARGEST_WHOLE:
            raise QueryError(f"as FITS the result has more than {LARGEST_WHOLE:,} bytes", hint="ask for VOTable")
    table = pa.Table.from_batches(batches, schema)
    columns = [_fits_column(field, table.column(number)) for number, field in enumerate(rows.fields)]
    unit = fits.BinTableHDU.from_columns(columns, name="RESULT")
    unit.header["OVERFLOW"] = (rows.overflow, "whether there were more rows")
    made = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(made)
    made.seek(0)
    return made


def _fits_column(field: Field, values: pa.ChunkedArray) -> fits.Column:
    """A column of FITS, which has ASCII only: letters of other alphabets are question marks there."""
    if field.is_text:
        texts = [b"" if one is None else one.encode("ascii", "replace") for one in values.to_pylist()]
        width = max((len(one) for one in texts), default=0) or 1
        return fits.Column(field.name, f"{width}A", array=np.array(texts, dtype=f"S{width}"))
    code, null = FITS[field.datatype], None
    if code in "DE":
        array = values.to_numpy(zero_copy_only=False).astype(float)
    else:
        null = -(2**15) if code == "I" else -(2**31) + 1 if code in "JK" else 255
        array = values.fill_null(null).to_numpy()
    unit = field.unit.strip("'") or None
    return fits.Column(field.name, code, array=array, null=null, unit=unit)


FORMATS = (
    Format(f"{votable.MEDIA};serialization=tabledata",
           ("votable", votable.MEDIA, "text/xml", "votable/td", "application/xml"), votable.tabledata, "xml"),
    Format(f"{votable.MEDIA};serialization=binary2", ("votable/b2", "votable/binary2"), votable.binary2, "xml"),
    Format("text/csv;header=present", ("csv", "text/csv"), _comma_separated, "csv"),
    Format("text/tab-separated-values", ("tsv",), _tab_separated, "tsv"),
    Format("application/json", ("json",), _json, "json"),
    Format("application/fits", ("fits",), _fits, "fits"),
    Format("application/vnd.apache.parquet", ("parquet",), _parquet, "parquet"),
)  # fmt: skip
