"""Which columns of the baked SQLite have an index: keys, what points elsewhere, and what people look for first."""

from __future__ import annotations

from collections.abc import Iterator

from lyot.catalog.table import Table

#: What narrows a table down: columns of few values.
FACETS = {
    "companion": ("status", "simulated"),
    "detection": ("status", "filter"),
    "detection_limit": ("noise", "filter"),
    "measurement": ("quantity", "band"),
    "observation": ("instrument", "filter", "simulated"),
    "product": ("kind", "label"),
    "reduction": ("recipe", "validation"),
    "run": ("outcome", "recipe"),
    "verdict": ("status", "origin"),
}
#: Column and direction by which people first want to see a table.
SORTED = {
    "companion": ("name", "sort"),
    "detection": ("snr", "sort_desc"),
    "detection_limit": ("contrast", "sort"),
    "observation": ("date", "sort_desc"),
    "product": ("created", "sort_desc"),
    "reference": ("year", "sort_desc"),
    "run": ("started", "sort_desc"),
    "target": ("name", "sort"),
}
#: What is asked together with the first column of an index: how clearly a source is seen, and how faint it is.
BESIDE = {("detection", "snr"): ("contrast",)}


def has_full_key(table: Table) -> bool:
    """Whether no column of the key can be null: only then SQLite holds it as one."""
    return all(table.column(name).required for name in table.key)


def indices(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and columns of each index beyond the primary key."""
    if table.name == "target":
        yield "target_position", ("dec", "ra")
    if not has_full_key(table):
        yield f"{table.name}_key", table.key
    points = [column.name for column in table.columns if column.references and column.name != "workspace"]
    first = [SORTED[table.name][0]] if table.name in SORTED else []
    for column in dict.fromkeys((*points, *FACETS.get(table.name, ()), *first)):
        if column != table.key[0]:
            yield f"{table.name}_{column}", (column, *BESIDE.get((table.name, column), ()))


def is_indexed(table: Table, column: str) -> bool:
    """Whether an index serves a search by the column: it begins one, or is the place on the sky."""
    if table.name == "target" and column in ("ra", "dec"):
        return True
    return column == table.key[0] or any(column == columns[0] for _, columns in indices(table))
