"""How the machine and the data centre are."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from lyot.commands.common import common, tell
from lyot.store import Store


@click.command()
@common
def doctor(store: str, out: Path, as_json: bool) -> None:
    """What is installed, what is missing and what it would be for.

    Example: lyot doctor
    """
    from lyot.doctor import examine

    found = list(examine())
    lines = [f"{one.name:20} {one.found or ('MISSING: ' if one.needed else 'absent: ') + one.use}" for one in found]
    tell([one.summary() for one in found], lines, as_json)
    if any(one.needed and not one.found for one in found):
        sys.exit(1)


@click.command()
@common
def status(store: str, out: Path, as_json: bool) -> None:
    """What the store holds, how the jobs ended, what waits and what was refused.

    Example: lyot status
    """
    from lyot.build.status import status as look

    found = look(Store(store))
    tell(asdict(found), found.lines(), as_json)


@click.command()
@common
def compact(store: str, out: Path, as_json: bool) -> None:
    """Merge small row files, so that a release of many products is read quickly. Products stay as they are.

    Example: lyot compact
    """
    from lyot.build.compact import compact as merge

    made = merge(Store(store))
    counts = [{"key": one.key, "tables": one.tables, "products": len(one.product.record["stems"])} for one in made]
    lines = [f"{one.key}  {', '.join(one.tables)} of {len(one.product.record['stems'])} products" for one in made]
    tell(counts, lines or ["nothing to merge"], as_json)
