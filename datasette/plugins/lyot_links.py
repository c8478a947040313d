"""Cells of Datasette that name a star lead to its page on the site, too."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from pluggy import HookimplMarker

hookimpl = HookimplMarker("datasette")


@hookimpl
def render_cell(
    row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any
) -> Markup | None:
    """A link to the page of a star, and to its row; every other cell as Datasette has it."""
    if database != "lyot":
        return None
    if table == "target" and column == "name":
        return _link(datasette.urls.path(f"/targets/{row['target_id']}/"), value)
    if column != "target_id" or not value:
        return None
    # where Datasette follows the foreign key it gives the key and what the target is called
    key, label = (value["value"], value["label"]) if isinstance(value, dict) else (value, value)
    page = _link(datasette.urls.path(f"/targets/{key}/"), label)
    return page + Markup(" ") + _link(datasette.urls.row("lyot", "target", key), "row")


def _link(address: str, words: object) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, words)
