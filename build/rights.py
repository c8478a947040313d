"""What holds in a workspace, which version of a data set counts, from which day it is public: notes of the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lyot.catalog.release import release_day
from lyot.product import Product
from lyot.store import Store

#: What holds in a workspace that says nothing: with no proprietary period, raw data stay private until somebody says.
POLICY: Mapping[str, Any] = {"policy": "release-date", "needs_validation": False, "proprietary_days": None}


def settle(store: Store, product: Product, release_date: str | None, by: str) -> None:
    """Say that this product is the version of its data set that counts, and from which day (ISO, UTC) it is public.

    A release date was given for what was there then: another version without one is private, until somebody says
    otherwise. To be called before the product is put, so that nobody sees the new rows by the old date.
    """
    workspace, name = product.workspace, product.dataset
    before = store.noted(f"current/{name}", workspace=workspace).get("key")
    if release_date is not None or before not in (None, product.key):
        day = None if release_date is None else release_day(release_date)
        changed = datetime.now(UTC).isoformat(timespec="seconds")
        store.note(f"releases/{name}", {"release_date": day, "changed": changed, "by": by}, workspace=workspace)
    store.note(f"current/{name}", {"key": product.key}, workspace=workspace)


def policy_of(store: Store, workspace: str) -> dict[str, Any]:
    """What holds in a workspace: `policy`, `needs_validation` and `proprietary_days`."""
    said = store.noted("policy", workspace=workspace)
    return {name: said.get(name, usual) for name, usual in POLICY.items()}


def end_of_proprietary_period(store: Store, dataset: str, night: str, workspace: str) -> str | None:
    """Give a data set of raw frames its release date (ISO day, UTC), if its workspace has a proprietary period.

    Where a person, or an earlier night of the same data set, gave a date already, that holds. Returns the date given.
    """
    days = policy_of(store, workspace)["proprietary_days"]
    if days is None or not night or store.noted(f"releases/{dataset}", workspace=workspace):
        return None
    # A night is named by its evening and ends at noon of the next day: at 00:00 after that its last frame, too, is old
    # enough.
    day = (date.fromisoformat(night) + timedelta(days=days + 2)).isoformat()
    changed = datetime.now(UTC).isoformat(timespec="seconds")
    said = {"release_date": day, "changed": changed, "by": f"proprietary period of {days} d"}
    store.note(f"releases/{dataset}", said, workspace=workspace)
    return day
