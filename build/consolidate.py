"""Gather the rows of every visible product into one DuckDB: rights filled in, names resolved, latest versions."""

from __future__ import annotations

import json

import duckdb

from lyot.build.naming import resolve_targets
from lyot.build.rows import insert
from lyot.build.sources import Sources
from lyot.build.visible import Audience, Chosen, Selection
from lyot.catalog.table import Table, tables
from lyot.store import Store

#: Tables in which several sources may describe one thing: their rows are merged, value by value.
MERGED = ("target", "companion")
#: Values that belong to one another, each with its error: they are taken from one source together.
TOGETHER = (("ra", "dec"), ("pmra", "pmdec"), ("age", "age_min", "age_max"))
#: Tables of what belongs to one workspace, and what names it there.
APART = {"observation": "observation_id", "reduction": "reduction_id"}
#: Which frames a detection was seen in: those of one observation, whatever workspace has them.
FRAMES = """
CASE WHEN ends_with(observation_id, '@' || detection.workspace)
    THEN left(observation_id, -1 - length(detection.workspace)) ELSE observation_id END AS observation_id
"""
#: Made here, from the products themselves; rows of these in a product are not read.
_OWN = ("product", "workspace")
#: A file shows the star of the observation or reduction that it holds.
_TARGET_OF_PRODUCT = """
UPDATE product SET target_id = shown.target_id
FROM (SELECT product_key, target_id FROM observation UNION SELECT product_key, target_id FROM reduction) AS shown
WHERE product.product_key = shown.product_key
"""


def consolidate(
    store: Store, connection: duckdb.DuckDBPyConnection, selection: Selection, audience: Audience
) -> None:
    """Fill the tables of the catalogue in `connection` with the rows of the selected products."""
    sources = Sources(store, connection, selection, audience)
    simulated = sources.find_simulated(selection)
    given = [table for table in tables().values() if table.name not in _OWN]
    for table in given:
        sources.read(table)
    if audience.workspace is None:
        _drop_rejected(connection, selection)
    resolve_targets(connection)
    _keep_apart(connection)
    for table in given:
        connection.execute(f'CREATE TABLE "{table.name}" AS {_latest(table, audience.workspace)}')
        connection.execute(f'DROP TABLE "given_{table.name}"')
    read = [one for one in selection.chosen if audience.with_simulated or one.kept.key not in simulated]
    for name in _OWN:
        connection.execute(tables()[name].create())
    insert(connection, tables()["product"], [_product(one, one.kept.key in simulated) for one in read])
    connection.execute(_TARGET_OF_PRODUCT)
    used = {one.kept.product.workspace for one in read}
    insert(
        connection,
        tables()["workspace"],
        [{"workspace": name, **policy} for name, policy in selection.policies.items() if name in used],
    )
    _unknown_targets(connection)
    _targets_of_products(connection)


def _drop_rejected(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    """Take out the reductions that somebody rejected, or nobody validated where that is needed, with their rows."""
    strict = [name for name, policy in selection.policies.items() if policy["needs_validation"]]
    connection.execute(
        "CREATE TEMP TABLE _rejected AS SELECT reduction_id FROM given_reduction WHERE validation = 'rejected' "
        "OR (list_contains(?::VARCHAR[], workspace) AND validation IS DISTINCT FROM 'validated')",
        [strict],
    )
    for table in tables().values():
        if "reduction_id" in table.names:
            connection.execute(f"DELETE FROM given_{table.name} WHERE reduction_id IN (FROM _rejected)")
    connection.execute("DROP TABLE _rejected")


def _keep_apart(connection: duckdb.DuckDBPyConnection) -> None:
    """Let observations and reductions that two workspaces have under one name live beside one another.

    `main` has the plain name, or the first of the others; the rest have it with their workspace behind an `@`.
    """
    if connection.execute("SELECT count(DISTINCT workspace) < 2 FROM _source").fetchall()[0][0]:
        return
    for name, identifier in APART.items():
        shared = connection.execute(
            f"CREATE OR REPLACE TEMP TABLE _shared AS SELECT {identifier}, workspace "
            f"FROM (SELECT DISTINCT {identifier}, workspace FROM given_{name}) QUALIFY row_number() OVER "
            f"(PARTITION BY {identifier} ORDER BY workspace <> 'main', workspace) > 1"
        ).fetchall()
        for table in tables().values() if shared[0][0] else ():
            if identifier in table.names:
                connection.execute(
                    f"UPDATE given_{table.name} AS r SET {identifier} = r.{identifier} || '@' || r.workspace "
                    f"FROM _shared s WHERE r.{identifier} = s.{identifier} AND r.workspace = s.workspace"
                )


def _latest(table: Table, ours: str | None) -> str:
    """Query of one version of every row: merged, or else all that the newest source says under that key.

    What is said once, and that is nearly all, is neither sorted nor grouped.
    """
    key = ", ".join(f'"{name}"' for name in table.key)
    names = ", ".join(f'"{name}"' for name in table.names)
    given = f'"given_{table.name}"'
    if table.name not in MERGED:
        older = f"SELECT rowid FROM {given} QUALIFY rank() OVER (PARTITION BY {key} ORDER BY _rank DESC) > 1"
        return f"SELECT {names} FROM {given} WHERE rowid NOT IN ({older})"
    several = f"SELECT {key} FROM {given} GROUP BY {key} HAVING count(*) > 1"
    once = ", ".join(f'{_once(name)} AS "{name}"' for name in table.names)
    merged = ", ".join(f'{_merge(name, ours)} AS "{name}"' for name in table.names if name not in table.key)
    return (
        f"SELECT {once} FROM {given} WHERE (({key}) IN ({several})) IS NOT TRUE UNION ALL BY NAME "
        f"SELECT {names} FROM (SELECT {key}, {merged} FROM {given} WHERE ({key}) IN ({several}) GROUP BY {key})"
    )


def _once(name: str) -> str:
    """One value of what a single source says: an error of no value is none."""
    given = _given(name)
    return f'"{name}"' if given == f'"{name}" IS NOT NULL' else f'CASE WHEN {given} THEN "{name}" END'


def _given(name: str) -> str:
    """Whether a source says anything of a value, or of those that belong to it."""
    value = "ra" if name == "ref_epoch" else name.removesuffix("_error")
    group = next((names for names in TOGETHER if value in names), (value,))
    return " OR ".join(f'"{member}" IS NOT NULL' for member in group)


def _merge(name: str, ours: str | None) -> str:
    """One value from what several sources say, the newest of the observed ones; private if any source is."""
    if name == "workspace" and ours is not None:  # what only its members see is theirs
        return f"coalesce(max(workspace) FILTER (workspace = '{ours}'), min(workspace))"
    if name == "simulated":
        return "bool_and(simulated)"
    if name == "release_date":
        return "CASE WHEN count(*) = count(release_date) THEN max(release_date) END"
    return f'last("{name}" ORDER BY simulated DESC, _rank) FILTER (WHERE {_given(name)})'


def _product(one: Chosen, simulated: bool) -> dict[str, object]:
    """The row of `product` of a selected product."""
    kept, product = one.kept, one.kept.product
    file = kept.files.get("fits")
    return {
        "product_key": kept.key,
        "dataset": product.dataset,
        "kind": product.kind,
        "level": {"cube": 1, "calibration": 1, "reduction": 2}.get(product.kind),
        "label": product.label or None,
        "path": f"{kept.stem}.fits" if file else None,
        "size": file["size"] if file else None,
        "sha256": file["sha256"] if file else None,
        "created": kept.created,
        "version": product.about.get("version"),
        "quality": json.dumps(dict(product.about["quality"])) if "quality" in product.about else None,
        "inputs": json.dumps(list(product.inputs)),
        "record": json.dumps(dict(product.record), ensure_ascii=False),
        "simulated": simulated,
        "workspace": product.workspace,
        "release_date": one.release_date,
    }


def _unknown_targets(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the targets that no source describes a row with a name only, as the observers called them."""
    pointing = [t for t in tables().values() if "target_id" in t.names and t.name not in ("target", "product")]
    seen = " UNION ALL ".join(
        f"SELECT target_id, {'target_name' if 'target_name' in table.names else 'NULL'} AS name, "
        f'simulated, workspace, release_date FROM "{table.name}"'
        for table in pointing
    )
    connection.execute(
        "INSERT INTO target BY NAME SELECT target_id, coalesce(min(name), target_id) AS name, "
        "bool_and(simulated) AS simulated, min(workspace) AS workspace, min(release_date) AS release_date "
        f"FROM ({seen}) WHERE target_id IS NOT NULL AND target_id NOT IN (SELECT target_id FROM target) "
        "GROUP BY target_id"
    )


def _targets_of_products(connection: duckdb.DuckDBPyConnection) -> None:
    """Say of each product whose pixels it holds: the star of the observation or reduction that points to it."""
    pointing = " UNION ".join(
        f"SELECT product_key, target_id FROM {table} WHERE product_key IS NOT NULL"
        for table in ("observation", "reduction")
    )
    connection.execute(
        f"UPDATE product SET target_id = pointing.target_id FROM ({pointing}) AS pointing "
        "WHERE pointing.product_key = product.product_key"
    )
