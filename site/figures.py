"""A chart on a page: its SVG, its legend, its numbers as a table and as data for the interactive form.

The element is joined from strings rather than rendered from a template: a page has several, each of hundreds of pieces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import markupsafe
from markupsafe import Markup

from lyot.site.addresses import query_address, quoted
from lyot.site.axes import Frame
from lyot.site.chart import Above, Chart, Drawn, Layer, Line, Point, Subject
from lyot.site.markup import escape, section
from lyot.site.plot import Plot, lay_out, plot
from lyot.site.release import Release
from lyot.site.svg import series_colours, svg
from lyot.site.words import BADGE, number, numbers, with_error

#: The sign of each mark in a legend.
SYMBOLS = {
    "line": '<path d="M2 7H26"/>',
    "dots": '<path d="M6 9h0M13 4h0M20 8h0"/>',
    "star": '<path d="M14 1l1.6 4.4 4.7.1-3.7 2.9 1.3 4.5-3.9-2.7-3.9 2.7 1.3-4.5-3.7-2.9 4.7-.1z"/>',
}
#: What is drawn for the other marks.
CIRCLE = '<circle cx="14" cy="7" r="4"/>'
ALIKE = attrgetter("layer", "series")
DIGITS = 5  # of the numbers of a line, which has no errors to say how many mean anything


class Figure(NamedTuple):
    """A chart and its `<figure>` element, which is empty when there is nothing to draw."""

    chart: Chart
    html: str = ""


def figure(chart: Chart, release: Release, subject: Subject, root: str) -> Figure:
    """The chart for one subject, from the rows that its query gives; `root` is the way to the root of the site."""
    one = plot(chart, release, subject)
    lay_out([one])
    return element(one, root)


def element(one: Plot, root: str) -> Figure:
    """A plot that was laid out, as it stands on a page; `root` is the way from there to the root of the site."""
    chart, points, above, frame = one.chart, one.points, one.above, one.frame
    if frame is None:
        return Figure(chart)
    colours = series_colours(points)
    parts = (
        _head(chart, root, frame, any(point.simulated for point in points)),
        svg(one, frame, colours),
        _legend(chart, points, colours),
        f'<button type="button" class="explore" hidden>Explore</button>\n'
        f'<a href="{_address(chart, root)}{escape(quoted(one.key))}">See the data</a>\n',
        f'<a href="#{chart.numbers}">Numbers</a>' if chart.numbers else _table(chart, points, above),
        f'\n</div>\n<script type="application/json" class="points">{as_json(chart, points)}</script>\n</figure>',
    )
    return Figure(chart, "".join(parts))


def drawn(figures: Sequence[Figure]) -> Markup:
    """Charts one after the other, and what is said in place of those that have nothing to draw."""
    found = "".join([f"{one.html}\n" for one in figures])
    nothing = "".join([_absent(one.chart) for one in figures if not one.html])
    return Markup(f'<div class="charts">\n{found}</div>\n{nothing}')


def charts_of(figures: Sequence[Figure]) -> Markup:
    """The part of a page that has its charts."""
    return Markup(f"  {section('Charts', 'charts')}\n{drawn(figures)}\n  </section>\n")


@cache
def _absent(chart: Chart) -> str:
    return f'<p class="nothing">{markupsafe.escape(chart.absent)}</p>\n' if chart.absent else ""


def _head(chart: Chart, root: str, frame: Frame, simulated: bool) -> str:
    ranges = f"{frame.x.low:.10g} {frame.x.high:.10g} {frame.y.low:.10g} {frame.y.high:.10g}"
    opening, title, sentence = _words(chart, root)
    return f'{opening}{ranges}">\n<figcaption>\n{title}{BADGE if simulated else ""}{sentence}'


@cache
def _address(chart: Chart, root: str) -> str:
    """Where its data are, up to the name of the subject."""
    return escape(root + query_address(chart.sql, ""))


@cache
def _words(chart: Chart, root: str) -> tuple[str, str, str]:
    """What stands on every page that has the chart."""
    name, square = chart.name, " square" if chart.drawing.square else ""
    return (
        f'<figure class="figure{square}" id="{name}" data-chart="{root}static/charts/{name}.json" '
        f'data-bundle="{root}static/vega.js" data-ranges="',
        f'<h3 id="{name}-t">{escape(chart.title)} ',
        f'</h3>\n<p id="{name}-s">{escape(chart.sentence)}</p>\n</figcaption>\n<div class="drawing">',
    )


def _legend(chart: Chart, points: Sequence[Drawn], colours: Mapping[str, int]) -> str:
    present = {point.layer for point in points}
    marks = "".join(_entry(layer) for layer in chart.drawing.layers if layer.name in present)
    series = "".join(
        f'<li class="c{colour}"><span class="chip"></span>{escape(name)}</li>\n'
        for name, colour in colours.items()
    )
    return f'</div>\n<ul class="legend">\n{marks}{series}</ul>\n<div class="links">\n'


@cache
def _entry(layer: Layer) -> str:
    kind = layer.mark.replace(" ", "-") + (" muted" if layer.muted else "")
    sign = SYMBOLS.get(layer.mark, CIRCLE)
    drawn = f'<svg class="symbol" viewBox="0 0 28 14" aria-hidden="true"><g class="{kind}">{sign}</g></svg>'
    return f"<li>{drawn}{escape(layer.doc)}</li>\n"


def _table(chart: Chart, points: Sequence[Drawn], above: Above | None) -> str:
    """The numbers of the layers that are tabled, unfolded on demand: what is drawn alike stands under one heading."""
    drawing, title = chart.drawing, escape(chart.title)
    tabled = {layer.name: layer.doc for layer in drawing.layers if layer.tabled}
    shown = [point for point in points if point.layer in tabled]
    labelled = any(isinstance(one, Point) and one.label for one in shown)
    several = len({one.layer for one in shown}) > 1
    over = above.heading if above else ""
    headings = [one for one in ("Label" * labelled, drawing.x.heading, over, drawing.y.heading) if one]
    bodies = []
    for (layer, series), run in groupby(shown, key=ALIKE):
        what = ", ".join(part for part in (series, tabled[layer] if several else "") if part)
        head = f'<tr><th scope="rowgroup" colspan="{len(headings)}">{escape(what)}</th></tr>' if what else ""
        bodies.append(f"<tbody>{head}{''.join(_rows(run, above, labelled))}</tbody>\n")
    heads = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    return (
        f'<details><summary>Numbers</summary>\n<div class="scroll" tabindex="0" role="region" '
        f'aria-label="Numbers of the chart: {title}"><table class="numbers">\n<caption>{title}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n{''.join(bodies)}</table></div></details>"
    )


def _rows(run: Iterable[Drawn], above: Above | None, labelled: bool) -> Iterator[str]:
    """A row for each point, and for each place of a line."""
    for one in run:
        if isinstance(one, Point):
            before = f"<tr><td>{escape(one.label)}</td><td>" if labelled else "<tr><td>"
            over = f"{number(one.x * above.factor, DIGITS)}</td><td>" if above else ""
            yield f"{before}{with_error(one.x, one.x_error)}</td><td>{over}{with_error(one.y, one.y_error)}</td></tr>"
        else:
            before = "<tr><td></td><td>" if labelled else "<tr><td>"
            along = one.x.tolist()
            columns = [numbers(along, DIGITS), numbers(one.y.tolist(), DIGITS)]
            if above:
                columns.insert(1, numbers([x * above.factor for x in along], DIGITS))
            yield "".join([f"{before}{'</td><td>'.join(row)}</td></tr>" for row in zip(*columns, strict=True)])


def as_json(chart: Chart, points: Sequence[Drawn]) -> str:
    """The measured points as JSON that may stand inside an HTML element: nothing in it can end that element.

    One object for each run of points of one layer and series, `{layer, series, columns, rows}`, with the columns that
    say anything, numbers as the database has them. Computed layers (those without a table) are not in it: the
    interactive form reads them off the drawing, which has them finer than any screen.
    """
    measured = {layer.name for layer in chart.drawing.layers if layer.tabled}
    groups: list[dict[str, Any]] = []
    for (layer, series), run in groupby([one for one in points if one.layer in measured], key=ALIKE):
        columns, rows = _columns(list(run))
        groups.append({"layer": layer, "series": series, "columns": columns, "rows": rows})
    return inert(encoded(groups))


def _columns(members: Sequence[Drawn]) -> tuple[Sequence[str], list[Any]]:
    """The columns that say anything of points or of lines that are drawn alike, and their rows."""
    marks = [one for one in members if isinstance(one, Point)]
    if not marks:
        lines = [one for one in members if isinstance(one, Line)]
        return ("x", "y"), [place for one in lines for place in zip(one.x.tolist(), one.y.tolist(), strict=True)]
    said = dict(zip(Point._fields, zip(*marks, strict=True), strict=True))
    columns = [name for name in COLUMNS if any(value not in NOTHING for value in said[name])]
    return columns, list(zip(*map(said.__getitem__, columns), strict=True))


COLUMNS = ("x", "y", "x_error", "y_error", "label")
NOTHING = (None, "")
UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
encoded = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False, check_circular=False).encode


def inert(text: str) -> str:
    """JSON text without a character that HTML or JavaScript reads as its own."""
    for character, written in UNSAFE.items():
        if character in text:
            text = text.replace(character, written)
    return text
