"""How the data centre is: what the store holds, how the jobs ended, what waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from lyot.build.jobs import failures
from lyot.build.level1 import plan_level1
from lyot.build.plan import current_cubes, plan
from lyot.build.visible import MERGED
from lyot.store import Store


@dataclass(frozen=True)
class Status:
    """Products and bytes by kind, jobs by how they ended, jobs that wait, and what ended badly and why.

    `failed` jobs are tried again by the next `lyot reduce`; `refused` are those that current data cannot give.
    """

    products: dict[str, int]
    size: int
    jobs: dict[str, int]
    waiting: int
    refused: tuple[dict[str, Any], ...]
    failed: tuple[dict[str, Any], ...]

    def lines(self) -> list[str]:
        """The same in words."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.products.items())) or "nothing"
        ended = ", ".join(f"{count} {ending}" for ending, count in sorted(self.jobs.items())) or "none yet"
        return [
            f"store    {kinds}; {self.size / 1e6:.1f} MB",
            f"jobs     {ended}; {self.waiting} waiting",
            *(f"refused  {one['dataset']} {one['recipe']}: {one['message']}" for one in self.refused),
            *(f"failed   {one['dataset']} {one['recipe']}: {one['message']} ({one['when']})" for one in self.failed),
        ]


def status(store: Store) -> Status:
    """Look through the store: every product, and the row of `run` that came with it."""
    products = [kept for kept in store.find() if kept.product.kind != MERGED]
    runs = [(kept, row) for kept in products if "run" in kept.tables for row in store.rows(kept, "run").to_pylist()]
    failed = failures(store)
    cubes = {one.key for one in current_cubes(store)}
    made = {one.product.dataset for one in products if one.product.kind == "cube"}
    raw = sum(len(plan_level1(store, workspace=name)[0]) for name in store.workspaces())
    return Status(
        products=dict(Counter(kept.product.kind for kept in products)),
        size=sum(int(about["size"]) for kept in products for about in kept.files.values()),
        jobs=dict(Counter(row["outcome"] for _, row in runs) + Counter({"failed": len(failed)})),
        waiting=len(plan(store)) + raw,
        refused=tuple(
            row
            for kept, row in runs
            if row["outcome"] == "unprocessable"
            and (cubes.intersection(kept.product.inputs) or kept.product.dataset not in made)
        ),
        failed=tuple(failed),
    )
