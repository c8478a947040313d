"""Separation and position angle against time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lyot.site.chart import Axis, Chart, Drawing, Drawn, Layer, Line, Point, Subject, finite
from lyot.site.release import Row
from lyot.site.track import SQL, label, sources, tracks
from lyot.sky import julian_year

LAYERS = (
    Layer("track", "line", "a background star", muted=True, tabled=False),
    Layer("fitted", "line", "best background star with a motion of its own", tabled=False),
    Layer("measured", "points", "measured, 1σ errors"),
)


def against_time(quantity: str, of_track: int) -> Callable[[list[Row], Subject], Sequence[Drawn]]:
    """Points of one measured column against the year; `of_track` says which value of a track goes with it."""

    def points(rows: list[Row], subject: Subject) -> Sequence[Drawn]:
        found: list[Drawn] = []
        for track in tracks(rows, subject):
            years = julian_year(track.times)
            found += [
                Line(layer, years, polar[:, of_track], series=track.name)
                for layer, polar in (("track", track.polar), ("fitted", track.fitted_polar))
                if polar is not None
            ]
        for name, seen in sources(rows):
            found += [
                Point(
                    layer="measured",
                    x=float(julian_year(row["mjd"])),
                    y=row[quantity],
                    series=name,
                    label=label(row),
                    y_error=row[f"{quantity}_error"],
                    simulated=bool(row["simulated"]),
                )
                for row in seen
                if finite(row[quantity])
            ]
        return found if len({point.x for point in found if isinstance(point, Point)}) > 1 else []

    return points


SEPARATION = Chart(
    name="separation",
    title="Separation against time",
    sentence="Angular distance from the star; the dashed line is a resting star far behind.",
    sql=SQL,
    points=against_time("separation", 0),
    drawing=Drawing(x=Axis("Year"), y=Axis("Separation", "mas"), layers=LAYERS),
    absent="No source near this star was seen at two times, so nothing can be said of its motion.",
    order=21,
    numbers="detections",
)

POSITION_ANGLE = Chart(
    name="position-angle",
    title="Position angle against time",
    sentence="Degrees East of North; the dashed line is a resting star far behind.",
    sql=SQL,
    points=against_time("position_angle", 1),
    drawing=Drawing(x=Axis("Year"), y=Axis("Position angle", "°"), layers=LAYERS),
    absent="",
    order=22,
    numbers="detections",
)
