"""What people decide: what a companion is, who may see what, which reductions to trust. Each can be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


@click.command("workspace")
@common
@click.argument("name", default="main")
@click.option("--policy", type=click.Choice(["release-date", "never"]),
              help="Public from the release date on, or never. At first: release-date.")
@click.option("--needs-validation/--needs-no-validation", default=None,
              help="Only reductions that a person validated are released. At first: all but rejected ones.")
@click.option("--proprietary-days", type=click.IntRange(-1), metavar="DAYS",
              help="What is ingested becomes public so long after its night; -1, as at first: when somebody says.")
@click.option("--by", help="Who says so.")
def workspace_(store: str, out: Path, as_json: bool, name: str, by: str | None, **said: Any) -> None:
    """Show, or change, what holds in the workspace NAME (default: main).

    Example: lyot workspace main --proprietary-days 730 --by "A. Observer"
    """
    from lyot.build.judging import set_policy
    from lyot.build.rights import policy_of

    kept = Store(store)
    given = {key: value for key, value in said.items() if value is not None}
    if given.get("proprietary_days") == -1:
        given["proprietary_days"] = None
    if given and by is None:
        raise BadInput("who changes a workspace must say so", hint="--by NAME")
    changes = set_policy(kept, name, by, **given) if given and by else {}
    now = policy_of(kept, name)
    lines = [f"{key:17} {value}" for key, value in now.items()]
    lines += [f"{one.name}: {one.before} → {one.now}, from the next `lyot build` on" for one in changes.values()]
    tell({"workspace": name, **now}, lines, as_json)


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

    if not (names or new):
        raise BadInput("no name is given", hint="lyot resolve NAME, or --new for every target that is not known yet")
    found = resolve_names(Store(store), names, workspace, new=new, online=online, release_date=release_date)
    lines = [f"{one.name}  {one.target_id or 'not known'}  {one.said}".rstrip() for one in found]
    tell([one._asdict() for one in found], lines, as_json)
    if any(one.target_id is None for one in found):
        raise SystemExit(1)
