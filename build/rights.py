"""Which version of a data set counts, and from which day it is public: the notes written before a product is kept."""

from __future__ import annotations

from datetime import UTC, datetime

from lyot.catalog.release import release_day
from lyot.product import Product
from lyot.store import Store


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
