"""Where products are kept: immutable files on a disk or in a bucket, each with its provenance.

A product is a few files that share a stem ending in its key: `….fits`, `….<table>.parquet`, and the provenance
`….json`, which is written last and is the commit: what has none does not exist, so a reader never sees half a
product. No file of a product is ever written over: who comes second to a name, because another makes the same product
now or was killed while it did, takes names of its own, and of two who commit the first is right. Beside the products
stand a few small documents that may change (who may see what, and when): `notes`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import posixpath
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import ENOTDIR
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from lyot.disk import part_of, writing
from lyot.errors import BadInput, NotFound, Unwritable
from lyot.product import NAME, Product, check_name


@dataclass(frozen=True)
class Kept:
    """A product as the store holds it; its files are `stem` with their endings."""

    product: Product
    key: str
    stem: str
    created: str
    files: Mapping[str, Mapping[str, Any]]  # ending → {"size": bytes, "sha256": digest}

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables it has rows of."""
        return tuple(e.removesuffix(".parquet") for e in self.files if e.endswith(".parquet"))


class Store:
    """Products under one fsspec URL: `has`, `get`, `put`, `find`; `note` and `notes` for what may change."""

    def __init__(self, url: str) -> None:
        try:
            self.fs, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise BadInput(f"the store {url!r} cannot be opened: {error}", hint="any fsspec URL will do") from None
        self.root = str(root).rstrip("/")
        if self._local and os.path.isfile(self.root):
            raise BadInput(f"the store {url!r} is a file, a folder is needed")
        self.url = self.root if self._local else url  # as a process in another folder can open it

    def has(self, product: Product) -> bool:
        """Is this very product there, whole?"""
        return bool(self.fs.exists(self.path(product.stem + ".json")))

    def get(self, product: Product) -> Kept:
        """The product as kept.

        Raises
        ------
        NotFound
            If it is not there.
        """
        return self._read(self.path(product.stem + ".json"))

    def put(
        self,
        product: Product,
        files: Mapping[str, bytes] | None = None,
        rows: Mapping[str, pa.Table] | None = None,
    ) -> Kept:
        """Keep a product: `files` by ending (`json` is taken), `rows` by table. What is there stays as it is.

        Raises
        ------
        Unwritable
            If the store is full, read-only or out of reach; nothing of the product is then seen.
        """
        if self.has(product):
            return self.get(product)
        content = dict(files or {})
        for table, values in (rows or {}).items():
            buffer = io.BytesIO()
            pq.write_table(values, buffer, compression="zstd")
            content[f"{check_name(table)}.parquet"] = buffer.getvalue()
        stem = self._create_all(product.stem, content)
        provenance = {
            "key": product.key,
            "kind": product.kind,
            "dataset": product.dataset,
            "workspace": product.workspace,
            "label": product.label,
            "record": dict(product.record),
            "inputs": list(product.inputs),
            "about": dict(product.about),
            "created": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "files": {
                ending: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for ending, data in sorted(content.items())
            },
            **({"stem": stem} if stem != product.stem else {}),
        }
        try:
            self._create(product.stem + ".json", json.dumps(provenance, indent=1, ensure_ascii=False).encode())
        except FileExistsError:  # another was quicker: what it made is the product
            if self._local or stem != product.stem:
                self._remove(stem, content)
        return self.get(product)

    def find(
        self, *, kind: str | None = None, dataset: str | None = None, workspace: str | None = None
    ) -> list[Kept]:
        """Every product that fits, oldest first."""
        top = "/".join(part for part in (workspace or "", (dataset or "") if workspace else "") if part)
        found = [
            self._read(path)
            for path in self._list(top)
            if path.endswith(".json") and path[len(self.root):].strip("/").split("/")[1:2] != ["notes"]
        ]
        return sorted(
            (
                kept
                for kept in found
                if (kind is None or kept.product.kind == kind)
                and (dataset is None or kept.product.dataset == dataset)
                and (workspace is None or kept.product.workspace == workspace)
            ),
            key=lambda kept: (kept.created, kept.key),
        )

    def read(self, kept: Kept, ending: str) -> bytes:
        """The bytes of one file of a product; `BadInput` if it is none of its files, gone, or not as it was kept."""
        if ending not in kept.files:
            raise NotFound(f"product {kept.key} has no file .{ending}; it has {', '.join(kept.files) or 'none'}")
        path = self.path(f"{kept.stem}.{ending}")
        again = f"remove {self.path(kept.product.stem)}.json, and make it again"
        try:
            data = bytes(self.fs.cat_file(path))
        except FileNotFoundError:
            raise BadInput(f"{path} is gone, its provenance is not", hint=again) from None
        about = kept.files[ending]
        if hashlib.sha256(data).hexdigest() != about["sha256"]:
            raise BadInput(f"{path} is damaged: its {len(data)} bytes are not the {about['size']} kept", hint=again)
        return data

    def rows(self, kept: Kept, table: str) -> pa.Table:
        """The rows of one table that came with a product."""
        data = pa.BufferReader(self.read(kept, f"{table}.parquet"))
        return pq.ParquetFile(data).read(use_threads=False)  # its threads can abort the process at exit

    def note(self, name: str, document: Mapping[str, Any], *, workspace: str) -> None:
        """Write the small document `name` of a workspace, over what it said before."""
        self._write(_note(name, workspace), json.dumps(document, indent=1, ensure_ascii=False).encode())

    def forget(self, name: str, *, workspace: str) -> None:
        """Take the document `name` of a workspace away, if it is there."""
        path = self.path(_note(name, workspace))
        if self.fs.exists(path):
            with self._writing(path), suppress(FileNotFoundError):
                self.fs.rm_file(path)

    def noted(self, name: str, *, workspace: str) -> dict[str, Any]:
        """The document `name` of a workspace; empty when there is none."""
        path = self.path(_note(name, workspace))
        return dict(json.loads(self.fs.cat_file(path))) if self.fs.exists(path) else {}

    def notes(self, prefix: str = "", *, workspace: str) -> dict[str, dict[str, Any]]:
        """The documents of a workspace whose names begin with `prefix`, by name."""
        top = f"{workspace}/notes/"
        start = len(self.path(top)) + 1
        return {
            path[start:].removesuffix(".json"): json.loads(self.fs.cat_file(path))
            for path in self._list(top)
            if path.endswith(".json") and path[start:].startswith(prefix)
        }

    def workspaces(self) -> list[str]:
        """Names of the workspaces that hold anything."""
        if not self.fs.exists(self.root):
            return []
        folders = (one["name"].rstrip("/") for one in self.fs.ls(self.root, detail=True) if one["type"] != "file")
        names = {posixpath.basename(folder) for folder in folders}
        return sorted(name for name in names - {"lost+found"} if re.fullmatch(NAME, name))  # which a disk brings along

    def path(self, relative: str) -> str:
        """Path in the file system of something in the store."""
        return posixpath.join(self.root, relative).rstrip("/")

    def _list(self, top: str) -> Iterator[str]:
        path = self.path(top)
        self.fs.invalidate_cache()
        if self.fs.exists(path):
            yield from sorted(str(found) for found in self.fs.find(path) if not str(found).endswith(".part"))

    def _read(self, path: str) -> Kept:
        try:
            said = json.loads(self.fs.cat_file(path))
            product = Product(
                kind=said["kind"],
                dataset=said["dataset"],
                record=said["record"],
                inputs=tuple(said["inputs"]),
                workspace=said["workspace"],
                label=said["label"],
                about=said["about"],
            )
            return Kept(product, said["key"], said.get("stem", product.stem), said["created"], said["files"])
        except FileNotFoundError:
            raise NotFound(f"there is no product {posixpath.basename(path)} in {self.url}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(
                f"{path} is in the store, but no provenance of a product: {type(error).__name__} {error}",
                hint="move it elsewhere",
            ) from None

    def _create_all(self, stem: str, content: Mapping[str, bytes]) -> str:
        """Write the files of a product, none over another; gives the stem they got."""
        made: list[str] = []
        try:
            for ending, data in content.items():
                self._create(f"{stem}.{ending}", data)
                made.append(ending)
        except (FileExistsError, Unwritable) as error:
            if self._local:
                self._remove(stem, made)
            if isinstance(error, Unwritable):
                raise
            return self._create_all(f"{stem}.{uuid.uuid4().hex[:8]}", content)
        return stem

    def _remove(self, stem: str, endings: Iterable[str]) -> None:
        """Remove files of ours; in a bucket that knows no exclusive writing, one of a plain name may be another's."""
        for ending in endings:
            self.fs.rm_file(self.path(f"{stem}.{ending}"))

    def _create(self, relative: str, data: bytes) -> None:
        """Write a new file, all of `data` or nothing.

        Raises
        ------
        FileExistsError
            If there is one of that name.
        """
        path = self.path(relative)
        with self._writing(path):
            if self._local:
                with part_of(path, data) as part:
                    os.link(part, path)
                return
            try:
                self.fs.pipe_file(path, data, mode="create")
            except OSError:  # how a bucket says that the name is taken differs
                self.fs.invalidate_cache()
                if self.fs.exists(path):
                    raise FileExistsError(path) from None
                raise

    def _write(self, relative: str, data: bytes) -> None:
        """Write a file over what was there: all of `data` or nothing; a bucket's put is atomic, a disk's rename is."""
        path = self.path(relative)
        with self._writing(path):
            if self._local:
                with part_of(path, data) as part:
                    os.replace(part, path)
            else:
                self.fs.pipe_file(path, data)

    @property
    def _local(self) -> bool:
        return "file" in self.fs.protocol

    @contextmanager
    def _writing(self, path: str) -> Iterator[None]:
        """Make the folder of a file that is about to be written; say in one sentence why it cannot be."""
        with writing(path):
            try:
                self.fs.makedirs(posixpath.dirname(path), exist_ok=True)
            except FileExistsError:
                raise NotADirectoryError(ENOTDIR, "a file stands where a folder is needed") from None
            yield


def _note(name: str, workspace: str) -> str:
    """Where a note stands."""
    return f"{check_name(workspace)}/notes/{'/'.join(check_name(part) for part in name.split('/'))}.json"
