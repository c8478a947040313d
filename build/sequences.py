"""Tell where companions stand in colour–magnitude planes, against field dwarfs and against one another."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import duckdb
import numpy as np

from lyot.build.rows import columns, insert, read
from lyot.build.visible import Audience
from lyot.catalog.photometry import Magnitude, absolute, preferred
from lyot.catalog.sequence import Members, Stand, spelled_type, stand
from lyot.catalog.table import tables
from lyot.errors import BadInput

Row = dict[str, Any]


class Plane(NamedTuple):
    """Two bands, in order of wavelength, and the one whose absolute magnitude orders the sequence."""

    blue: str
    red: str
    along: str


#: Planes of field dwarfs: broad bands of any instrument against the Mauna Kea filters.
FIELD = (Plane("J", "K", "K"), Plane("J", "H", "H"), Plane("H", "K", "K"))
#: Planes of known companions, by the bands of SPHERE: no field dwarf was observed in them.
PAIRS = (
    Plane("SPHERE/H2", "SPHERE/H3", "SPHERE/H2"), Plane("SPHERE/K1", "SPHERE/K2", "SPHERE/K1"),
    Plane("SPHERE/J2", "SPHERE/J3", "SPHERE/J2"),
)  # fmt: skip
BANDS = tuple(band for plane in PAIRS for band in plane[:2])
FIELD_WIDTH, PAIR_WIDTH = 0.25, 1.0  # mag: there are hundreds of field dwarfs, and some twenty companions
#: Half of the 0.4 mag by which systems of J, H and K differ for T dwarfs (arXiv:astro-ph/0311229).
SYSTEM = 0.2
#: What the order of a sum decides is not kept: the same rows give the same release.
DECIMALS = 6
#: What companions are known to shine with: published, or as our own detections say, which come second. Several
#: reductions of one observation show the same frames: only the most precise of them counts.
_MAGNITUDES = f"""
WITH seen AS (
    SELECT companion_id, band, value, error_minus, error_plus, simulated, workspace, release_date, 0 AS rank
    FROM measurement WHERE quantity = 'apparent_mag' AND companion_id IS NOT NULL AND "limit" IS NULL
    UNION ALL
    SELECT companion_id, filter, apparent_mag, apparent_mag_error, apparent_mag_error, simulated, workspace,
        release_date, 1
    FROM detection WHERE companion_id IS NOT NULL AND apparent_mag IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY companion_id, filter, observation_id
        ORDER BY apparent_mag_error NULLS LAST, apparent_mag, reduction_id, number, wavelength) = 1
), several AS (
    SELECT companion_id FROM seen GROUP BY companion_id HAVING min(band) <> max(band)
)
SELECT s.* EXCLUDE (simulated, release_date) REPLACE (
        CASE WHEN t.workspace = $ours THEN $ours ELSE s.workspace END AS workspace), c.target_id, t.parallax,
    coalesce(t.parallax_error, 0) AS parallax_error, s.simulated OR t.simulated AS simulated,
    CASE WHEN s.release_date IS NOT NULL AND t.release_date IS NOT NULL
        THEN greatest(s.release_date, t.release_date) END AS release_date
FROM seen s SEMI JOIN several USING (companion_id)
    JOIN companion c USING (companion_id) JOIN target t ON t.target_id = c.target_id
WHERE t.parallax > 0 AND c.status IS DISTINCT FROM 'BACKGROUND'
    AND (regexp_full_match(band, '.+/(BB_)?(J|H|K|Ks)') OR band IN {BANDS})
WINDOW camera AS (PARTITION BY companion_id, regexp_replace(band, '/[^/]*$', ''))
QUALIFY rank = min(rank) OVER (PARTITION BY companion_id, band) AND min(band) OVER camera <> max(band) OVER camera
ORDER BY companion_id, band, rank, value, error_minus, error_plus, workspace
"""


class _Seen(NamedTuple):
    """One object in one plane; `shared` (mag²) is the covariance of magnitude and colour."""

    row: Row
    band: str
    magnitude: Magnitude
    colour: Magnitude
    shared: float
    member: bool


def add_positions(connection: duckdb.DuckDBPyConnection, audience: Audience) -> None:
    """Add as `measurement`s by how much companions are redder than a sequence, and which type field dwarfs have there.

    Derived from the magnitudes and the parallax, with the rights of both; of stars in the background nothing is told,
    for they are not as far away as the target.
    """
    by_companion: dict[str, list[Row]] = defaultdict(list)
    for row in read(connection, _MAGNITUDES, {"ours": audience.workspace}):
        by_companion[row["companion_id"]].append(row)
    made = []
    for plane in (*FIELD, *PAIRS):
        seen = [one for rows in by_companion.values() for one in _in_plane(rows, plane, audience)]
        members = _dwarfs(connection, plane) if plane in FIELD else _companions(seen)
        if not seen or len(members.names) == 0:
            continue
        places = stand(
            members, np.array([one.row["companion_id"] for one in seen]),
            _columns([one.magnitude for one in seen]), _columns([one.colour for one in seen]),
            np.nan_to_num([one.shared for one in seen]),
        )  # fmt: skip
        whom = "field dwarfs" if plane in FIELD else "imaged companions"
        made += [row for n, one in enumerate(seen) for row in _measurements(one, places, n, whom, plane)]
    insert(connection, tables()["measurement"], made)


def _in_plane(rows: list[Row], plane: Plane, audience: Audience) -> list[_Seen]:
    """The places of one companion in a plane: one for each camera with both bands."""
    cameras: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        camera, _, short = row["band"].rpartition("/")
        broad = short.removeprefix("BB_").removesuffix("s")
        cameras[camera][row["band"] if plane in PAIRS else broad].append(row)
    found = []
    for camera, bands in cameras.items():
        if plane.blue not in bands or plane.red not in bands:
            continue
        blue, red = preferred(bands[plane.blue]), preferred(bands[plane.red])
        if blue is None or red is None:
            continue
        used = [*bands[plane.blue], *bands[plane.red]]
        systematic = Magnitude(0.0, 0.0 if plane in PAIRS or camera == "MKO" else SYSTEM)
        along, sign = (blue, 1.0) if plane.along == plane.blue else (red, -1.0)
        try:
            magnitude = absolute(along, used[0]["parallax"], used[0]["parallax_error"]) + systematic
        except BadInput:
            continue  # its parallax is no distance
        member = all(row["rank"] == 0 and not row["simulated"] for row in used)
        names = (used[0]["band"], next(row["band"] for row in bands[plane.red]))
        colour, shared = blue - red + systematic, sign * along.error**2
        found.append(_Seen(_rights(used, audience), "-".join(names), magnitude, colour, shared, member))
    return found


def _rights(rows: list[Row], audience: Audience) -> Row:
    """A row with the rights of several: simulated, or private, as soon as one of them is."""
    homes = {row["workspace"] for row in rows}
    days = [row["release_date"] for row in rows]
    home = audience.workspace if audience.workspace in homes else min(homes)
    return {
        "target_id": rows[0]["target_id"], "companion_id": rows[0]["companion_id"],
        "simulated": any(row["simulated"] for row in rows), "workspace": home,
        "release_date": max(days) if all(days) else None,
    }  # fmt: skip


def _dwarfs(connection: duckdb.DuckDBPyConnection, plane: Plane) -> Members:
    blue, red, along = (f"mko_{band.lower()}" for band in plane)
    found = columns(
        connection,
        f"SELECT name, {along} + 5 * log10(parallax / 100) AS magnitude, {blue} - {red} AS colour, spectral_number "
        f"FROM field_dwarf WHERE parallax > 0 AND {blue} IS NOT NULL AND {red} IS NOT NULL ORDER BY name",
    )
    magnitude, colour, kind = (found[name].to_numpy() for name in ("magnitude", "colour", "spectral_number"))
    return Members(found["name"].to_numpy().astype(str), magnitude, colour, kind, FIELD_WIDTH)


def _companions(seen: list[_Seen]) -> Members:
    """The objects of which somebody published both magnitudes."""
    own = [one for one in seen if one.member]
    return Members(
        np.array([one.row["companion_id"] for one in own], str), np.array([one.magnitude.value for one in own]),
        np.array([one.colour.value for one in own]), np.full(len(own), np.nan), PAIR_WIDTH,
    )  # fmt: skip


def _columns(magnitudes: list[Magnitude]) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors; an error that nobody knows is one of half a magnitude."""
    errors = np.array([one.error for one in magnitudes])
    return np.array([one.value for one in magnitudes]), np.where(np.isnan(errors), 0.5, errors)


def _measurements(one: _Seen, places: Stand, n: int, whom: str, plane: Plane) -> list[Row]:
    shared = one.row | {"band": one.band, "preferred": False}
    made = []
    if np.isfinite(places.offset[n]):
        said = f"derived: redder than {whom} of its absolute {plane.along}; their spread is in the error"
        made.append(shared | _valued("sequence_offset", places.offset[n], places.offset_error[n], "mag", said))
    if np.isfinite(places.kind[n]):
        kind = spelled_type(places.kind[n])
        said = f"derived: {whom} of its absolute {plane.along} are {kind}; M0 is 0, L0 is 10, T0 is 20"
        made.append(shared | _valued("sequence_type", places.kind[n], places.kind_error[n], None, said))
    return made


def _valued(quantity: str, value: float, error: float, unit: str | None, said: str) -> Row:
    error = round(float(error), DECIMALS)
    return {
        "quantity": quantity, "value": round(float(value), DECIMALS), "error_minus": error, "error_plus": error,
        "unit": unit, "preferred_reason": said,
    }  # fmt: skip
