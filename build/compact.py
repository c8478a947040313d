"""Merge many small row files into few: thousands of files take longer to open than to read.

The rows of products of equal rights are copied into one product of kind `merged`; the products stay as they are, so
that who reads them meanwhile does not notice. What a reader may not see whole, it does not open (`build.sources`).
"""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa

from lyot.build.visible import MERGED, Audience, Chosen, select
from lyot.catalog.release import today
from lyot.catalog.table import tables
from lyot.product import Product
from lyot.store import Kept, Store

SMALL = 4_000_000  # bytes; larger files are left alone
FEWEST = 16  # files that are worth a merged one
MOST = 20_000  # files of one merged one


def compact(store: Store) -> list[Kept]:
    """Merge the small row files of what is current, by workspace, release date and table; twice makes nothing.

    What came after the last time is merged with what was there then once it is as much; before that, by itself.
    """
    made = []
    for workspace in store.workspaces():
        selection = select(store, Audience(workspace, today(), with_simulated=True))
        for table in tables():
            done = {stem for one in selection.merged if table in one.tables for stem in one.product.record["stems"]}
            groups: dict[tuple[str, str, bool], list[Chosen]] = defaultdict(list)
            for one in selection.chosen:
                if one.kept.product.workspace == workspace and _is_small(one.kept, table):
                    groups[workspace, one.release_date or "", one.simulated].append(one)
            for alike in groups.values():
                new = [one for one in alike if one.kept.stem not in done]
                some = alike if 2 * len(new) >= len(alike) else new
                if len(new) >= FEWEST:
                    made += [
                        _merge(store, workspace, table, [one.kept for one in some[first : first + MOST]])
                        for first in range(0, len(some), MOST)
                    ]
    return made


def _is_small(kept: Kept, table: str) -> bool:
    return table in kept.tables and kept.files[f"{table}.parquet"]["size"] < SMALL


def _merge(store: Store, workspace: str, table: str, given: list[Kept]) -> Kept:
    """One product with the rows of many, and whose each was in the column `_stem`."""
    product = Product(
        kind=MERGED,
        dataset=f"compact/{table.replace('_', '-')}",
        record={"step": "compact", "stems": [kept.stem for kept in given]},
        workspace=workspace,
    )
    if store.has(product):
        return store.get(product)
    rows = []
    for kept in given:
        own = store.rows(kept, table)
        rows.append(own.append_column("_stem", pa.array([kept.stem] * len(own), pa.string())))
    return store.put(product, {}, {table: pa.concat_tables(rows, promote_options="permissive")})
