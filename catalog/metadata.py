"""Datasette's metadata, from what the tables declare."""

from __future__ import annotations

from typing import Any

import yaml

from lyot.catalog import tap_schema
from lyot.catalog.indices import FACETS, SORTED
from lyot.catalog.queries import QUERIES
from lyot.catalog.table import Column, Table, tables

DATABASE = "lyot"
#: File beside the database: its digest, size and numbers of rows, as `datasette inspect` would write it.
INSPECTED = "inspect.json"
HEAD = "# Generated from catalog/ by `lyot metadata > metadata.yml`; not to be edited.\n"

#: What stands for a row where another row points to it.
LABELS = {"companion": "name", "reference": "citation", "survey": "name", "target": "name"}


def metadata() -> dict[str, Any]:
    """Titles, descriptions with units, facets, order and canned queries, as Datasette wants them."""
    return {
        "title": "Lyot: high-contrast imaging of exoplanets",
        "description": "Every observation, reduction, detection and limit of the released data, and what each is.",
        "databases": {
            DATABASE: {
                "description": "The catalogue. Each column says what it means and in which unit; "
                "the table column_description says it too.",
                "tables": {
                    **{table.name: _table(table) for table in tables().values()},
                    "column_description": {"title": "What every column means"},
                    "release": {"title": "Which release this is, and of which day"},
                    "target_fts": {"hidden": True},
                    **{f"tap_schema_{name}": {"hidden": True} for name in tap_schema.OWN},
                },
                "queries": {
                    query.name: {"title": query.title, "description": query.doc, "sql": query.sql.strip()}
                    for query in QUERIES
                },
            }
        },
    }


def metadata_yml() -> str:
    """The text of `metadata.yml`."""
    return HEAD + yaml.dump(metadata(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _table(table: Table) -> dict[str, Any]:
    said: dict[str, Any] = {
        "description": table.doc,
        "columns": {column.name: described(column) for column in table.columns},
    }
    if table.name in LABELS:
        said["label_column"] = LABELS[table.name]
    if table.name in FACETS:
        said["facets"] = list(FACETS[table.name])
    if table.name in SORTED:
        column, direction = SORTED[table.name]
        said[direction] = column
    if table.name == "target":
        said |= {"fts_table": "target_fts", "fts_pk": "rowid"}
    return said


def described(column: Column) -> str:
    """A column's sentence, and its unit in brackets."""
    return f"{column.doc} [{column.unit.strip(chr(39))}]" if column.unit else column.doc


class _Dumper(yaml.SafeDumper):
    """YAML in which SQL keeps its lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
