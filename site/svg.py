"""A chart's points as an SVG: no script, no style of its own, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from lyot.site.chart import Above, Axis, Chart, Drawing, Layer, Point
from lyot.site.scale import Scale, spread, tick_text
from lyot.site.words import number, with_error

COLOURS = 8  # classes c0 … c7 of the style sheet
LEFT, RIGHT, TOP, BOTTOM = 68.0, 18.0, 16.0, 54.0


@dataclass(frozen=True)
class Frame:
    """The scales of a drawing."""

    width: float
    height: float
    x: Scale
    y: Scale


def svg(chart: Chart, points: Sequence[Point], above: Above | None = None) -> str:
    """The chart as an `<svg>` element.

    Parameters
    ----------
    chart : Chart
    points : at least one Point
    above : Above, optional
        Second axis over the drawing.
    """
    drawing = chart.drawing
    top = TOP + (34.0 if above else 0.0)
    frame = _frame(drawing, points, top)
    colours = series_colours(points)
    parts = [
        f'<svg class="chart" viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" '
        f'aria-labelledby="{chart.name}-title {chart.name}-says" preserveAspectRatio="xMidYMid meet">',
        f'<title id="{chart.name}-title">{escape(chart.title)}</title>',
        f'<desc id="{chart.name}-says">{escape(chart.sentence)}</desc>',
        *_axis_x(frame, drawing.x),
        *_axis_y(frame, drawing.y),
        *(_axis_above(frame, above) if above else ()),
        f'<clipPath id="{chart.name}-clip"><rect x="{frame.x.start if not drawing.x.reverse else frame.x.end:.1f}" '
        f'y="{top:g}" width="{frame.width - LEFT - RIGHT:g}" height="{frame.height - top - BOTTOM:g}"/></clipPath>',
        f'<g clip-path="url(#{chart.name}-clip)">',
    ]
    for layer in drawing.layers:
        parts += _layer(frame, drawing, layer, [p for p in points if p.layer == layer.name], colours)
    return "".join([*parts, "</g></svg>"])


def ranges(chart: Chart, points: Sequence[Point]) -> tuple[float, float, float, float]:
    """Least and greatest value of both axes as drawn: x from, x to, y from, y to."""
    frame = _frame(chart.drawing, points, TOP)
    return frame.x.low, frame.x.high, frame.y.low, frame.y.high


def series_colours(points: Sequence[Point]) -> dict[str, int]:
    """A colour class for each series, in the order they come; those without a name have none."""
    names = dict.fromkeys(point.series for point in points if point.series)
    return {name: index % COLOURS for index, name in enumerate(names)}


def says(drawing: Drawing, point: Point) -> str:
    """A point in words."""
    x = f"{drawing.x.title} {with_error(point.x, point.x_error)} {drawing.x.unit}".rstrip()
    y = f"{drawing.y.title} {with_error(point.y, point.y_error)} {drawing.y.unit}".rstrip()
    who = " · ".join(part for part in (point.series, point.label) if part)
    return f"{who}: {x}, {y}" if who else f"{x}, {y}"


def _frame(drawing: Drawing, points: Sequence[Point], top: float) -> Frame:
    x_low, x_high = spread([v for p in points for v in _ends(p.x, p.x_error, drawing.x.log)], log=drawing.x.log)
    y_low, y_high = spread([v for p in points for v in _ends(p.y, p.y_error, drawing.y.log)], log=drawing.y.log)
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


def _ends(value: float, error: float | None, log: bool) -> tuple[float, ...]:
    if error is None or not math.isfinite(error) or (log and error >= value):
        return (value,)
    return value - error, value + error


def _axis_x(frame: Frame, axis: Axis) -> list[str]:
    bottom, top = frame.height - BOTTOM, min(frame.y.start, frame.y.end)
    ticks = frame.x.ticks(7)
    parts = ['<g class="axis">']
    for tick in ticks:
        x = frame.x(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {bottom:g}V{top:g}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20:g}" text-anchor="middle">{tick_text(tick, ticks)}</text>')
    middle = (frame.x.start + frame.x.end) / 2
    parts.append(
        f'<text class="heading" x="{middle:g}" y="{frame.height - 10:g}" text-anchor="middle">'
        f"{escape(axis.heading)}</text></g>"
    )
    return parts


def _axis_y(frame: Frame, axis: Axis) -> list[str]:
    left, right = LEFT, frame.width - RIGHT
    ticks = frame.y.ticks(6)
    parts = ['<g class="axis">']
    for tick in ticks:
        y = frame.y(tick)
        text = number(tick, 1) if axis.log else tick_text(tick, ticks)
        parts.append(f'<path class="grid" d="M{left:g} {y:.1f}H{right:g}"/>')
        parts.append(f'<text x="{left - 9:g}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    middle = (frame.y.start + frame.y.end) / 2
    parts.append(
        f'<text class="heading" transform="translate(15 {middle:g}) rotate(-90)" text-anchor="middle">'
        f"{escape(axis.heading)}</text></g>"
    )
    return parts


def _axis_above(frame: Frame, above: Above) -> list[str]:
    top = min(frame.y.start, frame.y.end)
    scaled = Scale(frame.x.low * above.factor, frame.x.high * above.factor, frame.x.start, frame.x.end)
    ticks = scaled.ticks(7)
    parts = ['<g class="axis">']
    for tick in ticks:
        x = scaled(tick)
        parts.append(f'<path class="tick" d="M{x:.1f} {top:g}v-5"/>')
        parts.append(f'<text x="{x:.1f}" y="{top - 10:g}" text-anchor="middle">{tick_text(tick, ticks)}</text>')
    middle = (frame.x.start + frame.x.end) / 2
    parts.append(f'<text class="heading" x="{middle:g}" y="12" text-anchor="middle">{escape(above.heading)}</text></g>')
    return parts


def _layer(
    frame: Frame, drawing: Drawing, layer: Layer, points: list[Point], colours: dict[str, int]
) -> list[str]:
    parts = [f'<g class="{layer.mark.replace(" ", "-")}{" muted" if layer.muted else ""}">']
    for series, group in groupby(points, key=lambda point: point.series):
        parts.append(f'<g class="c{colours[series]}">' if series else "<g>")
        members = list(group)
        if layer.mark == "line":
            path = "L".join(f"{frame.x(p.x):.1f} {frame.y(p.y):.1f}" for p in members)
            parts.append(f'<path class="curve" d="M{path}"><title>{escape(series or layer.doc)}</title></path>')
        else:
            parts += [_mark(frame, drawing, layer, point) for point in members]
        parts.append("</g>")
    return [*parts, "</g>"]


def _mark(frame: Frame, drawing: Drawing, layer: Layer, point: Point) -> str:
    x, y = frame.x(point.x), frame.y(point.y)
    text = f"<title>{escape(says(drawing, point))}</title>"
    if layer.mark == "star":
        return f'<path class="dot" d="{star_path(x, y, 10)}">{text}</path>'
    bars = _bars(frame, point)
    radius = 3.0 if layer.mark == "open points" else 4.0
    name = _name(frame, x, y, point.label) if layer.named else ""
    return f'<g>{text}{bars}<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>{name}</g>'


def _name(frame: Frame, x: float, y: float, label: str) -> str:
    """A point's label beside it, on the side that has room."""
    if x > 0.7 * frame.width:
        return f'<text class="name" x="{x - 8:.1f}" y="{y - 7:.1f}" text-anchor="end">{escape(label)}</text>'
    return f'<text class="name" x="{x + 8:.1f}" y="{y - 7:.1f}">{escape(label)}</text>'


def _bars(frame: Frame, point: Point) -> str:
    x, y = frame.x(point.x), frame.y(point.y)
    path = ""
    if point.x_error:
        low, high = (frame.x(v) for v in (point.x - point.x_error, point.x + point.x_error))
        path += f"M{low:.1f} {y:.1f}H{high:.1f}"
    if point.y_error:
        low, high = (frame.y(v) for v in (point.y - point.y_error, point.y + point.y_error))
        path += f"M{x:.1f} {low:.1f}V{high:.1f}"
    return f'<path class="bar" d="{path}"/>' if path else ""


def star_path(x: float, y: float, radius: float) -> str:
    """Outline of a five-pointed star."""
    corners = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else 0.4 * radius
        angle = math.pi * corner / 5
        corners.append(f"{x + reach * math.sin(angle):.1f} {y - reach * math.cos(angle):.1f}")
    return f"M{'L'.join(corners)}Z"
