"""How complete and how sound a release is: what is known of its rows, what was flagged, how jobs ended."""

from __future__ import annotations

from typing import Any

from lyot.catalog.table import tables
from lyot.site.markup import escape
from lyot.site.release import Release
from lyot.site.tabular import Column, integer, table, text
from lyot.site.words import number

#: Tables of measurements, and which of their columns a reader counts on.
COUNTED = {
    "target": ("ra", "parallax", "pmra", "radial_velocity", "spectral_type", "age", "mass", "mag_h"),
    "observation": ("mjd", "filter", "exposure_time", "field_rotation", "pixel_scale", "true_north", "seeing",
                    "coherence_time", "strehl"),
    "detection": ("mjd", "separation_error", "position_angle_error", "dra_ddec_correlation", "delta_mag", "snr",
                  "companion_id", "reference_id"),
    "companion": ("mass", "semi_major_axis", "reference_id"),
}  # fmt: skip
ENDS = "SELECT outcome, recipe, count(*) AS jobs FROM run GROUP BY outcome, recipe ORDER BY outcome, recipe"
JUDGED = """\
SELECT coalesce(validation, 'not validated') AS validation, recipe, count(*) AS reductions FROM reduction
GROUP BY 1, recipe ORDER BY 1, recipe"""

KNOWN = (
    Column("Column", lambda row: escape(row["column"]), mark="w", heads=True),
    text("What", "doc", needed=False),
    integer("Known", "known"),
    integer("Rows", "rows"),
    Column("Known (%)", lambda row: number(100.0 * row["known"] / row["rows"], 3), mark="n"),
)


def quality(release: Release) -> list[tuple[str, str]]:
    """Headings and tables (markup) of the page on data quality."""
    found = [
        (f"What is known of each {name}", table(tables()[name].doc, KNOWN, _known(release, name)))
        for name in COUNTED
        if release.count(name)
    ]
    recipe = text("Recipe", "recipe")
    judged = (text("Validation", "validation", heads=True), recipe, integer("Reductions", "reductions"))
    ended = (text("Ended", "outcome", heads=True), recipe, integer("Jobs", "jobs"))
    for heading, caption, columns, rows in (
        ("Validation", "Reductions by what people said of them", judged, release.query(JUDGED)),
        ("Jobs", "Jobs by how they ended; the table run has the reason of each", ended, release.query(ENDS)),
    ):
        if rows:
            found.append((heading, table(caption, columns, rows)))
    return found


def _known(release: Release, name: str) -> list[dict[str, Any]]:
    """How many rows of a table say something in each of its counted columns."""
    counts = ", ".join(f'count("{column}") AS "{column}"' for column in COUNTED[name])  # the names are ours
    (row,) = release.query(f'SELECT count(*) AS "of all", {counts} FROM "{name}"')
    docs = {column.name: column.doc for column in tables()[name].columns}
    return [{"column": one, "doc": docs[one], "known": row[one], "rows": row["of all"]} for one in COUNTED[name]]
