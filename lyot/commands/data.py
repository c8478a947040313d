"""Data in, and what is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from lyot.commands.common import common, released, tell, workspace
from lyot.errors import BadInput, NotFound
from lyot.store import Store


@click.command()
@common
@workspace
@click.argument("cube", type=click.Path(path_type=Path))
@click.option("--angles", required=True, type=click.Path(path_type=Path), help="FITS: one angle (deg) a frame.")
@click.option("--psf", type=click.Path(path_type=Path), help="FITS: the star off the coronagraph.")
@click.option("--psf-normalised/--psf-counts", default=None,
              help="The PSF has unit flux where the star flux was measured, or is in counts. Default: by its looks.")
@click.option("--instrument", required=True, help="As `naco` or `sphere-irdis`.")
@click.option("--target", required=True, help="Name of the star.")
@click.option("--date", required=True, help="Of the observation, UTC: 2013-01-31 or 2013-01-31T04:12:00.")
@click.option("--filter", "filter_name", help="One of the instrument's.")
@click.option("--wavelength", type=float, multiple=True, help="µm; once for each wavelength of the cube.")
@click.option("--pixel-scale", type=float, help="mas/px; default: the instrument's on that date.")
@click.option("--north", type=float, default=0.0, show_default=True, help="deg, added to every angle.")
@click.option("--centre", type=float, nargs=2, metavar="Y X", help="Where the star is, px from 0; default: the middle.")
@click.option("--centre-error", type=float, help="px, 1σ on each axis; 0.5 is assumed when it is not given.")
@click.option("--star-flux", type=float, multiple=True,
              help="Counts of the star in a 1-FWHM aperture, in the units of the frames. Without it no contrast.")
@click.option("--coronagraph", help="As `AGPM`.")
@click.option("--exposure-time", type=float, help="s, of the whole sequence.")
@click.option("--survey", help="Survey it belongs to.")
@click.option("--survey-description", help="What the survey is about, as its page says.")
@click.option("--programme", help="Programme of the observatory, as 60.A-9800(J).")
@click.option("--simulated", is_flag=True, help="It was made by a simulator.")
@click.option("--release-date", help="Day it becomes public (UTC). Without one it stays private.")
def adopt(store: str, out: Path, as_json: bool, workspace: str, cube: Path, filter_name: str | None,
          wavelength: tuple[float, ...], **options: Any) -> None:
    """Bring in a CUBE that someone else calibrated: (time, y, x) or (wave, time, y, x).

    Example: lyot adopt cube.fits --angles angles.fits --instrument naco --target "beta Pic" --date 2013-01-31
    """
    from lyot.build.adopt import adopt as bring_in
    from lyot.build.options import AdoptOptions

    said = AdoptOptions(workspace=workspace, filter=filter_name, wavelengths=wavelength, **options)
    kept = bring_in(Store(store), cube, options=said)
    tell({"dataset": kept.product.dataset, "key": kept.key}, [kept.product.dataset], as_json)


@click.command()
@common
def datasets(store: str, out: Path, as_json: bool) -> None:
    """What there is, the level it has reached and what is missing.

    Example: lyot datasets
    """
    from lyot.build.missing import overview

    found = overview(Store(store))
    width = max((len(d["dataset"]) for d in found), default=0)
    lines = [f"{d['dataset']:{width}}  level {d['level']}  {', '.join(d['recipes']) or 'not reduced'}"
             + (f"  missing: {', '.join(d['missing'])}" if d["missing"] else "") for d in found]
    tell(found, lines, as_json)
    if not found:
        click.echo(f"the store {store} has no data set", err=True)


@click.command()
@common
@click.argument("dataset", required=False)
def products(store: str, out: Path, as_json: bool, dataset: str | None) -> None:
    """The products of DATASET (default: all), with kind, key, URL and checksum.

    Example: lyot products naco/beta-pic/2013-01-31/lp
    """
    kept = Store(store)
    of_it = kept.find(dataset=dataset)
    if dataset is not None and not of_it:
        raise NotFound(f"the store {store} has no product of a data set {dataset}", hint="`lyot datasets` lists them")
    found = [
        {"key": one.key, "kind": one.product.kind, "dataset": one.product.dataset, "label": one.product.label,
         "created": one.created, "file": kept.path(f"{one.stem}.{ending}"), **about}
        for one in of_it
        for ending, about in one.files.items()
        if not ending.endswith(".parquet")
    ]
    lines = [f"{p['kind']:10} {p['key']}  {p['label'] or '-':16} {p['sha256'][:12]}  {p['file']}" for p in found]
    tell(found, lines, as_json)


@click.command("import")
@common
@workspace
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--release-date", help="Day the rows become public (UTC), where they do not say. Without: private.")
def import_(store: str, out: Path, as_json: bool, workspace: str, files: tuple[Path, ...],
            release_date: str | None) -> None:
    """Bring in tables from any survey: hierarchical JSON (observation → reductions → detections), or CSV.

    Each file is taken whole or not at all; one that is not stops no other. A file takes the place of an older one of
    its name. Example: lyot import survey.json --release-date 2026-01-01
    """
    from lyot.build.importing import import_files

    done, refused = import_files(Store(store), files, workspace=workspace, release_date=release_date)
    tell([{"dataset": one.product.dataset, "key": one.key, "tables": one.tables} for one in done],
         [f"{one.product.dataset}  {one.key}  {', '.join(one.tables)}" for one in done], as_json)
    for why in refused:
        click.echo(f"lyot: {why}", err=True)
    if refused:
        sys.exit(1 if done else 2)


@click.command()
@common
@released
@click.argument("target", required=False)
@click.option("--format", "form", type=click.Choice(["json", "csv", "hcifits"]), default="json", show_default=True)
@click.option("--to", type=click.Path(path_type=Path), help="File, for hcifits folder; default: standard output.")
def export(store: str, out: Path, as_json: bool, workspace: str | None, target: str | None, form: str,
           to: Path | None) -> None:
    """Write a release, or what it knows of TARGET, as the documents that `lyot import` reads.

    json: everything; csv: detections; hcifits: the file of each reduction, into the folder --to.
    Example: lyot export "beta Pic" --format json --to beta-pic.json
    """
    from lyot.build.exporting import csv_of_release, files_of_release, json_of_release

    folder = out / (workspace or "public")
    if form == "hcifits":
        if to is None:
            raise BadInput("--format hcifits needs a folder", hint="--to FOLDER")
        written = files_of_release(Store(store), folder, to, target)
        tell({"files": [str(path) for path in written]}, [str(path) for path in written], as_json)
        return
    text = (json_of_release if form == "json" else csv_of_release)(folder, target)
    if to is not None:
        to.write_text(text, encoding="utf-8")
        tell({"files": [str(to)]}, [str(to)], as_json)
    elif as_json and form == "csv":
        tell({"csv": text}, [], as_json)
    else:
        click.echo(text.rstrip("\n"))
