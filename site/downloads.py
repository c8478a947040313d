"""Files that people take away: FITS products of a target, and whole tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from lyot.catalog.table import tables
from lyot.site.release import Release, Row
from lyot.site.writer import Writer
from lyot.store import Store


@dataclass(frozen=True)
class File:
    """A file of the bulk downloads; `rows` is None for what is no table."""

    address: str
    doc: str
    size: int
    sha256: str
    rows: int | None = None


def fetch(products: Sequence[Row], store: Store, writer: Writer) -> tuple[dict[str, bytes], dict[str, str], list[str]]:
    """Bring the FITS files of `products` from the store into the site.

    Returns
    -------
    files : bytes of each reduction, by product key
    addresses : address in the site of each file, by product key
    missing : paths that the store does not hold
    """
    files: dict[str, bytes] = {}
    addresses: dict[str, str] = {}
    missing = []
    for row in products:
        path = row["path"] or ""
        if not path.endswith(".fits"):
            continue
        try:
            data = bytes(store.fs.cat_file(store.path(path)))
        except FileNotFoundError:
            missing.append(path)
            continue
        address = f"data/{path}"
        writer.write(address, data)
        addresses[row["product_key"]] = address
        if row["kind"] == "reduction":
            files[row["product_key"]] = data
    return files, addresses, missing


def bulk(release: Release, writer: Writer) -> list[File]:
    """The database and every Parquet table of the release, put into the site."""
    database = release.folder / "lyot.db"
    writer.link("data/lyot.db", database)
    found = [File("data/lyot.db", "Every table, indexed, as one SQLite database", *_measure(database))]
    for path in sorted((release.folder / "parquet").glob("*.parquet")):
        address = f"data/parquet/{path.name}"
        writer.link(address, path)
        table = tables().get(path.stem)
        rows = pq.read_metadata(path).num_rows
        found.append(File(address, table.doc if table else path.stem, *_measure(path), rows))
    return found


def checksums(files: Sequence[File]) -> str:
    """One line a file, as `sha256sum --check` reads them, relative to `data/`."""
    return "".join(f"{file.sha256}  {file.address.removeprefix('data/')}\n" for file in files)


def _measure(path: Path) -> tuple[int, str]:
    """Size and SHA-256."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
