"""What detection limits mean in mass, by isochrones that the user brings."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from lyot.build.masses import band_of
from lyot.catalog.isochrones import Isochrones, masses_of
from lyot.errors import NotFound
from lyot.instrument import instruments

_SETUPS = """
SELECT DISTINCT o.instrument, l.filter FROM detection_limit l JOIN observation o USING (observation_id)
WHERE o.instrument IS NOT NULL AND l.filter IS NOT NULL ORDER BY ALL
"""
#: Absolute magnitude of the faintest companion: m★ + Δm + 5 log₁₀(parallax / 100 mas), the star in the broad band
#: around the filter. A limit says nothing that rests on what is private, or simulated, while it is not.
_LIMITS = """
SELECT l.rowid AS place, t.age, t."{star}" + l.delta_mag + 5 * log10(t.parallax / 100) AS magnitude
FROM detection_limit l JOIN observation o USING (observation_id) JOIN target t ON t.target_id = l.target_id
WHERE o.instrument = ? AND l.filter = ? AND t.age > 0 AND t.parallax > 0 AND l.delta_mag IS NOT NULL
    AND t."{star}" IS NOT NULL
    AND coalesce(t.parallax_error, 0) <= t.parallax / 3 -- a distance that is worse is none
    AND (l.release_date IS NULL OR t.release_date <= l.release_date) AND (l.simulated OR NOT t.simulated)
"""
_TELL = "UPDATE detection_limit SET mass_limit = m.mass FROM _masses m WHERE detection_limit.rowid = m.place"


def add_limit_masses(connection: duckdb.DuckDBPyConnection, isochrones: Isochrones) -> None:
    """Say of every limit in a filter of the isochrones how light a companion it shows; nothing outside the table."""
    for camera, name in connection.execute(_SETUPS).fetchall():
        band, star = band_of(f"{camera.partition('-')[0]}/{name}", isochrones), _magnitude_of_star(camera, name)
        if band is None or star is None:
            continue
        found = connection.execute(_LIMITS.format(star=star), [camera, name]).fetchnumpy()
        ages, magnitudes = (np.ma.getdata(found[column]).astype(float) for column in ("age", "magnitude"))
        masses = masses_of(isochrones, band, ages, magnitudes)
        told = np.isfinite(masses)
        values = pa.table({"place": np.ma.getdata(found["place"])[told], "mass": masses[told]})
        connection.register("_masses", values)
        connection.execute(_TELL)
        connection.unregister("_masses")


def _magnitude_of_star(camera: str, name: str) -> str | None:
    """Column of `target` with the star's magnitude in the broad band around a filter; None when it has none."""
    known = instruments()
    if camera not in known:
        return None
    try:
        band = known[camera].filter(name).band
    except NotFound:
        return None
    return {"J": "mag_j", "H": "mag_h", "K": "mag_k", "Ks": "mag_k", "L'": "mag_lp"}.get(band)
