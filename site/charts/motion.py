"""Separation and position angle against time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lyot.site.chart import Axis, Chart, Drawing, Drawn, Layer, Line, Point, Subject, finite
from lyot.site.release import Row
from lyot.site.track import SQL, label, tracks
from lyot.sky import julian_year

YEAR = 6  # decimals of a year: half a minute
LAYERS = (
    Layer("track", "line", "a background star", muted=True, tabled=False),
    Layer("fitted", "line", "best background star with a motion of its own", tabled=False),
    Layer("measured", "points", "measured, 1σ errors"),
)


def against_time(quantity: str, of_track: int) -> Callable[[list[Row], Subject], Sequence[Drawn]]:
    """Points of one measured column against the year; `of_track` says which value of a track goes with it."""

    error = f"{quantity}_error"

    def points(rows: list[Row], subject: Subject) -> Sequence[Drawn]:
        found: list[Drawn] = []
        for track in tracks(rows, subject):
            found += [
                Line(layer, track.years, polar[:, of_track], track.name)
                for layer, polar in (("track", track.polar), ("fitted", track.fitted_polar))
                if polar is not None
            ]
        years = julian_year([row["mjd"] for row in rows]).tolist()
        points = [
            Point("measured", round(year, YEAR), row[quantity], row["name"], label(row),
                  y_error=row[error], simulated=bool(row["simulated"]))
            for row, year in zip(rows, years, strict=True)
            if finite(row[quantity])
        ]  # fmt: skip
        return [*found, *points] if len({point.x for point in points}) > 1 else []

    return points


def motion(title: str, sentence: str, axis: Axis, quantity: str, of_track: int, order: int, absent: str = "") -> Chart:
    """The chart of one measured column against the year."""
    return Chart(
        name=quantity.replace("_", "-"),
        title=title,
        sentence=f"{sentence} the dashed line is a resting star far behind.",
        sql=SQL,
        points=against_time(quantity, of_track),
        drawing=Drawing(x=Axis("Year"), y=axis, layers=LAYERS),
        absent=absent,
        of="d.target_id",
        order=order,
        numbers="detections",
    )


SEPARATION = motion(
    "Separation against time", "Angular distance from the star;", Axis("Separation", "mas"), "separation", 0, 21,
    "No source near this star was seen at two times, so nothing can be said of its motion.",
)  # fmt: skip
POSITION_ANGLE = motion(
    "Position angle against time", "Degrees East of North;", Axis("Position angle", "°"), "position_angle", 1, 22
)
