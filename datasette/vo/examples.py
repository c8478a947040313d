"""Queries to begin with: each answers a question that astronomers ask, and each is run by a test."""

from __future__ import annotations

from lyot.declaration import Declaration


class Example(Declaration):
    """A question and its answer in ADQL."""

    name: str
    title: str
    doc: str
    query: str


EXAMPLES = (
    Example(
        name="companions",
        title="Bound companions below 20 Jupiter masses",
        doc="Bound as the verdict says; masses as published.",
        query="SELECT t.name AS star, c.name AS companion, c.mass AS planet_mass, c.semi_major_axis, t.age\n"
        "FROM lyot.companion AS c JOIN lyot.target AS t ON t.target_id = c.target_id\n"
        "WHERE c.status = 'COMPANION' AND c.mass < 20\nORDER BY planet_mass",
    ),
    Example(
        name="cone",
        title="Stars within two degrees of β Pictoris",
        doc="A cone search in ADQL; an index serves it.",
        query="SELECT target_id, name, ra, dec,\n"
        "  DISTANCE(POINT('ICRS', ra, dec), POINT('ICRS', 86.8212, -51.0665)) AS separation\n"
        "FROM lyot.target\n"
        "WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 86.8212, -51.0665, 2))\nORDER BY separation",
    ),
    Example(
        name="deepest",
        title="The deepest limits between 0.4 and 0.6 arcsec",
        doc="Contrast that a source had to reach to be seen.",
        query="SELECT TOP 20 t.name, d.filter, d.separation, d.contrast, d.delta_mag\n"
        "FROM lyot.detection_limit AS d JOIN lyot.target AS t ON t.target_id = d.target_id\n"
        "WHERE d.separation BETWEEN 400 AND 600 AND d.contrast > 0\nORDER BY contrast",
    ),
    Example(
        name="epochs",
        title="Companions seen most often",
        doc="How many detections belong to each, and over how long.",
        query="SELECT companion_id, COUNT(*) AS seen, (MAX(mjd) - MIN(mjd)) / 365.25 AS years\n"
        "FROM lyot.detection\nWHERE companion_id IS NOT NULL\nGROUP BY companion_id\n"
        "HAVING COUNT(*) > 2\nORDER BY seen DESC",
    ),
    Example(
        name="files",
        title="Every released image and cube",
        doc="ObsCore; access_url leads to the links of each file.",
        query="SELECT target_name, dataproduct_type, calib_level, instrument_name, t_min, access_url\n"
        "FROM ivoa.ObsCore\nORDER BY target_name, calib_level",
    ),
)
