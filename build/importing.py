"""Bring in tables that someone else measured: a file is taken whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lyot
from lyot.build.rights import settle
from lyot.catalog import hcifits
from lyot.catalog.exchange import DEEPEST, Rows, rows_of, too_deep
from lyot.catalog.flat import document_of_csv
from lyot.catalog.hcidocument import document_of_hci
from lyot.catalog.published import RELEASED, published_document
from lyot.catalog.release import release_day
from lyot.catalog.table import tables
from lyot.errors import BadInput, Unwritable
from lyot.product import Product, check_name, slug
from lyot.progress import say
from lyot.store import Kept, Store

VERSION = 1  # bumped when the same document gives other rows
LARGEST = 500_000_000  # bytes: what is larger is not a table someone typed, and would not fit in memory thrice


def import_file(
    store: Store, path: str | Path, workspace: str, release_date: str | None = None, simulated: bool = False
) -> Kept:
    """Keep the rows of a document, and the document itself, as a product of kind `import`.

    Importing the same file twice makes nothing. A newer file of the same name takes the place of the older one.

    Parameters
    ----------
    store : Store
    path : file ending in `.json` (hierarchical, see `catalog.exchange`), `.csv` (flat, see `catalog.flat`) or `.fits`
        (HCI-FITS of any instrument, see `catalog.hcifits`)
    workspace : str
        Whose data they are.
    release_date : ISO date, UTC
        Day from which they are public where rows do not say a later one; private without.
    simulated : bool
        Whether a simulator made them, all of them.

    Raises
    ------
    BadInput
        If something in the file is not what it must be; the message names the file and the place in it, and
        nothing is written.
    """
    path = Path(path)
    check_name(workspace)
    day = None if release_date is None else release_day(release_date)
    content = _read(path)
    try:
        rows = rows_of(_document(path, content))
        if not any(rows.tables.values()):
            raise BadInput("there is no row in it")
    except BadInput as error:
        raise BadInput(f"{path.name}: {error.message}", hint=error.hint) from None
    return _keep(store, path.stem, content, rows, workspace, (day, simulated))


def import_files(
    store: Store, paths: Sequence[Path], workspace: str, release_date: str | None = None
) -> tuple[list[Kept], list[str]]:
    """Import files one after the other; gives what was kept, and a sentence for each file that was not.

    Raises
    ------
    BadInput
        If two of them would take each other's place; nothing is written.
    """
    names: dict[str, Path] = {}
    for path in paths:
        if names.setdefault(slug(path.stem), path) != path:
            raise BadInput(f"{names[slug(path.stem)]} and {path} have one name: the second would replace the first",
                           hint="rename one")  # fmt: skip
    done: list[Kept] = []
    refused: list[str] = []
    for path in paths:
        try:
            done.append(import_file(store, path, workspace, release_date))
        except Unwritable:
            raise
        except BadInput as error:
            refused.append(str(error))
    return done, refused


def published_facts(store: Store, workspace: str) -> Kept:
    """Keep the project's own facts, which are published; twice is once."""
    document = published_document()
    content = json.dumps(document, indent=1, ensure_ascii=False).encode()
    return _keep(store, "published-facts", content, rows_of(document), workspace, (RELEASED, False))


def keep_document(
    store: Store, name: str, content: bytes, workspace: str, release_date: str | None = None
) -> Kept:
    """Keep a document (JSON, as `catalog.exchange` reads it) that was made here, under a name."""
    day = None if release_date is None else release_day(release_date)
    return _keep(store, name, content, rows_of(_json(content.decode())), check_name(workspace), (day, False))


def _keep(
    store: Store, name: str, content: bytes, rows: Rows, workspace: str, rights: tuple[str | None, bool]
) -> Kept:
    release_date, simulated = rights
    for place in rows.unknown[:20]:
        say(f"{name}: no table has a column for {place}; it stays in the document only")
    product = Product(
        kind="import",
        dataset=f"import/{slug(name)}",
        record={
            "step": "import", "version": VERSION, "simulated": simulated,
            "sha256": hashlib.sha256(content).hexdigest(),
        },
        workspace=workspace,
        about={"version": lyot.__version__, "simulated": simulated, "unknown_columns": rows.unknown[:1000]},
    )  # fmt: skip
    given: dict[str, Any] = {
        table: tables()[table].rows([_with_rights(row, table, workspace, simulated) for row in listed])
        for table, listed in rows.tables.items()
        if listed
    }
    settle(store, product, release_date, "lyot import")
    return store.put(product, {"document": content}, given)


def _with_rights(row: Mapping[str, Any], table: str, workspace: str, simulated: bool) -> dict[str, Any]:
    known = tables()[table].names
    rights = {"workspace": workspace, "simulated": simulated or bool(row.get("simulated", False))}
    return {**row, **{name: value for name, value in rights.items() if name in known}}


# ---- files ---------------------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise BadInput(f"{path} is no file")
    size = path.stat().st_size
    if size > LARGEST:
        raise BadInput(f"{path.name} has {size / 1e6:.0f} MB, {LARGEST / 1e6:.0f} MB at most are taken at once",
                       hint="cut it into several files")  # fmt: skip
    return path.read_bytes()


def _document(path: Path, content: bytes) -> Any:
    if path.suffix.lower() in (".fits", ".fit"):
        return document_of_hci(hcifits.read(content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"it is no text in UTF-8 (byte {error.start})") from None
    if path.suffix.lower() == ".csv":
        return document_of_csv(text)
    if path.suffix.lower() == ".json":
        return _json(text)
    kind = path.suffix or "no ending"
    raise BadInput(f"{kind} is no kind of file that can be imported", hint=".json, .csv and .fits can")


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_name_twice)
    except json.JSONDecodeError as error:
        raise BadInput(f"it is no JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise BadInput(f"{too_deep(text)}…: nested more than {DEEPEST} levels deep") from None


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"an object has the name {twice!r} twice")
    return row
