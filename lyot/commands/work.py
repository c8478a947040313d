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
@click.option("--level", type=click.IntRange(1, 3), default=3, show_default=True,
              help="1: stop at calibrated cubes. Levels 2 and 3 are made together.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes at once.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster that does the jobs, as tcp://head:8786.")
@click.option("--retry", is_flag=True, help="Try again what was found unprocessable.")
def reduce(store: str, out: Path, as_json: bool, workspace: str, dataset: tuple[str, ...], recipe: tuple[str, ...],
           settings: tuple[str, ...], level: int, **how: Any) -> None:
    """Calibrate the raw frames of each DATASET (default: all), remove the starlight, and measure what is left.

    Makes only what is missing; what failed is tried again. Parameters of the calibration are set as level1.NAME=VALUE.
    `--set ncomp=auto` takes as many components as show simulated companions best; `--set select=5` leaves out frames
    that lie 5σ off the others.

    Example: lyot reduce naco/beta-pic/2013-01-31/lp --recipe pca --set ncomp=15
    """
    from lyot.build.missing import make_missing

    given = dict(split(one) for one in settings)
    outcomes = make_missing(Store(store), dataset, recipe, settings=given, workspace=workspace, level=level, **how)
    tell(
        [one.summary() for one in outcomes],
        [f"{one.job.dataset}  {one.job.label}  {one.key or one.outcome}" for one in outcomes] or ["nothing to do"],
        as_json,
    )
    end_with(outcomes)
