"""Derive what no single job can know: magnitudes, companions over epochs, verdicts, statuses."""

from __future__ import annotations

import duckdb


def derive(connection: duckdb.DuckDBPyConnection) -> None:
    """Complete the consolidated tables in `connection`."""
    for step in (CONTRASTS_AS_MAGNITUDES, UNKNOWN_COMPANIONS, EPOCHS, COMPANION_STATUS, DETECTION_STATUS):
        connection.execute(step)


#: Δm = −2.5 log₁₀ contrast; σ(Δm) = 2.5 / ln 10 · σ(contrast) / contrast.
CONTRASTS_AS_MAGNITUDES = """
UPDATE detection SET
    delta_mag = -2.5 * log10(contrast),
    delta_mag_error = 2.5 / ln(10) * contrast_error / contrast
WHERE delta_mag IS NULL AND contrast > 0
"""

#: Objects that detections are grouped into but no source describes.
UNKNOWN_COMPANIONS = """
INSERT INTO companion BY NAME
SELECT companion_id, companion_id AS name, min(target_id) AS target_id, bool_and(simulated) AS simulated,
    min(workspace) AS workspace, min(release_date) AS release_date
FROM detection
WHERE companion_id IS NOT NULL AND companion_id NOT IN (SELECT companion_id FROM companion)
GROUP BY companion_id
"""

#: Detections of one day are one epoch.
EPOCHS = """
UPDATE companion SET epochs = coalesce(
    (SELECT count(DISTINCT floor(mjd)) FROM detection d
     WHERE d.companion_id = companion.companion_id AND d.separation IS NOT NULL), 0)
"""

#: The newest human verdict, else the one of astrometry, else what is known without either.
COMPANION_STATUS = """
UPDATE companion SET status = coalesce(
    (SELECT first(v.status ORDER BY v.origin = 'human' DESC, v.date DESC) FROM verdict v
     WHERE v.companion_id = companion.companion_id),
    CASE WHEN epochs > 0 THEN 'CANDIDATE' ELSE 'UNDEFINED' END)
"""

DETECTION_STATUS = """
UPDATE detection SET status = coalesce(
    (SELECT c.status FROM companion c WHERE c.companion_id = detection.companion_id), 'UNDEFINED')
"""
