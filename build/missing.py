"""Make what is missing, from raw frames to measured images, and say what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lyot.build.ingest import known
from lyot.build.jobs import Outcome
from lyot.build.level1 import PREFIX, plan_level1, run_level1
from lyot.build.plan import check_names, current_cubes, plan, recipes_of
from lyot.build.run import run
from lyot.errors import BadInput
from lyot.store import Kept, Store


def make_missing(
    store: Store,
    datasets: Sequence[str] = (),
    recipes: Sequence[str] = (),
    *,
    settings: Mapping[str, Any] | None = None,
    workspace: str = "main",
    level: int = 3,
    retry: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
) -> list[Outcome]:
    """Calibrate the raw frames of data sets, then reduce their cubes; what is there is not made again.

    Parameters
    ----------
    store : Store
    datasets : names; all when empty
    recipes : names of recipes; the published ones when empty
    settings : parameters to change in them; those that begin with `level1.` are the calibration's
    workspace : whose data
    level : int
        1 to stop at calibrated cubes. Levels 2 and 3, images and what is measured on them, are made together.
    retry : bool
        Try again what was found unprocessable.
    workers, scheduler
        As for `build.jobs.run_jobs`.

    Raises
    ------
    NotFound
        If there is no such data set or recipe: nothing is begun.
    BadInput
        If a setting does not suit: nothing is begun.
    """
    given = dict(settings or {})
    raw = {name.removeprefix(PREFIX): given.pop(name) for name in list(given) if name.startswith(PREFIX)}
    try:
        chosen = recipes_of(recipes, given)
    except BadInput as error:
        if recipes:
            raise
        raise BadInput(error.message, hint=f"{error.hint}; say which recipe is meant: --recipe NAME") from None
    frames = {one.name for one in known(store, workspace).datasets}
    check_names(datasets, frames | _with_cube(store, workspace))
    waiting, outcomes = plan_level1(store, datasets, settings=raw, workspace=workspace, retry=retry)
    outcomes += run_level1(store, waiting, workers=workers, scheduler=scheduler)
    if level == 1:
        return outcomes
    left = [name for name in datasets if name in _with_cube(store, workspace)]
    if left or not datasets:
        jobs = plan(store, left, chosen, workspace=workspace, retry=retry)
        outcomes += run(store, jobs, workers=workers, scheduler=scheduler)
    return outcomes


def _with_cube(store: Store, workspace: str) -> set[str]:
    return {cube.product.dataset for cube in current_cubes(store, workspace)}


def overview(store: Store) -> list[dict[str, Any]]:
    """Each data set with the level it has reached, the recipes it was reduced by, and what is missing."""
    reductions = store.find(kind="reduction")
    cubes = current_cubes(store)
    found = [_reached(store, cube, reductions) for cube in cubes]
    there = {(one["workspace"], one["dataset"]) for one in found}
    for workspace in store.workspaces():
        found += [
            {"dataset": frames.name, "workspace": workspace, "level": 0, "recipes": [], "missing": list(frames.notes),
             "simulated": any(file.simulated for file in frames.files)}
            for frames in known(store, workspace).datasets
            if (workspace, frames.name) not in there
        ]  # fmt: skip
    return sorted(found, key=lambda one: (one["workspace"], one["dataset"]))


def _reached(store: Store, cube: Kept, reductions: Sequence[Kept]) -> dict[str, Any]:
    product = cube.product
    labels = sorted({one.product.label for one in reductions if cube.key in one.product.inputs[:1]})
    missing = list(product.about.get("lacks", ()))
    if not store.noted(f"releases/{product.dataset}", workspace=product.workspace).get("release_date"):
        missing.append("release date")
    return {
        "dataset": product.dataset,
        "workspace": product.workspace,
        "level": 2 if labels else 1,
        "recipes": labels,
        "missing": missing,
        "simulated": bool(product.about.get("simulated", False)),
    }
