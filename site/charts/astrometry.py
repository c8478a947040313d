"""Where a star's sources were seen, and where they would be if they were stars far behind."""

from __future__ import annotations

from collections.abc import Sequence

from lyot.site.chart import Axis, Chart, Drawing, Drawn, Layer, Line, Point, Subject
from lyot.site.release import Row
from lyot.site.track import SQL, label, tracks
from lyot.site.words import day


def points(rows: list[Row], subject: Subject) -> Sequence[Drawn]:
    """The star, every measured place with its errors, and for each source the track of a background star."""
    if not rows:
        return []
    found: list[Drawn] = [Point("star", 0.0, 0.0, label=subject.target["name"])]
    for track in tracks(rows, subject):
        found.append(Line("track", track.path[:, 0], track.path[:, 1], track.name))
        expected = dict(zip(track.epochs, track.there.tolist(), strict=True))  # each epoch once
        found += [
            Point("expected", east, north, series=track.name, label=day(mjd))
            for mjd, (east, north) in expected.items()
        ]
        if track.fitted is not None:
            found.append(Line("fitted", track.fitted[:, 0], track.fitted[:, 1], track.name))
    found += [
        Point("measured", row["dra"], row["ddec"], row["name"], label(row), row["dra_error"], row["ddec_error"],
              row["dra_ddec_correlation"], bool(row["simulated"]))
        for row in rows
    ]  # fmt: skip
    return found


ASTROMETRY = Chart(
    name="astrometry",
    title="Relative astrometry",
    sentence="North up, East left. A resting star far behind would follow the dashed track from where the source was "
    "first seen, and stand at the open circles at the epochs of the measurements; a companion stays with its star.",
    sql=SQL,
    points=points,
    drawing=Drawing(
        x=Axis("Offset to the East", "mas", reverse=True),
        y=Axis("Offset to the North", "mas"),
        layers=(
            Layer("track", "line", "track of a background star", muted=True, tabled=False),
            Layer("expected", "open points", "background star at the epochs measured", muted=True, tabled=False),
            Layer("fitted", "line", "best background star with a motion of its own", tabled=False),
            Layer("star", "star", "the star", tabled=False),
            Layer("measured", "points", "measured, 1σ errors; ellipses where their correlation is known"),
        ),
        square=True,
    ),
    absent="No dated position of a source near this star is known.",
    of="d.target_id",
    order=20,
    numbers="detections",
)
