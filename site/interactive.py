"""Charts as Vega specifications: each compiled once and shared by every page, which brings only its points.

Nothing of them is turned into code in the browser: the scripts have Vega interpret its expressions.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import vl_convert

from lyot.site.chart import Axis, Chart, Layer

GREY = "#868d99"  # reads on paper and on night
SNIPPET = "window.vegaEmbed = vegaEmbed;"


def library() -> str:
    """Vega with its embedding, one script, out of the installed package."""
    return str(vl_convert.javascript_bundle(SNIPPET))


def specification(chart: Chart) -> dict[str, Any]:
    """Vega specification of one chart; its data set `points` is empty, its size and ranges are set by the page."""
    drawing = chart.drawing
    layers = [drawn for layer in drawing.layers for drawn in _layers(chart, layer)]
    zoom = alt.selection_interval(bind="scales", name="zoom")
    layers[-1] = layers[-1].add_params(zoom)
    described = alt.layer(*layers, data=alt.NamedData("points")).properties(width=600, height=400)
    compiled: dict[str, Any] = vl_convert.vegalite_to_vega(described.to_dict())
    return compiled


def _layers(chart: Chart, layer: Layer) -> list[alt.Chart]:
    """A layer's marks: error bars below, the marks, names above."""
    base = alt.Chart().transform_filter(alt.datum.layer == layer.name)
    drawing = chart.drawing
    place = {"x": _x(drawing.x, "x"), "y": _y(drawing.y, "y"), "color": _colour()}
    opacity = 0.65 if layer.muted else 1.0
    if layer.mark == "line":
        dash = [5, 4] if layer.muted else [1, 0]
        line = base.mark_line(strokeDash=dash, opacity=opacity, strokeWidth=1.3 if layer.muted else 2)
        return [line.encode(**place, detail="series:N", order="index:Q")]
    if layer.mark == "dots":
        return [base.mark_circle(size=9, opacity=opacity).encode(**place)]
    bars = [_bar(chart, base, axis) for axis in "xy"]
    hint = [
        alt.Tooltip("series:N", title="object"),
        alt.Tooltip("label:N", title="label"),
        alt.Tooltip("x:Q", title=drawing.x.heading, format=".5~g"),
        alt.Tooltip("x_error:Q", title="±", format=".2~g"),
        alt.Tooltip("y:Q", title=drawing.y.heading, format=".5~g"),
        alt.Tooltip("y_error:Q", title="± ", format=".2~g"),
    ]
    shape = STAR if layer.mark == "star" else "circle"
    size = 600 if layer.mark == "star" else 40 if layer.muted else 60
    marks = base.mark_point(filled=layer.mark != "open points", shape=shape, size=size, opacity=opacity)
    return [*bars, marks.encode(**place, tooltip=hint)]


#: A five-pointed star, half as wide as the square Vega scales it to.
STAR = "M0,-.5L.118,-.162L.476,-.155L.19,.062L.294,.405L0,.2L-.294,.405L-.19,.062L-.476,-.155L-.118,-.162Z"


def _bar(chart: Chart, base: alt.Chart, axis: str) -> alt.Chart:
    """Error bars along one axis."""
    bounded = base.transform_filter(f"isValid(datum.{axis}_error)").transform_calculate(
        low=f"datum.{axis} - datum.{axis}_error", high=f"datum.{axis} + datum.{axis}_error"
    )
    drawing = chart.drawing
    if axis == "x":
        return bounded.mark_rule(opacity=0.6).encode(
            x=_x(drawing.x, "low"), x2="high", y=_y(drawing.y, "y"), color=_colour()
        )
    return bounded.mark_rule(opacity=0.6).encode(
        x=_x(drawing.x, "x"), y=_y(drawing.y, "low"), y2="high", color=_colour()
    )


def _x(axis: Axis, field: str) -> alt.X:
    return alt.X(f"{field}:Q", title=axis.heading, scale=_scale(axis), axis=alt.Axis(format="~g" if axis.log else "~f"))


def _y(axis: Axis, field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", title=axis.heading, scale=_scale(axis), axis=alt.Axis(format="~g" if axis.log else "~f"))


def _scale(axis: Axis) -> alt.Scale:
    return alt.Scale(type="log" if axis.log else "linear", reverse=axis.reverse, zero=False, nice=False)


def _colour() -> Any:
    return alt.condition("isValid(datum.series)", alt.Color("series:N", legend=None), alt.value(GREY))
