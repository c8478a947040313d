"""How the data centre is: what the store holds, how the jobs ended, what waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from lyot.build.plan import plan
from lyot.build.visible import MERGED
from lyot.store import Store


@dataclass(frozen=True)
class Status:
    """Products and bytes by kind, jobs by how they ended, jobs that wait, and what could not be processed and why."""

    products: dict[str, int]
    size: int
    jobs: dict[str, int]
    waiting: int
    refused: tuple[dict[str, Any], ...]

    def lines(self) -> list[str]:
        """The same in words."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.products.items())) or "nothing"
        ended = ", ".join(f"{count} {ending}" for ending, count in sorted(self.jobs.items())) or "none yet"
        return [
            f"store    {kinds}; {self.size / 1e6:.1f} MB",
            f"jobs     {ended}; {self.waiting} waiting",
            *(f"refused  {one['dataset']} {one['recipe']}: {one['message']}" for one in self.refused),
        ]


def status(store: Store) -> Status:
    """Look through the store: every product, and the row of `run` that came with it."""
    products = [kept for kept in store.find() if kept.product.kind != MERGED]
    runs = [row for kept in products if "run" in kept.tables for row in store.rows(kept, "run").to_pylist()]
    return Status(
        products=dict(Counter(kept.product.kind for kept in products)),
        size=sum(int(about["size"]) for kept in products for about in kept.files.values()),
        jobs=dict(Counter(row["outcome"] for row in runs)),
        waiting=len(plan(store)),
        refused=tuple(row for row in runs if row["outcome"] == "unprocessable"),
    )
