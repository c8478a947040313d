"""Ask SIMBAD, Gaia and VizieR about a star, once: what they said is kept as an import."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import duckdb
import pyvo
from pyvo.utils.http import create_session

from lyot.build.importing import keep_document
from lyot.build.judging import catalogue
from lyot.build.rows import read
from lyot.catalog import simbad
from lyot.catalog.names import Names, dictionary, target_id_of
from lyot.errors import BadInput, NotFound, Unprocessable
from lyot.store import Kept, Store

Row = dict[str, Any]


class Resolved(NamedTuple):
    """A name, the target that it means (None: no one knows), and a word on how that is known."""

    name: str
    target_id: str | None
    said: str


Ask = Callable[[str, str], list[Row]]

PATIENCE = 20.0  # s, for an answer
TRIES = 3
PAUSE = 2.0  # s before the second try, twice as long before the third


def resolve(
    store: Store, name: str, workspace: str, *, ask: Ask | None = None, release_date: str | None = None
) -> Kept:
    """Keep what the services know of a star: place, motion, parallax, magnitudes, names.

    What was asked once is not asked again: the answer is in the store.

    Parameters
    ----------
    store : Store
    name : str
        Any name that SIMBAD knows.
    workspace : str
    ask : (URL of a TAP service, ADQL) → rows; `ask_tap` when not given
    release_date : ISO date, UTC
        Of the rows: they are published, but which star is looked up may be nobody's business.

    Raises
    ------
    NotFound, BadInput
        If SIMBAD knows no such object, or several.
    Unprocessable
        If a service does not answer.
    """
    known = store.find(kind="import", dataset=f"import/resolved-{target_id_of(name)}", workspace=workspace)
    if known:
        return known[-1]
    ask = ask or ask_tap
    found = simbad.one_object(name, ask(simbad.SIMBAD, simbad.ask_object(name)))
    names = [str(row["id"]) for row in ask(simbad.SIMBAD, simbad.ask_names(found["oid"]))]
    magnitudes = ask(simbad.SIMBAD, simbad.ask_magnitudes(found["oid"]))
    query = simbad.ask_gaia(names)
    gaia = ask(simbad.GAIA, query) if query else []
    query = simbad.ask_mean_motion(names) if gaia else None
    mean = ask(simbad.VIZIER, query) if query else []
    document = simbad.document_of(
        name, found, names, magnitudes[0] if magnitudes else {}, gaia[0] if gaia else None, mean[0] if mean else None
    )
    content = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode()
    return keep_document(store, f"resolved-{target_id_of(name)}", content, workspace, release_date)


def resolve_names(
    store: Store,
    names: Sequence[str],
    workspace: str,
    *,
    new: bool = False,
    online: bool = False,
    ask: Ask | None = None,
    release_date: str | None = None,
) -> list[Resolved]:
    """What names mean: by what the store knows; else, if `online`, by what the services say.

    Parameters
    ----------
    store, workspace, ask, release_date
        As for `resolve`.
    names : names of stars
    new : bool
        Also the targets that were observed, of which no place is known.
    online : bool
        Whether the services are asked.

    Raises
    ------
    BadInput
        If a name may mean several targets.
    """
    known, unplaced = _known(store, workspace)
    found = []
    for name in dict.fromkeys([*names, *(unplaced if new else ())]):
        try:
            target_id = known.resolve(name)
            if target_id not in unplaced.values():
                found.append(Resolved(name, target_id, "known"))
                continue
            missing = "its place is not known"
        except NotFound as error:
            target_id, missing = None, error.hint
        if online:
            try:
                kept = resolve(store, name, workspace, ask=ask, release_date=release_date)
                target_id, missing = str(store.rows(kept, "target").to_pylist()[0]["target_id"]), kept.product.dataset
            except (NotFound, Unprocessable) as error:
                missing = str(error)
        found.append(Resolved(name, target_id, missing))
    return found


def _known(store: Store, workspace: str) -> tuple[Names, dict[str, str]]:
    """The names of all targets in a workspace, and those without a place: name → `target_id`."""
    if workspace not in store.workspaces():
        return dictionary([], []), {}
    with duckdb.connect() as connection:
        catalogue(store, connection, workspace)
        targets = list(read(connection, "SELECT target_id, name, ra FROM target ORDER BY target_id"))
        aliases = list(read(connection, "SELECT target_id, alias FROM target_alias"))
    return dictionary(targets, aliases), {row["name"]: row["target_id"] for row in targets if row["ra"] is None}


def ask_tap(url: str, adql: str) -> list[Row]:
    """Rows that a TAP service answers; what it leaves open is None.

    Raises
    ------
    Unprocessable
        If it does not answer in `PATIENCE` seconds, `TRIES` times.
    BadInput
        If it refuses the query.
    """
    session = create_session()
    session.request = _with_patience(session.request)
    why = ""
    for attempt in range(TRIES):
        time.sleep(PAUSE * attempt)
        try:
            answer = pyvo.dal.TAPService(url, session=session).search(adql).to_table()
        except pyvo.dal.DALQueryError as error:
            raise BadInput(f"{url} refuses the query: {error}") from None
        except (pyvo.dal.DALServiceError, pyvo.dal.DALFormatError) as error:
            why = str(error)
        else:
            return [{column: _plain(row[column]) for column in answer.colnames} for row in answer]
    raise Unprocessable(f"{url} does not answer: {why}", hint="try later; what is in the store needs no network")


def _with_patience(request: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*args: Any, **options: Any) -> Any:
        return request(*args, **{"timeout": PATIENCE, **options})

    return asked


def _plain(value: Any) -> Any:
    """A value of an astropy table as one of Python; None where it is masked or NaN."""
    if getattr(value, "mask", False) is True or str(value) in ("--", ""):
        return None
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and plain != plain else plain
