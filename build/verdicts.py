"""Judge every companion of the consolidated catalogue by its astrometry over all epochs and surveys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import duckdb
from astropy.time import Time

from lyot.build.visible import Audience
from lyot.catalog.forecast import decides_on
from lyot.catalog.motion import Positions, Verdict, judge_all, positions, star_of
from lyot.catalog.table import tables
from lyot.sky import Star

Row = dict[str, Any]

ORIGIN = "astrometry"
_ASTROMETRY = """
SELECT d.companion_id, d.observation_id, d.mjd, d.separation, d.separation_error, d.position_angle,
    d.position_angle_error, d.dra, d.dra_error, d.ddec, d.ddec_error, d.dra_ddec_correlation,
    d.simulated, d.workspace, d.release_date
FROM detection d JOIN companion c USING (companion_id)
WHERE d.mjd IS NOT NULL AND (d.separation IS NOT NULL OR d.dra IS NOT NULL)
ORDER BY d.companion_id, d.mjd
"""
_HOSTS = """
SELECT c.companion_id, c.target_id, t.ra, t.dec, t.ref_epoch, t.pmra, t.pmdec, t.parallax, t.radial_velocity, t.mass
FROM companion c LEFT JOIN target t USING (target_id)
"""


def add_verdicts(connection: duckdb.DuckDBPyConnection, audience: Audience) -> None:
    """Add to the table `verdict` what astrometry says of each companion that was seen, and when it would say more."""
    hosts = {row["companion_id"]: row for row in _rows(connection, _HOSTS)}
    seen = [
        (name, list(rows)) for name, rows in groupby(_rows(connection, _ASTROMETRY), lambda row: row["companion_id"])
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
    values = tables()["verdict"].rows(made)
    connection.register("_values", values)
    connection.execute("INSERT INTO verdict BY NAME FROM _values")
    connection.unregister("_values")


def _judgement(verdict: Verdict, source: tuple[Star | None, Positions, float | None], now: float) -> Row:
    """The columns of a verdict; when the next epoch would decide, where none has."""
    star, seen, mass = source
    open_ = verdict.status in ("UNDEFINED", "AMBIGUOUS") and star is not None and seen.epochs > 0
    return {
        "origin": ORIGIN,
        "author": "Lyot",
        "status": verdict.status,
        "log_odds": verdict.log_odds,
        "epochs": verdict.epochs,
        "time_span": verdict.time_span,
        "chi2_background": verdict.chi2_background,
        "reason": verdict.reason,
        "decides_on": decides_on(star, seen, mass, after=now) if open_ and star is not None else None,
    }


def _rights(rows: list[Row], audience: Audience) -> Row:
    """Of what is derived from several rows: it is simulated or private as soon as one of them is."""
    dates = [row["release_date"] for row in rows]
    ours = any(row["workspace"] == audience.workspace for row in rows)
    return {
        "simulated": any(row["simulated"] for row in rows),
        "workspace": audience.workspace if ours else rows[0]["workspace"],
        "release_date": None if None in dates else max(dates),
    }


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Row]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    while batch := cursor.fetchmany(10_000):
        yield from (dict(zip(names, row, strict=True)) for row in batch)
