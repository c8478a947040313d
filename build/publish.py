"""From the store to a release: choose, consolidate, derive, check, bake, and put in place of the one before."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from lyot.disk import writing
from lyot.errors import BadInput, Unwritable
from lyot.product import check_name
from lyot.store import Store

PUBLIC = "public"
HERE, EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux: paths from the working folder, swapped


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
        If a check of the catalogue fails, a date or workspace is none, the folder cannot be written, or another process
        makes this release now: the release before stays.
    """
    audience = Audience(_members(store, workspace), today() if as_of is None else utc_day(as_of), with_simulated)
    models = None if isochrones is None else read_isochrones(isochrones)
    selection = select(store, audience)
    folder = Path(out) / (workspace or PUBLIC)
    kept = folder.with_name(f".{folder.name}.reuse")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    with writing(str(folder)), _alone(folder):
        _sweep(folder)
        part.mkdir()
        try:
            with duckdb.connect(config={"temp_directory": str(part / "spill")}) as connection:
                consolidate(store, connection, selection, audience)
                derive(connection, audience, kept, models)
                rows = bake(connection, part, _about(audience), lambda: check(connection, audience))
                remember(connection, kept)
            shutil.rmtree(part / "spill", ignore_errors=True)
            _replace(folder, part)
        except duckdb.IOException as error:
            raise Unwritable(f"{folder} cannot be made: {' '.join(str(error).split())}") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return Release(folder, audience, rows, selection.withheld)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process makes this release meanwhile; the system gives the lock back when this one ends, however."""
    if folder.parent.exists() and not folder.parent.is_dir():
        raise Unwritable(f"{folder} cannot be written: {folder.parent} is a file")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"another process is making {folder}", hint="wait until it has ended") from None
        yield


def _sweep(folder: Path) -> None:
    """Mend what a killed process left: bring back a release that was laid aside, and remove half ones."""
    for old in folder.parent.glob(f".{folder.name}.*.old"):
        if not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    for name in (folder.name, f".{folder.name}.reuse"):
        for part in folder.parent.glob(f".{name}.*.part"):
            shutil.rmtree(part, ignore_errors=True)


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
    """Put `part` in the place of `folder`, and its site aside; who has files of the old one open keeps them."""
    old = part
    if not folder.exists():
        part.rename(folder)
    elif not _exchange(folder, part):
        old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.old")
        folder.rename(old)
        try:
            part.rename(folder)
        except OSError:
            old.rename(folder)
            raise
    if (old / "site").is_dir():
        aside = folder.parent / ".site" / folder.name
        shutil.rmtree(aside, ignore_errors=True)
        aside.parent.mkdir(exist_ok=True)
        (old / "site").rename(aside)
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, as Linux can on most disks: a reader finds the one or the other, never nothing.

    False, and nothing done, where the system or the disk cannot.
    """
    swap = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    return swap is not None and swap(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0
