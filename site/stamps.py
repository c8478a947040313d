"""What the pages are made from, as digests: what did not change is not rendered again.

The stamps of a release are kept beside it, in `.site/<name>.jsonl`, together with what the lists say of each target.
A page is new when any row it shows, a reference, a template or the code that renders it is. When `lyot build` puts a
new release in place it leaves the site of the one before in `.site/<name>/`, where nobody reads it; rendering takes
it over page by page, removes what is no longer released, and only then moves it into the release.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import duckdb

import lyot
from lyot.catalog.table import tables


@dataclass(slots=True)
class Made:
    """What the pages of one target left: their stamp, their files, and what lists say of it, as JSON.

    There may be a hundred thousand of them, of which most are only passed on.
    """

    stamp: str
    files: list[str]
    listed: bytes

    @property
    def overview(self) -> dict[str, Any]:
        """What lists say of it."""
        found: dict[str, Any] = json.loads(self.listed, object_pairs_hook=_mapping)
        return found


@dataclass
class Stamps:
    """What the last rendering left, by target, and by path for other pages; `bulk` says the same of data files.

    `whole` is the digest of all tables, and `lists` the files of all that is not of one target.
    """

    code: str = ""
    whole: str = ""
    lists: list[str] = field(default_factory=list)
    targets: dict[str, Made] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    bulk: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Keep them in a file: a line for all, and one for each target, what lists say of it behind a tabulator."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            file.write(packed({name: value for name, value in vars(self).items() if name != "targets"}) + b"\n")
            for key, one in self.targets.items():
                file.write(packed([key, one.stamp, one.files]) + b"\t" + one.listed + b"\n")
        part.replace(path)


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping whose keys are one string each, however many mappings there are."""
    return {sys.intern(key): value for key, value in pairs}


def read(path: Path, code: str) -> Stamps:
    """The stamps kept in a file; none when there is no such file, or other code wrote it."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.readline())
            if said["code"] != code:
                return Stamps(code)
            found = Stamps(**said)
            for line in file:
                own, _, listed = line.rstrip(b"\n").partition(b"\t")
                key, stamp, files = json.loads(own)
                found.targets[key] = Made(stamp, files, listed)
            return found
    except (OSError, ValueError, KeyError, TypeError):
        return Stamps(code)


def packed(value: Any) -> bytes:
    """A value as JSON on one line, whatever its text holds."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def digest(*parts: object) -> str:
    """A short digest of anything that says itself the same way each time."""
    made = blake2b(digest_size=12)
    for part in parts:
        made.update(repr(part).encode("utf-8", "surrogatepass"))
        made.update(b"\0")
    return made.hexdigest()


def of_code(*more: str) -> str:
    """Digest of all that turns rows into pages: templates, this stage, the catalogue, the sky, the bar, and `more`."""
    return digest(_sources(), lyot.__version__, duckdb.__version__, *more)


@cache
def _sources() -> str:
    core = [files("lyot") / "sky.py", files("lyot") / "bar.py"]
    roots = [files("lyot.site"), files("lyot.templates") / "site", files("lyot.catalog"), *core]
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


def of_rows(folder: Path) -> dict[str, str]:
    """A digest of the rows of each target, and of what they point to, out of the release's Parquet files.

    Empty when the release has none: then nothing is known to be unchanged.
    """
    paths = _parquet(folder)
    if not paths.keys() >= NEEDED:
        return {}
    owned = [name for name in paths if "target_id" in tables()[name].names]
    parts = [f"SELECT target_id, hash('{name}', one) AS h FROM {name} one" for name in owned]
    cited = " UNION ".join(
        f"SELECT target_id, reference_id FROM {name}" for name in owned if "reference_id" in tables()[name].names
    )
    parts += [
        f"SELECT target_id, hash('cited', one) FROM ({cited}) JOIN reference one USING (reference_id)",
        "SELECT target_id, hash('survey', one) FROM (SELECT DISTINCT target_id, survey_id FROM observation) "
        "JOIN survey one USING (survey_id)",
        *(
            f"SELECT {name}.target_id, hash('file', one) FROM {name} JOIN product one USING (product_key)"
            for name in ("observation", "reduction")
        ),
    ]
    with duckdb.connect() as connection:
        for name, path in paths.items():
            connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')")
        query = f"SELECT target_id, sum(h)::VARCHAR FROM ({' UNION ALL '.join(parts)}) GROUP BY target_id"
        return {key: str(value) for key, value in connection.execute(query).fetchall() if key is not None}


#: Tables without which a release says nothing.
NEEDED = {"target", "observation", "reduction", "product", "reference", "survey"}


def _parquet(folder: Path) -> dict[str, Path]:
    """The tables that a release has; it may be older than one that is declared now."""
    paths = {name: folder / "parquet" / f"{name}.parquet" for name in tables()}
    return {name: path for name, path in paths.items() if path.is_file()}


def of_tables(folder: Path, *more: object) -> str:
    """A digest of every table of a release, and of `more`; empty when it has no Parquet files."""
    paths = _parquet(folder)
    if not paths.keys() >= NEEDED:
        return ""
    with duckdb.connect() as connection:
        found = []
        for path in paths.values():
            quoted = str(path).replace("'", "''")
            query = f"SELECT sum(hash(t)), count(*) FROM read_parquet('{quoted}') t"
            found.append(connection.execute(query).fetchall())
    return digest(found, *more)


def stamp_of(rows: Mapping[str, str], target_id: str, *more: object) -> str:
    """Stamp of a target's page; empty when nothing is known of its rows."""
    return digest(rows[target_id], *more) if target_id in rows else ""
