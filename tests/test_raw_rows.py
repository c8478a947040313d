"""What a data set was made of, and how well its calibrations fit, are rows that others can read."""

import json

import duckdb
import pytest

from lyot.build.consolidate import consolidate
from lyot.build.masters import MasterJob
from lyot.build.raw_rows import association_rows, raw_rows
from lyot.build.visible import Audience, select
from lyot.catalog.tables.association import ASSOCIATION
from lyot.catalog.tables.observation import OBSERVATION_TABLE
from lyot.catalog.tables.raw_file import RAW_FILE
from lyot.product import Product
from lyot.reduce.associate import Association
from lyot.reduce.classify import RawFile
from lyot.store import Store

DARK = RawFile(path="/night/dark.fits", sha256="d" * 64, arm="irdis", role="dark", start=57647.5, exposure=16.0,
               frames=3)
SCIENCE = RawFile(path="/night/a.fits", sha256="a" * 64, arm="irdis", role="science", start=57647.1, exposure=16.0,
                  frames=3, planned=4, filter="DB_H23", target="beta Pic")
FOUND = (
    Association(need="background 16 s OPEN", role="dark", files=(DARK,), level=0, hours=9.6, why="nearest in time"),
    Association(need="flat", role="flat", files=(), level=4, hours=0.0, why="no flat; instead: none"),
)


@pytest.fixture
def database(tmp_path):
    store = Store(str(tmp_path))
    about = {"quality": {"read_noise": 4.4}}
    master = MasterJob(FOUND[0], Product(kind="calibration", dataset="sphere-irdis/calibration/2016-09-16", record={},
                                         workspace="main", about=about))
    cube = Product(kind="cube", dataset="sphere-irdis/beta-pic/2016-09-15/db-h23", record={"files": 1},
                   inputs=(master.product.key,), workspace="main")
    store.put(master.product, {"fits": b"master"}, {"raw_file": RAW_FILE.rows(raw_rows([DARK], master.product))})
    observation = {"observation_id": cube.dataset, "target_id": "beta-pic", "target_name": "beta Pic",
                   "instrument": "sphere-irdis", "product_key": cube.key, "simulated": False, "workspace": "main"}
    serve = {FOUND[0].need: master.product.key}
    store.put(cube, {"fits": b"cube"}, {
        "observation": OBSERVATION_TABLE.rows([observation]),
        "raw_file": RAW_FILE.rows(raw_rows([SCIENCE, SCIENCE], cube)),
        "association": ASSOCIATION.rows(association_rows(FOUND, serve, cube, simulated=False)),
    })
    for dataset, day in ((master.product.dataset, "2016-09-16"), (cube.dataset, None)):
        store.note(f"releases/{dataset}", {"release_date": day}, workspace="main")

    def made(audience):
        connection = duckdb.connect()
        consolidate(store, connection, select(store, audience), audience)
        return connection

    return made


def test_members_see_files_choices_and_quality(database):
    made = database(Audience("main", "2026-01-01"))
    assert made.execute("SELECT name, role, frames, frames_planned FROM raw_file ORDER BY mjd").fetchall() == [
        ("a.fits", "science", 3, 4), ("dark.fits", "dark", 3, None)
    ]
    rows = made.execute("SELECT need, level, hours, raw_files FROM association ORDER BY need").fetchall()
    assert rows == [("background 16 s OPEN", 0, 9.6, json.dumps(["d" * 16])), ("flat", None, None, "[]")]
    kinds = made.execute("SELECT kind, level, quality FROM product ORDER BY kind").fetchall()
    assert kinds == [("calibration", 1, '{"read_noise": 4.4}'), ("cube", 1, None)]


def test_calibrations_are_public_while_the_frames_are_not(database):
    made = database(Audience(None, "2026-01-01"))
    assert made.execute("SELECT name FROM raw_file").fetchall() == [("dark.fits",)]
    assert made.execute("SELECT count(*) FROM association").fetchone() == (0,)
    assert made.execute("SELECT kind FROM product").fetchall() == [("calibration",)]
