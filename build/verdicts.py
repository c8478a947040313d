"""Judge every companion of the consolidated catalogue by its astrometry over all epochs and surveys."""

from __future__ import annotations

from itertools import groupby

import duckdb
from astropy.time import Time

from lyot.build.rows import Row, insert, read
from lyot.build.visible import Audience
from lyot.catalog.forecast import decides_on
from lyot.catalog.motion import Positions, Verdict, judge_all, positions, star_of
from lyot.catalog.table import tables
from lyot.sky import Star

ORIGIN = "astrometry"
UNDECIDED = ("UNDEFINED", "CANDIDATE", "AMBIGUOUS")
_ASTROMETRY = """
SELECT companion_id, observation_id, mjd, separation, separation_error, position_angle, position_angle_error,
    dra, dra_error, ddec, ddec_error, dra_ddec_correlation, simulated, workspace, release_date
FROM detection
WHERE companion_id IN (SELECT companion_id FROM companion) AND mjd IS NOT NULL
    AND (separation IS NOT NULL OR dra IS NOT NULL)
ORDER BY companion_id, mjd, reduction_id, number, wavelength
"""
_HOSTS = """
SELECT c.companion_id, c.target_id, t.ra, t.dec, t.ref_epoch, t.pmra, t.pmdec, t.parallax, t.radial_velocity, t.mass
FROM companion c LEFT JOIN target t USING (target_id)
"""


def add_verdicts(connection: duckdb.DuckDBPyConnection, audience: Audience) -> None:
    """Add to the table `verdict` what astrometry says of each companion that was seen, and when it would say more."""
    hosts = {row["companion_id"]: row for row in read(connection, _HOSTS)}
    seen = [
        (name, list(rows))
        for name, rows in groupby(read(connection, _ASTROMETRY), lambda row: row["companion_id"])
    ]
    sources = [(star_of(hosts[name]), positions(rows), hosts[name]["mass"]) for name, rows in seen]
    now = float(Time(audience.as_of, scale="utc").mjd)
    made = [
        {
            **_rights(rows, audience),
            **_judgement(verdict, source, now),
            "companion_id": name,
            "target_id": hosts[name]["target_id"],
            "date": audience.as_of,
        }
        for (name, rows), source, verdict in zip(seen, sources, judge_all(sources), strict=True)
    ]
    insert(connection, tables()["verdict"], made)


def _judgement(verdict: Verdict, source: tuple[Star | None, Positions, float | None], now: float) -> Row:
    """The columns of a verdict; from today on, when one more epoch would decide what is undecided."""
    star, seen, mass = source
    said: Row = {"origin": ORIGIN, "author": "Lyot", **vars(verdict)}
    if star is not None and seen.epochs and verdict.status in UNDECIDED:
        said["decides_on"] = decides_on(star, seen, mass, after=now)
    return said


def _rights(rows: list[Row], audience: Audience) -> Row:
    """Of what is derived from several rows: it is simulated or private as soon as one of them is."""
    dates = [row["release_date"] for row in rows]
    ours = any(row["workspace"] == audience.workspace for row in rows)
    return {
        "simulated": any(row["simulated"] for row in rows),
        "workspace": audience.workspace if ours else rows[0]["workspace"],
        "release_date": None if None in dates else max(dates),
    }
