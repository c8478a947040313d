"""Styles, scripts, chart specifications and the chart library, as the site serves them."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from lyot.declaration import digest
from lyot.site.chart import charts


def assets(kept: Path) -> dict[str, bytes]:
    """Content of every static file, by its path in the site.

    Parameters
    ----------
    kept : Path
        Folder that keeps what takes seconds to make, named by a digest of what it is made from.
    """
    static = files("lyot.site") / "static"
    found = {f"static/{file.name}": file.read_bytes() for file in static.iterdir() if not file.name.startswith(".")}
    maker = (files("lyot.site") / "interactive.py").read_text(encoding="utf-8")
    stamp = [version("altair"), version("vl-convert-python"), maker]
    found["static/vega.js"] = _made(kept / f"vega-{digest(stamp)}.js", _library)
    for chart in charts():
        key = digest([*stamp, repr(chart.drawing)])
        found[f"static/charts/{chart.name}.json"] = _made(
            kept / f"{chart.name}-{key}.json", lambda chart=chart: _specification(chart.name)
        )
    return found


def _made(path: Path, make: Callable[[], str]) -> bytes:
    """The content of `path`, made first when it is not there."""
    if path.is_file():
        return path.read_bytes()
    content = make().encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
    return content


def _library() -> str:
    from lyot.site.interactive import library

    return library()


def _specification(name: str) -> str:
    from lyot.site.interactive import specification  # altair takes a second to import: only when it is needed

    chart = next(chart for chart in charts() if chart.name == name)
    return json.dumps(specification(chart), separators=(",", ":"))
