"""The observing catalogue as pages to print: one for the run, one a night, a finding chart a star.

They stand in a folder of their own, with the styles of the portal and nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from lyot import __version__
from lyot.catalog.history import DEPTH_AT
from lyot.catalog.observing import NightPlan, ObservingCatalogue, Season
from lyot.progress import steps
from lyot.site.addresses import slugs
from lyot.site.finding_chart import finding_chart
from lyot.site.night_chart import clock, timeline, turning
from lyot.site.pages import environment
from lyot.site.words import declination, right_ascension
from lyot.site.writer import Writer

SHOWN = 20  # stars of a night that get a card with their finding chart; the table has them all
STYLES = ("lyot.css", "lyot.svg", "observing.css")
TABLES = ("observing.csv", "observing.json")


def write_pages(made: ObservingCatalogue, folder: Path | str) -> int:
    """Write the pages of an observing catalogue into `folder`; how many pages there are.

    Parameters
    ----------
    made : ObservingCatalogue
    folder : Path
        Of its own; files in it that nothing writes any more are left alone.
    """
    writer = Writer(Path(folder))
    jinja = environment()
    jinja.globals |= {"version": __version__, "clock": clock, "ra_text": right_ascension, "dec_text": declination}
    static = files("lyot.site") / "static"
    for name in STYLES:
        writer.write(f"static/{name}", (static / name).read_bytes())
    charts = slugs(one.target_id for one in made.targets)
    seasons = {one.target_id: one for one in made.targets}
    serving = [one for one in made.targets if one.nights]
    for one in serving:
        drawn = finding_chart(one.name, one.history.known, one.row, DEPTH_AT)
        writer.write(f"finding/{charts[one.target_id]}.svg", drawn)
    tables = [name for name in TABLES if (Path(folder) / name).is_file()]
    common = {"asked": made.constraints, "charts": charts, "seasons": seasons}
    index = jinja.get_template("observing.html").render(
        root="./", title="Observing catalogue", made=made, serving=serving, tables=tables,
        left_out=[one for one in made.targets if not one.nights], **common,
    )  # fmt: skip
    writer.write("index.html", index)
    template = jinja.get_template("observing_night.html")
    for place, night in enumerate(steps(made.nights, "Writing nights")):
        writer.write(f"{night.date}/index.html", template.render(**common, **_night(made, place, night, seasons)))
    return 1 + len(made.nights)


def _night(
    made: ObservingCatalogue, place: int, night: NightPlan, seasons: Mapping[str, Season]
) -> dict[str, Any]:
    """What the page of a night shows."""
    shown = night.entries[:SHOWN]
    return {
        "root": "../",
        "title": f"Night of {night.date}",
        "night": night,
        "before": made.nights[place - 1].date if place else "",
        "after": made.nights[place + 1].date if place + 1 < len(made.nights) else "",
        "timeline": timeline(night, shown),
        "cards": [(entry, seasons[entry.target_id], turning(entry)) for entry in shown],
    }
