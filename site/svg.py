"""A chart's points as an SVG: no script, no style of its own, colours from the page's style sheet.

A page holds several charts of hundreds of points: places are written in tenths of a pixel, lines by their steps, and
what is drawn alike stands in one element.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from lyot.site.axes import BOTTOM, LEFT, RIGHT, TOP, Frame, axis_above, axis_x, axis_y
from lyot.site.chart import Above, Chart, Drawing, Drawn, Layer, Line, Point
from lyot.site.markup import escape
from lyot.site.paths import at, dots, lines, star_path, tenth
from lyot.site.scale import Scale, spread
from lyot.site.words import with_error
from lyot.sky import Floats

SERIES = attrgetter("series")
COLOURS = 8  # classes c0 … c7 of the style sheet
MOST_NAMED = 60  # points that say on hover what they are; of more, the table and the interactive form say it
HIDDEN = 3.0  # px: an error that reaches no further lies below its point


@dataclass(frozen=True, slots=True)
class Pen:
    """What draws a chart: its scales, the colours of its series, path data of its curves by their identity.

    `titled` when every point says on hover what it is.
    """

    frame: Frame
    drawing: Drawing
    colours: Mapping[str, int]
    paths: Mapping[int, str]
    titled: bool


def svg(chart: Chart, points: Sequence[Drawn], above: Above | None, frame: Frame, colours: Mapping[str, int]) -> str:
    """The chart as an `<svg>` element.

    Parameters
    ----------
    chart : Chart
    points : at least one Point or Line
    above : Above, or None
        Second axis over the drawing.
    frame : Frame
        `frame_of` these.
    colours : by series
        `series_colours` of the points.
    """
    drawing = chart.drawing
    left, right = sorted((frame.x.start, frame.x.end))
    top, bottom = sorted((frame.y.start, frame.y.end))
    parts = [
        f'<svg class="chart" viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" '
        f'aria-labelledby="{chart.name}-t {chart.name}-s">',
        axis_x(frame.x, drawing.x, frame.height, top),
        axis_y(frame, drawing.y),
        axis_above(frame, above, top) if above else "",
        f'<clipPath id="{chart.name}-c"><rect x="{left:g}" y="{top:g}" width="{right - left:g}" '
        f'height="{bottom - top:g}"/></clipPath><g clip-path="url(#{chart.name}-c)">',
    ]
    by_layer: dict[str, list[Drawn]] = {}
    for one in points:
        by_layer.setdefault(one.layer, []).append(one)
    curves = [one for one in points if isinstance(one, Line)]
    pen = Pen(frame, drawing, colours, _paths(frame, drawing, curves), len(points) - len(curves) <= MOST_NAMED)
    parts += [_layer(pen, layer, by_layer[layer.name]) for layer in drawing.layers if layer.name in by_layer]
    return "".join([*parts, "</g></svg>"])


def _paths(frame: Frame, drawing: Drawing, curves: Sequence[Line]) -> dict[int, str]:
    """Path data of each curve, by its identity."""
    if not curves:
        return {}
    x, y = joined(curves)
    places = np.stack([frame.x.all(x), frame.y.all(y)])
    lengths = [len(one.x) for one in curves]
    dotted = {layer.name for layer in drawing.layers if layer.mark == "dots"}
    if dotted.isdisjoint(one.layer for one in curves):
        return dict(zip(map(id, curves), lines(places, lengths), strict=True))
    parts = np.split(places, np.cumsum(lengths[:-1]), axis=1)
    return {
        id(one): dots(*part) if one.layer in dotted else lines(part, [len(one.x)])[0]
        for one, part in zip(curves, parts, strict=True)
    }


def joined(curves: Sequence[Line]) -> Floats:
    """Places (2, point) of all curves, one behind the other."""
    return np.concatenate([*(one.x for one in curves), *(one.y for one in curves)]).reshape(2, -1)


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


def frame_of(drawing: Drawing, points: Sequence[Drawn], above: Above | None = None) -> Frame:
    """The scales that show all the points with their errors."""
    top = TOP + (34.0 if above else 0.0)
    along_x, along_y = _ends(drawing, points)
    x_low, x_high = spread(along_x, log=drawing.x.log)
    y_low, y_high = spread(along_y, log=drawing.y.log)
    width, height = 640.0, 400.0
    if drawing.square:
        half = max(x_high - x_low, y_high - y_low) / 2
        x_middle, y_middle = (x_low + x_high) / 2, (y_low + y_high) / 2
        x_low, x_high = x_middle - half, x_middle + half
        y_low, y_high = y_middle - half, y_middle + half
        height = width - LEFT - RIGHT + TOP + BOTTOM
    left, right, bottom = LEFT, width - RIGHT, height - BOTTOM
    ends = (right, left) if drawing.x.reverse else (left, right)
    sides = (top, bottom) if drawing.y.reverse else (bottom, top)
    return Frame(
        width, height, Scale(x_low, x_high, *ends, log=drawing.x.log), Scale(y_low, y_high, *sides, log=drawing.y.log)
    )


def _ends(drawing: Drawing, points: Sequence[Drawn]) -> tuple[list[float], list[float]]:
    """Least and greatest values along each axis."""
    along_x: list[float] = []
    along_y: list[float] = []
    curves = [one for one in points if isinstance(one, Line)]
    if curves:
        places = joined(curves)
        for found in (np.minimum.reduce(places, axis=1), np.maximum.reduce(places, axis=1)):
            x, y = found.tolist()
            along_x.append(x)
            along_y.append(y)
    for point in points:
        if isinstance(point, Point):
            along_x += _reach(point.x, point.x_error, drawing.x.log)
            along_y += _reach(point.y, point.y_error, drawing.y.log)
    return along_x, along_y


def _reach(value: float, error: float | None, log: bool) -> tuple[float, ...]:
    """A value, or where its error begins and ends."""
    if error is None or not math.isfinite(error) or (log and error >= value):
        return (value,)
    return (value - error, value + error)


def _layer(pen: Pen, layer: Layer, points: list[Drawn]) -> str:
    parts = [f'<g class="{layer.mark.replace(" ", "-")}{" muted" if layer.muted else ""}" data-layer="{layer.name}">']
    for series, group in groupby(points, key=SERIES):
        parts.append(f'<g class="c{pen.colours[series]}"><title>{escape(series)}</title>' if series else "<g>")
        marks = []
        for one in group:
            if isinstance(one, Point):
                marks.append((one, pen.frame.x(one.x), pen.frame.y(one.y)))
            else:
                parts.append(f'<path d="{pen.paths[id(one)]}"/>')
        if layer.mark == "star":
            parts += [f'<path d="{star_path(x, y, 10)}"/>' for _, x, y in marks]
        elif marks:
            parts.append(_errors(pen.frame, marks) if layer.bars else "")
            parts += [_mark(pen, layer, *mark) for mark in marks]
        parts.append("</g>")
    return "".join([*parts, "</g>"])


def _mark(pen: Pen, layer: Layer, point: Point, x: float, y: float) -> str:
    circle = f'<circle cx="{tenth(round(10 * x))}" cy="{tenth(round(10 * y))}" r="{3 if layer.muted else 4}"'
    name = _name(pen.frame, x, y, point.label) if layer.named else ""
    if not pen.titled:
        return f"{circle}/>{name}"
    said = escape(point.label or point.series) if layer.muted else says(pen.drawing, point)
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
