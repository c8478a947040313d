"""The axes of a chart as SVG: grid, numbers and headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lyot.site.chart import Above, Axis
from lyot.site.markup import escape
from lyot.site.paths import tenth
from lyot.site.scale import Scale, tick_texts
from lyot.site.words import number

LEFT, RIGHT, TOP, BOTTOM = 68.0, 18.0, 16.0, 54.0
WIDEST = 13.0  # px of a digit, as telephones write them


@dataclass(frozen=True, slots=True)
class Frame:
    """The scales of a drawing."""

    width: float
    height: float
    x: Scale
    y: Scale


@lru_cache(8)  # charts against time of one star have one axis of time
def axis_x(scale: Scale, axis: Axis, height: float, top: float) -> str:
    """The axis below a drawing, with the grid up to its top."""
    ticks = scale.ticks(7)
    places, said = _tenths(scale, ticks), tick_texts(ticks)
    grid, texts = _grid(places, f" {height - BOTTOM:g}V{top:g}"), _texts(places, height - BOTTOM + 20, said)
    middle = (scale.start + scale.end) / 2
    return (
        f'<g class="{_crowd(said, scale)}"><path class="grid" d="{grid}"/>{texts}'
        f'<text class="heading" x="{middle:g}" y="{height - 10:g}">{escape(axis.heading)}</text></g>'
    )


def axis_y(frame: Frame, axis: Axis) -> str:
    """The axis on the left of a drawing, with the grid over its width."""
    scale = frame.y
    ticks = scale.ticks(6)
    said = [number(tick, 1) for tick in ticks] if axis.log else tick_texts(ticks)
    end, side = f"H{frame.width - RIGHT:g}", f'<text x="{LEFT - 9:g}" y="'
    places = [round(10 * scale(tick)) for tick in ticks]
    grid = "".join([f"M{LEFT:g} {tenth(place)}{end}" for place in places])
    texts = "".join([f'{side}{tenth(place + 40)}">{text}</text>' for place, text in zip(places, said, strict=True)])
    middle = (scale.start + scale.end) / 2
    return (
        f'<g class="y"><path class="grid" d="{grid}"/>{texts}<text class="heading" '
        f'transform="translate(15 {middle:g}) rotate(-90)">{escape(axis.heading)}</text></g>'
    )


def axis_above(frame: Frame, above: Above, top: float) -> str:
    """The second axis, at the top of a drawing."""
    scaled = Scale(frame.x.low * above.factor, frame.x.high * above.factor, frame.x.start, frame.x.end)
    ticks = scaled.ticks(7)
    places, said = _tenths(scaled, ticks), tick_texts(ticks)
    middle = (scaled.start + scaled.end) / 2
    return (
        f'<g class="{_crowd(said, scaled)}"><path class="tick" d="{_grid(places, f" {top:g}v-5")}"/>'
        f'{_texts(places, top - 10, said)}'
        f'<text class="heading" x="{middle:g}" y="12">{escape(above.heading)}</text></g>'
    )


def _tenths(scale: Scale, ticks: Sequence[float]) -> list[str]:
    return [tenth(round(10 * scale(tick))) for tick in ticks]


def _crowd(said: Sequence[str], scale: Scale) -> str:
    """Class of an axis along x, of whose numbers a telephone shows every other when they are many or long."""
    crowded = WIDEST * sum(map(len, said), len(said)) > abs(scale.end - scale.start)
    return "x crowded" if crowded else "x"


def _grid(places: Sequence[str], upwards: str) -> str:
    return "".join([f"M{place}{upwards}" for place in places])


def _texts(places: Sequence[str], y: float, said: Sequence[str]) -> str:
    side = f'" y="{y:g}">'
    return "".join([f'<text x="{place}{side}{text}</text>' for place, text in zip(places, said, strict=True)])
