"""Raw frames: bringing them in, what would calibrate them, and making some of known truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from lyot.commands.common import common, tell, workspace
from lyot.store import Store


@click.command()
@common
@workspace
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def ingest(store: str, out: Path, as_json: bool, workspace: str, paths: tuple[Path, ...]) -> None:
    """Register raw SPHERE files (or folders of them), classify them, and group them into data sets.

    The files stay where they are; what serves for nothing is listed with why. What cannot be read stops no other, but
    the command then ends with 1. Example: lyot ingest night/
    """
    from lyot.build.ingest import ingest as bring_in

    found = bring_in(Store(store), paths, workspace)
    lines = [
        f"{one.name}  {sum(f.frames for f in one.science)} science frames, "
        f"{len(one.centre)} centre, {len(one.flux)} flux, {len(one.sky)} sky files"
        for one in found.datasets
    ]
    notes = [note for one in found.datasets for note in one.notes]
    lines += [*notes, *(f"not used: {path}: {why}" for path, why in found.unknown.items())]
    tell(
        {
            "files": len(found.files),
            "datasets": [one.name for one in found.datasets],
            "notes": notes,
            "not_used": found.unknown,
        },
        [*lines, f"{len(found.files)} files"],
        as_json,
    )
    for path in found.unread:
        click.echo(f"lyot: {path}: {found.unknown[path]}", err=True)
    if found.unread:
        sys.exit(1)


@click.command()
@common
@workspace
@click.argument("dataset")
def associate(store: str, out: Path, as_json: bool, workspace: str, dataset: str) -> None:
    """Which calibrations DATASET would use: how far in time, how good the match, why, and what is missing.

    Example: lyot associate sphere-irdis/beta-pic/2016-09-15/db-h23
    """
    from lyot.build.level1 import associations

    frames, found = associations(Store(store), dataset, workspace)
    document: list[dict[str, Any]] = [
        {
            "need": one.need,
            "role": one.role if one.found else None,
            "files": [file.path for file in one.files],
            "level": one.level if one.found else None,
            "hours": round(one.hours, 2) if one.found else None,
            "why": one.why,
        }
        for one in found
    ]
    lines = [
        f"{one.need:28} {one.role:12} level {one.level}  {one.hours:7.1f} h  {len(one.files)} files  {one.why}"
        if one.found
        else f"{one.need:28} MISSING: {one.why}"
        for one in found
    ]
    lines += [f"{'no ' + name:28} {then}" for name, there, then in (
        ("centre frames", frames.centre, "the star's place is unknown: Level 1 only"),
        ("flux frames", frames.flux, "the star's flux is unknown: no contrast"),
    ) if not there]  # fmt: skip
    tell(document, lines, as_json)


@click.command()
@common
@click.argument("instrument", type=click.Choice(["sphere-irdis", "sphere-ifs"]))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", type=int, default=1, show_default=True)
def simulate(store: str, out: Path, as_json: bool, instrument: str, folder: Path, seed: int) -> None:
    """Write a raw night of known truth of INSTRUMENT into FOLDER, the truth beside it.

    Example: lyot simulate sphere-irdis night/ --seed 2
    """
    from lyot.reduce.simulate.raw_night import simulate_night

    truth = simulate_night(folder, "irdis" if instrument == "sphere-irdis" else "ifs", seed=seed)
    tell({"folder": str(folder), "files": [one.name for one in truth.files]},
         [f"{len(truth.files)} files in {folder}"], as_json)
