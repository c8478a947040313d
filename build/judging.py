"""What people decide: verdicts on companions, release dates, which reductions to trust. Each can be taken back.

Nothing is overwritten that cannot be found again: verdicts are imports, of which the store keeps every version; dates
and validations are notes that say who changed them, when and from what.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb

from lyot.build.consolidate import consolidate
from lyot.build.derive import derive
from lyot.build.importing import keep_document
from lyot.build.rights import policy_of
from lyot.build.visible import Audience, select
from lyot.catalog.names import dictionary
from lyot.catalog.release import release_day, today
from lyot.errors import BadInput, NotFound
from lyot.product import slug
from lyot.store import Kept, Store

Row = dict[str, Any]


class Change(NamedTuple):
    """What was said before, and what is said now; None where nothing is."""

    name: str
    before: Any
    now: Any


# ---- verdicts ------------------------------------------------------------------------------------------------------


def give_verdict(
    store: Store, name: str, status: str, by: str, because: str, workspace: str, release_date: str | None = None
) -> Kept:
    """Keep what a person says a companion is; it overrules astrometry from the next build on.

    Parameters
    ----------
    store : Store
    name : name of the companion, or its `companion_id`
    status : str
        One of the statuses of the table `verdict`.
    by, because : str
        Who says so, and why.
    workspace : str
        In which the companion is known, and the verdict will be.
    release_date : ISO date, UTC
        Day from which the verdict is public; private without.

    Raises
    ------
    NotFound, BadInput
        If no companion, or several, are known by that name.
    """
    companion = _companion(store, name, workspace)
    said = {
        "companion_id": companion["companion_id"], "target_id": companion["target_id"], "status": status,
        "author": by, "reason": because, "date": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }  # fmt: skip
    kept, verdicts = _verdicts(store, companion["companion_id"], workspace)
    return _keep_verdicts(store, kept, [*verdicts, said], workspace, release_date)


def withdraw_verdict(store: Store, name: str, workspace: str) -> tuple[Kept, Row]:
    """Take back the newest verdict of a person on a companion: the one before holds again, or astrometry's.

    Raises
    ------
    NotFound
        If there is none.
    """
    companion_id = _companion(store, name, workspace)["companion_id"]
    kept, verdicts = _verdicts(store, companion_id, workspace)
    if not verdicts:
        raise NotFound(f"nobody gave a verdict on {companion_id} in workspace {workspace}")
    dataset = f"releases/import/{kept}"  # what stays was public from the same day on
    day = store.notes(dataset, workspace=workspace).get(dataset, {}).get("release_date")
    return _keep_verdicts(store, kept, verdicts[:-1], workspace, day), verdicts[-1]


def _verdicts(store: Store, companion_id: str, workspace: str) -> tuple[str, list[Row]]:
    """Name of the document that holds the verdicts on a companion, and those that hold now."""
    name = f"verdicts-{slug(companion_id)}"
    dataset = f"import/{name}"
    current = store.noted(f"current/{dataset}", workspace=workspace).get("key")
    for kept in store.find(kind="import", dataset=dataset, workspace=workspace):
        if kept.key == current:
            return name, list(json.loads(store.read(kept, "document"))["verdicts"])
    return name, []


def _keep_verdicts(store: Store, name: str, verdicts: list[Row], workspace: str, release_date: str | None) -> Kept:
    content = json.dumps({"verdicts": verdicts}, indent=1, ensure_ascii=False).encode()
    return keep_document(store, name, content, workspace, release_date)


def _companion(store: Store, name: str, workspace: str) -> Row:
    """The companion of that name, among all that the members of a workspace see."""
    with duckdb.connect() as connection:
        catalogue(store, connection, workspace, derived=True)
        found = connection.execute("SELECT companion_id, target_id, name FROM companion").fetchall()
    rows = [dict(zip(("companion_id", "target_id", "name"), row, strict=True)) for row in found]
    exact = [row for row in rows if name == row["companion_id"]]
    if exact:
        return exact[0]
    listed = [{"target_id": row["companion_id"], "name": row["name"]} for row in rows]
    try:
        meant = dictionary(listed, []).resolve(name)
    except NotFound as error:
        raise NotFound(f"no companion is known as {name!r} in workspace {workspace}", hint=error.hint) from None
    return next(row for row in rows if row["companion_id"] == meant)


def catalogue(
    store: Store, connection: duckdb.DuckDBPyConnection, workspace: str, *, derived: bool = False
) -> None:
    """Consolidate in memory all that the members of a workspace see, simulated rows too."""
    audience = Audience(workspace, today(), with_simulated=True)
    consolidate(store, connection, select(store, audience), audience)
    if derived:
        derive(connection, audience)


# ---- rights and trust ----------------------------------------------------------------------------------------------


def set_release(store: Store, dataset: str, date: str | None, by: str, workspace: str) -> Change:
    """Say from which day (UTC) a data set is public; without a date it is private, also if it was public.

    Raises
    ------
    NotFound
        If the workspace has no such data set.
    BadInput
        If the date is none.
    """
    day = None if date is None else release_day(date)
    if not store.find(dataset=dataset, workspace=workspace):
        raise NotFound(f"workspace {workspace} has no data set {dataset!r}", hint="`lyot datasets` lists them")
    name = f"releases/{dataset}"
    before = store.notes(name, workspace=workspace).get(name, {}).get("release_date")
    store.note(name, {"release_date": day, **_changed(by, before)}, workspace=workspace)
    return Change(dataset, before, day)


def set_policy(store: Store, workspace: str, by: str, **said: Any) -> dict[str, Change]:
    """Change what holds in a workspace (`policy`, `needs_validation`, `proprietary_days`); the rest of it stays.

    A proprietary period holds for what is ingested from then on: dates that were given are not moved.
    """
    before = policy_of(store, workspace)
    now = {**before, **said}
    store.note("policy", {**now, **_changed(by, json.dumps(before))}, workspace=workspace)
    return {name: Change(name, before[name], now[name]) for name in said}


def set_validation(store: Store, reduction: str, validation: str | None, by: str, because: str) -> list[Change]:
    """Say whether a reduction is to be trusted: `validated`, `flagged` or `rejected`; None takes it back.

    Parameters
    ----------
    store : Store
    reduction : the key of a reduction, its beginning (8 characters at least), or a `reduction_id`
    validation : str, optional
    by, because : str
        Who says so, and why.

    Raises
    ------
    NotFound
        If there is no such reduction.
    BadInput
        If there are several.
    """
    found = [kept for kept in store.find(kind="reduction") if _is_meant(store, kept, reduction)]
    if not found:
        raise NotFound(f"the store has no reduction {reduction!r}", hint="`lyot products` lists their keys")
    if len({kept.key for kept in found}) > 1:
        raise BadInput(f"{reduction!r} may be {', '.join(kept.key for kept in found)}", hint="give the whole key")
    changes = []
    for kept in found:
        name, own = f"validations/{kept.key}", kept.product.workspace
        before = store.notes(name, workspace=own).get(name, {}).get("validation")
        said = {"validation": validation, "reason": f"{because} ({by})", **_changed(by, before)}
        store.note(name, said, workspace=own)
        changes.append(Change(kept.key, before, validation))
    return changes


def _is_meant(store: Store, kept: Kept, reduction: str) -> bool:
    if len(reduction) >= 8 and kept.key.startswith(reduction):
        return True
    if "/" not in reduction or "reduction" not in kept.tables or not reduction.startswith(kept.product.dataset):
        return False
    return any(row["reduction_id"] == reduction for row in store.rows(kept, "reduction").to_pylist())


def _changed(by: str, before: str | None) -> Row:
    return {"changed": datetime.now(UTC).isoformat(timespec="seconds"), "by": by, "before": before}
