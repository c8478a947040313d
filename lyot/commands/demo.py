"""The whole house in one command."""

from __future__ import annotations

from pathlib import Path

import click

from lyot.commands.common import common, end_with, tell
from lyot.store import Store


@click.command()
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

    kept = Store(store)
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
