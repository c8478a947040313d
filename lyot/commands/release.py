"""Releases: bake, render, serve."""

from __future__ import annotations

from pathlib import Path

import click

from lyot.commands.common import common, end_with, released, tell
from lyot.store import Store


@click.command()
@common
@released
@click.option("--as-of", metavar="DATE", help="Who may see what on that day; default: today (UTC).")
@click.option("--with-simulated", is_flag=True, help="Simulated data too.")
@click.option("--isochrones", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Table of the Lyon group, as AMES-Cond: tells masses of companions.")
def build(store: str, out: Path, as_json: bool, workspace: str | None, as_of: str | None,
          with_simulated: bool, isochrones: Path | None) -> None:
    """Consolidate, judge, check and bake a release: a DuckDB, an SQLite and Parquet files.

    Example: lyot build --with-simulated
    """
    from lyot.build.publish import publish

    release = publish(Store(store), out, workspace=workspace, as_of=as_of, with_simulated=with_simulated,
                      isochrones=isochrones)
    tell({"folder": str(release.folder), "rows": dict(release.rows)},
         [str(release.folder), *(f"{count:8d} {table}" for table, count in release.rows.items() if count)], as_json)


@click.command()
@common
@released
@click.option("--base-url", default="", help="Where the site will stand, for feeds and citations.")
def site(store: str, out: Path, as_json: bool, workspace: str | None, base_url: str) -> None:
    """Render the static portal of a release.

    Example: lyot site --base-url https://example.org/lyot/
    """
    from lyot.site.render import render

    folder = out / (workspace or "public")
    report = render(folder, Store(store), base_url=base_url)
    lines = [f"{report.pages} pages in {folder / 'site'} ({report.written} files written, {report.kept} kept)"]
    tell({"folder": str(folder / "site"), "pages": report.pages, "failures": report.failures}, lines, as_json)
    end_with([], report.failures)


@click.command()
@common
@released
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0: all of them.")
def serve(store: str, out: Path, as_json: bool, workspace: str | None, port: int, host: str) -> None:
    """Serve the portal and Datasette of a release on one port, to this machine unless told otherwise.

    Example: lyot serve --port 8001
    """
    from lyot.datasette.serve import serve as serve_release

    serve_release(out / (workspace or "public"), port, host)


@click.command()
@common
def metadata(store: str, out: Path, as_json: bool) -> None:
    """Print Datasette's metadata, as the tables of the catalogue say it.

    Example: lyot metadata > metadata.yml
    """
    from lyot.catalog.metadata import metadata_yml

    tell({"metadata": metadata_yml()}, [metadata_yml().rstrip("\n")], as_json)
