"""What tables and columns mean, for Datasette before 1.0, which would copy all of it at every look at a permission."""

from __future__ import annotations

from functools import cache
from typing import Any

from pluggy import HookimplMarker

from lyot.catalog.metadata import metadata

hookimpl = HookimplMarker("datasette")


@hookimpl
def get_metadata(key: str | None) -> dict[str, Any]:
    """The tables and queries of the database; permissions, which are asked for as `tables`, need none of them."""
    return {} if key == "tables" else _databases()


@cache
def _databases() -> dict[str, Any]:
    return {"databases": metadata()["databases"]}
