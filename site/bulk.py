"""Whole tables for people to take away: SQLite, Parquet, CSV and VOTable, with checksums and row counts."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lyot.catalog.table import tables
from lyot.site.export import WRITERS
from lyot.site.release import Release
from lyot.site.writer import Writer

AT_ONCE = 2  # files that are written together: each takes 70 MB


@dataclass(frozen=True)
class File:
    """A file of the bulk downloads; `rows` is None for what is no table."""

    address: str
    doc: str
    size: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True)
class Bulk:
    """The files, those of each table by format; `known` is what the next rendering should know of them."""

    files: list[File]
    formats: dict[str, dict[str, File]]
    known: dict[str, Any] = field(default_factory=dict)


def bulk(folder: Path, about: Mapping[str, Any], writer: Writer, known: Mapping[str, Any]) -> Bulk:
    """The database and every table of the release in `folder`, put into the site.

    Parameters
    ----------
    folder : Path
    about : what the release says of itself
    writer : Writer
    known : the `known` of the rendering before
        CSV and VOTable of a Parquet file that is the same are not written again.
    """
    database = folder / "lyot.db"
    writer.link("data/lyot.db", database)
    files = [File("data/lyot.db", "Every table, indexed, as one SQLite database", *measure(database))]
    paths = {path.stem: path for path in sorted((folder / "parquet").glob("*.parquet")) if path.stem in tables()}
    parquet = {name: _parquet(writer, path) for name, path in paths.items()}
    others = _kept(writer, parquet, known)
    missing = [(name, ending) for name in paths for ending in WRITERS if (name, ending) not in others]
    places = {(name, ending): writer.place(_address(name, ending)) for name, ending in missing}

    def write(name: str, ending: str) -> File:
        WRITERS[ending](tables()[name], paths[name], places[name, ending])
        first = parquet[name]
        return File(_address(name, ending), first.doc, *measure(places[name, ending]), first.rows)

    with ThreadPoolExecutor(AT_ONCE) as pool:  # the database and the compressor let other threads compute
        others |= zip(missing, pool.map(lambda one: write(*one), missing), strict=True)
    formats = {
        name: {"parquet": first} | {ending: others[name, ending] for ending in WRITERS}
        for name, first in parquet.items()
    }
    for made in formats.values():
        files += made.values()
    now = {name: {"parquet": made["parquet"].sha256} | {ending: asdict(made[ending]) for ending in WRITERS}
           for name, made in formats.items()}  # fmt: skip
    listed = [{**asdict(file), "address": file.address.removeprefix("data/")} for file in files]
    writer.write("data/manifest.json", json.dumps({"release": _about(about), "files": listed}, indent=1))
    writer.write("data/SHA256SUMS", checksums(files))
    return Bulk(files, formats, now)


def _parquet(writer: Writer, path: Path) -> File:
    """The Parquet file of a table, put into the site."""
    address = f"data/parquet/{path.name}"
    writer.link(address, path)
    return File(address, tables()[path.stem].doc, *measure(path), pq.read_metadata(path).num_rows)


def _kept(writer: Writer, parquet: Mapping[str, File], known: Mapping[str, Any]) -> dict[tuple[str, str], File]:
    """Other forms of tables of which nothing changed, by table and ending."""
    found = {}
    for name, first in parquet.items():
        before = known.get(name, {})
        for ending in WRITERS if before.get("parquet") == first.sha256 else ():
            address, said = _address(name, ending), File(**before[ending])
            path = writer.folder / address
            if path.is_file() and path.stat().st_size == said.size:
                writer.keep([address])
                found[name, ending] = said
    return found


def _address(table: str, ending: str) -> str:
    return f"data/{ending}/{table}.{ending}.gz"


def files_csv(release: Release) -> str:
    """Every released FITS file: address below `data/`, size, checksum, and whose it is."""
    names = ("path", "size", "sha256", "target_id", "dataset", "kind", "level", "label", "simulated")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for row in release.each("SELECT * FROM product WHERE path LIKE '%.fits' ORDER BY path"):
        writer.writerow([row[name] for name in names])
    return text.getvalue()


def _about(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: about.get(name) for name in ("as_of", "version", "workspace", "with_simulated")}


def checksums(files: Sequence[File]) -> str:
    """One line a file, as `sha256sum --check` reads them, relative to `data/`."""
    return "".join(f"{file.sha256}  {file.address.removeprefix('data/')}\n" for file in files)


def measure(path: Path) -> tuple[int, str]:
    """Size and SHA-256."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
