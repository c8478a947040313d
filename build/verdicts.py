"""Judge every companion of the consolidated catalogue by its astrometry over all epochs and surveys."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from astropy.time import Time

from lyot.build.consolidate import FRAMES
from lyot.build.reuse import recall_verdicts
from lyot.build.rows import columns, read
from lyot.build.visible import Audience
from lyot.catalog.forecast import decide_on
from lyot.catalog.motion import Source, judge_all, star_of
from lyot.catalog.positions import COLUMNS, positions_of_all
from lyot.catalog.table import tables

ORIGIN = "astrometry"
UNDECIDED = ("UNDEFINED", "CANDIDATE", "AMBIGUOUS")
#: Detections of known objects that say where these stand.
_SEEN = """
FROM detection JOIN companion AS c USING (companion_id)
WHERE mjd IS NOT NULL AND (separation IS NOT NULL OR dra IS NOT NULL)
"""
_ASTROMETRY = f"""
SELECT dense_rank() OVER (ORDER BY companion_id) - 1 AS source, {FRAMES}, {", ".join(COLUMNS)}, pmra, pmdec
{_SEEN.replace("WHERE", "LEFT JOIN target ON target.target_id = c.target_id WHERE")}
    AND companion_id IN (FROM _unjudged)
ORDER BY source, mjd, observation_id, reduction_id, number, wavelength -- of equals the first counts: always the same
"""
_HOSTS = """
SELECT c.companion_id, c.target_id, t.ra, t.dec, t.ref_epoch, t.pmra, t.pmdec, t.parallax, t.radial_velocity, t.mass
FROM companion c LEFT JOIN target t USING (target_id)
WHERE companion_id IN (FROM _unjudged)
ORDER BY companion_id
"""
#: Of what is derived from several rows: it is simulated or private as soon as one of them is.
_ADD = f"""
INSERT INTO verdict BY NAME
SELECT v.*, rights.* EXCLUDE (companion_id)
FROM (
    SELECT * FROM _verdicts
    UNION ALL BY NAME
    SELECT j.* EXCLUDE (mark, target_id, simulated, workspace, release_date) REPLACE ($now AS date), c.target_id
    FROM _judged j JOIN companion c USING (companion_id)
) AS v JOIN (
    SELECT companion_id, bool_or(detection.simulated) AS simulated,
        CASE WHEN bool_or(detection.workspace = $ours) THEN $ours ELSE min(detection.workspace) END AS workspace,
        CASE WHEN count(*) = count(detection.release_date) THEN max(detection.release_date) END AS release_date
    {_SEEN} GROUP BY companion_id
) AS rights USING (companion_id)
"""


def add_verdicts(connection: duckdb.DuckDBPyConnection, audience: Audience) -> None:
    """Add to the table `verdict` what astrometry says of each companion that was seen, and when it would say more."""
    recall_verdicts(connection, audience)
    companions, targets, sources = _sources(connection)
    verdicts = judge_all(sources)
    open_ = [n for n, verdict in enumerate(verdicts) if verdict.status in UNDECIDED]
    now = float(Time(audience.as_of, scale="utc").mjd)
    days = dict(zip(open_, decide_on([sources[n] for n in open_], after=now), strict=True))
    made = {name: [getattr(verdict, name) for verdict in verdicts] for name in _VERDICT}
    schema = tables()["verdict"].arrow_schema()
    made |= {"companion_id": companions, "target_id": targets, "decides_on": [days.get(n) for n in range(len(sources))]}
    said = {name: pa.array(values, schema.field(name).type) for name, values in made.items()}
    said |= {
        name: pa.repeat(pa.scalar(value), len(sources))
        for name, value in (("origin", ORIGIN), ("author", "Lyot"), ("date", audience.as_of))
    }
    connection.register("_verdicts", pa.table(said))
    connection.execute(_ADD, {"ours": audience.workspace, "now": audience.as_of})
    connection.unregister("_verdicts")


#: Columns that a verdict of `catalog.motion` fills.
_VERDICT = ("status", "log_odds", "epochs", "time_span", "chi2_background", "reason")


def _sources(connection: duckdb.DuckDBPyConnection) -> tuple[list[str], list[str], list[Source]]:
    """Identifiers of the companions that were seen, of their targets, and what is judged of each."""
    hosts = list(read(connection, _HOSTS))
    seen = columns(connection, _ASTROMETRY)
    observation = np.asarray(seen["observation_id"].combine_chunks().dictionary_encode().indices)
    numbers = {name: seen[name].to_numpy() for name in (*COLUMNS, "pmra", "pmdec")}
    where = positions_of_all(numbers, seen["source"].to_numpy(), observation, len(hosts))
    stars = {host["target_id"]: host for host in hosts}
    known = {name: star_of(host) for name, host in stars.items()}
    sources: list[Source] = [
        (known[host["target_id"]], places, host["mass"]) for host, places in zip(hosts, where, strict=True)
    ]
    return [host["companion_id"] for host in hosts], [host["target_id"] for host in hosts], sources
