"""Making what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lyot.commands.common import common, end_with, split, tell, workspace
from lyot.store import Store


@click.command()
@common
@workspace
@click.argument("dataset", nargs=-1)
@click.option("--recipe", multiple=True, help="A name from reduce/recipes.py; default: those we publish.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change a parameter of the recipes.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes at once.")
@click.option("--retry", is_flag=True, help="Try again what was found unprocessable.")
def reduce(store: str, out: Path, as_json: bool, workspace: str, dataset: tuple[str, ...], recipe: tuple[str, ...],
           settings: tuple[str, ...], workers: int, retry: bool) -> None:
    """Calibrate the raw frames of each DATASET (default: all), remove the starlight, and measure what is left.

    Makes only what is missing. Parameters of the calibration are set as level1.NAME=VALUE. `--set ncomp=auto` takes as
    many components as show simulated companions best; `--set select=5` leaves out frames that lie 5σ off the others.
    Example: lyot reduce naco/beta-pic/2013-01-31/lp --recipe pca --set ncomp=15
    """
    from lyot.build.level1 import PREFIX, plan_level1, run_level1
    from lyot.build.plan import plan
    from lyot.build.run import run

    kept = Store(store)
    given = dict(split(s) for s in settings)
    raw = {name.removeprefix(PREFIX): value for name, value in given.items() if name.startswith(PREFIX)}
    given = {name: value for name, value in given.items() if not name.startswith(PREFIX)}
    waiting, calibrated = plan_level1(kept, dataset, settings=raw, workspace=workspace, retry=retry)
    calibrated += run_level1(kept, waiting)
    fallen = {one.job.dataset for one in calibrated if one.outcome != "done"}
    left = tuple(name for name in dataset if name not in fallen)
    outcomes: list[Any] = list(calibrated)
    if left or not dataset:
        jobs = plan(kept, left, recipe, settings=given, workspace=workspace, retry=retry)
        outcomes += run(kept, jobs, workers=workers)
    tell(
        [one.summary() for one in outcomes],
        [f"{one.job.dataset}  {one.job.label}  {one.key or one.outcome}" for one in outcomes] or ["nothing to do"],
        as_json,
    )
    end_with(outcomes)
