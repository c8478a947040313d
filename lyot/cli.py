"""The command line: run the data centre, one stage at a time.

Results go to standard output, progress and log to standard error. Exit 0: done. 1: some data set failed or could not
be processed, each named with its reason, the rest done. 2: bad usage or bad input, nothing written.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import click

import lyot
from lyot.errors import BadInput, LyotError, Unprocessable


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(lyot.__version__, prog_name="lyot")
@click.option("--debug", is_flag=True, help="Show where in the code an error arose.")
def cli(debug: bool) -> None:
    """Lyot: from coronagraphic frames to a public portal, one stage at a time.

    Start with `lyot demo`; then `lyot serve`.
    """


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command."""

    @click.option("--store", envvar="LYOT_STORE", default="out/store", show_default=True, help="Any fsspec URL.")
    @click.option("--out", envvar="LYOT_OUT", default="out", show_default=True, type=click.Path(path_type=Path),
                  help="Folder of the releases.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        return function(*args, **options)

    return wrapped


workspace = click.option("--workspace", default="main", show_default=True, help="Whose data.")
released = click.option("--workspace", default=None, help="A private release of this workspace; default: public.")


def tell(document: Any, lines: list[str], as_json: bool) -> None:
    """Results on standard output: as lines, or as one JSON document."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        for line in lines:
            click.echo(line)


def open_store(url: str) -> Any:
    """The store at `url`."""
    from lyot.store import Store

    return Store(url)


@cli.command()
@common
@click.option("--without-real", is_flag=True, help="Do not look for the real sequence, nor download it.")
def demo(store: str, out: Path, as_json: bool, without_real: bool) -> None:
    """Run everything on the demonstration data, then say what to open.

    Example: lyot demo
    """
    from lyot.build.demo import demo_datasets
    from lyot.build.importing import published_facts
    from lyot.build.plan import plan
    from lyot.build.publish import publish
    from lyot.build.run import run
    from lyot.progress import say
    from lyot.site.render import render

    kept = open_store(store)
    say("1/5  published astrometry and photometry of imaged companions")
    published_facts(kept, "main")
    say("2/5  calibrated sequences: a real one if it can be had, a simulated one")
    demo_datasets(kept, real=not without_real)
    say("3/5  starlight removed, sources measured")
    outcomes = run(kept, [*plan(kept), *plan(kept, recipes=["pca"], settings={"ncomp": 15})])
    say("4/5  catalogue consolidated, judged, checked, baked")
    release = publish(kept, out, with_simulated=True)
    say("5/5  portal")
    report = render(release.folder, kept)
    page = release.folder / "site" / "index.html"
    tell(
        {"release": str(release.folder), "page": str(page), "pages": report.pages},
        [f"{report.pages} pages, first: {page}", "`make serve` (or `lyot serve`) shows them at http://127.0.0.1:8001/"],
        as_json,
    )
    end_with(outcomes, report.failures)


@cli.command()
@common
@workspace
@click.argument("cube", type=click.Path(path_type=Path))
@click.option("--angles", required=True, type=click.Path(path_type=Path), help="FITS: one angle (deg) a frame.")
@click.option("--psf", type=click.Path(path_type=Path), help="FITS: the star off the coronagraph.")
@click.option("--instrument", required=True, help="As `naco` or `sphere-irdis`.")
@click.option("--target", required=True, help="Name of the star.")
@click.option("--date", required=True, help="Of the observation, UTC: 2013-01-31 or 2013-01-31T04:12:00.")
@click.option("--filter", "filter_name", help="One of the instrument's.")
@click.option("--wavelength", type=float, multiple=True, help="µm; once for each wavelength of the cube.")
@click.option("--pixel-scale", type=float, help="mas/px; default: the instrument's on that date.")
@click.option("--north", type=float, default=0.0, show_default=True, help="deg, added to every angle.")
@click.option("--centre", type=float, nargs=2, metavar="Y X", help="Where the star is, px from 0; default: the middle.")
@click.option("--star-flux", type=float, multiple=True,
              help="Counts of the star in a 1-FWHM aperture, in the units of the frames. Without it no contrast.")
@click.option("--coronagraph", help="As `AGPM`.")
@click.option("--exposure-time", type=float, help="s, of the whole sequence.")
@click.option("--survey", help="Survey it belongs to.")
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
    kept = bring_in(open_store(store), cube, options=said)
    tell({"dataset": kept.product.dataset, "key": kept.key}, [kept.product.dataset], as_json)


@cli.command()
@common
def datasets(store: str, out: Path, as_json: bool) -> None:
    """What there is, the level it has reached and what is missing.

    Example: lyot datasets
    """
    from lyot.build.plan import overview

    found = overview(open_store(store))
    lines = [f"{d['dataset']:40} level {d['level']}  {', '.join(d['recipes']) or 'not reduced'}"
             + (f"  missing: {', '.join(d['missing'])}" if d["missing"] else "") for d in found]
    tell(found, lines, as_json)


@cli.command()
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

    kept = open_store(store)
    jobs = plan(kept, dataset, recipe, settings=dict(split(s) for s in settings), workspace=workspace, retry=retry)
    outcomes = run(kept, jobs, workers=workers)
    tell(
        [one.summary() for one in outcomes],
        [f"{one.job.dataset}  {one.job.label}  {one.key or one.outcome}" for one in outcomes] or ["nothing to do"],
        as_json,
    )
    end_with(outcomes)


@cli.command()
@common
@click.argument("dataset", required=False)
def products(store: str, out: Path, as_json: bool, dataset: str | None) -> None:
    """The products of DATASET (default: all), with kind, key, URL and checksum.

    Example: lyot products naco/beta-pic/2013-01-31/lp
    """
    kept = open_store(store)
    found = [
        {"key": one.key, "kind": one.product.kind, "dataset": one.product.dataset, "label": one.product.label,
         "created": one.created, "file": kept.path(f"{one.stem}.{ending}"), **about}
        for one in kept.find(dataset=dataset)
        for ending, about in one.files.items()
        if not ending.endswith(".parquet")
    ]
    lines = [f"{p['kind']:10} {p['key']}  {p['label'] or '-':16} {p['sha256'][:12]}  {p['file']}" for p in found]
    tell(found, lines, as_json)


@cli.command("import")
@common
@workspace
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--release-date", help="Day the rows become public (UTC), where they do not say. Without: private.")
def import_(store: str, out: Path, as_json: bool, workspace: str, files: tuple[Path, ...],
            release_date: str | None) -> None:
    """Bring in tables from any survey: hierarchical JSON (observation → reductions → detections), or CSV.

    Each file is taken whole or not at all. Example: lyot import survey.json --release-date 2026-01-01
    """
    from lyot.build.importing import import_file

    kept = open_store(store)
    done = [import_file(kept, path, workspace=workspace, release_date=release_date) for path in files]
    tell([{"dataset": one.product.dataset, "key": one.key, "tables": one.tables} for one in done],
         [f"{one.product.dataset}  {one.key}  {', '.join(one.tables)}" for one in done], as_json)


@cli.command()
@common
@released
@click.option("--as-of", metavar="DATE", help="Who may see what on that day; default: today (UTC).")
@click.option("--with-simulated", is_flag=True, help="Simulated data too.")
def build(store: str, out: Path, as_json: bool, workspace: str | None, as_of: str | None,
          with_simulated: bool) -> None:
    """Consolidate, judge, check and bake a release: a DuckDB, an SQLite and Parquet files.

    Example: lyot build --with-simulated
    """
    from lyot.build.publish import publish

    release = publish(open_store(store), out, workspace=workspace, as_of=as_of, with_simulated=with_simulated)
    tell({"folder": str(release.folder), "rows": dict(release.rows)},
         [str(release.folder), *(f"{count:8d} {table}" for table, count in release.rows.items() if count)], as_json)


@cli.command()
@common
@released
@click.option("--base-url", default="", help="Where the site will stand, for feeds and citations.")
def site(store: str, out: Path, as_json: bool, workspace: str | None, base_url: str) -> None:
    """Render the static portal of a release.

    Example: lyot site --base-url https://example.org/lyot/
    """
    from lyot.site.render import render

    folder = out / (workspace or "public")
    report = render(folder, open_store(store), base_url=base_url)
    lines = [f"{report.pages} pages in {folder / 'site'} ({report.written} files written, {report.kept} kept)"]
    tell({"folder": str(folder / "site"), "pages": report.pages, "failures": report.failures}, lines, as_json)
    end_with([], report.failures)


@cli.command()
@common
@released
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
def serve(store: str, out: Path, as_json: bool, workspace: str | None, port: int) -> None:
    """Serve the portal and Datasette of a release on one port, to this machine.

    Example: lyot serve --port 8001
    """
    from lyot.datasette.serve import serve as serve_release

    serve_release(out / (workspace or "public"), port=port)


@cli.command()
@common
def metadata(store: str, out: Path, as_json: bool) -> None:
    """Print Datasette's metadata, as the tables of the catalogue say it.

    Example: lyot metadata > metadata.yml
    """
    from lyot.catalog.metadata import metadata_yml

    tell({"metadata": metadata_yml()}, [metadata_yml().rstrip("\n")], as_json)


@cli.command()
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


def split(setting: str) -> tuple[str, str]:
    """`name=value` as its two halves."""
    name, equals, value = setting.partition("=")
    if not (name and equals):
        raise BadInput(f"--set wants NAME=VALUE, found {setting!r}")
    return name.strip(), value.strip()


def end_with(outcomes: Sequence[Any], pages: Mapping[str, str] = MappingProxyType({})) -> None:
    """Name on standard error the jobs and pages that did not end well, and exit with 1 if any did not."""
    failed = [one for one in outcomes if one.outcome != "done"]
    for one in failed:
        click.echo(f"{one.job.dataset} {one.job.label}: {one.outcome}: {one.message}", err=True)
    for page, why in pages.items():
        click.echo(f"page {page}: {why}", err=True)
    if failed or pages:
        sys.exit(1)


def one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What people see of an error that nobody foresaw."""
    click.echo(f"lyot: {kind.__name__}: {error} (a bug; `lyot --debug …` shows where)", err=True)


def main() -> None:
    """Run the command line."""
    if "--debug" not in sys.argv[1:2]:
        sys.excepthook = one_line
    try:
        cli()
    except LyotError as error:
        if "--debug" in sys.argv[1:2]:
            raise
        click.echo(f"lyot: {error}", err=True)
        sys.exit(1 if isinstance(error, Unprocessable) else 2)


if __name__ == "__main__":
    main()
