"""How faint a companion each reduction would have found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter

import numpy as np

from lyot.site.chart import Above, Axis, Chart, Drawing, Layer, Line, Subject, finite
from lyot.site.release import Row

SQL = """\
SELECT l.separation, l.delta_mag, l.contrast, l.mass_limit, l.noise, l.filter, l.wavelength, l.sigma, l.simulated,
       l.reduction_id, r.recipe, r.parameters, o.date, o.instrument
FROM detection_limit l
LEFT JOIN reduction r ON r.reduction_id = l.reduction_id
LEFT JOIN observation o ON o.observation_id = l.observation_id
WHERE l.target_id = :target
ORDER BY o.date, r.recipe, r.parameters, l.reduction_id, l.filter, l.wavelength, l.noise, l.sigma, l.separation"""

ONE = itemgetter("reduction_id", "filter", "wavelength", "noise", "sigma")  # what the rows of one line share


def lines(rows: list[Row], subject: Subject, quantity: str = "delta_mag") -> Sequence[Line]:
    """Lines of one column against separation (″): one per reduction, wavelength and definition of the noise."""
    known = [row for row in rows if row[quantity] is not None and finite(row[quantity], row["separation"])]
    groups = [list(group) for _, group in groupby(known, key=ONE)]
    heads = [group[0] for group in groups]
    several_dates, several_filters = (len({row[name] for row in heads}) > 1 for name in ("date", "filter"))
    reductions = {row["reduction_id"] for row in heads}
    several_wavelengths = len({(row["reduction_id"], row["wavelength"]) for row in heads}) > len(reductions)
    found = []
    for row, group in zip(heads, groups, strict=True):
        parts = (row["recipe"], row["parameters"], row["filter"] if several_filters else "",
                 f"{row['wavelength']:.3g} µm" if several_wavelengths and row["wavelength"] else "",
                 f"{row['sigma']:g}σ" if row["sigma"] not in (None, 5.0) else "",
                 row["date"] if several_dates else "")  # fmt: skip
        x, y = (np.array([one[name] for one in group], float) for name in ("separation", quantity))
        layer, series = ("annulus" if row["noise"] == "annulus" else "mawet"), " · ".join(filter(None, parts))
        found.append(Line(layer, x / 1000.0, y, series, any(one["simulated"] for one in group)))
    return found


def above(subject: Subject) -> Above | None:
    """Projected separation: one arcsecond at a parallax of ϖ mas is 1000 / ϖ au."""
    parallax = subject.target.get("parallax")
    return Above("Projected separation (au)", 1000.0 / parallax) if parallax and parallax > 0 else None


RADIUS, DEPTH = Axis("Separation", "″"), Axis("Δ magnitude", "mag", reverse=True)
LAYERS = (
    Layer("annulus", "line", "5σ of the pixels at this separation", muted=True),
    Layer("mawet", "line", "5σ, small samples corrected (Mawet et al. 2014)"),
)
CONTRAST = Chart(
    name="contrast",
    title="Detection limits",
    sentence="A companion above its reduction's line would have been found at 5σ; lower is deeper.",
    sql=SQL,
    points=lines,
    drawing=Drawing(x=RADIUS, y=DEPTH, layers=LAYERS),
    absent="No detection limits are known for this target.",
    of="l.target_id",
    order=30,
    above=above,
)
MASSES = Chart(
    name="mass-limits",
    title="Detection limits in mass",
    sentence="The lightest companion that would have been found at 5σ, by the isochrones this release was built with, "
    "at the star's age and distance. The errors of model, age and distance are not in the lines.",
    sql=SQL,
    points=partial(lines, quantity="mass_limit"),
    drawing=Drawing(x=RADIUS, y=Axis("Mass", "Jupiter masses", log=True), layers=LAYERS),
    of="l.target_id",
    absent="",  # most releases are built without isochrones
    order=31,
    above=above,
)
