"""Questions that astronomers ask of the catalogue, as SQL for the baked SQLite."""

from __future__ import annotations

from lyot.declaration import Declaration


class Query(Declaration):
    """A question, its answer in SQL (`:name` are what the reader fills in), and what the reader should know."""

    name: str
    title: str
    doc: str
    sql: str


QUERIES = (
    Query(
        name="target-by-any-name",
        title="Which star has this name?",
        doc="Searches names, aliases and companions; the beginning of a name is enough.",
        sql="""
SELECT target.target_id, target.name, ra, dec, parallax, spectral_type
FROM target_fts JOIN target ON target.rowid = target_fts.rowid
WHERE target_fts MATCH '"' || replace(:name, '"', ' ') || '"*'
ORDER BY rank
""",
    ),
    Query(
        name="bound-companions-below-20-jupiter-masses",
        title="Stars with a bound companion of less than 20 Jupiter masses",
        doc="Bound as the verdict says, derived from astrometry or given by people; masses as published.",
        sql="""
SELECT target.target_id, target.name AS star, companion.name AS companion, companion.mass, companion.mass_error,
    companion.semi_major_axis, target.age, 1000 / target.parallax AS distance_pc
FROM companion JOIN target USING (target_id)
WHERE companion.status = 'COMPANION' AND companion.mass < 20
ORDER BY companion.mass
""",
    ),
    Query(
        name="deepest-limits-around-young-stars",
        title="Deepest limit at 0.5″ around stars younger than 50 Myr",
        doc="The faintest contrast that would have been detected at 5σ between 450 and 550 mas, one row per star.",
        sql="""
SELECT target.target_id, target.name, target.age, l.filter, min(l.contrast * 5 / coalesce(l.sigma, 5)) AS contrast,
    l.separation, l.reduction_id
FROM detection_limit l JOIN target USING (target_id)
WHERE l.separation BETWEEN 450 AND 550 AND l.noise = 'mawet' AND target.age < 50
GROUP BY target.target_id
ORDER BY contrast
""",
    ),
    Query(
        name="observed-in-two-filters",
        title="Stars observed in two filters",
        doc="A part of each filter's name is enough, as H2 and K1.",
        sql="""
SELECT target.target_id, target.name, count(DISTINCT a.observation_id) AS observations_in_first,
    count(DISTINCT b.observation_id) AS observations_in_second
FROM target JOIN observation a USING (target_id) JOIN observation b USING (target_id)
WHERE a.filter LIKE '%' || :first || '%' AND b.filter LIKE '%' || :second || '%'
GROUP BY target.target_id
ORDER BY target.name
""",
    ),
    Query(
        name="candidates-waiting-for-a-second-epoch",
        title="Candidates seen at one epoch only",
        doc="Nobody can say yet whether they are bound. Those least likely to be noise first.",
        sql="""
SELECT d.target_id, d.companion_id, d.reduction_id, d.number, o.date, d.filter, d.separation, d.position_angle,
    d.delta_mag, d.snr
FROM detection d JOIN observation o USING (observation_id) LEFT JOIN companion c USING (companion_id)
WHERE coalesce(c.epochs, 1) < 2 AND d.status IN ('UNDEFINED', 'CANDIDATE')
ORDER BY d.snr DESC
""",
    ),
    Query(
        name="when-would-another-epoch-decide",
        title="When would one more epoch decide?",
        doc="Companions whose astrometry does not tell bound from background yet, by the day on which it would.",
        sql="""
SELECT target_id, companion_id, status, epochs, time_span, log_odds, decides_on
FROM verdict
WHERE origin = 'astrometry' AND decides_on IS NOT NULL
ORDER BY decides_on
""",
    ),
    Query(
        name="relative-astrometry",
        title="Relative astrometry of a companion",
        doc="Every epoch of every survey, with its reference.",
        sql="""
SELECT d.mjd, o.date, d.separation, d.separation_error, d.position_angle, d.position_angle_error, o.instrument,
    d.filter, r.citation
FROM detection d LEFT JOIN observation o USING (observation_id)
    LEFT JOIN reference r ON r.reference_id = d.reference_id
WHERE d.companion_id = :companion_id
ORDER BY d.mjd
""",
    ),
    Query(
        name="colours-and-magnitudes",
        title="Colour–magnitude diagram in two filters",
        doc="Absolute magnitudes of companions in both, as SPHERE/H2 and SPHERE/H3.",
        sql="""
SELECT a.companion_id, a.value - b.value AS colour, a.value AS absolute_magnitude, a.error_plus AS error
FROM measurement a JOIN measurement b USING (companion_id)
WHERE a.quantity = 'absolute_mag' AND b.quantity = 'absolute_mag' AND a.band LIKE '%' || :first
    AND b.band LIKE '%' || :second
ORDER BY a.value
""",
    ),
)
