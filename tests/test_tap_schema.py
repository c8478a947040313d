"""TAP_SCHEMA says what the tables declare, and what the database has."""

import math
import sqlite3

import pytest
from skies import bake_sky

from lyot.catalog import obscore, tap_schema
from lyot.catalog.indices import FACETS, SORTED
from lyot.catalog.table import tables
from lyot.datasette.vo.functions import shape
from lyot.datasette.vo.schema import load, physical


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    connection = sqlite3.connect(bake_sky(tmp_path_factory.mktemp("sky"), 20, 60) / "lyot.db")
    yield connection
    connection.close()


def test_every_column_is_there_with_unit_and_meaning(connection):
    said = {
        (table, name.strip('"')): (unit, doc)
        for table, name, unit, doc in connection.execute(
            "SELECT table_name, column_name, unit, description FROM tap_schema_columns"
        )
    }
    for table in tables().values():
        for column in table.columns:
            assert said[f"lyot.{table.name}", column.name] == (column.unit or None, column.doc)


def test_every_table_it_names_can_be_read(connection):
    connection.execute(f"CREATE TEMP VIEW ivoa_obscore AS {obscore.view('http://x', 'x')}")
    for relation in load(connection).relations:
        names = ", ".join(f'"{field.name}"' for field in relation.fields)
        connection.execute(f'SELECT {names} FROM "{physical(relation.name)}"').fetchall()


def test_what_is_said_to_be_indexed_is(connection):
    for table, name in connection.execute("SELECT table_name, column_name FROM tap_schema_columns WHERE indexed"):
        short, column = table.removeprefix("lyot."), name.strip('"')
        indices = [row[1] for row in connection.execute(f'PRAGMA index_list("{short}")')]
        held = {row[2] for one in indices for row in connection.execute(f'PRAGMA index_info("{one}")')}
        assert column in held, (table, name)


@pytest.mark.parametrize("table", SORTED)
def test_what_people_narrow_down_and_sort_by_needs_no_look_at_every_row(connection, table):
    for column in FACETS.get(table, ()):
        plan = connection.execute(f'EXPLAIN QUERY PLAN SELECT {column}, count(*) FROM "{table}" GROUP BY {column}')
        assert "USING COVERING INDEX" in plan.fetchone()[3]
    plan = connection.execute(f'EXPLAIN QUERY PLAN SELECT * FROM "{table}" ORDER BY {SORTED[table][0]} DESC LIMIT 50')
    assert [row[3].partition(" USING INDEX ")[0] for row in plan] == [f"SCAN {table}"]


def test_keys_lead_from_columns_to_columns(connection):
    pairs = connection.execute(
        "SELECT from_table, from_column, target_table, target_column FROM tap_schema_keys "
        "JOIN tap_schema_key_columns USING (key_id)"
    ).fetchall()
    known = set(connection.execute("SELECT table_name, column_name FROM tap_schema_columns"))
    assert len(pairs) > 30
    for one, column, other, target in pairs:
        assert {(one, column), (other, target)} <= known


def test_words_of_the_language_stand_between_quotes():
    names = {entry["column_name"] for entry in tap_schema.content()["columns"]}
    assert {'"date"', '"size"', '"value"', '"year"', "target_id", "dec"} <= names


def test_obscore_has_a_row_for_every_file(connection):
    found = connection.execute(
        f"SELECT obs_id, s_ra, t_min, t_max, access_url FROM ({obscore.view('http://x', 'a.b')}) "
        "WHERE obs_publisher_did = 'ivo://a.b/lyot?p7'"
    ).fetchall()
    ra, mjd = connection.execute(
        "SELECT ra, mjd FROM target JOIN observation USING (target_id) WHERE target_id = 'star-7'"
    ).fetchone()
    half = 1800 / 86_400  # of an hour's exposure, in days
    address = "http://x/datalink/links?ID=ivo%3A%2F%2Fa.b%2Flyot%3Fp7"
    times = pytest.approx(mjd - half), pytest.approx(mjd + half)
    assert found == [("obs-7", ra, *times, address)]


def test_obscore_knows_the_field_and_the_filter_of_an_image(connection):
    """A frame of 500 px of 27 mas, in L' of NACO (3.49 to 4.11 µm), with a telescope of 8.2 m."""
    names = "s_fov, s_region, s_resolution, s_xel1, s_xel2, t_resolution, t_xel, em_min, em_max"
    (found,) = connection.execute(
        f"SELECT {names} FROM ({obscore.view('http://x', 'a.b')}) WHERE obs_publisher_did = 'ivo://a.b/lyot?p7'"
    ).fetchall()
    limit = math.degrees(1.029 * 3.8e-6 / 8.2) * 3600  # FWHM of the diffraction pattern, arcsec
    assert found[0] == pytest.approx(13.5 / 3600)
    assert found[2:] == (pytest.approx(limit), 500, 500, 36.0, 100, pytest.approx(3.49e-6), pytest.approx(4.11e-6))
    ra, dec = connection.execute("SELECT ra, dec FROM target WHERE target_id = 'star-7'").fetchone()
    region = shape(found[1])
    assert (region.ra, region.dec, region.radius) == pytest.approx((ra, dec, 6.75 / 3600))


def test_an_instrument_or_filter_that_nobody_knows_leaves_its_facts_out(connection):
    """The wavelength is still that of the observation."""
    connection.execute("UPDATE observation SET filter = 'strange', instrument = 'unheard' WHERE target_id = 'star-8'")
    view = obscore.view("http://x", "a.b")
    found = connection.execute(f"SELECT s_resolution, em_min, em_max FROM ({view}) WHERE target_name = 'Star 8'")
    assert found.fetchall() == [(None, pytest.approx(3.8e-6), pytest.approx(3.8e-6))]
    connection.rollback()
