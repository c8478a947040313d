"""What the pages are made from, as digests: what did not change is not rendered again.

The stamps of a release are kept beside it, in `.site/<name>.jsonl`, together with what the lists say of each target.
A page is new when any row it shows, a reference, a template or the code that renders it is. When `lyot build` puts a
new release in place it leaves the site of the one before in `.site/<name>/`, where nobody reads it; rendering takes
it over page by page, removes what is no longer released, and only then moves it into the release.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import duckdb

import lyot
from lyot.site.digests import Columns


@dataclass(slots=True)
class Made:
    """What the pages of one target left: their stamp, their files, and what lists say of it, as JSON.

    There may be a hundred thousand of them, of which most are only passed on.
    """

    stamp: str
    files: list[str]
    listed: bytes


@dataclass
class Part:
    """What a part of the site that is of no single target left: what it read, and its files.

    `read` has the names that `lyot.site.reading` notes, with the digest of each; `files` are paths, with the keys of
    those that are pages.
    """

    read: dict[str, str]
    files: dict[str, str]


@dataclass
class Stamps:
    """What the last rendering left: of each target, of each other part, of the tables as files for all.

    `columns` are digests of what the tables hold.
    """

    code: str = ""
    columns: dict[str, Columns] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    bulk: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, Made] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, str]:
        """Keys of pages, by path."""
        return {path: key for part in self.parts.values() for path, key in part.files.items() if key}

    def write(self, path: Path) -> None:
        """Keep them in a file: a line for all, and one for each target, what lists say of it behind a tabulator."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        columns, parts = ({name: vars(one) for name, one in some.items()} for some in (self.columns, self.parts))
        with part.open("wb") as file:
            file.write(packed({"code": self.code, "columns": columns, "parts": parts, "bulk": self.bulk}) + b"\n")
            for key, one in self.targets.items():
                file.write(packed([key, one.stamp, one.files]) + b"\t" + one.listed + b"\n")
        part.replace(path)


def read(path: Path, code: str) -> Stamps:
    """The stamps kept in a file; none when there is no such file, or other code wrote it."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.readline())
            if said["code"] != code:
                return Stamps(code)
            columns = {name: Columns(**one) for name, one in said["columns"].items()}
            parts = {name: Part(**one) for name, one in said["parts"].items()}
            found = Stamps(code, columns, parts, said["bulk"])
            for line in file:
                own, _, listed = line.rstrip(b"\n").partition(b"\t")
                key, stamp, files = json.loads(own)
                found.targets[key] = Made(stamp, files, listed)
            return found
    except (OSError, ValueError, KeyError, TypeError):
        return Stamps(code)


_short = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def packed(value: Any) -> bytes:
    """A value as JSON on one line, whatever its text holds."""
    return _short(value).encode("utf-8", "surrogatepass")


def digest(*parts: object) -> str:
    """A short digest of anything that says itself the same way each time."""
    return digest_of(repr(part).encode("utf-8", "surrogatepass") for part in parts)


def digest_of(parts: Iterable[bytes]) -> str:
    """A short digest of bytes, part by part."""
    made = blake2b(digest_size=12)
    for part in parts:
        made.update(part)
        made.update(b"\0")
    return made.hexdigest()


def of_code(*more: str) -> str:
    """Digest of all that turns rows into pages: templates, code, manual, and `more`."""
    return digest(_sources(), lyot.__version__, duckdb.__version__, *more)


@cache
def _sources() -> str:
    core = [files("lyot") / "sky.py", files("lyot") / "bar.py"]
    stages = [files(f"lyot.{name}") for name in ("site", "catalog", "docs")]
    roots = [*stages, files("lyot.templates") / "site", *core]
    made = blake2b(digest_size=12)
    for root in roots:
        for text in _texts(root):
            made.update(text)
    return made.hexdigest()


def _texts(root: Traversable) -> Iterable[bytes]:
    if root.is_file():
        yield root.read_bytes()
        return
    for child in sorted(root.iterdir(), key=lambda one: one.name):
        if child.is_dir() or child.name.endswith((".py", ".html", ".md", ".xml")):
            yield from _texts(child)
