"""Styles, scripts and the chart library, as the site serves them."""

from __future__ import annotations

from importlib.resources import files


def assets() -> dict[str, bytes]:
    """Content of every static file, by its path in the site."""
    static = files("lyot.site") / "static"
    return {f"static/{file.name}": file.read_bytes() for file in static.iterdir() if not file.name.startswith(".")}
