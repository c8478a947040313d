"""Addresses inside the site, all relative, so that it works in any folder of any server."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote_plus

from lyot.declaration import digest
from lyot.errors import BadInput
from lyot.product import slug

LONGEST = 80  # characters of a folder's name


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A folder name for each name, all different; a name of no Latin letter gets a digest of itself."""
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        try:
            plain = slug(name).replace("+", "-plus-")[:LONGEST].strip("-.")
        except BadInput:
            plain = f"target-{digest(name, 8)}"
        if plain in taken:
            plain = f"{plain}-{digest(name, 8)}"
        taken.add(plain)
        given[name] = plain
    return given


def upwards(path: str) -> str:
    """From the page at `path` back to the root of the site: `./` or `../../`."""
    return "../" * path.count("/") or "./"


def query_address(sql: str, target: str | None = None) -> str:
    """Datasette's page for a query, relative to the root."""
    return f"lyot?sql={quoted(sql)}" + ("" if target is None else f"&target={quoted(target)}")


@lru_cache(1000)
def quoted(text: str) -> str:
    """Text as the value of a query."""
    return quote_plus(text, safe="(),:*/=")  # what may stand there as it is
