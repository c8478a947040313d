"""The charts of the pages of a block of targets: what they show is read, and laid out, for all of them at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lyot.errors import LyotError
from lyot.site import companion_page
from lyot.site.chart import Chart, Subject, charts
from lyot.site.figures import Figure, element
from lyot.site.plot import Plot, lay_out, plot
from lyot.site.release import Release, Row
from lyot.site.track import OF_COMPANION, SQL, tracks_of_all

#: What can be wrong with the rows of a page.
BROKEN = (LyotError, ValueError, TypeError, KeyError, ArithmeticError, sqlite3.Error)


@dataclass
class Sheet:
    """The charts of one page: its subject, the query of its positions, what was plotted, or what went wrong."""

    subject: Subject
    charts: Sequence[Chart]
    positions: str
    plots: list[Plot] = field(default_factory=list)
    error: Exception | None = None

    @contextmanager
    def trying(self) -> Iterator[None]:
        """What breaks inside is kept for when the page is made, which it breaks by its name."""
        try:
            yield
        except BROKEN as error:
            self.error = error

    def figures(self, root: str) -> list[Figure]:
        """The charts as they stand on the page; `root` is the way from there to the root of the site."""
        if self.error:
            raise self.error
        return [element(one, root) for one in self.plots]


def sheets(
    release: Release, stars: Iterable[Row], paged: Mapping[str, Iterable[str]]
) -> dict[tuple[str, str], Sheet]:
    """Sheets of targets, by their id and nothing, and of companions, by the ids of their star and their own.

    `paged` are the companions that have a page, by target.
    """
    found: dict[tuple[str, str], Sheet] = {}
    for star in stars:
        key = star["target_id"]
        found[key, ""] = Sheet(Subject(star, key), charts(), SQL)
        for companion in paged[key]:
            found[key, companion] = Sheet(Subject(star, companion), companion_page.charts(), OF_COMPANION)
    made = list(found.values())
    _ask(release, made)
    _track(release, made)
    for sheet in made:
        with sheet.trying():
            sheet.plots = [plot(chart, release, sheet.subject) for chart in sheet.charts]
    _lay_out(made)
    return found


def _ask(release: Release, made: Sequence[Sheet]) -> None:
    """Ask each query once for all."""
    asked: dict[tuple[str, str], dict[str, None]] = {}
    for sheet in made:
        for chart in sheet.charts:
            if chart.of:
                asked.setdefault((chart.sql, chart.of), {})[sheet.subject.key] = None
    for (sql, of), keys in asked.items():
        release.ask(sql, of, list(keys))


def _track(release: Release, made: Sequence[Sheet]) -> None:
    """Compute the tracks of background stars for all; if some cannot be, each is when it is asked for."""
    asked = [(sheet.subject.target, release.chart_rows(sheet.positions, sheet.subject.key)) for sheet in made]
    try:
        found = tracks_of_all(asked)
    except BROKEN:
        return
    for sheet, tracks in zip(made, found, strict=True):
        sheet.subject.kept["tracks"] = tracks


def _lay_out(made: Sequence[Sheet]) -> None:
    """Lay out the charts of all; if some cannot be, each sheet by itself."""
    try:
        lay_out(one for sheet in made for one in sheet.plots)
    except BROKEN:
        for sheet in made:
            with sheet.trying():
                lay_out(sheet.plots)
