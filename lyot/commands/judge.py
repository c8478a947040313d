"""What people decide: what a companion is, who may see what, which reductions to trust. Each can be taken back."""

from __future__ import annotations

from pathlib import Path

import click

from lyot.commands.common import common, tell, workspace
from lyot.errors import BadInput
from lyot.store import Store

STATUSES = ("UNDEFINED", "CANDIDATE", "COMPANION", "BACKGROUND", "AMBIGUOUS")
by = click.option("--by", required=True, help="Who says so.")
because = click.option("--because", required=True, help="Why.")


@click.command()
@common
@workspace
@click.argument("companion")
@click.argument("status", required=False, type=click.Choice(STATUSES, case_sensitive=False))
@click.option("--by", help="Who says so.")
@click.option("--because", help="Why.")
@click.option("--withdraw", is_flag=True, help="Take back the newest verdict on it that a person gave.")
@click.option("--release-date", help="Day the verdict becomes public (UTC). Without one it stays private.")
def verdict(store: str, out: Path, as_json: bool, workspace: str, companion: str, status: str | None, by: str | None,
            because: str | None, withdraw: bool, release_date: str | None) -> None:
    """Say what COMPANION is; from the next build on that overrules what astrometry says.

    Example: lyot verdict "HD 165054 cc1" BACKGROUND --by "A. Observer" --because "proper motion in our 2024 data"
    """
    from lyot.build.judging import give_verdict, withdraw_verdict

    kept = Store(store)
    if withdraw:
        done, said = withdraw_verdict(kept, companion, workspace)
        tell({"key": done.key, "withdrawn": said},
             [f"withdrawn: {said['companion_id']} is {said['status']} ({said['author']})"], as_json)
        return
    if not (status and by and because):
        raise BadInput("a verdict needs a status, who (--by) and why (--because)", hint="or --withdraw")
    done = give_verdict(kept, companion, status.upper(), by, because, workspace, release_date)
    tell({"dataset": done.product.dataset, "key": done.key}, [f"{done.product.dataset}  {done.key}"], as_json)


@click.command("release")
@common
@workspace
@click.argument("dataset")
@click.option("--date", help="Day from which it is public (UTC).")
@click.option("--never", is_flag=True, help="Private from the next build on, also if it was public.")
@by
def release_(store: str, out: Path, as_json: bool, workspace: str, dataset: str, date: str | None, never: bool,
             by: str) -> None:
    """Say from which day DATASET is public, or that it is not.

    Example: lyot release naco/beta-pic/2013-01-31/lp --date 2026-01-01 --by "A. Observer"
    """
    from lyot.build.judging import set_release

    if (date is None) != never:
        raise BadInput("one of --date and --never is needed")
    change = set_release(Store(store), dataset, date, by, workspace)
    line = f"{dataset}: {change.before or 'private'} → {change.now or 'private'}, from the next `lyot build` on"
    tell(change._asdict(), [line], as_json)


@click.command()
@common
@click.argument("reduction")
@click.argument("validation", type=click.Choice(["validated", "flagged", "rejected", "unjudged"]))
@by
@because
def validate(store: str, out: Path, as_json: bool, reduction: str, validation: str, by: str, because: str) -> None:
    """Say whether REDUCTION (its key) is to be trusted: rejected ones are in no public release.

    Example: lyot validate 3f2a9c41d0b7 rejected --by "A. Observer" --because "the star is off the mask"
    """
    from lyot.build.judging import set_validation

    said = None if validation == "unjudged" else validation
    changes = set_validation(Store(store), reduction, said, by, because)
    tell([change._asdict() for change in changes],
         [f"{one.name}: {one.before or 'unjudged'} → {one.now or 'unjudged'}" for one in changes], as_json)


@click.command()
@common
@workspace
@click.argument("names", nargs=-1)
@click.option("--new", is_flag=True, help="Also every target that was observed and of which nothing is known.")
@click.option("--online", is_flag=True, help="Ask SIMBAD and Gaia; without, only what the store knows.")
@click.option("--release-date", help="Day the answers become public (UTC). Without one they stay private.")
def resolve(store: str, out: Path, as_json: bool, workspace: str, names: tuple[str, ...], new: bool, online: bool,
            release_date: str | None) -> None:
    """Find the targets that NAMES mean; with --online, ask the services about those that are not known.

    Example: lyot resolve "bet Pic" HD39060 --online
    """
    from lyot.build.resolve import resolve_names

    found = resolve_names(Store(store), names, workspace, new=new, online=online, release_date=release_date)
    lines = [f"{one.name}  {one.target_id or 'not known'}  {one.said}".rstrip() for one in found]
    tell([one._asdict() for one in found], lines, as_json)
    if any(one.target_id is None for one in found):
        raise SystemExit(1)
