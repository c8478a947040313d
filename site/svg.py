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

from lyot.site.chart import Above, Axis, Chart, Drawing, Drawn, Layer, Line, Point
from lyot.site.markup import escape
from lyot.site.paths import at, dots, line, star_path, tenth
from lyot.site.scale import Scale, spread, tick_texts
from lyot.site.words import number, with_error

SERIES = attrgetter("series")
COLOURS = 8  # classes c0 … c7 of the style sheet
LEFT, RIGHT, TOP, BOTTOM = 68.0, 18.0, 16.0, 54.0
MOST_NAMED = 60  # points that say on hover what they are; of more, the table and the interactive form say it
WIDEST = 13.0  # px of a digit, as telephones write them
HIDDEN = 3.0  # px: an error that reaches no further lies below its point


@dataclass(frozen=True)
class Frame:
    """The scales of a drawing."""

    width: float
    height: float
    x: Scale
    y: Scale


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
        _axis_x(frame, drawing.x),
        _axis_y(frame, drawing.y),
        _axis_above(frame, above) if above else "",
        f'<clipPath id="{chart.name}-c"><rect x="{left:g}" y="{top:g}" width="{right - left:g}" '
        f'height="{bottom - top:g}"/></clipPath><g clip-path="url(#{chart.name}-c)">',
    ]
    titled = sum(isinstance(one, Point) for one in points) <= MOST_NAMED
    by_layer: dict[str, list[Drawn]] = {}
    for one in points:
        by_layer.setdefault(one.layer, []).append(one)
    for layer in drawing.layers:
        if layer.name in by_layer:
            parts.append(_layer(frame, drawing, layer, by_layer[layer.name], colours, titled))
    return "".join([*parts, "</g></svg>"])


def series_colours(points: Iterable[Drawn]) -> dict[str, int]:
    """A colour class for each series, in the order they come; those without a name have none."""
    names = dict.fromkeys(point.series for point in points if point.series)
    return {name: index % COLOURS for index, name in enumerate(names)}


def says(drawing: Drawing, point: Point) -> str:
    """A point in words: what it is called, and its values."""
    x = f"{with_error(point.x, point.x_error)} {drawing.x.unit}".rstrip()
    y = f"{with_error(point.y, point.y_error)} {drawing.y.unit}".rstrip()
    if drawing.x.unit:
        y = f"{x}, {y}"
    who = " · ".join(part for part in (point.series, point.label) if part)
    return f"{who}: {y}" if who else y


def frame_of(drawing: Drawing, points: Sequence[Drawn], above: Above | None = None) -> Frame:
    """The scales that show all the points with their errors."""
    top = TOP + (34.0 if above else 0.0)
    x_low, x_high = spread(_ends(points, "x", drawing.x.log), log=drawing.x.log)
    y_low, y_high = spread(_ends(points, "y", drawing.y.log), log=drawing.y.log)
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


def _ends(points: Sequence[Drawn], name: str, log: bool) -> list[float]:
    """Least and greatest values along one axis."""
    value_of, error_of = attrgetter(name), attrgetter(f"{name}_error")
    found: list[float] = []
    for point in points:
        value = value_of(point)
        if isinstance(point, Line):
            found += (float(np.minimum.reduce(value)), float(np.maximum.reduce(value)))
            continue
        error = error_of(point)
        if error is None or not math.isfinite(error) or (log and error >= value):
            found.append(value)
        else:
            found += (value - error, value + error)
    return found


def _axis_x(frame: Frame, axis: Axis) -> str:
    bottom, top = frame.height - BOTTOM, min(frame.y.start, frame.y.end)
    ticks = frame.x.ticks(7)
    places = [tenth(round(10 * frame.x(tick))) for tick in ticks]
    said = tick_texts(ticks)
    grid, texts = _grid(places, f" {bottom:g}V{top:g}"), _texts(places, bottom + 20, said)
    middle = (frame.x.start + frame.x.end) / 2
    return (
        f'<g class="{_crowd(said, frame)}"><path class="grid" d="{grid}"/>{texts}'
        f'<text class="heading" x="{middle:g}" y="{frame.height - 10:g}">{escape(axis.heading)}</text></g>'
    )


def _axis_y(frame: Frame, axis: Axis) -> str:
    left, right = LEFT, frame.width - RIGHT
    ticks = frame.y.ticks(6)
    said = [number(tick, 1) for tick in ticks] if axis.log else tick_texts(ticks)
    places = [round(10 * frame.y(tick)) for tick in ticks]
    start, end, side = f"M{left:g} ", f"H{right:g}", f'<text x="{left - 9:g}" y="'
    grid = "".join([f"{start}{tenth(place)}{end}" for place in places])
    texts = "".join(
        [f'{side}{tenth(place + 40)}">{text}</text>' for place, text in zip(places, said, strict=True)]
    )
    middle = (frame.y.start + frame.y.end) / 2
    return (
        f'<g class="y"><path class="grid" d="{grid}"/>{texts}<text class="heading" '
        f'transform="translate(15 {middle:g}) rotate(-90)">{escape(axis.heading)}</text></g>'
    )


def _axis_above(frame: Frame, above: Above) -> str:
    top = min(frame.y.start, frame.y.end)
    scaled = Scale(frame.x.low * above.factor, frame.x.high * above.factor, frame.x.start, frame.x.end)
    ticks = scaled.ticks(7)
    places = [tenth(round(10 * scaled(tick))) for tick in ticks]
    marks, said = _grid(places, f" {top:g}v-5"), tick_texts(ticks)
    middle = (frame.x.start + frame.x.end) / 2
    return (
        f'<g class="{_crowd(said, frame)}"><path class="tick" d="{marks}"/>{_texts(places, top - 10, said)}'
        f'<text class="heading" x="{middle:g}" y="12">{escape(above.heading)}</text></g>'
    )


def _crowd(said: Sequence[str], frame: Frame) -> str:
    """Class of an axis along x, of whose numbers a telephone shows every other when they are many or long."""
    crowded = WIDEST * sum(len(one) + 1 for one in said) > abs(frame.x.end - frame.x.start)
    return "x crowded" if crowded else "x"


def _grid(places: Sequence[str], upwards: str) -> str:
    return "".join([f"M{place}{upwards}" for place in places])


def _texts(places: Sequence[str], y: float, said: Sequence[str]) -> str:
    side = f'" y="{y:g}">'
    return "".join([f'<text x="{place}{side}{text}</text>' for place, text in zip(places, said, strict=True)])


def _layer(
    frame: Frame, drawing: Drawing, layer: Layer, points: list[Drawn], colours: Mapping[str, int], titled: bool
) -> str:
    parts = [f'<g class="{layer.mark.replace(" ", "-")}{" muted" if layer.muted else ""}" data-layer="{layer.name}">']
    for series, group in groupby(points, key=SERIES):
        parts.append(f'<g class="c{colours[series]}"><title>{escape(series)}</title>' if series else "<g>")
        members = list(group)
        curves = [one for one in members if isinstance(one, Line)]
        marks = [one for one in members if isinstance(one, Point)]
        drawn = dots if layer.mark == "dots" else line
        parts += [f'<path d="{drawn(frame.x.all(one.x), frame.y.all(one.y))}"/>' for one in curves]
        if layer.mark == "star":
            parts += [f'<path d="{star_path(frame.x(p.x), frame.y(p.y), 10)}"/>' for p in marks]
        elif marks:
            parts.append(_errors(frame, marks) if layer.bars else "")
            parts += [_mark(frame, drawing, layer, point, titled) for point in marks]
        parts.append("</g>")
    return "".join([*parts, "</g>"])


def _mark(frame: Frame, drawing: Drawing, layer: Layer, point: Point, titled: bool) -> str:
    x, y = frame.x(point.x), frame.y(point.y)
    circle = f'<circle cx="{tenth(round(10 * x))}" cy="{tenth(round(10 * y))}" r="{3 if layer.muted else 4}"'
    name = _name(frame, x, y, point.label) if layer.named else ""
    if not titled:
        return f"{circle}/>{name}"
    if layer.muted:
        return f"{circle}><title>{escape(point.label or point.series)}</title></circle>{name}"
    return f"{circle}><title>{escape(says(drawing, point))}</title></circle>{name}"


def _name(frame: Frame, x: float, y: float, label: str) -> str:
    """A point's label beside it, on the side that has room."""
    if x > 0.7 * frame.width:
        return f'<text class="name" x="{x - 8:.1f}" y="{y - 7:.1f}" text-anchor="end">{escape(label)}</text>'
    return f'<text class="name" x="{x + 8:.1f}" y="{y - 7:.1f}">{escape(label)}</text>'


def _errors(frame: Frame, points: Sequence[Point]) -> str:
    """1σ errors: ellipses where the correlation of both is known, else a bar along each axis."""
    path = "".join(_ellipse(frame, p) if p.correlation and p.x_error and p.y_error else _bars(frame, p) for p in points)
    return f'<path class="bar" d="{path}"/>' if path else ""


def _bars(frame: Frame, point: Point) -> str:
    x, y = frame.x(point.x), frame.y(point.y)
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


def _ellipse(frame: Frame, point: Point) -> str:
    """Path of the 1σ ellipse of a covariance on linear axes: half axes are the roots of its eigenvalues."""
    east = (point.x_error or 0.0) * (frame.x(1.0) - frame.x(0.0))
    north = (point.y_error or 0.0) * (frame.y(1.0) - frame.y(0.0))
    both = (point.correlation or 0.0) * east * north
    middle, half = (east**2 + north**2) / 2, math.hypot((east**2 - north**2) / 2, both)
    long, short = math.sqrt(middle + half), math.sqrt(max(middle - half, 0.0))
    if long < HIDDEN:
        return ""
    angle = math.atan2(2 * both, east**2 - north**2) / 2
    x, y = frame.x(point.x), frame.y(point.y)
    across, down = long * math.cos(angle), long * math.sin(angle)
    arc = f"A{long:.1f} {short:.1f} {math.degrees(angle):.0f} 1 0 "
    return f"M{at(x - across, y - down)}{arc}{at(x + across, y + down)}{arc}{at(x - across, y - down)}"
