"""A chart's points as an SVG: no script, no style of its own, colours from the page's style sheet.

A page holds several charts of hundreds of points: places are written in tenths of a pixel, lines by their steps, and
what is drawn alike stands in one element.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from lyot.site.axes import Frame, axis_above, axis_x, axis_y
from lyot.site.chart import Drawing, Drawn, Layer, Line, Point
from lyot.site.markup import escape
from lyot.site.paths import at, star_path, tenth
from lyot.site.plot import Plot
from lyot.site.words import with_error

COLOURS = 8  # classes c0 … c7 of the style sheet
MOST_NAMED = 60  # points that say on hover what they are; of more, the table and the interactive form say it
HIDDEN = 3.0  # px: an error that reaches no further lies below its point


def svg(plot: Plot, frame: Frame, colours: Mapping[str, int]) -> str:
    """A chart as an `<svg>` element.

    Parameters
    ----------
    plot : Plot
        Laid out, and not empty.
    frame : Frame
        Its own.
    colours : by series
        `series_colours` of its points.
    """
    name, drawing = plot.chart.name, plot.chart.drawing
    left, right = sorted((frame.x.start, frame.x.end))
    top, bottom = sorted((frame.y.start, frame.y.end))
    parts = [
        f'<svg class="chart" viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" '
        f'aria-labelledby="{name}-t {name}-s">',
        axis_x(frame.x, drawing.x, frame.height, top),
        axis_y(frame, drawing.y),
        axis_above(frame, plot.above, top) if plot.above else "",
        f'<clipPath id="{name}-c"><rect x="{left:g}" y="{top:g}" width="{right - left:g}" '
        f'height="{bottom - top:g}"/></clipPath><g clip-path="url(#{name}-c)">',
    ]
    by_layer: dict[str, list[tuple[Point, float, float] | tuple[Line, str]]] = {}
    paths, across, down = iter(plot.paths), frame.x, frame.y
    for one in plot.points:
        mark = (one, across(one.x), down(one.y)) if isinstance(one, Point) else (one, next(paths))
        by_layer.setdefault(one.layer, []).append(mark)
    titled = len(plot.points) - len(plot.paths) <= MOST_NAMED
    for layer in drawing.layers:
        if layer.name in by_layer:
            parts.append(_layer(frame, drawing, layer, by_layer[layer.name], colours, titled))
    return "".join([*parts, "</g></svg>"])


def series_colours(points: Iterable[Drawn]) -> dict[str, int]:
    """A colour class for each series, in the order they come; those without a name have none."""
    names = dict.fromkeys(point.series for point in points if point.series)
    return {name: index % COLOURS for index, name in enumerate(names)}


def says(drawing: Drawing, point: Point) -> str:
    """A point in words, as markup: what it is called, and its values."""
    x, y = drawing.x, drawing.y
    said = f"{with_error(point.y, point.y_error)} {escape(y.unit)}".rstrip()
    if x.unit:
        said = f"{with_error(point.x, point.x_error)} {escape(x.unit)}, {said}"
    series, label = point.series, point.label
    if series and label:
        return f"{escape(series)} · {escape(label)}: {said}"
    return f"{escape(series or label)}: {said}" if series or label else said


def _layer(
    frame: Frame, drawing: Drawing, layer: Layer, marks: Sequence[Any], colours: Mapping[str, int], titled: bool
) -> str:
    """Marks that are drawn alike: points with their places, and lines with their paths."""
    parts = [f'<g class="{layer.mark.replace(" ", "-")}{" muted" if layer.muted else ""}" data-layer="{layer.name}">']
    for series, group in groupby(marks, key=_series):
        parts.append(f'<g class="c{colours[series]}"><title>{escape(series)}</title>' if series else "<g>")
        several = list(group)
        parts += [f'<path d="{one[1]}"/>' for one in several if len(one) == 2]
        points = [one for one in several if len(one) == 3]
        if layer.mark == "star":
            parts += [f'<path d="{star_path(x, y, 10)}"/>' for _, x, y in points]
        elif points:
            parts.append(_errors(frame, points) if layer.bars else "")
            parts += [_mark(frame, drawing, layer, titled, *one) for one in points]
        parts.append("</g>")
    return "".join([*parts, "</g>"])


def _series(mark: tuple[Drawn, Any]) -> str:
    return mark[0].series


def _mark(frame: Frame, drawing: Drawing, layer: Layer, titled: bool, point: Point, x: float, y: float) -> str:
    circle = f'<circle cx="{tenth(round(10 * x))}" cy="{tenth(round(10 * y))}" r="{3 if layer.muted else 4}"'
    name = _name(frame, x, y, point.label) if layer.named else ""
    if not titled:
        return f"{circle}/>{name}"
    said = escape(point.label or point.series) if layer.muted else says(drawing, point)
    return f"{circle}><title>{said}</title></circle>{name}"


def _name(frame: Frame, x: float, y: float, label: str) -> str:
    """A point's label beside it, on the side that has room."""
    if x > 0.7 * frame.width:
        return f'<text class="name" x="{x - 8:.1f}" y="{y - 7:.1f}" text-anchor="end">{escape(label)}</text>'
    return f'<text class="name" x="{x + 8:.1f}" y="{y - 7:.1f}">{escape(label)}</text>'


def _errors(frame: Frame, marks: Sequence[tuple[Point, float, float]]) -> str:
    """1σ errors: ellipses where the correlation of both is known, else a bar along each axis."""
    path = "".join(
        [
            (_ellipse if point.correlation and point.x_error and point.y_error else _bars)(frame, point, x, y)
            for point, x, y in marks
        ]
    )
    return f'<path class="bar" d="{path}"/>' if path else ""


def _bars(frame: Frame, point: Point, x: float, y: float) -> str:
    path = ""
    if point.x_error:
        low, high = (frame.x(v) for v in (point.x - point.x_error, point.x + point.x_error))
        if abs(high - low) >= 2 * HIDDEN:
            path += f"M{at(low, y)}H{tenth(round(10 * high))}"
    if point.y_error:
        low, high = (frame.y(v) for v in (point.y - point.y_error, point.y + point.y_error))
        if abs(high - low) >= 2 * HIDDEN:
            path += f"M{at(x, low)}V{tenth(round(10 * high))}"
    return path


def _ellipse(frame: Frame, point: Point, x: float, y: float) -> str:
    """Path of the 1σ ellipse of a covariance on linear axes: half axes are the roots of its eigenvalues."""
    east = (point.x_error or 0.0) * (frame.x(1.0) - frame.x(0.0))
    north = (point.y_error or 0.0) * (frame.y(1.0) - frame.y(0.0))
    both = (point.correlation or 0.0) * east * north
    middle, half = (east**2 + north**2) / 2, math.hypot((east**2 - north**2) / 2, both)
    long, short = math.sqrt(middle + half), math.sqrt(max(middle - half, 0.0))
    if long < HIDDEN:
        return ""
    angle = math.atan2(2 * both, east**2 - north**2) / 2
    across, down = long * math.cos(angle), long * math.sin(angle)
    arc = f"A{long:.1f} {short:.1f} {math.degrees(angle):.0f} 1 0 "
    return f"M{at(x - across, y - down)}{arc}{at(x + across, y + down)}{arc}{at(x - across, y - down)}"
