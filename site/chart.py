"""Charts: a title, a sentence, an SQL query and a drawing, each written once and shown three ways.

The points of a chart become an SVG that needs no script (`lyot.site.svg`), a table of numbers, and, when the
reader asks for it, an interactive chart (`lyot.site.interactive`).
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple

from lyot.site.release import Row
from lyot.sky import Floats

NUMBERS = (int, float)
Mark = Literal["line", "points", "open points", "dots", "star"]


class Point(NamedTuple):
    """One point of a chart; `layer` says how it is drawn, `series` what it belongs to.

    `correlation` is that of the errors of x and y: with it they are drawn as an ellipse.
    """

    layer: str
    x: float
    y: float
    series: str = ""
    label: str = ""
    x_error: float | None = None
    y_error: float | None = None
    correlation: float | None = None
    simulated: bool = False


class Line(NamedTuple):
    """A curve of a chart, or a cloud of dots: places `x`, `y` (point,) in their order, of one layer and series."""

    layer: str
    x: Floats
    y: Floats
    series: str = ""
    simulated: bool = False


Drawn = Point | Line


@dataclass(frozen=True)
class Axis:
    """What runs along a side; `reverse` when it grows leftwards or downwards."""

    title: str
    unit: str = ""
    reverse: bool = False
    log: bool = False

    @property
    def heading(self) -> str:
        """Title with its unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True, eq=False)
class Layer:
    """Points that are drawn alike: `name` is what their `layer` says."""

    name: str
    mark: Mark
    doc: str
    muted: bool = False
    tabled: bool = True  # whether its points stand in the table of numbers
    named: bool = False  # whether the label of a point is written beside it
    bars: bool = True  # whether errors are drawn


@dataclass(frozen=True)
class Drawing:
    """How the points of a chart are drawn.

    `square` gives both axes one scale.
    """

    x: Axis
    y: Axis
    layers: tuple[Layer, ...]
    square: bool = False


@dataclass(frozen=True)
class Above:
    """A second axis above: what it says, and its value per unit of the axis below."""

    heading: str
    factor: float


@dataclass(frozen=True)
class Subject:
    """What a page's charts are about: `key` is what their queries call `:target`, `target` the row of the star.

    `kept` holds what several charts of it compute.
    """

    target: Row
    key: str
    kept: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart.

    Parameters
    ----------
    name : str
        Part of addresses and ids.
    title, sentence : str
        What it is, and how to read it.
    sql : str
        Query with `:target`; the page links it to Datasette as "see the data".
    points : function
        Rows of the query, and the subject, to points and lines. Where there is none the page says `absent`.
    drawing : Drawing
    absent : str
        The sentence that stands where there is nothing to draw.
    of : str
        The column that its query compares with `:target`, so that it can be asked for many at once; none when `shared`.
    order : int
        Place on the page.
    above : function, optional
        Second axis above the drawing, for a subject; None when it cannot be said.
    shared : str
        The column that says whose a row is, where the query gives the same rows whatever is asked for, but for its
        column `own`: it is asked once for all pages.
    numbers : str
        Id of the table on the page that has the numbers already; empty when the chart brings its own.
    """

    name: str
    title: str
    sentence: str
    sql: str
    points: Callable[[list[Row], Subject], Sequence[Drawn]]
    drawing: Drawing
    absent: str
    of: str = ""
    order: int = 0
    above: Callable[[Subject], Above | None] | None = None
    shared: str = ""
    numbers: str = ""


@cache
def charts() -> tuple[Chart, ...]:
    """Every chart: what the modules of `site/charts/` declare, in the order of the page."""
    package = importlib.import_module("lyot.site.charts")
    found: list[Chart] = []
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        found += [
            value
            for value in vars(importlib.import_module(f"lyot.site.charts.{module}")).values()
            if isinstance(value, Chart)
        ]
    return tuple(sorted({chart.name: chart for chart in found}.values(), key=lambda chart: chart.order))


def finite(*values: Any) -> bool:
    """Whether every value is a number that can be drawn."""
    for value in values:  # noqa: SIM110 - thrice as quick as all()
        if not isinstance(value, NUMBERS) or not -math.inf < value < math.inf:
            return False
    return True
