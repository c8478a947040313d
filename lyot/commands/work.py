"""Making what is missing."""

from __future__ import annotations

from pathlib import Path

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
    """Remove the starlight from each DATASET (default: all), and measure what is left. Makes only what is missing.

    Example: lyot reduce naco/beta-pic/2013-01-31/lp --recipe pca --set ncomp=15
    """
    from lyot.build.plan import plan
    from lyot.build.run import run

    kept = Store(store)
    jobs = plan(kept, dataset, recipe, settings=dict(split(s) for s in settings), workspace=workspace, retry=retry)
    outcomes = run(kept, jobs, workers=workers)
    tell(
        [one.summary() for one in outcomes],
        [f"{one.job.dataset}  {one.job.label}  {one.key or one.outcome}" for one in outcomes] or ["nothing to do"],
        as_json,
    )
    end_with(outcomes)
