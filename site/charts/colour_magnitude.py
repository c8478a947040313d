"""Colour–magnitude charts of imaged companions: the target's own among all others as references."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lyot.site.chart import Axis, Chart, Drawing, Drawn, Layer, Line, Point, Subject, finite
from lyot.site.release import Row

SQL = """\
SELECT c.name AS name, c.target_id, c.companion_id, c.simulated, a.band AS band_1, b.band AS band_2,
       a.value AS magnitude_1, a.error_minus AS magnitude_1_error,
       b.value AS magnitude_2, b.error_minus AS magnitude_2_error, t.parallax, t.parallax_error,
       a.preferred AS preferred, a.number AS number, c.status, c.target_id = :target AS own
FROM measurement a
JOIN measurement b ON b.companion_id = a.companion_id AND b.quantity = 'apparent_mag'
 AND b.number = a.number AND b."limit" IS NULL
 AND b.band = substr(a.band, 1, instr(a.band, '/')) || '{second}'
JOIN companion c ON c.companion_id = a.companion_id
JOIN target t ON t.target_id = c.target_id
WHERE a.quantity = 'apparent_mag' AND a."limit" IS NULL AND a.band LIKE '%/{first}'
 AND t.parallax > 0
{sequence}ORDER BY own, name, preferred DESC, number"""
#: Field dwarfs with the same colour: they are nobody's companions.
SEQUENCE = """\
UNION ALL
SELECT f.name, NULL, NULL, 0, 'MKO/{first}', 'MKO/{second}', f.{column_1}, f.{column_1}_error, f.{column_2},
       f.{column_2}_error, f.parallax, f.parallax_error, 1, 0, NULL, 0
FROM field_dwarf f WHERE f.{column_1} IS NOT NULL AND f.{column_2} IS NOT NULL AND f.parallax > 0
"""


def absolute(magnitude: float, parallax: float) -> float:
    """Absolute magnitude of an apparent one at a parallax (mas): m + 5 log₁₀(ϖ / 1000) + 5."""
    return magnitude + 5.0 * math.log10(parallax / 1000.0) + 5.0


def absolute_error(magnitude_error: float | None, parallax: float, parallax_error: float | None) -> float | None:
    """1σ of the absolute magnitude, the errors taken as independent; None when the magnitude has none."""
    if magnitude_error is None:
        return None
    return math.hypot(magnitude_error, 5.0 / math.log(10.0) * (parallax_error or 0.0) / parallax)


def points(rows: list[Row], subject: Subject) -> Sequence[Drawn]:
    """One point per companion, the first of its values, before the field dwarfs; none when none is the subject's own.

    What is simulated is no reference for others, nor is a star in the background.
    """
    chosen: dict[str, Point] = {}
    if not any(row["own"] for row in rows):
        return []
    field = [row for row in rows if row["companion_id"] is None]
    for row in rows:
        no_reference = row["simulated"] or row["status"] == "BACKGROUND"
        if row["companion_id"] is None or (no_reference and not row["own"]):
            continue
        if row["companion_id"] in chosen or not finite(row["magnitude_1"], row["magnitude_2"], row["parallax"]):
            continue
        errors = (row["magnitude_1_error"], row["magnitude_2_error"])
        chosen[row["companion_id"]] = Point(
            layer="own" if row["own"] else "reference",
            x=row["magnitude_1"] - row["magnitude_2"],
            y=absolute(row["magnitude_1"], row["parallax"]),
            series=row["name"] if row["own"] else "",
            label=row["name"],
            x_error=math.hypot(*errors) if None not in errors else None,
            y_error=absolute_error(errors[0], row["parallax"], row["parallax_error"]),
            simulated=bool(row["simulated"]),
        )
    found = list(chosen.values())
    if not any(point.layer == "own" for point in found):
        return []
    return [_sequence(field), *found] if field else found


def _sequence(rows: list[Row]) -> Line:
    """The places of field dwarfs."""
    names = ("magnitude_1", "magnitude_2", "parallax")
    first, second, parallax = (np.array([row[name] for row in rows]) for name in names)
    return Line("field", first - second, first + 5.0 * np.log10(parallax / 1000.0) + 5.0)


def colour_magnitude(first: str, second: str, camera: str, order: int, columns: tuple[str, str] | None = None) -> Chart:
    """The chart of M(first) against first − second, both bands of one camera.

    `columns` of `field_dwarf` are the same bands, where field dwarfs are known in both.
    """
    name = "".join(c for c in f"{first}-{second}".lower().replace("'", "p") if c.isalnum() or c == "-")
    quoted = (band.replace("'", "''") for band in (first, second))
    return Chart(
        name=f"colour-magnitude-{name}",
        title=f"Colour and magnitude, {first} − {second}",
        sentence=f"Imaged companions with {camera} photometry; cool objects turn blue where methane sets in. "
        "A background star rarely falls on their sequence.",
        sql=_fill(SQL.replace("{sequence}", _fill_columns(columns)), *quoted),
        points=points,
        drawing=Drawing(
            x=Axis(f"{first} − {second}", "mag"),
            y=Axis(f"Absolute {first}", "mag", reverse=True),
            layers=(
                Layer("field", "dots", "field dwarfs: M, L and T", muted=True, tabled=False),
                Layer("reference", "open points", "other imaged companions", muted=True, tabled=False, bars=False),
                Layer("own", "points", "companions of this star", named=True),
            ),
        ),
        absent=f"No companion of this star has {camera} photometry in both {first} and {second}.",
        order=order,
        shared="target_id",
    )


def _fill(sql: str, first: str, second: str) -> str:
    """The query for two bands, which are ours and already quoted."""
    return sql.replace("{first}", first).replace("{second}", second)


def _fill_columns(columns: tuple[str, str] | None) -> str:
    return SEQUENCE.replace("{column_1}", columns[0]).replace("{column_2}", columns[1]) if columns else ""


H2_H3 = colour_magnitude("H2", "H3", "SPHERE", 40)
K1_K2 = colour_magnitude("K1", "K2", "SPHERE", 41)
J_H = colour_magnitude("J", "H", "broad-band", 42, ("mko_j", "mko_h"))
J_K = colour_magnitude("J", "K", "broad-band", 43, ("mko_j", "mko_k"))
KS_LP = colour_magnitude("Ks", "L'", "broad-band", 44)
COLOUR_MAGNITUDE = (H2_H3, K1_K2, J_H, J_K, KS_LP)
