"""A chart on a page: its SVG, its legend, its numbers as a table and as data for the interactive form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lyot.site.addresses import query_address
from lyot.site.chart import Above, Chart, Drawn, Layer, Line, Point, Subject, finite
from lyot.site.release import Release
from lyot.site.svg import frame_of, series_colours, svg
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
    points = [one for one in chart.points(rows, subject) if isinstance(one, Line) or finite(one.x, one.y)]
    if not points:
        return Figure(chart, address)
    above = chart.above(subject) if chart.above else None
    present = {point.layer for point in points}
    frame = frame_of(chart.drawing, points, above)
    headings, table = ((), ()) if chart.numbers else _table(chart, points, above)
    return Figure(
        chart=chart,
        address=address,
        svg=svg(chart, points, above, frame),
        layers=tuple(layer for layer in chart.drawing.layers if layer.name in present),
        series=tuple(series_colours(points).items()),
        headings=headings,
        rows=table,
        data=as_json(chart, points),
        ranges=(frame.x.low, frame.x.high, frame.y.low, frame.y.high),
        simulated=any(point.simulated for point in points),
    )


def as_json(chart: Chart, points: Sequence[Drawn]) -> str:
    """The measured points as JSON that may stand inside an HTML element: nothing in it can end that element.

    One object for each run of points of one layer and series, `{layer, series, columns, rows}`, with the columns that
    say anything, numbers as the database has them. Computed layers (those without a table) are not in it: the
    interactive form reads them off the drawing, which has them finer than any screen.
    """
    measured = {layer.name for layer in chart.drawing.layers if layer.tabled}
    groups: list[dict[str, Any]] = []
    for (layer, series), run in groupby(points, key=lambda point: (point.layer, point.series)):
        if layer not in measured:
            continue
        members = list(run)
        marks = [one for one in members if isinstance(one, Point)]
        rows: list[Any] = [place for one in members if isinstance(one, Line) for place in _places(one)]
        columns: Sequence[str] = ("x", "y")
        if marks:
            columns = [name for name in COLUMNS if any(getattr(p, name) not in (None, "") for p in marks)]
            rows = [[getattr(p, name) for name in columns] for p in marks]
        groups.append({"layer": layer, "series": series, "columns": columns, "rows": rows})
    return inert(json.dumps(groups, separators=(",", ":"), allow_nan=False, ensure_ascii=False))


def _places(one: Line) -> list[tuple[float, float]]:
    return list(zip(one.x.tolist(), one.y.tolist(), strict=True))


def _points(one: Line) -> list[Point]:
    return [Point(one.layer, x, y, one.series) for x, y in _places(one)]


COLUMNS = ("x", "y", "x_error", "y_error", "label")
UNSAFE = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def inert(text: str) -> str:
    """JSON text without a character that HTML or JavaScript reads as its own."""
    return text.translate(UNSAFE)


def _table(
    chart: Chart, points: Sequence[Drawn], above: Above | None
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    drawing = chart.drawing
    tabled = {layer.name: layer.doc for layer in drawing.layers if layer.tabled}
    shown = [
        point
        for one in points
        if one.layer in tabled
        for point in (_points(one) if isinstance(one, Line) else [one])
    ]
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
