"""Cone search, SIA2, DataLink, the record of the registry and the MOC, through pyvo and against astropy."""

import io
import json
import math
import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing

import httpx
import numpy as np
import pytest
import pyvo
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import parse
from observatory import serving
from releases import sequence, stocked, with_pages
from skies import bake_sky

from lyot.build.publish import publish
from lyot.datasette.vo.healpix import cell, moc

# pyvo leaves the connections of its sessions to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
BETA = SkyCoord(86.8212, -51.0665, unit="deg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store = stocked(tmp_path_factory.mktemp("store"))
    (cube,) = store.find(dataset="naco/beta-pic/2013-02-01", kind="cube")
    private, _ = sequence(store, "naco/beta-pic/2020-02-01", date=None)
    folder = with_pages(publish(store, tmp_path_factory.mktemp("out")).folder, "targets/beta-pic/index.html")
    file = folder / "site" / "data" / f"{cube.stem}.fits"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"SIMPLE  =")
    (folder / "private.txt").write_text(private.key)
    return folder


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    folder = bake_sky(tmp_path_factory.mktemp("sky") / "public", 2000, 4000)
    with serving(folder) as (base, _), closing(sqlite3.connect(folder / "lyot.db")) as connection:
        yield base, connection


def test_a_cone_search_finds_the_star(served):
    found = pyvo.dal.SCSService(f"{served}/scs/target?").search(BETA, radius=0.1 * u.deg)
    assert [row["target_id"] for row in found] == ["beta-pic"]
    assert (found[0].id, found[0].pos.ra.deg) == ("beta-pic", 86.8212)
    assert len(pyvo.dal.SCSService(f"{served}/scs/target?").search(SkyCoord(0, 0, unit="deg"), radius=1.0)) == 0


def test_a_detection_stands_where_its_offsets_put_it(served):
    found = pyvo.dal.SCSService(f"{served}/scs/detection?").search(BETA, radius=0.001 * u.deg, verbosity=3)
    assert len(found) == 1
    expected = BETA.directional_offset_by(211.2 * u.deg, 452.0 * u.mas)
    assert SkyCoord(found[0]["ra"], found[0]["dec"], unit="deg").separation(expected).mas < 0.5  # tangent plane
    assert len(pyvo.dal.SCSService(f"{served}/scs/detection?").search(BETA, radius=0.4 / 3600)) == 0


@pytest.mark.parametrize("ra", [0.0, 359.5, 120.0])
@pytest.mark.parametrize("dec", [-90.0, -60.0, 0.0, 89.0])
@pytest.mark.parametrize("radius", [3.0, 90.0, 180.0])
def test_cones_hold_what_astropy_says(sky, ra, dec, radius):
    base, connection = sky
    places = connection.execute("SELECT target_id, ra, dec FROM target").fetchall()
    coordinates = SkyCoord([one[1] for one in places], [one[2] for one in places], unit="deg")
    apart = coordinates.separation(SkyCoord(ra, dec, unit="deg")).deg
    answer = httpx.get(f"{base}/scs/target", params={"RA": ra, "DEC": dec, "SR": radius, "VERB": "1"})
    found = set(parse(io.BytesIO(answer.content)).get_first_table().array["target_id"])
    assert found == {one[0] for one, far in zip(places, apart, strict=True) if far <= radius}


def test_cones_of_detections_hold_what_astropy_says(sky):
    base, connection = sky
    sources = connection.execute(
        "SELECT reduction_id, number, ra, dec, dra, ddec FROM detection JOIN target USING (target_id) "
        "WHERE abs(dec) < 89"
    ).fetchall()
    ra, dec, dra, ddec = np.array([one[2:] for one in sources]).T
    angle, length = np.arctan2(dra, ddec), np.hypot(dra, ddec)
    places = SkyCoord(ra, dec, unit="deg").directional_offset_by(angle * u.rad, length * u.mas)
    for row in sources[::400]:
        middle = SkyCoord(row[2], row[3], unit="deg")
        apart = places.separation(middle).mas
        answer = httpx.get(f"{base}/scs/detection", params={"RA": row[2], "DEC": row[3], "SR": 500 / 3.6e6})
        found = set(parse(io.BytesIO(answer.content)).get_first_table().array["detection_id"])
        expected = {f"{one[0]}#{one[1]}@3.8" for one, far in zip(sources, apart, strict=True) if far <= 499}
        maybe = {f"{one[0]}#{one[1]}@3.8" for one, far in zip(sources, apart, strict=True) if far <= 501}
        assert expected <= found <= maybe


def test_a_cone_of_no_radius_has_columns_alone(served):
    answer = httpx.get(f"{served}/scs/target", params={"RA": "86.8212", "DEC": "-51.0665", "SR": "0"})
    table = parse(io.BytesIO(answer.content)).get_first_table()
    assert len(table.array) == 0
    assert {"ID_MAIN", "POS_EQ_RA_MAIN", "POS_EQ_DEC_MAIN"} <= {field.ucd for field in table.fields}


@pytest.mark.parametrize("more", [{}, {"RA": "x"}, {"RA": "400"}, {"DEC": "nan"}, {"SR": "-1"}, {"VERB": "7"}])
def test_a_cone_that_is_none_is_refused(served, more):
    given = {"RA": "1", "DEC": "2", "SR": "1", **more} if more else {}
    answer = httpx.get(f"{served}/scs/target", params=given)
    assert answer.status_code == 400
    assert b'value="ERROR"' in answer.content


def test_sia_finds_by_each_parameter(served):
    service = pyvo.dal.SIA2Service(f"{served}/sia2")
    assert len(service.search()) == 2
    assert len(service.search(pos=(86.8 * u.deg, -51.0 * u.deg, 0.5 * u.deg))) == 2
    assert len(service.search(pos=(0 * u.deg, 0 * u.deg, 0.5 * u.deg))) == 0
    assert len(service.search(pos=(86 * u.deg, 87 * u.deg, -52 * u.deg, -51 * u.deg))) == 2
    assert len(service.search(instrument="naco", calib_level=[2], data_type="cube")) == 1
    assert len(service.search(instrument="sphere")) == 0
    assert len(service.search(maxrec=1)) == 1


@pytest.mark.parametrize(
    "given",
    ["POS=CIRCLE+1+2", "POS=SQUARE+1+2+3", "BAND=x", "BAND=1+2+3", "TIME=nan", "CALIB=9", "POS=POLYGON+1+2+3+4",
     "POS=CIRCLE+0+95+1", "RESPONSEFORMAT=csv", "MAXREC=x"],
)  # fmt: skip
def test_sia_refuses_what_is_wrong(served, given):
    answer = httpx.get(f"{served}/sia2/query?{given}")
    assert answer.status_code == 400
    assert b'value="ERROR"' in answer.content


def test_open_intervals_and_the_polygon_of_sia(served):
    for given, count in (("BAND=-Inf+%2BInf", 2), ("BAND=4e-6+%2BInf", 0), ("TIME=-Inf+50000", 0),
                         ("POS=POLYGON+86+-52+88+-52+87+-50", 2), ("POS=RANGE+0+360+-Inf+%2BInf", 2),
                         ("TARGET=nobody", 0), ("CALIB=2&CALIB=3", 2)):  # fmt: skip
        answer = httpx.get(f"{served}/sia2/query?{given}")
        assert len(parse(io.BytesIO(answer.content)).get_first_table().array) == count, given


@pytest.mark.parametrize(
    ("given", "found"),
    [("BAND=3.8e-6", 1), ("BAND=4.0e-6+5e-6", 1), ("BAND=4.2e-6+5e-6", 0), ("BAND=3.8", 0),  # L' is 3.49 to 4.11 µm
     ("TIME=55007", 1), ("TIME=55007.01+56000", 1), ("TIME=55007.03+56000", 0), ("TIME=2455007.5", 0),  # an hour
     ("EXPTIME=3600", 1), ("EXPTIME=1", 0), ("FOV=0.0037+0.0038", 1), ("FOV=13.5", 0),  # 13.5 arcsec are 0.00375 deg
     ("SPATRES=0.09+0.10", 1), ("TIMERES=36", 1)],  # λ/D is 0.0956 arcsec; 100 frames
)  # fmt: skip
def test_units_of_sia_are_metres_days_seconds_and_degrees(sky, given, found):
    """One star of the sky, seen in L' for an hour around MJD 55007 with 100 frames of 13.5 arcsec."""
    answer = httpx.get(f"{sky[0]}/sia2/query?TARGET=Star+7&{given}")
    assert len(parse(io.BytesIO(answer.content)).get_first_table().array) == found


def test_links_lead_to_the_file_and_all_that_belongs_to_it(served):
    found = pyvo.dal.SIA2Service(f"{served}/sia2").search(data_type="image")
    links = found[0].getdatalink()
    kinds = [(row["semantics"], row["content_type"]) for row in links]
    assert kinds == [("#this", "application/fits"), ("#progenitor", "application/fits"),
                     ("#documentation", "application/json"), ("#documentation", "text/html")]  # fmt: skip
    for row in links:
        if row["semantics"] != "#this":
            assert httpx.get(row["access_url"]).status_code == 200, row["access_url"]


def test_what_is_private_and_what_does_not_exist_are_told_alike(served, folder):
    key = (folder / "private.txt").read_text()
    answers = []
    for name in (key, "0" * 16):
        given = {"ID": f"ivo://lyot.invalid/lyot?{name}"}
        answers.append(httpx.get(f"{served}/datalink/links", params=given).text.replace(name, "…"))
    assert answers[0] == answers[1]
    assert "NotFoundFault" in answers[0]
    query = {"LANG": "ADQL", "QUERY": f"SELECT * FROM lyot.product WHERE product_key = '{key}'", "FORMAT": "json"}
    assert json.loads(httpx.get(f"{served}/tap/sync", params=query).content)["rows"] == []


def test_every_service_says_what_it_is(served):
    for service in ("tap", "scs/target", "scs/detection", "sia2", "datalink"):
        capabilities = ET.fromstring(httpx.get(f"{served}/{service}/capabilities").content)
        assert len(capabilities) >= 3
        assert b"true" in httpx.get(f"{served}/{service}/availability").content
        assert httpx.get(f"{served}/{service}/else").status_code == 404


def test_the_record_of_the_registry_names_every_service(served):
    record = ET.fromstring(httpx.get(f"{served}/registry/record.xml").content)
    standards = {one.get("standardID") for one in record.iter("capability")}
    assert standards == {"ivo://ivoa.net/std/TAP", "ivo://ivoa.net/std/ConeSearch", "ivo://ivoa.net/std/SIA#query-2.0",
                         "ivo://ivoa.net/std/DataLink#links-1.1"}  # fmt: skip
    assert "lyot.detection" in {one.findtext("name") for one in record.iter("table")}


def test_the_moc_holds_what_was_observed(served):
    unit = fits.open(io.BytesIO(httpx.get(f"{served}/registry/moc.fits").content))[1]
    assert unit.header["ORDERING"] == "NUNIQ"
    assert unit.data["UNIQ"].tolist() == [4 * 4**8 + cell(86.8212, -51.0665, 8)]


def middle_of_cell(number: int, order: int) -> tuple[float, float]:
    """Middle (deg) of a nested cell, by eqs. 4 to 15 of Górski et al. 2005: ring and place on it from x and y."""
    side = 2**order
    face, inside = divmod(number, side * side)
    digits = f"{inside:0{2 * order}b}"
    x, y = int(digits[1::2], 2), int(digits[0::2], 2)
    ring = (face // 4 + 2) * side - (x + y) - 1
    across = 2 * (face % 4) - face // 4 % 2 + 1
    if side <= ring <= 3 * side:
        shift = (ring - side + 1) % 2
        place = (across * side + x - y + shift) / 2
        return math.degrees(math.pi / (2 * side) * (place - shift / 2)) % 360, math.degrees(
            math.asin(4 / 3 - 2 * ring / (3 * side))
        )
    cap = min(ring, 4 * side - ring)
    height = math.asin(1 - cap**2 / (3 * side**2))
    place = (across * cap + x - y + 1) / 2
    return math.degrees(math.pi / (2 * cap) * (place - 0.5)) % 360, math.degrees(math.copysign(height, 2 * side - ring))


def cells_of(content):
    return set((fits.open(io.BytesIO(content))[1].data["UNIQ"] - 4**9).tolist())


@pytest.mark.parametrize("place", [(86.8212, -51.0665), (0.0, 0.0), (359.999, 0.001), (45.0, 90.0), (200.0, -89.999)])
def test_the_moc_holds_every_cell_that_a_field_touches(place):
    """Against places all over the field by astropy; a place alone, where no field is known."""
    radius = 0.0015  # deg, as of a frame of 11 arcsec
    middle = SkyCoord(*place, unit="deg")
    angles, radii = np.meshgrid(np.arange(0, 360, 3), radius * np.linspace(0, 1, 6))
    inside = middle.directional_offset_by(angles.ravel() * u.deg, 0.999 * radii.ravel() * u.deg)
    expected = {cell(ra, dec, 8) for ra, dec in zip(inside.ra.deg.tolist(), inside.dec.deg.tolist(), strict=True)}
    assert cells_of(moc([(*place, radius)], 8)) == expected
    assert cells_of(moc([(*place, None)], 8)) == {cell(*place, 8)}


@pytest.mark.parametrize("order", [1, 3, 8])
def test_cells_are_numbered_as_the_paper_says(order):
    """Their middles, computed the other way round, lie in them."""
    every = 12 * 4**order
    numbers = range(every) if every < 1000 else np.random.default_rng(3).integers(0, every, 2000).tolist()
    assert [cell(*middle_of_cell(number, order), order) for number in numbers] == list(numbers)


def test_cells_are_of_equal_area_and_nested():
    random = np.random.default_rng(0)
    ra, dec = random.uniform(0, 360, 48_000), np.degrees(np.arcsin(random.uniform(-1, 1, 48_000)))
    counts = np.bincount([cell(*place, 1) for place in zip(ra, dec, strict=True)], minlength=48)
    assert len(counts) == 48
    assert np.abs(counts - 1000).max() < 5 * math.sqrt(1000)  # five sigma of equal areas
    for place in zip(ra[:500], dec[:500], strict=True):
        assert cell(*place, 10) >> 4 == cell(*place, 8)
    # corners and centres of the twelve large cells (Górski et al. 2005, section 4)
    assert [cell(45 + 90 * n, 60, 0) for n in range(4)] == [0, 1, 2, 3]
    assert [cell(90 * n, 0, 0) for n in range(4)] == [4, 5, 6, 7]
    assert [cell(45 + 90 * n, -60, 0) for n in range(4)] == [8, 9, 10, 11]
    for place in zip(ra[:500], dec[:500], strict=True):  # near places are in near cells
        assert cell(place[0], place[1], 5) == cell(place[0] + 1e-12, place[1], 5)
    assert {cell(0, 90, 8) >> 16, cell(200, -90, 8) >> 16} == {0, 10}
