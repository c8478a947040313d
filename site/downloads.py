"""Released FITS products of a target, out of the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lyot.site.release import Row
from lyot.site.writer import Writer
from lyot.store import Store


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
        address, source = f"data/{path}", store.path(path)
        try:
            if _is_here(store):
                writer.link(address, Path(source))  # products never change: one file may have two names
                data = Path(source).read_bytes() if row["kind"] == "reduction" else b""
            else:
                data = bytes(store.fs.cat_file(source))
                writer.write(address, data)
        except FileNotFoundError:
            missing.append(path)
            continue
        addresses[row["product_key"]] = address
        if row["kind"] == "reduction":
            files[row["product_key"]] = data
    return files, addresses, missing


def _is_here(store: Store) -> bool:
    protocol = store.fs.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)
