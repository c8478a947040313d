"""Surveys, instruments and nights with what was observed in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from lyot.site.addresses import slugs
from lyot.site.release import Release
from lyot.site.values import reference_of
from lyot.site.words import instrument

MOST_NAMED = 300  # stars that a page names; the search has them all

SUMMARY = """\
SELECT {key} AS key, count(*) AS observations, count(DISTINCT o.target_id) AS stars,
       min(substr(o.date, 1, 10)) AS first, max(substr(o.date, 1, 10)) AS last,
       sum(o.exposure_time) / 3600.0 AS hours, min(o.simulated) AS simulated
FROM observation o WHERE {key} IS NOT NULL GROUP BY {key} ORDER BY observations DESC, key"""
STARS = """\
SELECT DISTINCT {key} AS key, t.target_id, t.name, t.ra, t.dec
FROM observation o JOIN target t ON t.target_id = o.target_id WHERE {key} IS NOT NULL ORDER BY {key}, t.name"""
SETUPS = """\
SELECT {key} AS key, o.instrument, o.setup, o.filter, o.coronagraph, count(*) AS observations,
       count(DISTINCT o.target_id) AS stars, min(substr(o.date, 1, 10)) AS first, max(substr(o.date, 1, 10)) AS last
FROM observation o WHERE {key} IS NOT NULL
GROUP BY {key}, o.instrument, o.setup, o.filter, o.coronagraph ORDER BY {key}, observations DESC"""
NIGHTS = """\
SELECT substr(o.date, 1, 10) AS night, o.date, o.mjd, o.instrument, o.setup, o.filter, o.coronagraph, o.frames,
       o.exposure_time, o.field_rotation, o.seeing, o.coherence_time, o.strehl, o.programme, o.simulated, o.target_id,
       t.name, (SELECT count(*) FROM reduction r WHERE r.observation_id = o.observation_id) AS reductions
FROM observation o LEFT JOIN target t ON t.target_id = o.target_id ORDER BY night, o.date, o.observation_id"""


def surveys(release: Release, folders: Mapping[str, str]) -> list[dict[str, Any]]:
    """Surveys with what was observed in each, those that observed most first."""
    found = {one["key"]: one for one in _summaries(release, "o.survey_id", folders)}
    names = slugs(sorted(release.surveys))
    listed = [
        {
            **found.get(key, _nothing(key)),
            "name": survey["name"],
            "slug": names[key],
            "description": survey["description"],
            "source": reference_of(release, survey),
        }
        for key, survey in release.surveys.items()
    ]
    return sorted(listed, key=lambda one: (-one["observations"], one["name"]))


def instruments(release: Release, folders: Mapping[str, str]) -> list[dict[str, Any]]:
    """Instruments with what was observed with each."""
    found = _summaries(release, "o.instrument", folders)
    names = slugs(sorted(one["key"] for one in found))
    return [{**one, "name": instrument(one["key"]), "slug": names[one["key"]]} for one in found]


def nights(release: Release, folders: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Nights (days, UTC) with their observations, one at a time."""
    for date, rows in groupby(release.each(NIGHTS), key=lambda row: row["night"]):
        if not date:
            continue
        observed = [{**row, "slug": folders.get(row["target_id"])} for row in rows]
        yield {
            "date": date,
            "rows": observed,
            "observations": len(observed),
            "instruments": sorted({row["instrument"] for row in observed if row["instrument"]}),
        }


def _summaries(release: Release, key: str, folders: Mapping[str, str]) -> list[dict[str, Any]]:
    """Numbers of each group, its set-ups and its stars; `key` is a column of ours."""
    setups = {of: list(some) for of, some in groupby(release.query(SETUPS.format(key=key)), key=itemgetter("key"))}
    named: dict[str, list[tuple[str, str]]] = {}
    places: dict[str, list[tuple[float | None, float | None]]] = {}
    for of, some in groupby(release.each(STARS.format(key=key)), key=itemgetter("key")):
        named[of], places[of] = [], []
        for star in some:
            places[of].append((star["ra"], star["dec"]))
            if len(named[of]) < MOST_NAMED and star["target_id"] in folders:
                named[of].append((star["name"], folders[star["target_id"]]))
    return [
        {
            **row,
            "simulated": bool(row["simulated"]),
            "setups": setups.get(row["key"], []),
            "instruments": sorted({one["instrument"] for one in setups.get(row["key"], []) if one["instrument"]}),
            "targets": named.get(row["key"], []),
            "places": places.get(row["key"], []),
        }
        for row in release.query(SUMMARY.format(key=key))
    ]


def _nothing(key: str) -> dict[str, Any]:
    return {
        "key": key, "observations": 0, "stars": 0, "first": None, "last": None, "hours": None, "simulated": False,
        "setups": [], "instruments": [], "targets": [], "places": [],
    }  # fmt: skip
