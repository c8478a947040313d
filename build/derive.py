"""Derive what no single job can know: magnitudes, companions over epochs, verdicts, statuses."""

from __future__ import annotations

from pathlib import Path

import duckdb

from lyot.build.grouping import group_detections
from lyot.build.limit_masses import add_limit_masses
from lyot.build.masses import add_masses
from lyot.build.preference import prefer_values
from lyot.build.reuse import recall
from lyot.build.sequences import add_positions
from lyot.build.verdicts import add_verdicts
from lyot.build.visible import Audience
from lyot.catalog.isochrones import Isochrones


def derive(
    connection: duckdb.DuckDBPyConnection,
    audience: Audience,
    before: Path | None = None,
    isochrones: Isochrones | None = None,
) -> None:
    """Complete the consolidated tables in `connection`.

    Parameters
    ----------
    connection, audience
        What was consolidated, and for whom.
    before : Path, optional
        Folder with what the release before worked out (`build.reuse`).
    isochrones : Isochrones, optional
        By which masses of companions are told; none without.
    """
    recall(connection, before)
    prefer_values(connection)
    for step in (LIMITS_AS_MAGNITUDES, CONTRASTS_AS_MAGNITUDES, APPARENT_MAGNITUDES):
        connection.execute(step)
    connection.execute(ABSOLUTE_MAGNITUDES, {"ours": audience.workspace})
    if isochrones is not None:
        add_masses(connection, isochrones, audience)
        add_limit_masses(connection, isochrones)
    group_detections(connection)
    connection.execute(UNKNOWN_COMPANIONS)
    connection.execute(UNKNOWN_JUDGED)
    add_verdicts(connection, audience)
    for step in (EPOCHS, COMPANION_STATUS, DETECTION_STATUS, FAR_BEHIND):
        connection.execute(step)
    add_positions(connection, audience)


LIMITS_AS_MAGNITUDES = """
UPDATE detection_limit SET delta_mag = -2.5 * log10(contrast) WHERE delta_mag IS NULL AND contrast > 0
"""

#: Δm = −2.5 log₁₀ contrast; σ(Δm) = 2.5 / ln 10 · σ(contrast) / contrast.
CONTRASTS_AS_MAGNITUDES = """
UPDATE detection SET
    delta_mag = -2.5 * log10(contrast),
    delta_mag_error = 2.5 / ln(10) * contrast_error / contrast
WHERE delta_mag IS NULL AND contrast > 0
"""

#: m = m★ + Δm, the star in the broad band around the filter: the colour between the two, about zero for stars of types
#: A to G, is left out. Filters are named as SPHERE/H2 or Lp; those outside J, H, K and L' have no magnitude.
APPARENT_MAGNITUDES = """
WITH star AS (
    FROM (
        SELECT target_id, 'J' AS band, mag_j AS magnitude, mag_j_error AS error FROM target
        UNION ALL SELECT target_id, 'H', mag_h, mag_h_error FROM target
        UNION ALL SELECT target_id, 'K', mag_k, mag_k_error FROM target
        UNION ALL SELECT target_id, 'L', mag_lp, mag_lp_error FROM target
    ) WHERE magnitude IS NOT NULL
), named AS (
    SELECT rowid AS row, target_id, delta_mag, delta_mag_error, regexp_replace(lower(filter), '^.*/', '') AS filter
    FROM detection
    WHERE apparent_mag IS NULL AND delta_mag IS NOT NULL
), seen AS (
    SELECT *, CASE
        WHEN regexp_full_match(filter, '([bd]b_)?[jhk](s|[1234]|12|23|34)?')
            THEN upper(regexp_extract(filter, '^(?:[bd]b_)?(.)', 1))
        WHEN filter IN ('lp', 'l''') THEN 'L'
    END AS band
    FROM named
)
UPDATE detection SET
    apparent_mag = star.magnitude + seen.delta_mag,
    apparent_mag_error = sqrt(star.error ** 2 + seen.delta_mag_error ** 2)
FROM seen JOIN star USING (target_id, band)
WHERE detection.rowid = seen.row
"""

#: M = m − 5 log₁₀(d / 10 pc), d = 1000 / parallax; σ² = σ(m)² + (5 / ln 10 · σ(parallax) / parallax)².
ABSOLUTE_MAGNITUDES = """
INSERT INTO measurement BY NAME
SELECT m.* REPLACE (
    'absolute_mag' AS quantity,
    m.value + 5 * log10(t.parallax / 100) AS value,
    sqrt(m.error_minus ** 2 + (5 / ln(10) * t.parallax_error / t.parallax) ** 2) AS error_minus,
    sqrt(m.error_plus ** 2 + (5 / ln(10) * t.parallax_error / t.parallax) ** 2) AS error_plus,
    'derived from the apparent magnitude of this reference and the parallax of the target' AS preferred_reason,
    m.simulated OR t.simulated AS simulated,
    CASE WHEN t.workspace = $ours THEN $ours ELSE m.workspace END AS workspace,
    CASE WHEN m.release_date IS NOT NULL AND t.release_date IS NOT NULL
        THEN greatest(m.release_date, t.release_date) END AS release_date
)
FROM measurement m JOIN target t USING (target_id)
WHERE m.quantity = 'apparent_mag' AND m.companion_id IS NOT NULL AND t.parallax > 0
    AND coalesce(t.parallax_error, 0) <= t.parallax / 3 -- a distance that is worse is none
    AND NOT EXISTS (
        FROM measurement p WHERE p.quantity = 'absolute_mag' AND p.companion_id = m.companion_id
            AND p.band IS NOT DISTINCT FROM m.band
    ) -- what was published stands
"""

#: Objects that detections are grouped into but no source describes; those founded here are named after their star.
UNKNOWN_COMPANIONS = """
INSERT INTO companion BY NAME
SELECT d.companion_id, min(d.target_id) AS target_id, bool_and(d.simulated) AS simulated,
    coalesce(
        min(t.name || ' ' || substr(d.companion_id, length(t.target_id) + 2))
            FILTER (starts_with(d.companion_id, t.target_id || '-cc')),
        d.companion_id) AS name,
    min(d.workspace) AS workspace,
    CASE WHEN count(*) = count(d.release_date) THEN max(d.release_date) END AS release_date
FROM detection d LEFT JOIN target t USING (target_id)
WHERE d.companion_id IS NOT NULL AND d.companion_id NOT IN (SELECT companion_id FROM companion)
GROUP BY d.companion_id
"""

#: A verdict may be public before the object that it is on; it must not name that.
UNKNOWN_JUDGED = "DELETE FROM verdict WHERE companion_id NOT IN (SELECT companion_id FROM companion)"

EPOCHS = """
UPDATE companion SET epochs = coalesce(
    (SELECT first(v.epochs) FROM verdict v
     WHERE v.companion_id = companion.companion_id AND v.origin = 'astrometry'), 0)
"""

#: The newest human verdict; else that of astrometry; else what the source says; else it is a candidate if it was seen
#: at several epochs (around a star whose motion is not known), or once with magnitudes in two filters: a colour.
COMPANION_STATUS = """
UPDATE companion SET status = coalesce(
    (SELECT first(v.status ORDER BY v.date DESC) FROM verdict v
     WHERE v.companion_id = companion.companion_id AND v.origin = 'human'),
    (SELECT first(v.status) FROM verdict v
     WHERE v.companion_id = companion.companion_id AND v.origin = 'astrometry' AND v.status <> 'UNDEFINED'),
    status,
    CASE WHEN epochs > 1 OR epochs = 1 AND (
        SELECT count(DISTINCT d.filter) FROM detection d
        WHERE d.companion_id = companion.companion_id AND d.apparent_mag IS NOT NULL
    ) > 1 THEN 'CANDIDATE' ELSE 'UNDEFINED' END)
"""

DETECTION_STATUS = """
UPDATE detection SET status = coalesce(
    (SELECT c.status FROM companion c WHERE c.companion_id = detection.companion_id), 'UNDEFINED')
"""

#: A star in the background is not as far away as the target: what was derived with the target's distance is not true.
FAR_BEHIND = """
DELETE FROM measurement
WHERE quantity IN ('absolute_mag', 'isochrone_mass') AND starts_with(preferred_reason, 'derived')
    AND companion_id IN (SELECT companion_id FROM companion WHERE status = 'BACKGROUND')
"""
