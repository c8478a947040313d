"""Tables as people ask for them: VOTable, CSV, TSV, JSON, FITS, Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from lyot.datasette.vo import votable
from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.run import Rows
from lyot.datasette.vo.schema import Field, nearest

Writer = Callable[[Rows, dict[str, str]], Iterator[bytes]]
PIECE = 262_144  # bytes of a file that was made whole

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


def _comma_separated(rows: Rows, info: dict[str, str]) -> Iterator[bytes]:
    yield _lines([[field.name for field in rows.fields]])
    for batch in rows:
        yield _lines(batch)


def _lines(rows: list[Any]) -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made).writerows(rows)
    return made.getvalue().encode("utf-8", "replace")


def _tab_separated(rows: Rows, info: dict[str, str]) -> Iterator[bytes]:
    """The media type has no quotes: what would break a line is a space."""
    yield ("\t".join(_plain(field.name) for field in rows.fields) + "\n").encode()
    for batch in rows:
        made = ("\t".join("" if one is None else _plain(one) for one in row) for row in batch)
        yield ("\n".join(made) + "\n").encode("utf-8", "replace")


def _plain(value: object) -> str:
    return " ".join(value.splitlines()).replace("\t", " ") if isinstance(value, str) else str(value)


def _json(rows: Rows, info: dict[str, str]) -> Iterator[bytes]:
    """Columns described, rows as lists, and whether there were more; infinities, which JSON cannot say, are null."""
    fields = [
        {key: getattr(field, key) for key in ("name", "datatype", "unit", "ucd", "doc") if getattr(field, key)}
        for field in rows.fields
    ]
    yield (json.dumps({"info": info, "columns": fields}, ensure_ascii=False)[:-1] + ', "rows": [\n').encode()
    between = ""
    for batch in rows:
        finite = [[None if one in (np.inf, -np.inf) else one for one in row] for row in batch]
        yield (between + ",\n".join(json.dumps(row, ensure_ascii=False) for row in finite)).encode("utf-8", "replace")
        between = ",\n"
    yield f'\n], "overflow": {json.dumps(rows.overflow)}}}\n'.encode()


def _arrow(rows: Rows) -> pa.Table:
    """The rows as Arrow, batch by batch: Python's own numbers would take ten times the memory."""
    schema = pa.schema([_arrow_field(field) for field in rows.fields])
    kinds = [str if field.is_text else int if field.is_whole else float for field in rows.fields]
    batches = []
    for batch in rows:
        columns = [
            pa.array([None if one is None else kind(one) for one in column], type_)
            for column, kind, type_ in zip(zip(*batch, strict=True), kinds, schema.types, strict=True)
        ]
        batches.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    return pa.Table.from_batches(batches, schema)


def _arrow_field(field: Field) -> pa.Field:
    said = {"unit": field.unit, "ucd": field.ucd, "description": field.doc}
    return pa.field(field.name, ARROW[field.datatype], metadata={key: value for key, value in said.items() if value})


def _parquet(rows: Rows, info: dict[str, str]) -> Iterator[bytes]:
    table = _arrow(rows)
    made = io.BytesIO()
    status = {"overflow": json.dumps(rows.overflow)}
    pq.write_table(table.replace_schema_metadata({**info, **status}), made, compression="zstd")
    yield from _pieces(made)


def _fits(rows: Rows, info: dict[str, str]) -> Iterator[bytes]:
    table = _arrow(rows)
    columns = [_fits_column(field, table.column(number)) for number, field in enumerate(rows.fields)]
    made = io.BytesIO()
    unit = fits.BinTableHDU.from_columns(columns, name="RESULT")
    unit.header["OVERFLOW"] = (rows.overflow, "whether there were more rows")
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(made)
    yield from _pieces(made)


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


def _pieces(made: io.BytesIO) -> Iterator[bytes]:
    made.seek(0)
    while piece := made.read(PIECE):
        yield piece


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
