"""What to observe next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lyot.commands.common import common, released, tell


@click.command()
@common
@released
@click.argument("nights")
@click.option("--site", default="Paranal", show_default=True, help="A site, an instrument, or LAT,LON[,ELEVATION].")
@click.option("--query", help="SELECT on the release that gives target_id or name (and priority).")
@click.option("--survey", help="The stars of this survey.")
@click.option("--targets", type=click.Path(path_type=Path), help="CSV: name, and ra and dec where no release has it.")
@click.option("--airmass", type=float, help="Largest.  [default: 2]")
@click.option("--window", type=float, help="min, of the observation around its best time.  [default: 60]")
@click.option("--rotation", type=float, help="deg, least field rotation in the window.")
@click.option("--moon-distance", type=float, help="deg, least.")
@click.option("--moon-illumination", type=float, help="Largest, 0 to 1.")
@click.option("--twilight", type=click.Choice(["civil", "nautical", "astronomical"]), help="  [default: astronomical]")
@click.option("--band", help="Band of the AO's magnitude limits.  [default: R]")
@click.option("--faintest", type=float, help="mag, of the AO.")
@click.option("--brightest", type=float, help="mag, of the AO.")
@click.option("--deep-enough", type=float, help="Leave out what has reached this Δmag at 0.5″.")
@click.option("--pages", type=click.Path(path_type=Path), help="Folder for the pages.  [default: OUT/observing/NIGHTS]")
def observe(store: str, out: Path, as_json: bool, workspace: str | None, nights: str, site: str, query: str | None,
            survey: str | None, targets: Path | None, pages: Path | None, **limits: Any) -> None:
    """The observing catalogue of NIGHTS (evening dates): which stars when, how they rotate, ranked with the reason.

    NIGHTS is a night (2026-03-01), a run (2026-03-01/2026-03-10) or a semester (2026A, P117).
    Example: lyot observe 2026-03-01 --site Paranal --rotation 20
    """
    from lyot.build.observe import as_document, constraints_of, write
    from lyot.build.observe import observe as plan_nights
    from lyot.product import slug
    from lyot.site.observing_page import write_pages

    asked = constraints_of(site, nights, **limits)
    release = out / (workspace or "public")
    made = plan_nights(asked, release if release.is_dir() else None, query=query, survey=survey, targets=targets)
    folder = pages or out / "observing" / slug(nights)
    table, document = write(made, folder)
    count = write_pages(made, folder)
    lines = [str(table), str(document), f"{folder / 'index.html'} and {count - 1} more pages"]
    tell(as_document(made) if as_json else None, lines, as_json)
