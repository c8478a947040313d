"""What the release before already worked out, for everything that has not changed since: groups and verdicts.

Releases are immutable and each is baked anew; what costs is to group and to judge. Both are pure functions of some
rows, so their results are kept beside the releases with a mark of these rows (a hash of their values), and are taken
where the mark is the same. What is kept for a release holds nothing but what that release was made of.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import duckdb

import lyot
from lyot.build.visible import Audience
from lyot.catalog.forecast import STEP
from lyot.catalog.positions import COLUMNS

VERSION = 4  # bumped when the same rows give other groups or verdicts
_PLACE = ", ".join(f"d.{name}" for name in COLUMNS)
_KEY = "d.reduction_id, d.number, d.wavelength, d.observation_id"
_HOST = "t.ra, t.dec, t.ref_epoch, t.pmra, t.pmdec, t.parallax, t.radial_velocity, t.mass"

#: Targets with detections that no source gives to an object, with a mark of all that grouping looks at.
FIELDS = f"""
CREATE OR REPLACE TEMP TABLE _field AS
SELECT d.target_id,
    hash(bit_xor(hash({_KEY}, d.companion_id, d.snr, d.false_alarms, {_PLACE})), count(*), any_value(hash({_HOST})),
        any_value(k.names)) AS mark
FROM detection d LEFT JOIN target t USING (target_id)
LEFT JOIN (SELECT target_id, bit_xor(hash(companion_id)) AS names FROM companion GROUP BY target_id) k USING (target_id)
WHERE d.target_id IN (SELECT target_id FROM detection WHERE companion_id IS NULL AND mjd IS NOT NULL)
GROUP BY d.target_id
"""
#: Objects that were seen, with a mark of all that a verdict looks at.
OBJECTS = f"""
CREATE OR REPLACE TEMP TABLE _object AS
SELECT c.companion_id, hash(bit_xor(hash({_KEY}, {_PLACE})), count(*), any_value(hash({_HOST}))) AS mark
FROM detection d JOIN companion c USING (companion_id) LEFT JOIN target t ON t.target_id = c.target_id
WHERE d.mjd IS NOT NULL AND (d.separation IS NOT NULL OR d.dra IS NOT NULL)
GROUP BY c.companion_id
"""
#: Days (ISO) with the same number look for the day that decides on the same days (`catalog.forecast`).
_SEARCHED = f"datediff('day', DATE '1858-11-17', {{}}::DATE) // {STEP}"
_NOTHING = {
    "grouped": "SELECT NULL::VARCHAR AS target_id, NULL::UBIGINT AS mark, NULL::VARCHAR AS reduction_id, "
    "NULL::BIGINT AS number, NULL::DOUBLE AS wavelength, NULL::VARCHAR AS companion_id, NULL::VARCHAR AS proposed",
    "judged": "SELECT NULL::UBIGINT AS mark, * FROM verdict",
}
_GROUPED = """
SELECT f.target_id, f.mark, d.reduction_id, d.number, d.wavelength, d.companion_id, d.proposed
FROM _field f JOIN detection d USING (target_id)
"""
#: In the order of the table: DuckDB changes rows at random places ten times as slowly.
_TAKEN = """
CREATE OR REPLACE TEMP TABLE _taken AS
SELECT d.rowid AS place, g.companion_id, g.proposed
FROM detection d JOIN _grouped g ON d.reduction_id = g.reduction_id AND d.number = g.number
    AND d.wavelength IS NOT DISTINCT FROM g.wavelength
JOIN _field f ON g.target_id = f.target_id AND g.mark = f.mark
WHERE d.companion_id IS NULL
ORDER BY place
"""
_JUDGED = "SELECT o.mark, v.* FROM _object o JOIN verdict v USING (companion_id) WHERE v.origin = 'astrometry'"


def recall(connection: duckdb.DuckDBPyConnection, folder: Path | None) -> None:
    """Make the temporary tables `_grouped` and `_judged`: what is kept in a folder, or nothing."""
    for name, nothing in _NOTHING.items():
        path = folder and _kept(folder) / f"{name}.parquet"
        if path and path.exists():
            connection.execute(f"CREATE TEMP TABLE _{name} AS FROM read_parquet(?)", [str(path)])
        else:
            connection.execute(f"CREATE TEMP TABLE _{name} AS {nothing} LIMIT 0")


def recall_groups(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the detections of unchanged targets their objects; make `_ungrouped`: the targets that are left."""
    connection.execute(FIELDS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _ungrouped AS "
        "SELECT target_id FROM _field ANTI JOIN _grouped USING (target_id, mark)"
    )
    connection.execute(_TAKEN)
    connection.execute(
        "UPDATE detection SET companion_id = t.companion_id, proposed = t.proposed "
        "FROM _taken t WHERE detection.rowid = t.place"
    )


def recall_verdicts(connection: duckdb.DuckDBPyConnection, audience: Audience) -> None:
    """Make `_unjudged`: objects that were seen of which no verdict is kept, and drop from `_judged` what is outdated.

    When a further epoch would decide depends on today as well: it stays true while that day is still to come, or, if
    there is none, while the search looks at no further day.
    """
    connection.execute(OBJECTS)
    connection.execute(
        "DELETE FROM _judged WHERE (companion_id, mark) NOT IN (SELECT (companion_id, mark) FROM _object)"
    )
    connection.execute(
        "DELETE FROM _judged WHERE status NOT IN ('COMPANION', 'BACKGROUND') AND date <> $now "
        f"AND (decides_on <= $now OR date > $now OR decides_on IS NULL AND {_SEARCHED.format('date')} <> "
        f"{_SEARCHED.format('$now')})",
        {"now": audience.as_of},
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _unjudged AS "
        "SELECT companion_id FROM _object ANTI JOIN _judged USING (companion_id)"
    )


def remember(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Keep the groups and verdicts of a finished catalogue, in place of what the folder held."""
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    kept = part / _kept(folder).name
    kept.mkdir(parents=True)
    for name, query in (("grouped", _GROUPED), ("judged", _JUDGED)):
        connection.execute(f"COPY ({query}) TO '{str(kept / name).replace(chr(39), chr(39) * 2)}.parquet'")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def _kept(folder: Path) -> Path:
    """Hashes are those of one version of DuckDB."""
    return folder / f"{lyot.__version__}-{VERSION}-{duckdb.__version__}"
