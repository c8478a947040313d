"""What the catalogue has of no survey: observations by instrument, and what was published, by publication."""

from __future__ import annotations

from typing import Any

from lyot.site.addresses import slugs
from lyot.site.release import Release
from lyot.site.tabular import Column, integer, linked, table, text
from lyot.site.words import instrument, plural

MOST_LISTED = 40  # publications that are named; BibTeX has them all

WHOLE = """\
SELECT count(*) AS observations, count(DISTINCT target_id) AS stars, count(DISTINCT reference_id) AS publications,
       min(substr(date, 1, 10)) AS first, max(substr(date, 1, 10)) AS last
FROM observation WHERE survey_id IS NULL AND NOT simulated"""
INSTRUMENTS = """\
SELECT instrument, count(*) AS observations, count(DISTINCT target_id) AS stars,
       count(DISTINCT reference_id) AS publications, min(substr(date, 1, 10)) AS first, max(substr(date, 1, 10)) AS last
FROM observation WHERE survey_id IS NULL AND NOT simulated
GROUP BY instrument ORDER BY instrument IS NULL, observations DESC, instrument"""
KNOWN = "SELECT DISTINCT instrument FROM observation WHERE instrument IS NOT NULL ORDER BY instrument"
#: What rests on each publication; rows of one publication and one star are counted first, so that stars are few.
PUBLICATIONS = """\
WITH parts AS (
  SELECT reference_id, target_id, count(*) AS observations, 0 AS detections, 0 AS measured,
         min(substr(date, 1, 10)) AS first, max(substr(date, 1, 10)) AS last
  FROM observation WHERE survey_id IS NULL AND NOT simulated GROUP BY reference_id, target_id
  UNION ALL
  SELECT reference_id, target_id, 0, count(*), 0, NULL, NULL
  FROM detection WHERE NOT simulated GROUP BY reference_id, target_id
  UNION ALL
  SELECT reference_id, target_id, 0, 0, count(*), NULL, NULL
  FROM measurement WHERE NOT simulated GROUP BY reference_id, target_id
)
SELECT p.reference_id, count(DISTINCT p.target_id) AS stars, sum(p.observations) AS observations,
       sum(p.detections) AS detections, sum(p.measured) AS measured, min(p.first) AS first, max(p.last) AS last
FROM parts p WHERE p.reference_id IS NOT NULL
GROUP BY p.reference_id
ORDER BY observations DESC, detections DESC, stars DESC, measured DESC, p.reference_id"""

PERIOD = (text("First", "first", mark="w"), text("Last", "last", mark="w"))
BY_INSTRUMENT = (
    Column("Instrument", lambda row: linked(row["address"], instrument(row["instrument"]) or "not said"), heads=True),
    integer("Observations", "observations"),
    integer("Stars", "stars"),
    integer("Publications", "publications"),
    *PERIOD,
)
BY_PUBLICATION = (
    Column("Publication", lambda row: linked(row["source"][1], row["source"][0], away=True), heads=True),
    integer("Stars", "stars"),
    integer("Observations", "observations"),
    integer("Positions", "detections"),
    integer("Values", "measured"),
    *PERIOD,
)


def collected(release: Release) -> dict[str, Any]:
    """What stands beside the surveys: numbers, and a table of instruments and one of publications, if there are any."""
    (whole,) = release.query(WHOLE)
    rows = release.query(INSTRUMENTS)
    folders = slugs(row["instrument"] for row in release.query(KNOWN))
    for row in rows:
        row["address"] = f"../instruments/{folders[row['instrument']]}/" if row["instrument"] else ""
    papers = release.query(PUBLICATIONS)
    for row in papers:
        row["source"] = release.source(row["reference_id"])
        row |= {name: row[name] or None for name in ("observations", "detections", "measured")}  # nothing is left blank
    return {
        **whole,
        "papers": len(papers),
        "listed": min(len(papers), MOST_LISTED),
        "by_instrument": table(f"{plural(whole['observations'], 'observation')} of no survey", BY_INSTRUMENT, rows),
        "by_publication": table("What rests on each publication", BY_PUBLICATION, papers[:MOST_LISTED]),
    }
