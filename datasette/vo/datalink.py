"""DataLink 1.1: from a product to its file, its pictures, what it was made of, and the page of its star."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lyot.catalog import obscore
from lyot.datasette.vo import votable
from lyot.datasette.vo.run import Catalogue
from lyot.datasette.vo.schema import Field
from lyot.datasette.vo.web import Answer, Request

MEDIA = "application/x-votable+xml;content=datalink"
MOST = 200  # identifiers in one request
#: Columns of an answer (DataLink 1.1, section 3.2), in this order.
FIELDS = (
    Field("ID", "char", "*", ucd="meta.id;meta.main", doc="What was asked for"),
    Field("access_url", "char", "*", ucd="meta.ref.url", doc="Where it is"),
    Field("service_def", "char", "*", ucd="meta.ref", doc="Service that makes it; none does"),
    Field("error_message", "char", "*", ucd="meta.code.error", doc="Why there is nothing"),
    Field("semantics", "char", "*", ucd="meta.code", doc="What it is to the product"),
    Field("description", "unicodeChar", "*", ucd="meta.note", doc="In words"),
    Field("content_type", "char", "*", ucd="meta.code.mime", doc="Media type"),
    Field("content_length", "long", unit="byte", ucd="phys.size;meta.file", doc="Size"),
    Field("content_qualifier", "char", "*", doc="Kind of product"),
    Field("local_semantics", "char", "*", ucd="meta.code", doc="Its name here"),
    Field("link_auth", "char", "*", ucd="meta.code", doc="Whether one must say who one is"),
    Field("link_authorized", "boolean", ucd="meta.code", doc="Whether the asker may have it"),
)
_PRODUCT = "SELECT * FROM product WHERE product_key = ?"


def links(request: Request, catalogue: Catalogue) -> Answer:
    """The links of each ID; of one that does not exist, and of one that is not in this release, the same words."""
    rows: list[tuple[Any, ...]] = []
    asked = request.values.get("ID", [])
    if len(asked) > MOST:
        return Answer(votable.error(f"{len(asked)} identifiers; {MOST} are allowed"), votable.MEDIA, 400)
    address = f"{catalogue.database.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        for identifier in asked:
            rows += _links(identifier, connection, catalogue)
    info = {"SERVICE_PROTOCOL": "DataLink 1.1"}
    return Answer(votable.document(FIELDS, rows, info), MEDIA)


def descriptor(base: str) -> str:
    """The resource that says how the rows of a table lead to their links."""
    return (
        '<RESOURCE type="meta" utype="adhoc:service" name="links">\n'
        '<PARAM name="standardID" datatype="char" arraysize="*" value="ivo://ivoa.net/std/DataLink#links-1.1"/>\n'
        f'<PARAM name="accessURL" datatype="char" arraysize="*" value="{votable.text(base)}/datalink/links"/>\n'
        '<GROUP name="inputParams"><PARAM name="ID" datatype="char" arraysize="*" value="" ref="obs_publisher_did"/>'
        "</GROUP>\n</RESOURCE>\n"
    )


def identifier(key: str, authority: str) -> str:
    """What a product is called in the whole VO."""
    return f"ivo://{authority}/lyot?{key}"


def _links(asked: str, connection: sqlite3.Connection, catalogue: Catalogue) -> Iterator[tuple[Any, ...]]:
    prefix = identifier("", catalogue.authority)
    found = connection.execute(_PRODUCT, (asked.removeprefix(prefix),)).fetchone() if asked.startswith(prefix) else None
    if found is None or not found["path"] or found["kind"] not in obscore.PIXELS:
        # the links of what is missing are none; the row says why (section 3.4)
        yield (asked, None, None, f"NotFoundFault: {asked[:200]} is not in this release", "#this", None, None, None,
               None, None, None, None)  # fmt: skip
        return
    base, site = catalogue.base, catalogue.database.parent / "site"
    file = f"{base}/data/{quote(found['path'])}"
    yield _row(asked, file, "#this", "The file", "application/fits", found["size"], _kind(found["kind"]))
    for name, words in (("reduced-data", "Image"), ("snr-map", "Signal to noise")):
        yield from _picture(asked, site, base, f"images/{found['product_key']}-{name}.webp", words)
    for key in json.loads(found["inputs"] or "[]"):
        source = connection.execute(_PRODUCT, (key,)).fetchone()
        if source is not None and source["path"]:
            place = f"{base}/data/{quote(source['path'])}"
            words = f"What it was made of: {source['kind']}"
            yield _row(asked, place, "#progenitor", words, "application/fits", source["size"], _kind(source["kind"]))
    record = f"{base}/lyot/product/{found['product_key']}.json?_shape=objects"
    yield _row(asked, record, "#documentation", "The record that replays it", "application/json")
    if found["target_id"] and (site / "targets" / found["target_id"] / "index.html").is_file():
        page = f"{base}/targets/{quote(found['target_id'])}/"
        yield _row(asked, page, "#documentation", "The page of its star", "text/html")


def _picture(asked: str, site: Path, base: str, path: str, words: str) -> Iterator[tuple[Any, ...]]:
    if (site / path).is_file():
        yield _row(asked, f"{base}/{path}", "#preview", words, "image/webp", (site / path).stat().st_size)


def _kind(kind: str) -> str:
    return "cube" if kind == "cube" else "image"


def _row(
    asked: str, address: str, semantics: str, words: str, media: str, size: int | None = None, kind: str | None = None
) -> tuple[Any, ...]:
    return (asked, address, None, None, semantics, words, media, size, kind, None, "false", "T")
