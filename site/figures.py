"""A chart on a page: its SVG, its legend, its numbers as a table and as data for the interactive form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from lyot.site.addresses import query_address
from lyot.site.chart import Above, Chart, Layer, Point, Subject, finite
from lyot.site.release import Release
from lyot.site.svg import ranges, series_colours, svg
from lyot.site.words import with_error


@dataclass(frozen=True)
class Figure:
    """What the template shows of one chart; `svg` is None when there is nothing to draw."""

    chart: Chart
    address: str
    svg: str | None = None
    layers: tuple[Layer, ...] = ()
    series: tuple[tuple[str, int], ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    data: str = ""
    ranges: tuple[float, ...] = ()
    simulated: bool = False


def figure(chart: Chart, release: Release, subject: Subject) -> Figure:
    """The chart for one target, from the rows that its query gives.

    Parameters
    ----------
    chart : Chart
    release : Release
    subject : Subject
        The target the page is about.
    """
    target = subject.target["target_id"]
    address = query_address(chart.sql, target)
    rows = release.chart_rows(chart.sql, target, shared=chart.shared)
    points = [point for point in chart.points(rows, subject) if finite(point.x, point.y)]
    if not points:
        return Figure(chart, address)
    above = chart.above(subject) if chart.above else None
    present = {point.layer for point in points}
    headings, table = ((), ()) if chart.numbers else _table(chart, points, above)
    return Figure(
        chart=chart,
        address=address,
        svg=svg(chart, points, above),
        layers=tuple(layer for layer in chart.drawing.layers if layer.name in present),
        series=tuple(series_colours(points).items()),
        headings=headings,
        rows=table,
        data=as_json(chart, points),
        ranges=ranges(chart, points),
        simulated=any(point.simulated for point in points),
    )


def as_json(chart: Chart, points: Sequence[Point]) -> str:
    """The measured points as JSON that may stand inside an HTML element: nothing in it can end that element.

    One object for each run of points of one layer and series, `{layer, series, columns, rows}`, with the columns that
    say anything, numbers as the database has them. Computed layers (those without a table) are not in it: the
    interactive form reads them off the drawing, which has them finer than any screen.
    """
    measured = {layer.name for layer in chart.drawing.layers if layer.tabled}
    groups = []
    for (layer, series), run in groupby(points, key=lambda point: (point.layer, point.series)):
        if layer not in measured:
            continue
        members = list(run)
        columns = [name for name in COLUMNS if any(getattr(p, name) not in (None, "") for p in members)]
        rows = [[getattr(p, name) for name in columns] for p in members]
        groups.append({"layer": layer, "series": series, "columns": columns, "rows": rows})
    return inert(json.dumps(groups, separators=(",", ":"), allow_nan=False, ensure_ascii=False))


COLUMNS = ("x", "y", "x_error", "y_error", "label")
UNSAFE = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def inert(text: str) -> str:
    """JSON text without a character that HTML or JavaScript reads as its own."""
    return text.translate(UNSAFE)


def _table(
    chart: Chart, points: Sequence[Point], above: Above | None
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    drawing = chart.drawing
    tabled = {layer.name: layer.doc for layer in drawing.layers if layer.tabled}
    shown = [point for point in points if point.layer in tabled]
    named, labelled = any(p.series for p in shown), any(p.label for p in shown)
    several = len({point.layer for point in shown}) > 1
    headings = [
        *(["What"] if named else []),
        *(["Label"] if labelled else []),
        *(["Drawn as"] if several else []),
        drawing.x.heading,
        *([above.heading] if above else []),
        drawing.y.heading,
    ]
    rows = [
        (
            *((p.series,) if named else ()),
            *((p.label,) if labelled else ()),
            *((tabled[p.layer],) if several else ()),
            with_error(p.x, p.x_error),
            *((with_error(p.x * above.factor, None),) if above else ()),
            with_error(p.y, p.y_error),
        )
        for p in shown
    ]
    return tuple(headings), tuple(rows)
