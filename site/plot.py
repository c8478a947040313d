"""The points of charts laid out on their drawings: scales that show them all, and the paths of their curves.

Many charts are laid out at once: a page has a dozen curves, and arrays of so few numbers cost more than the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lyot.site.axes import BOTTOM, LEFT, RIGHT, TOP, Frame
from lyot.site.chart import Above, Chart, Drawing, Drawn, Line, Point, Subject, finite
from lyot.site.paths import dots, lines
from lyot.site.release import Release
from lyot.site.scale import Scale, spread
from lyot.sky import Floats


@dataclass
class Plot:
    """What a chart shows of one subject, and where `lay_out` puts it.

    Parameters
    ----------
    chart : Chart
    key : str
        What its query calls `:target`.
    points : Point or Line; empty when there is nothing to draw
    above : Above, or None
        Second axis over the drawing.
    frame : Frame, or None until it is laid out, or when there is nothing to draw
    paths : path data of each Line, in their order
    """

    chart: Chart
    key: str
    points: Sequence[Drawn]
    above: Above | None = None
    frame: Frame | None = None
    paths: list[str] = field(default_factory=list)


def plot(chart: Chart, release: Release, subject: Subject) -> Plot:
    """What a chart shows of a subject, from the rows that its query gives."""
    rows = release.chart_rows(chart.sql, subject.key, shared=chart.shared)
    points = [one for one in chart.points(rows, subject) if isinstance(one, Line) or finite(one.x, one.y)]
    return Plot(chart, subject.key, points, chart.above(subject) if points and chart.above else None)


def lay_out(plots: Iterable[Plot]) -> None:
    """Give each plot that has points its frame, and the paths of its curves."""
    known = [one for one in plots if one.points]
    curves = [[line for line in one.points if isinstance(line, Line)] for one in known]
    flat = [line for some in curves for line in some]
    if flat:
        lengths = [len(line.x) for line in flat]
        places = np.concatenate([*(line.x for line in flat), *(line.y for line in flat)]).reshape(2, -1)
        starts = np.cumsum([0, *lengths[:-1]])
        ends = np.stack([np.minimum.reduceat(places, starts, axis=1), np.maximum.reduceat(places, starts, axis=1)])
        reaches = iter(ends.T.tolist())  # of each curve, [[least, greatest] of x, [least, greatest] of y]
    for one, some in zip(known, curves, strict=True):
        one.frame = frame_of(one.chart.drawing, one.points, [next(reaches) for _ in some], one.above)
    if flat:
        frames = [one.frame for one, some in zip(known, curves, strict=True) if one.frame for _ in some]
        paths = iter(lines(_pixels(places, frames, lengths), lengths))
        for one, some in zip(known, curves, strict=True):
            one.paths = [next(paths) for _ in some]
            _dot(one, some)


def _pixels(places: Floats, frames: Sequence[Frame], lengths: Sequence[int]) -> Floats:
    """Places (2, point) of curves, one behind the other, as pixels of their frames."""
    slopes, zeros = [], []
    start = 0
    for frame, length in zip(frames, lengths, strict=True):
        for axis, scale in enumerate((frame.x, frame.y)):
            if scale.log:
                places[axis, start : start + length] = scale.logarithms(places[axis, start : start + length])
        slopes.append((frame.x.slope, frame.y.slope))
        zeros.append((frame.x.zero, frame.y.zero))
        start += length
    return places * np.repeat(np.array(slopes).T, lengths, axis=1) + np.repeat(np.array(zeros).T, lengths, axis=1)


def _dot(one: Plot, curves: Sequence[Line]) -> None:
    """Clouds of dots in place of the lines through them."""
    dotted = {layer.name for layer in one.chart.drawing.layers if layer.mark == "dots"}
    for place, line in enumerate(curves):
        if line.layer in dotted and one.frame:
            one.paths[place] = dots(one.frame.x.all(line.x), one.frame.y.all(line.y))


def frame_of(
    drawing: Drawing, points: Sequence[Drawn], reaches: Sequence[Sequence[Sequence[float]]], above: Above | None
) -> Frame:
    """The scales that show all points with their errors, and curves that reach so far along x and y."""
    top = TOP + (34.0 if above else 0.0)
    along_x = [end for x, _ in reaches for end in x]
    along_y = [end for _, y in reaches for end in y]
    for point in points:
        if isinstance(point, Point):
            along_x += _reach(point.x, point.x_error, drawing.x.log)
            along_y += _reach(point.y, point.y_error, drawing.y.log)
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
    x, y = Scale(x_low, x_high, *ends, drawing.x.log), Scale(y_low, y_high, *sides, drawing.y.log)
    return Frame(width, height, x, y)


def _reach(value: float, error: float | None, log: bool) -> tuple[float, ...]:
    """A value, or where its error begins and ends."""
    if error is None or not math.isfinite(error) or (log and error >= value):
        return (value,)
    return (value - error, value + error)
