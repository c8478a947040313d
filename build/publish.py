"""From the store to a release: choose, consolidate, derive, check, bake, and put in place of the one before."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

import lyot
from lyot.build.bake import bake
from lyot.build.check import check
from lyot.build.consolidate import consolidate
from lyot.build.derive import derive
from lyot.build.reuse import remember
from lyot.build.visible import Audience, select
from lyot.catalog.isochrones import read_isochrones
from lyot.catalog.release import today, utc_day
from lyot.errors import BadInput
from lyot.product import check_name
from lyot.store import Store

PUBLIC = "public"


@dataclass(frozen=True)
class Release:
    """A baked release: `folder` holds `lyot.duckdb`, `lyot.db` and `parquet/`.

    `rows` counts those of each table; `withheld` says of each product that was not read why (by key).
    """

    folder: Path
    audience: Audience
    rows: Mapping[str, int]
    withheld: Mapping[str, str]


def publish(
    store: Store,
    out: Path | str,
    workspace: str | None = None,
    as_of: str | None = None,
    with_simulated: bool = False,
    isochrones: Path | None = None,
) -> Release:
    """Bake the release of what everybody, or the members of a workspace, may see.

    Parameters
    ----------
    store : Store
    out : folder of releases
        The release is `out/public`, or `out/<workspace>`, replacing the one before, its site included: a page on
        what has become private again must not stay. The old site is laid aside in `out/.site`, for `lyot site` to take
        over what has not changed.
    workspace : str, optional
        Make the private release of this workspace: all that is in it, and what is public elsewhere.
    as_of : ISO date, optional
        The day (UTC) whose release this is; default today.
    with_simulated : bool
        Whether simulated data are in it.
    isochrones : Path, optional
        A table that tells masses of companions (`catalog.isochrones`).

    Raises
    ------
    BadInput
        If a check of the catalogue fails, or a date or workspace is none: the release before stays.
    """
    audience = Audience(_members(store, workspace), today() if as_of is None else utc_day(as_of), with_simulated)
    models = None if isochrones is None else read_isochrones(isochrones)
    selection = select(store, audience)
    folder = Path(out) / (workspace or PUBLIC)
    folder.parent.mkdir(parents=True, exist_ok=True)
    kept = folder.with_name(f".{folder.name}.reuse")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    part.mkdir()
    try:
        with duckdb.connect(config={"temp_directory": str(part / "spill")}) as connection:
            consolidate(store, connection, selection, audience)
            derive(connection, audience, kept, models)
            check(connection, audience)
            rows = bake(connection, part, _about(audience))
            remember(connection, kept)
        shutil.rmtree(part / "spill", ignore_errors=True)
        _replace(folder, part)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Release(folder, audience, rows, selection.withheld)


def _members(store: Store, workspace: str | None) -> str | None:
    if workspace is None:
        return None
    if check_name(workspace) == PUBLIC:
        raise BadInput(f"{PUBLIC!r} is the public release, not a workspace", hint="leave the workspace out")
    if workspace not in store.workspaces():
        raise BadInput(f"{store.url} has no workspace {workspace!r}; it has {', '.join(store.workspaces()) or 'none'}")
    return workspace


def _about(audience: Audience) -> dict[str, str | int | None]:
    return {
        "workspace": audience.workspace,
        "as_of": audience.as_of,
        "with_simulated": int(audience.with_simulated),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": lyot.__version__,
    }


def _replace(folder: Path, part: Path) -> None:
    """Put `part` in the place of `folder`; who has files of the old one open keeps them until they close them."""
    old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.old")
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    if (old / "site").is_dir():
        aside = folder.parent / ".site" / folder.name
        shutil.rmtree(aside, ignore_errors=True)
        aside.parent.mkdir(exist_ok=True)
        (old / "site").rename(aside)
    shutil.rmtree(old, ignore_errors=True)
