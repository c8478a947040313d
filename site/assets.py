"""Styles, scripts, chart specifications and the chart library, as the site serves them."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pooch

from lyot.declaration import digest
from lyot.progress import say
from lyot.site.chart import Chart, charts
from lyot.site.statistics import general

#: Where `make assets` puts SQLite for browsers, and what of it a page needs.
SQLITE = Path(sys.prefix) / "assets" / "node_modules" / "@sqlite.org" / "sqlite-wasm" / "dist"
SQLITE_FILES = ("index.mjs", "sqlite3.wasm")


def has_sqlite() -> bool:
    """Whether SQLite for browsers is there."""
    return all((SQLITE / name).is_file() for name in SQLITE_FILES)


def assets() -> dict[str, bytes]:
    """Content of every static file, by its path in the site.

    What takes seconds to make is kept in the user's cache folder, named by a digest of what it is made from.
    """
    kept = Path(pooch.os_cache("lyot")) / "site"
    static = files("lyot.site") / "static"
    found = {f"static/{file.name}": file.read_bytes() for file in static.iterdir() if not file.name.startswith(".")}
    maker = (files("lyot.site") / "interactive.py").read_text(encoding="utf-8")
    stamp = [version("altair"), version("vl-convert-python"), maker]
    found["static/vega.js"] = _made(kept / f"vega-{digest(stamp)}.js", _library)
    for chart in (*charts(), *general()):
        key = digest([*stamp, repr(chart.drawing)])
        found[f"static/charts/{chart.name}.json"] = _made(
            kept / f"{chart.name}-{key}.json", partial(_specification, chart)
        )
    if has_sqlite():
        found |= {f"static/sqlite/{name}": (SQLITE / name).read_bytes() for name in SQLITE_FILES}
    return found


def _made(path: Path, make: Callable[[], str]) -> bytes:
    """The content of `path`, made first when it is not there."""
    if path.is_file():
        return path.read_bytes()
    content = make().encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        say(f"{path.parent} cannot keep the chart library, so it is made at every rendering: {error}")
    return content


def _library() -> str:
    from lyot.site.interactive import library

    return library()


def _specification(chart: Chart) -> str:
    from lyot.site.interactive import specification  # altair takes a second to import: only when it is needed

    return json.dumps(specification(chart), separators=(",", ":"))
