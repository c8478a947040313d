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
    above: Above | None = None
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
    rows = release.query(chart.sql, target=target)
    points = [point for point in chart.points(rows, subject) if finite(point.x, point.y)]
    if not points:
        return Figure(chart, address)
    above = chart.above(subject) if chart.above else None
    present = {point.layer for point in points}
    headings, table = _table(chart, points, above)
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
        above=above,
        simulated=any(point.simulated for point in points),
    )


def as_json(chart: Chart, points: Sequence[Point]) -> str:
    """The points as JSON that may stand inside an HTML element: nothing in it can end that element.

    One object for each run of points of one layer and series, `{layer, series, columns, rows}`, with the columns that
    say anything. Measured numbers stand as the database has them; computed ones (layers without a table) with six
    digits, finer than any screen.
    """
    computed = {layer.name for layer in chart.drawing.layers if not layer.tabled}
    groups = []
    for (layer, series), run in groupby(points, key=lambda point: (point.layer, point.series)):
        members = list(run)
        columns = [name for name in COLUMNS if any(getattr(p, name) not in (None, "") for p in members)]
        rows = [[_written(getattr(p, name), layer in computed) for name in columns] for p in members]
        groups.append({"layer": layer, "series": series, "columns": columns, "rows": rows})
    return inert(json.dumps(groups, separators=(",", ":"), allow_nan=False, ensure_ascii=False))


COLUMNS = ("x", "y", "x_error", "y_error", "label")


def _written(value: float | str | None, computed: bool) -> float | str | None:
    return float(f"{value:.6g}") if computed and isinstance(value, float) else value


def inert(text: str) -> str:
    """JSON text without a character that HTML or JavaScript reads as its own."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


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
