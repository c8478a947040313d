"""What a TAP request asks for, once its parameters are known to be sound."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

from lyot.datasette.vo import formats
from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.fetch import fetch
from lyot.datasette.vo.formats import Format
from lyot.datasette.vo.run import Catalogue, Rows
from lyot.datasette.vo.upload import MOST_UPLOADS, Upload, read

LANGUAGES = ("ADQL", "ADQL-2.0", "ADQL-2.1")
DEFAULT_ROWS = 20_000
MOST_ROWS = 200_000
PAGE = 100  # rows of an answer that is small
_SETS = re.compile(r"\b(?:UNION|INTERSECT|EXCEPT)\b", re.IGNORECASE)
_TOP = re.compile(r"\s*SELECT\s+(?:(?:ALL|DISTINCT)\s+)?TOP\s+(\d{1,9})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """A query, how many rows of it, in which form, with which tables."""

    query: str
    most: int
    format: Format
    uploads: tuple[Upload, ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether it may have more than a page of rows, as far as TOP and MAXREC say, or comes with tables."""
        said = None if _SETS.search(self.query) else _TOP.match(self.query)
        return bool(self.uploads) or min(self.most, int(said[1]) if said else self.most) > PAGE


def task(values: Mapping[str, list[str]], files: Mapping[str, bytes], hosts: tuple[str, ...] = ()) -> Task:
    """What the parameters of TAP 1.1 ask for.

    Parameters
    ----------
    values, files : mappings
        Parameters by upper-case name, and what came with them.
    hosts : names of hosts
        From which tables may be fetched.

    Raises
    ------
    QueryError
        If a parameter is missing or wrong.
    """

    def last(name: str, otherwise: str = "") -> str:
        return values.get(name, [otherwise])[-1]

    if last("REQUEST", "doQuery").lower() != "doquery":
        raise QueryError(f"there is no REQUEST={last('REQUEST')[:40]}", hint="doQuery is the one there is")
    if last("LANG").upper() not in LANGUAGES:
        raise QueryError(f"LANG is {last('LANG')[:40] or 'missing'}", hint=f"one of {', '.join(LANGUAGES)}")
    if not last("QUERY").strip():
        raise QueryError("QUERY is missing")
    form = formats.find(last("RESPONSEFORMAT") or last("FORMAT") or "votable")
    return Task(last("QUERY"), count(last("MAXREC")), form, tuple(_uploads(values.get("UPLOAD", []), files, hosts)))


def count(text: str, otherwise: int = DEFAULT_ROWS) -> int:
    """Rows that MAXREC allows; never more than the service gives."""
    if not text.strip():
        return otherwise
    if not text.strip().isdigit():
        raise QueryError(f"MAXREC is {text[:40]!r}; it is a whole number, 0 or more")
    return min(int(text), MOST_ROWS)


def begin(asked: Task, catalogue: Catalogue, budget: Budget) -> tuple[Rows, Generator[bytes]]:
    """Begin a task: its rows, and the pieces of the document that they make."""
    rows = catalogue.ask(asked.query, asked.most, budget, asked.uploads)
    if asked.most == 0:
        rows.overflow = True
    return rows, asked.format.write(rows, {"QUERY": asked.query})


def _uploads(said: list[str], files: Mapping[str, bytes], hosts: tuple[str, ...]) -> Iterator[Upload]:
    pairs = [one for text in said for one in text.split(";") if one.strip()]
    if len(pairs) > MOST_UPLOADS:
        raise QueryError(f"{len(pairs)} tables were uploaded; {MOST_UPLOADS} are allowed")
    names: set[str] = set()
    for pair in pairs:
        name, _, where = (part.strip() for part in pair.partition(","))
        if not where or name.lower() in names:
            raise QueryError(f"UPLOAD={pair[:60]} is not a new name, a comma, and a place")
        names.add(name.lower())
        scheme, _, rest = where.partition(":")
        if scheme == "param":
            if rest not in files:
                raise QueryError(f"UPLOAD names {rest[:40]}, which did not come with the request")
            yield read(name, files[rest])
        elif scheme in ("http", "https"):
            yield read(name, fetch(where, hosts))
        else:
            raise QueryError(f"tables cannot be uploaded from {scheme[:20]}: addresses", hint="param:name is inline")
