"""The community's own validator and client on a served release: `stilts`."""

import csv
import io
import json
import shutil
import subprocess

import httpx
import pytest
from observatory import serving
from releases import stocked, with_pages
from skies import bake_sky

from lyot.build.publish import publish

pytestmark = [
    pytest.mark.stilts,
    pytest.mark.skipif(shutil.which("stilts") is None, reason="no stilts on this machine"),
]
#: Every stage but LOC, which is about observing plans.
STAGES = ("TMV", "TME", "TMS", "TMC", "CPV", "CAP", "AVV", "QGE", "QPO", "QAS", "UWS", "MDQ", "OBS", "UPL", "EXA")
ALLOWED_WARNINGS = 3


def stilts(*words, **more):
    done = subprocess.run(["stilts", *words], capture_output=True, text=True, timeout=600, check=False, **more)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return with_pages(publish(stocked(tmp_path_factory.mktemp("store")), tmp_path_factory.mktemp("out")).folder)


def check_taplint(base):
    """No error, few warnings, and every stage shown to have run: the exit code says nothing."""
    said = json.loads(
        stilts("taplint", f"tapurl={base}/tap", "format=json", "report=EWSFI", f"stages={' '.join(STAGES)}")
    )
    assert said["totals"]["ERROR"] == 0, said
    assert said["totals"].get("FAILURE", 0) == 0, said
    assert said["totals"]["WARNING"] <= ALLOWED_WARNINGS, said
    text = json.dumps(said)
    assert {one["code"] for one in said["sections"]} >= set(STAGES), text[:2000]
    reports = {
        f"{section['code']}-{report['code']}": report.get("text", "")
        for section in said["sections"]
        for report in section["reports"]
    }
    for stage in ("TMS", "QGE", "QPO", "QAS", "MDQ", "OBS"):
        done, of = reports[f"{stage}-QNUM"].rpartition(" ")[2].split("/")
        assert int(done) == int(of) > 0, (stage, reports)
    assert "UPL-QJOB" in reports  # what uploads came to is told of errors only
    assert "30/30 required" in reports["OBS-COLS"]
    assert reports["EXA-XNUM"].startswith("Found 5 examples")
    return said


def test_taplint_finds_no_error(served):
    check_taplint(served)


@pytest.mark.slow
def test_taplint_finds_no_error_on_a_hundred_thousand_stars(tmp_path):
    with serving(bake_sky(tmp_path / "public", 100_000, 1_000_000)) as (base, _):
        check_taplint(base)


@pytest.mark.parametrize("form", ["votable", "votable/b2"])
@pytest.mark.parametrize("table", ["lyot.target", "lyot.detection", "ivoa.ObsCore", "TAP_SCHEMA.columns"])
def test_votlint_is_content(served, form, table, tmp_path):
    query = {"LANG": "ADQL", "QUERY": f"SELECT * FROM {table}", "RESPONSEFORMAT": form}
    file = tmp_path / "table.xml"
    file.write_bytes(httpx.get(f"{served}/tap/sync", params=query).content)
    assert stilts("votlint", f"votable={file}", "ucd=true").strip() == ""


def test_datalinklint_is_content(served, tmp_path):
    query = {"LANG": "ADQL", "QUERY": "SELECT access_url FROM ivoa.ObsCore", "RESPONSEFORMAT": "json"}
    for (address,) in json.loads(httpx.get(f"{served}/tap/sync", params=query).content)["rows"]:
        file = tmp_path / "links.xml"
        file.write_bytes(httpx.get(address).content)
        said = stilts("datalinklint", f"votable={file}")
        assert "ERROR" not in said, said
        assert "WARN" not in said, said


@pytest.mark.parametrize("way", ["sync=true", "sync=false"])
def test_tapquery(served, way):
    query = "SELECT name, ra FROM lyot.target WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 86, -51, 2))"
    found = stilts("tapquery", f"tapurl={served}/tap", way, f"adql={query}", "ofmt=csv")
    assert list(csv.reader(io.StringIO(found))) == [["name", "ra"], ["β Pic", "86.8212"]]


def test_tapquery_with_a_table_of_ones_own(served, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("n,x\n1,2.5\n2,3.5\n")
    found = stilts("tapquery", f"tapurl={served}/tap", "nupload=1", f"upload1={file}", "ufmt1=csv", "upname1=mine",
                   "adql=SELECT n, x * 2 AS y FROM TAP_UPLOAD.mine WHERE x > 3", "ofmt=csv")  # fmt: skip
    assert list(csv.reader(io.StringIO(found))) == [["n", "y"], ["2", "7.0"]]


def test_cone(served):
    found = stilts("cone", f"serviceurl={served}/scs/target?", "lon=86.8", "lat=-51.0", "radius=1", "ofmt=csv")
    assert "beta-pic" in found


def test_tapskymatch(served, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("id,ra,dec\na,86.8213,-51.0665\nb,10,10\n")
    found = stilts("tapskymatch", f"tapurl={served}/tap", "taptable=lyot.target", "taplon=ra", "taplat=dec",
                   "tapcols=target_id", f"in={file}", "ifmt=csv", "inlon=ra", "inlat=dec", "sr=0.01",
                   "ofmt=csv")  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(found)))
    assert [(row["id"], row["target_id"]) for row in rows] == [("a", "beta-pic")]
