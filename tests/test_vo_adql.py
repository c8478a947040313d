"""ADQL: what must work gives the right rows, what must not is refused with a place and a reason."""

import math
import sqlite3

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from lyot.datasette.vo.adql import translate
from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.functions import like, register
from lyot.datasette.vo.schema import Field, Relation, Schema

STARS = [
    ("a", "Alpha", 10.0, 20.0, 5.0, 1), ("b", "beta", 10.5, 20.0, 7.0, 2), ("c", "Gamma 10%", 359.9, -89.0, None, 3),
    ("d", "δ d'", 180.0, 0.0, 9.0, 4), ("e", "alphabet", 0.1, 0.0, -1.0, 5),
]  # fmt: skip
SEEN = [("a", 0, 100.0), ("a", 1, 200.0), ("b", 0, 300.0), ("z", 0, None)]
SCHEMA = Schema((
    Relation("lyot.star", "star", (
        Field("id", "char", "*"), Field("name", "unicodeChar", "*"), Field("ra", "double", unit="deg", ucd="pos.eq.ra"),
        Field("dec", "double", unit="deg"), Field("mag", "double", unit="mag"), Field("size", "long"))),
    Relation("lyot.seen", "seen", (
        Field("id", "char", "*"), Field("number", "long"), Field("separation", "double", unit="mas"))),
))  # fmt: skip


@pytest.fixture(scope="module")
def sky():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE star (id TEXT, name TEXT, ra REAL, dec REAL, mag REAL, size INTEGER)")
    connection.execute("CREATE TABLE seen (id TEXT, number INTEGER, separation REAL)")
    connection.executemany("INSERT INTO star VALUES (?,?,?,?,?,?)", STARS)
    connection.executemany("INSERT INTO seen VALUES (?,?,?)", SEEN)
    connection.execute("CREATE INDEX place ON star (dec, ra)")
    register(connection)
    return connection


def ask(sky, text):
    found = translate(text, SCHEMA)
    cursor = sky.execute(found.sql)
    assert [one[0] for one in cursor.description] == [field.name for field in found.fields]
    return cursor.fetchall()


WORKS = {
    "SELECT id FROM lyot.star": [("a",), ("b",), ("c",), ("d",), ("e",)],
    "select ID from STAR": [("a",), ("b",), ("c",), ("d",), ("e",)],
    'SELECT TOP 2 id, "size" FROM star': [("a", 1), ("b", 2)],
    "SELECT id FROM star ORDER BY mag DESC, 1 OFFSET 3": [("e",), ("c",)],
    "SELECT TOP 1 id FROM star ORDER BY id OFFSET 1": [("b",)],
    "SELECT DISTINCT id FROM seen WHERE id <> 'z' ORDER BY id": [("a",), ("b",)],
    "SELECT * FROM seen WHERE separation > 150 AND NOT id = 'b'": [("a", 1, 200.0)],
    "SELECT s.* FROM star AS s WHERE s.id = 'a'": [STARS[0]],
    "SELECT lyot.star.id FROM lyot.star WHERE star.dec < -80": [("c",)],
    "SELECT count(*) AS n, count(mag) AS m, avg(mag) AS a FROM star": [(5, 4, 5.0)],
    "SELECT id, count(*) AS n FROM seen GROUP BY id HAVING count(*) > 1": [("a", 2)],
    "SELECT COUNT(DISTINCT id) FROM seen": [(3,)],
    "SELECT star.id, separation FROM star JOIN seen ON star.id = seen.id WHERE number = 0 ORDER BY 1":
        [("a", 100.0), ("b", 300.0)],
    "SELECT id, separation FROM star JOIN seen USING (id) WHERE number = 1": [("a", 200.0)],
    "SELECT id, mag FROM star NATURAL JOIN seen WHERE number = 1": [("a", 5.0)],
    "SELECT s.id, number FROM star s LEFT OUTER JOIN seen AS d ON s.id = d.id WHERE s.id = 'e'": [("e", None)],
    "SELECT id FROM star RIGHT JOIN seen USING (id) WHERE name IS NULL": [("z",)],
    "SELECT COUNT(*) FROM star FULL OUTER JOIN seen USING (id)": [(7,)],
    "SELECT COUNT(*) AS n FROM star, seen": [(20,)],
    "SELECT id FROM star WHERE id IN (SELECT id FROM seen) AND mag NOT IN (7, 8)": [("a",)],
    "SELECT id FROM star WHERE EXISTS (SELECT * FROM seen WHERE seen.id = star.id AND number = 1)": [("a",)],
    "SELECT t.id FROM (SELECT id, mag FROM star WHERE mag > 6) AS t ORDER BY t.mag": [("b",), ("d",)],
    "SELECT id, (SELECT max(separation) FROM seen WHERE seen.id = star.id) AS far FROM star WHERE id='a'":
        [("a", 200.0)],
    "WITH near AS (SELECT id, dec FROM star WHERE dec >= 0), n (k) AS (SELECT id FROM near) "
    "SELECT count(*) AS c FROM near, n": [(16,)],
    "SELECT id FROM star UNION SELECT id FROM seen ORDER BY id": [(x,) for x in "abcdez"],
    "SELECT id FROM star INTERSECT SELECT id FROM seen ORDER BY 1": [("a",), ("b",)],
    "SELECT id FROM seen EXCEPT SELECT id FROM star": [("z",)],
    "SELECT TOP 1 id FROM star UNION ALL SELECT TOP 1 id FROM star": [("a",), ("a",)],
    "SELECT CAST(mag AS INTEGER) AS i, CAST(\"size\" AS DOUBLE PRECISION) AS x, CAST(mag AS VARCHAR(2)) AS t "
    "FROM star WHERE id='a'": [(5, 1.0, "5.")],
    "SELECT id FROM star WHERE name ILIKE 'ALPHA%' ORDER BY id": [("a",), ("e",)],
    "SELECT id FROM star WHERE name LIKE 'alpha%'": [("e",)],
    "SELECT id FROM star WHERE name LIKE '%10\\%'": [],
    "SELECT UPPER(name) AS u, LOWER(id) || '-' || name AS j FROM star WHERE id = 'd'": [("Δ D'", "d-δ d'")],
    "SELECT id FROM star WHERE name = 'δ d'''": [("d",)],
    "SELECT id FROM star WHERE mag BETWEEN 5 AND 7 OR mag IS NULL ORDER BY id": [("a",), ("b",), ("c",)],
    "SELECT COALESCE(mag, 0) AS m FROM star WHERE id = 'c'": [(0,)],
    "SELECT ROUND(-2.5) AS a, TRUNCATE(-2.55, 1) AS b, MOD(-7, 3) AS c, MOD(7.5, 2) AS d, POWER(2, 10) AS e, "
    "CEILING(1.2) AS f, FLOOR(-1.2) AS g, ABS(-3) AS h FROM star WHERE id='a'":
        [(-3.0, -2.5, -1, 1.5, 1024.0, 2.0, -2.0, 3)],
    "SELECT LOG(EXP(2)) AS a, LOG10(1000) AS b, SQRT(16) AS c, SQRT(-1) AS d, PI() AS e, DEGREES(PI()) AS f "
    "FROM star WHERE id='a'": [(2.0, 3.0, 4.0, None, math.pi, 180.0)],
    "SELECT ATAN2(1, 1) AS a, COS(0) AS b, COT(RADIANS(45)) AS c, ASIN(2) AS d FROM star WHERE id = 'a'":
        [(math.pi / 4, 1.0, pytest.approx(1.0), None)],
    "SELECT id FROM star WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 10, 20, 0.6)) ORDER BY id":
        [("a",), ("b",)],
    "SELECT id FROM star WHERE CONTAINS(POINT(ra, dec), CIRCLE(POINT(0, 0), 0.2)) = 1": [("e",)],
    "SELECT id FROM star WHERE CONTAINS(POINT(ra, dec), CIRCLE(100, -90, 1.5)) = 1": [("c",)],
    "SELECT id FROM star WHERE CONTAINS(POINT(ra, dec), CIRCLE(10, 20, 180)) = 0": [],
    "SELECT id FROM star WHERE CONTAINS(POINT(ra, dec), BOX(0, 0, 1, 1)) = 1": [("e",)],
    "SELECT id FROM star WHERE CONTAINS(POINT(ra, dec), POLYGON(9, 19, 11, 19, 10.2, 21)) = 1": [("a",), ("b",)],
    "SELECT id FROM star WHERE DISTANCE(POINT(ra, dec), POINT(180, 0)) < 1e-9": [("d",)],
    "SELECT id FROM star WHERE 0.6 >= DISTANCE(ra, dec, 10, 20) ORDER BY id DESC": [("b",), ("a",)],
    "SELECT s.id FROM star AS s JOIN star AS t ON DISTANCE(s.ra, s.dec, t.ra, t.dec) < 1 WHERE s.id <> t.id "
    "ORDER BY 1": [("a",), ("b",)],
    "SELECT INTERSECTS(CIRCLE(ra, dec, 1), BOX(12, 20, 2, 2)) AS i FROM star WHERE id = 'a'": [(1,)],
    "SELECT AREA(CIRCLE(ra, dec, 90)) AS a, COORD1(POINT(ra, dec)) AS x, COORD2(CENTROID(CIRCLE(ra, dec, 1))) AS y "
    "FROM star WHERE id = 'a'": [(pytest.approx(20626.48, abs=0.01), 10.0, 20.0)],
    "SELECT POINT(ra, dec) AS p, CIRCLE(1, 2, 3) AS c FROM star WHERE id = 'a'":
        [("POSITION ICRS 10.0 20.0", "CIRCLE ICRS 1.0 2.0 3.0")],
    "SELECT IN_UNIT(separation, 'arcsec') AS s FROM seen WHERE number = 1": [(pytest.approx(0.2),)],
    "SELECT id -- the name\nFROM star WHERE mag < 0": [("e",)],
    "SELECT FLOOR(mag / 5) AS bin, COUNT(*) AS n FROM star WHERE mag > 0 GROUP BY FLOOR(mag / 5)": [(1.0, 3)],
    "(SELECT id FROM star WHERE id = 'a')": [("a",)],
}  # fmt: skip


@pytest.mark.parametrize("query", WORKS)
def test_it_works(sky, query):
    assert ask(sky, query) == WORKS[query]


REFUSED = {
    "SELECT id FROM star; SELECT id FROM seen": "several statements",
    "SELECT id FROM star; DROP TABLE star": "several statements",
    "PRAGMA table_info(star)": "PRAGMA is not allowed",
    "ATTACH DATABASE '/tmp/x' AS x": "ATTACH is not allowed",
    "DELETE FROM star": "DELETE is not allowed",
    "INSERT INTO star VALUES (1)": "INSERT is not allowed",
    "UPDATE star SET id = 'x'": "UPDATE is not allowed",
    "CREATE TABLE x (id INTEGER)": "CREATE is not allowed",
    "VACUUM INTO '/tmp/x'": "VACUUM",
    "EXPLAIN SELECT id FROM star": "EXPLAIN",
    "": "empty",
    "  -- nothing": "empty",
    "SELECT id FROM star LIMIT 5": "line 1, column 27: LIMIT is not part of ADQL",
    "SELECT id FROM sta": "line 1, column 16: there is no table sta (did you mean star?)",
    "SELECT id FROM sqlite_master": "there is no table sqlite_master",
    "SELECT id FROM main.star": "there is no table main.star",
    "SELECT id FROM pragma_table_info('star')": "must stand here",
    "SELECT sepration FROM seen": "line 1, column 8: there is no column sepration in seen (did you mean separation?)",
    "SELECT x.id FROM star": "no table of FROM is called x",
    "SELECT id FROM star, seen": "column id is in seen and star",
    "SELECT rowid FROM star": "there is no column rowid",
    "SELECT load_extension('x') FROM star": "line 1, column 8: there is no function load_extension",
    "SELECT readfile('/etc/passwd') FROM star": "there is no function readfile",
    "SELECT randomblob(1000000000) FROM star": "there is no function randomblob",
    "SELECT contians(id) FROM star": "did you mean CONTAINS?",
    "SELECT POWER(2) FROM star": "POWER takes 2 arguments, not 1",
    "SELECT SQRT(name) FROM star": "SQRT takes numbers",
    "SELECT name + 1 FROM star": "a text stands where a number must",
    "SELECT id FROM star WHERE name = 5": "a text is compared with a number",
    "SELECT id FROM star WHERE mag": "a value stands where a condition must",
    "SELECT id = 'a' FROM star": "a condition stands where a value must",
    "SELECT id FROM star WHERE COUNT(*) > 1": "an aggregate in WHERE",
    "SELECT id, COUNT(*) FROM star": "line 1, column 8: id is neither grouped nor in an aggregate",
    "SELECT name FROM star GROUP BY id": "name is neither grouped",
    "SELECT MAX(COUNT(*)) FROM star": "MAX of an aggregate",
    "WITH RECURSIVE t AS (SELECT id FROM star UNION SELECT id FROM t) SELECT id FROM t": "RECURSIVE",
    "WITH t AS (SELECT id FROM t) SELECT id FROM t": "there is no table t",
    "SELECT " + "(" * 200 + "1" + ")" * 200 + " FROM star": "nested too deeply",
    "SELECT " + "-" * 0 + "- " * 5000 + "1 FROM star": "nested too deeply",
    "SELECT id FROM star WHERE " + " NOT " * 3000 + "mag > 1": "nested too deeply",
    "SELECT " + "1+" * 30000 + "1 FROM star": "words; 20,000 are allowed",
    "SELECT '" + "x" * 200_000 + "' FROM star": "characters; 100,000 are allowed",
    "SELECT id FROM star WHERE": "line 1",
    "SELEC id FROM star": "not allowed",
    "SELECT id FROM star WHERE name = 'x": "cannot be read",
    "SELECT 1": "a SELECT without FROM",
    "SELECT CASE WHEN mag > 1 THEN 1 ELSE 2 END FROM star": "CASE is not part of ADQL",
    "SELECT id FROM star CROSS JOIN seen": "CROSS JOIN is not part of ADQL",
    "SELECT id FROM star INTERSECT ALL SELECT id FROM seen": "INTERSECT ALL is not served",
    "SELECT id, mag FROM star UNION SELECT id FROM seen": "UNION of 2 and 1 columns",
    "SELECT id FROM (SELECT id FROM star)": "a subquery of FROM without a name",
    "SELECT id FROM star WHERE id IN (SELECT id, mag FROM star)": "IN with a subquery of 2 columns",
    "SELECT id FROM star ORDER BY 7": "ORDER BY 7 of 1 columns",
    "SELECT TOP x id FROM star": "line 1",
    "SELECT CAST(id AS BLOB) FROM star": "to cast to",
    "SELECT CIRCLE(0, 0, -1) FROM star": "a radius of -1 deg; it must be from 0 to 180",
    "SELECT POINT(0, 95) FROM star": "a declination of 95 deg",
    "SELECT POLYGON(0, 0, 1, 1) FROM star": "three or more pairs",
    "SELECT POINT('GALACTIC', 1, 2) FROM star": "positions are in ICRS",
    "SELECT IN_UNIT(mag, 'km') FROM star": "cannot be given in 'km'",
    "SELECT IN_UNIT(\"size\", 'km') FROM star": "without a unit",
    "SELECT mag FROM star GLOB": "",
    "SELECT id FROM star WHERE name GLOB 'a*'": "a value stands where a condition must",
    "SELECT id FROM star WHERE name REGEXP 'a+'": "",
    "SELECT id FROM star FOR UPDATE": "is not part of ADQL",
    "SELECT id INTO x FROM star": "not part of ADQL",
    "SELECT id FROM star WINDOW w AS (PARTITION BY id)": "not part of ADQL",
    "SELECT ROW_NUMBER() OVER (ORDER BY id) FROM star": "",
    "SELECT id FROM star TABLESAMPLE (5)": "",
    "SELECT id FROM star, " + ", ".join(f"seen AS s{n}" for n in range(40)): "more than 32 tables",
    "SELECT a.id FROM star AS a, star AS a": "two tables are called a",
    "SELECT mag % 2 FROM star": "",
    "SELECT id FROM star WHERE id = ?": "",
    "SELECT id FROM star WHERE id = :name": "",
    "SELECT current_timestamp FROM star": "not part of ADQL",
    "SELECT NULL FROM star": "not part of ADQL",
    "SELECT id COLLATE nocase FROM star": "",
    "SELECT id[1] FROM star": "",
    "SELECT id FROM star QUALIFY mag > 1": "",
    "SELECT mag::integer FROM star": "",
}


@pytest.mark.parametrize("query", REFUSED, ids=lambda query: query[:60])
def test_it_is_refused_with_a_reason(sky, query):
    with pytest.raises(QueryError) as refused:
        ask(sky, query)
    assert REFUSED[query] in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_most_refusals_say_where(sky):
    said = 0
    for query in REFUSED:
        with pytest.raises(QueryError) as refused:
            ask(sky, query)
        said += str(refused.value).startswith("line ")
    assert said >= 60


def test_columns_keep_unit_and_type():
    fields = translate("SELECT ra, max(mag) AS m, count(*) AS n, 'x' AS t, ra + 1 AS r, \"size\" * 2 AS s FROM star "
                       "GROUP BY ra, \"size\"", SCHEMA).fields  # fmt: skip
    assert [(f.name, f.datatype, f.unit) for f in fields] == [
        ("ra", "double", "deg"), ("m", "double", "mag"), ("n", "long", ""), ("t", "unicodeChar", ""),
        ("r", "double", ""), ("s", "long", "")]  # fmt: skip


def test_a_cone_uses_the_index(sky):
    query = "SELECT id FROM star WHERE CONTAINS(POINT(ra, dec), CIRCLE(10, 20, 1)) = 1"
    plan = sky.execute("EXPLAIN QUERY PLAN " + translate(query, SCHEMA).sql).fetchall()
    assert "USING INDEX place (dec>? AND dec<?)" in plan[0][3]


def test_cones_find_what_astropy_says_at_poles_and_at_the_seam():
    random = np.random.default_rng(0)
    ra, dec = random.uniform(0, 360, 4000), np.degrees(np.arcsin(random.uniform(-1, 1, 4000)))
    ra[:40], dec[40:80] = 0.0, 90.0
    connection = sqlite3.connect(":memory:")
    register(connection)
    connection.execute("CREATE TABLE star (id TEXT, name TEXT, ra REAL, dec REAL, mag REAL, size INTEGER)")
    connection.executemany("INSERT INTO star (size, ra, dec) VALUES (?,?,?)", zip(range(4000), ra, dec, strict=True))
    places = SkyCoord(ra, dec, unit="deg")
    for number in range(300):
        where = (float(random.choice([0.0, 360.0, random.uniform(0, 360)])),
                 float(random.choice([90.0, -90.0, 89.9, random.uniform(-90, 90)])))  # fmt: skip
        radius = float(random.choice([0.0, 90.0, 180.0, random.uniform(0, 5), random.uniform(0, 180)]))
        cone = f"CIRCLE({where[0]!r}, {where[1]!r}, {radius!r})"
        query = f"SELECT \"size\" FROM star WHERE 1 = CONTAINS(POINT(ra, dec), {cone})"
        found = {row[0] for row in connection.execute(translate(query, SCHEMA).sql)}
        apart = places.separation(SkyCoord(*where, unit="deg")).deg
        expected = set(np.flatnonzero(apart <= radius))
        unclear = set(np.flatnonzero(np.abs(apart - radius) < 1e-9))
        assert found ^ expected <= unclear, (number, cone)


def test_matches_in_pairs_find_what_astropy_says():
    random = np.random.default_rng(1)
    connection = sqlite3.connect(":memory:")
    register(connection)
    connection.execute("CREATE TABLE star (id TEXT, name TEXT, ra REAL, dec REAL, mag REAL, size INTEGER)")
    ra, dec = random.uniform(0, 360, 300), random.uniform(-90, 90, 300)
    near = SkyCoord(ra, dec, unit="deg").directional_offset_by(random.uniform(0, 360, 300) * u.deg, 0.05 * u.deg)
    both = [(n, r, d) for n, (r, d) in enumerate(zip([*ra, *near.ra.deg], [*dec, *near.dec.deg], strict=True))]
    connection.executemany("INSERT INTO star (size, ra, dec) VALUES (?,?,?)", both)
    query = ('SELECT a."size" AS x, b."size" AS y FROM star AS a, star AS b WHERE a."size" < b."size" '
             "AND 1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 0.0500001))")  # fmt: skip
    found = set(connection.execute(translate(query, SCHEMA).sql).fetchall())
    assert {(n, n + 300) for n in range(300)} <= found
    assert len(found) < 310


@pytest.mark.parametrize(
    ("text", "pattern", "same"),
    [("abc", "a%c", 1), ("abc", "a_c", 1), ("ac", "a_c", 0), ("abcbc", "a%bc", 1), ("a.c", "a.c", 1),
     ("abc", "%", 1), ("", "%", 1), ("", "", 1), ("abc", "", 0), ("aXbXc", "%X%X%", 1), ("a\nb", "a_b", 1),
     ("abc", "abc%", 1), ("ab", "a%ab", 0), ("a+b", "%+_", 1), ("δδ", "_δ", 1), ("a\\b", "a\\_", 1),
     ("abab", "%ab", 1), ("ab ab", "%b a%b", 1)],
)  # fmt: skip
def test_like(text, pattern, same):
    assert like(text, pattern) == same
    # SQLite's own agrees
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    assert connection.execute("SELECT ? LIKE ?", (text, pattern)).fetchone() == (same,)


def test_like_takes_no_exponential_time():
    assert like("a" * 20_000, "%a" * 500 + "b") == 0
