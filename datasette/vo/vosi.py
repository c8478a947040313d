"""What the service says of itself: capabilities, availability, tables, examples (VOSI 1.1, TAPRegExt 1.0, DALI 1.1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from lyot.datasette.vo import task
from lyot.datasette.vo.call import FUNCTIONS, SIMPLE
from lyot.datasette.vo.examples import EXAMPLES
from lyot.datasette.vo.formats import FORMATS
from lyot.datasette.vo.votable import text

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
RESOURCE = 'xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"'
FEATURES = "ivo://ivoa.net/std/TAPRegExt#features"
GEOMETRY = ("AREA", "BOX", "CENTROID", "CIRCLE", "CONTAINS", "COORD1", "COORD2", "COORDSYS", "DISTANCE", "INTERSECTS",
            "POINT", "POLYGON")  # fmt: skip
#: Optional parts of ADQL 2.1, and the forms of each.
OPTIONAL = {
    f"{FEATURES}-adqlgeo": GEOMETRY,
    f"{FEATURES}-adql-string": ("LOWER", "UPPER", "ILIKE"),
    f"{FEATURES}-adql-sets": ("UNION", "EXCEPT", "INTERSECT"),
    f"{FEATURES}-adql-common-table": ("WITH",),
    f"{FEATURES}-adql-type": ("CAST",),
    f"{FEATURES}-adql-unit": ("IN_UNIT",),
    f"{FEATURES}-adql-offset": ("OFFSET",),
}
assert set(GEOMETRY) <= set(FUNCTIONS)
assert {"LOWER", "UPPER"} <= set(SIMPLE)


def availability() -> bytes:
    """That the service is there."""
    return (
        f'{HEAD}<vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">'
        "<vosi:available>true</vosi:available></vosi:availability>\n"
    ).encode()


def capabilities(base: str, seconds: float, retention: int) -> bytes:
    """What TAP can do, and where its parts are; `seconds` a job may take, `retention` how long it is kept (s)."""
    parts = {
        "ivo://ivoa.net/std/VOSI#tables-1.1": f"{base}/tap/tables",
        "ivo://ivoa.net/std/DALI#examples": f"{base}/tap/examples",
    }
    return _capabilities(f"{base}/tap", parts, table_access(base, seconds, retention))


def capabilities_of(address: str, parts: dict[str, str]) -> bytes:
    """What a simple service at an address can do: standards, and where each is met."""
    return _capabilities(address, parts, "")


def _capabilities(address: str, parts: dict[str, str], more: str) -> bytes:
    own = {
        "ivo://ivoa.net/std/VOSI#capabilities": f"{address}/capabilities",
        "ivo://ivoa.net/std/VOSI#availability": f"{address}/availability",
    }
    said = "".join(_endpoint(standard, place) for standard, place in {**own, **parts}.items())
    return (
        f'{HEAD}<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0" {RESOURCE} '
        f'xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" {XSI}>\n{said}{more}</vosi:capabilities>\n'
    ).encode()


def table_access(base: str, seconds: float, retention: int) -> str:
    """The capability of TAP itself."""
    features = "".join(
        f'<languageFeatures type="{kind}">'
        + "".join(f"<feature><form>{form}</form></feature>" for form in forms)
        + "</languageFeatures>\n"
        for kind, forms in OPTIONAL.items()
    )
    outputs = "".join(
        f"<outputFormat><mime>{text(one.media)}</mime>"
        + "".join(f"<alias>{text(alias)}</alias>" for alias in one.aliases if "/" not in alias or "votable/" in alias)
        + "</outputFormat>\n"
        for one in FORMATS
    )
    return (
        '<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">\n'
        '<interface xsi:type="vs:ParamHTTP" role="std" version="1.1">'
        f'<accessURL use="base">{text(base)}/tap</accessURL></interface>\n'
        '<dataModel ivo-id="ivo://ivoa.net/std/ObsCore#core-1.1">ObsCore-1.1</dataModel>\n'
        '<language><name>ADQL</name><version ivo-id="ivo://ivoa.net/std/ADQL#v2.0">2.0</version>'
        '<version ivo-id="ivo://ivoa.net/std/ADQL#v2.1">2.1</version>'
        f"<description>Astronomical Data Query Language</description>\n{features}</language>\n{outputs}"
        '<uploadMethod ivo-id="ivo://ivoa.net/std/TAPRegExt#upload-inline"/>\n'
        '<uploadMethod ivo-id="ivo://ivoa.net/std/TAPRegExt#upload-http"/>\n'
        f"<retentionPeriod><default>{retention}</default><hard>{7 * 86_400}</hard></retentionPeriod>\n"
        f"<executionDuration><default>{seconds:.0f}</default><hard>{seconds:.0f}</hard></executionDuration>\n"
        f'<outputLimit><default unit="row">{task.DEFAULT_ROWS}</default><hard unit="row">{task.MOST_ROWS}</hard>'
        "</outputLimit>\n</capability>\n"
    )


def _endpoint(standard: str, address: str) -> str:
    return (
        f'<capability standardID="{standard}"><interface xsi:type="vs:ParamHTTP" role="std" version="1.1">'
        f'<accessURL use="full">{text(address)}</accessURL></interface></capability>\n'
    )


def tables(connection: sqlite3.Connection, only: str = "") -> bytes:
    """All tables with their columns and keys, or `only` one of them; nothing if there is none of that name."""
    if only:
        said = "".join(_table(connection, row) for row in _rows(connection, "tables", "table_name", only))
        if not said:
            return b""
        inside = said.replace("<table ", f"<vosi:table {_SPACES} ", 1).removesuffix("</table>")
        return f"{HEAD}{inside}</vosi:table>\n".encode()
    return f"{HEAD}<vosi:tableset {_SPACES}>\n{schemas(connection)}</vosi:tableset>\n".encode()


def schemas(connection: sqlite3.Connection) -> str:
    """Every schema with its tables."""
    return "".join(_schema(connection, row) for row in connection.execute("SELECT * FROM tap_schema_schemas"))


_SPACES = f'xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" {RESOURCE} {XSI}'


def _schema(connection: sqlite3.Connection, schema: sqlite3.Row) -> str:
    name = schema["schema_name"]
    inside = "".join(_table(connection, row) for row in _rows(connection, "tables", "schema_name", name))
    return f"<schema>{_said('name', name)}{_said('description', schema['description'])}\n{inside}</schema>\n"


def _table(connection: sqlite3.Connection, table: sqlite3.Row) -> str:
    name = table["table_name"]
    columns = "".join(_column(row) for row in _rows(connection, "columns", "table_name", name))
    keys = "".join(
        f"<foreignKey>{_said('targetTable', key['target_table'])}"
        f"{''.join(_links(connection, key['key_id']))}</foreignKey>\n"
        for key in _rows(connection, "keys", "from_table", name)
    )
    head = f'<table type="{table["table_type"]}">{_said("name", name)}{_said("description", table["description"])}'
    return f"{head}\n{columns}{keys}</table>"


def _column(column: sqlite3.Row) -> str:
    size = f' arraysize="{column["arraysize"]}"' if column["arraysize"] else ""
    extended = f' extendedType="{column["xtype"]}"' if column["xtype"] else ""
    words = "".join(
        _said(word, column[name])
        for word, name in (("name", "column_name"), ("description",) * 2, ("unit",) * 2, ("ucd",) * 2, ("utype",) * 2)
    )
    flags = "<flag>indexed</flag>" if column["indexed"] else ""
    standard = "true" if column["std"] else "false"
    kind = f'<dataType xsi:type="vs:VOTableType"{size}{extended}>{column["datatype"]}</dataType>'
    return f'<column std="{standard}">{words}{kind}{flags}</column>\n'


def _links(connection: sqlite3.Connection, key: str) -> Iterator[str]:
    for row in _rows(connection, "key_columns", "key_id", key):
        both = _said("fromColumn", row["from_column"]) + _said("targetColumn", row["target_column"])
        yield f"<fkColumn>{both}</fkColumn>"


def _rows(connection: sqlite3.Connection, table: str, column: str, value: str) -> list[sqlite3.Row]:
    sql = f"SELECT * FROM tap_schema_{table} WHERE {column} = ? COLLATE NOCASE"
    return connection.execute(sql, (value,)).fetchall()


def _said(word: str, value: str | None) -> str:
    return f"<{word}>{text(value)}</{word}>" if value else ""


def examples(base: str) -> bytes:
    """Queries to begin with, as RDFa (DALI 1.1, section 2.3)."""
    said = "".join(
        f'<div typeof="example" id="{one.name}" resource="#{one.name}"><h2 property="name">{text(one.title)}</h2>\n'
        f'<p>{text(one.doc)}</p><p>At <span property="capability">ivo://ivoa.net/std/TAP</span></p>\n'
        f'<pre property="query">{text(one.query)}</pre></div>\n'
        for one in EXAMPLES
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title>Queries to begin with</title></head>\n"
        f'<body vocab="http://www.ivoa.net/rdf/examples#">\n<h1>Queries to begin with</h1>\n{said}</body></html>\n'
    ).encode()
