"""Masses of companions from isochrones that the user brings: as `measurement`s, beside what was published."""

from __future__ import annotations

from typing import Any

import duckdb

from lyot.build.rows import insert, read
from lyot.build.visible import Audience
from lyot.catalog.isochrones import Isochrones, mass_of
from lyot.catalog.photometry import Magnitude
from lyot.catalog.table import tables
from lyot.errors import Unprocessable

#: Magnitudes that catalogue and isochrones may share a filter in, of companions of known age and distance. A mass is
#: private, or simulated, as soon as one of the rows that it rests on is.
_MAGNITUDES = """
SELECT m.target_id, m.companion_id, m.band, m.number, m.reference_id, m.value,
    CASE WHEN t.workspace = $ours THEN $ours ELSE m.workspace END AS workspace,
    greatest(coalesce(m.error_minus, 0), coalesce(m.error_plus, 0)) AS error,
    t.parallax, coalesce(t.parallax_error, 0) AS parallax_error, t.age,
    coalesce(t.age - t.age_min, t.age_error, 0) AS younger, coalesce(t.age_max - t.age, t.age_error, 0) AS older,
    m.simulated OR t.simulated AS simulated,
    CASE WHEN m.release_date IS NOT NULL AND t.release_date IS NOT NULL
        THEN greatest(m.release_date, t.release_date) END AS release_date
FROM measurement m JOIN target t USING (target_id)
WHERE m.quantity = 'apparent_mag' AND m.companion_id IS NOT NULL AND m."limit" IS NULL AND t.parallax > 0 AND t.age > 0
    AND coalesce(t.parallax_error, 0) <= t.parallax / 3 -- a distance that is worse is none
ORDER BY m.companion_id, m.band, m.reference_id, m.number
"""


def add_masses(connection: duckdb.DuckDBPyConnection, isochrones: Isochrones, audience: Audience) -> None:
    """Add a mass for every published magnitude of a companion in a filter of the isochrones; none outside the table."""
    made = []
    for row in list(read(connection, _MAGNITUDES, {"ours": audience.workspace})):
        band = band_of(row["band"], isochrones)
        if band is None:
            continue
        try:
            mass = mass_of(
                isochrones, band, Magnitude(row["value"], row["error"]), (row["parallax"], row["parallax_error"]),
                (row["age"], row["younger"], row["older"]),
            )  # fmt: skip
        except Unprocessable:
            continue  # too old, too faint or too bright for this table: it says nothing of this object
        made.append(_measurement(row, {"value": mass.value, "error_minus": mass.error_minus,
                                       "error_plus": mass.error_plus}, isochrones.name))  # fmt: skip
    insert(connection, tables()["measurement"], made)


def _measurement(row: dict[str, Any], values: dict[str, float], name: str) -> dict[str, Any]:
    kept = ("target_id", "companion_id", "band", "number", "reference_id", "simulated", "workspace", "release_date")
    why = f"derived by the isochrones {name} from this apparent magnitude, and age and parallax of the star"
    return {
        **{column: row[column] for column in kept}, **values,
        "quantity": "isochrone_mass", "unit": "Mjup", "preferred": False, "preferred_reason": why,
    }  # fmt: skip


def band_of(band: str | None, isochrones: Isochrones) -> str | None:
    """The filter of the isochrones that is ours: `SPHERE/H2` is their `H2`, in a table of that instrument or system."""
    system, _, short = (band or "").rpartition("/")
    if not system or system.lower() not in isochrones.name.lower():
        return None
    names = {name.lower(): name for name in isochrones.magnitudes}
    spellings = (short.lower(), short.lower().removesuffix("s"), f"d_{short.lower()}")  # Ks is K, H2 is D_H2
    return next((names[spelling] for spelling in spellings if spelling in names), None)
