"""TAP_SCHEMA: the catalogue as the Virtual Observatory describes tables, from what the tables declare (TAP 1.1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from lyot.catalog import obscore
from lyot.catalog.indices import is_indexed
from lyot.catalog.table import Column, Table, tables

SCHEMAS = (
    ("lyot", "Observations, reductions, detections and limits of high-contrast imaging."),
    ("ivoa", "Tables that standards of the IVOA prescribe."),
    ("TAP_SCHEMA", "The tables and columns that can be asked for."),
)
VOTABLE = {
    "text": ("unicodeChar", "*"), "int": ("long", None), "float": ("double", None), "bool": ("short", None),
    "date": ("char", "*"), "json": ("unicodeChar", "*"),
}  # fmt: skip
#: Columns that people want first.
PRINCIPAL = (
    "target_id", "name", "ra", "dec", "separation", "position_angle", "contrast", "delta_mag", "status", "date",
)  # fmt: skip
#: Words of SQL and ADQL that name columns of ours: as names they stand between quotes.
_WORDS = """
    absolute action add all allocate alter and any are area as asc assertion at authorization avg begin between bit
    bit_length both box by cascade case cast catalog centroid char char_length character check circle close coalesce
    collate column commit connect connection constraint contains continue convert coord1 coord2 coordsys corresponding
    count create cross current current_date current_time current_timestamp current_user cursor date day deallocate dec
    decimal declare default deferrable deferred delete desc describe descriptor diagnostics disconnect distance distinct
    domain double drop else end escape except exception exec execute exists external extract false fetch first float for
    foreign found from full get global go goto grant group having hour identity ilike immediate in in_unit index
    indicator initially inner input insensitive insert int integer intersect intersects interval into is isolation join
    key language last leading left level like local lower match max min minute mod module month names national natural
    nchar next no not null nullif numeric octet_length of offset on only open option or order outer output overlaps pad
    partial point polygon position precision prepare preserve primary prior privileges procedure public read real
    references region relative restrict revoke right rollback rows schema scroll second section select session
    session_user set size smallint some space sql sqlcode sqlerror sqlstate substring sum system_user table temporary
    then time timestamp timezone_hour timezone_minute to top trailing transaction translate translation trim true union
    unique unknown update upper usage user using value values varchar varying view when whenever where with work write
    year zone abs acos asin atan atan2 ceiling cos cot degrees exp floor log log10 pi power radians rand round sin sqrt
    tan truncate"""
RESERVED = frozenset(_WORDS.split()) - {"dec"}  # everybody's declination goes without quotes


class Entry(NamedTuple):
    """A row of TAP_SCHEMA.columns."""

    table_name: str
    column_name: str
    datatype: str
    arraysize: str | None
    xtype: str | None
    size: int | None
    description: str
    utype: str | None
    unit: str | None
    ucd: str | None
    indexed: int
    principal: int
    std: int
    column_index: int


_TEXT, _FLAG = ("char", "*"), ("int", None)
#: TAP_SCHEMA's own tables: what each is, and its columns with type and meaning.
OWN: dict[str, tuple[str, dict[str, tuple[tuple[str, str | None], str]]]] = {
    "schemas": ("Schemas", {
        "schema_name": (_TEXT, "Name of the schema"), "utype": (_TEXT, "UType"),
        "description": (("unicodeChar", "*"), "What it is"), "schema_index": (_FLAG, "Order in lists")}),
    "tables": ("Tables", {
        "schema_name": (_TEXT, "Schema"), "table_name": (_TEXT, "Name of the table"),
        "table_type": (_TEXT, "table or view"), "utype": (_TEXT, "UType"),
        "description": (("unicodeChar", "*"), "What it is"), "table_index": (_FLAG, "Order in lists")}),
    "columns": ("Columns", {
        "table_name": (_TEXT, "Table"), "column_name": (_TEXT, "Name of the column"),
        "datatype": (_TEXT, "Type, as in VOTable"), "arraysize": (_TEXT, "Size, as in VOTable"),
        "xtype": (_TEXT, "Extended type, as in VOTable"), "size": (_FLAG, "Length, deprecated"),
        "description": (("unicodeChar", "*"), "What it is"), "utype": (_TEXT, "UType"), "unit": (_TEXT, "Unit"),
        "ucd": (_TEXT, "UCD"), "indexed": (_FLAG, "1: an index makes searches fast"),
        "principal": (_FLAG, "1: among the first that people want"), "std": (_FLAG, "1: defined by a standard"),
        "column_index": (_FLAG, "Order in lists")}),
    "keys": ("Foreign keys", {
        "key_id": (_TEXT, "Name of the key"), "from_table": (_TEXT, "Table that points"),
        "target_table": (_TEXT, "Table pointed to"), "utype": (_TEXT, "UType"),
        "description": (("unicodeChar", "*"), "What it is")}),
    "key_columns": ("Columns of foreign keys", {
        "key_id": (_TEXT, "Name of the key"), "from_column": (_TEXT, "Column that points"),
        "target_column": (_TEXT, "Column pointed to")}),
}  # fmt: skip
#: How they point to each other.
OWN_KEYS = (
    ("tables", "schema_name", "schemas"), ("columns", "table_name", "tables"), ("keys", "from_table", "tables"),
    ("key_columns", "key_id", "keys"),
)  # fmt: skip


def bake(connection: sqlite3.Connection) -> None:
    """Write TAP_SCHEMA into a baked SQLite, as tables called `tap_schema_…`."""
    for name, (_, columns) in OWN.items():
        kinds = (f'"{column}" {"INTEGER" if kind == _FLAG else "TEXT"}' for column, (kind, _) in columns.items())
        connection.execute(f"CREATE TABLE tap_schema_{name} ({', '.join(kinds)})")
    for name, rows in content().items():
        names = ", ".join(f'"{column}"' for column in rows[0])
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(
            f"INSERT INTO tap_schema_{name} ({names}) VALUES ({marks})", [tuple(row.values()) for row in rows]
        )


def content() -> dict[str, list[dict[str, object]]]:
    """Rows of each table of TAP_SCHEMA."""
    described = [
        *((f"lyot.{table.name}", "table", table.doc) for table in tables().values()),
        (obscore.NAME, "view", obscore.DOC),
        *((f"TAP_SCHEMA.{name}", "table", doc) for name, (doc, _) in OWN.items()),
    ]
    keys = list(_keys())
    return {
        "schemas": [
            {"schema_name": name, "utype": None, "description": doc, "schema_index": number}
            for number, (name, doc) in enumerate(SCHEMAS)
        ],
        "tables": [
            {"schema_name": name.partition(".")[0], "table_name": name, "table_type": kind, "description": doc,
             "utype": None, "table_index": number}
            for number, (name, kind, doc) in enumerate(described)
        ],
        "columns": [entry._asdict() for entry in _columns()],
        "keys": [
            {"key_id": f"k{number}", "from_table": one, "target_table": other, "utype": None, "description": None}
            for number, (one, _, other, _) in enumerate(keys)
        ],
        "key_columns": [
            {"key_id": f"k{number}", "from_column": _name(column), "target_column": _name(target)}
            for number, (_, column, _, target) in enumerate(keys)
        ],
    }


def _columns() -> Iterator[Entry]:
    for table in tables().values():
        for number, column in enumerate(table.columns):
            yield _entry(table, column, number)
    for number, said in enumerate(obscore.COLUMNS):
        yield Entry(
            obscore.NAME, said.name, said.datatype, said.arraysize or None, said.xtype or None, None, said.doc,
            f"obscore:{said.utype}", said.unit or None, said.ucd, 0, int(said.name not in ("t_xel", "pol_xel")),
            int(said.name != "dataproduct_subtype"), number,
        )  # fmt: skip
    for name, (_, columns) in OWN.items():
        for number, (own, ((datatype, size), doc)) in enumerate(columns.items()):
            shared = (None, None, doc, None, None, None, 0, 1, 1, number)
            yield Entry(f"TAP_SCHEMA.{name}", _name(own), datatype, size, *shared)


def _entry(table: Table, column: Column, number: int) -> Entry:
    return Entry(
        f"lyot.{table.name}", _name(column.name), *VOTABLE[column.type], None, None, column.doc, None,
        column.unit or None, column.ucd or None, int(is_indexed(table, column.name)),
        int(column.name in PRINCIPAL), 0, number,
    )  # fmt: skip


def _keys() -> Iterator[tuple[str, str, str, str]]:
    """Table and column that point, table and column pointed to."""
    for table in tables().values():
        for column in table.columns:
            if column.references:
                other, _, target = column.references.partition(".")
                yield f"lyot.{table.name}", column.name, f"lyot.{other}", target
    for table_name, column_name, other in OWN_KEYS:
        target = "table_name" if other == "tables" else column_name
        yield f"TAP_SCHEMA.{table_name}", column_name, f"TAP_SCHEMA.{other}", target
    yield "TAP_SCHEMA.keys", "target_table", "TAP_SCHEMA.tables", "table_name"


def _name(name: str) -> str:
    """A name as ADQL writes it: words of the language between quotes."""
    return f'"{name}"' if name in RESERVED else name
