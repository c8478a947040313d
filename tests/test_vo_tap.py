"""TAP as clients meet it, over real HTTP: formats, limits, uploads, jobs."""

import csv
import io
import json
import time
import xml.etree.ElementTree as ET

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
import pyvo
from astropy.io import fits
from astropy.io.votable import parse, validate
from astropy.table import Table
from observatory import serving
from releases import sequence, stocked, with_pages

from lyot.build.publish import publish
from lyot.catalog.table import tables
from lyot.datasette.vo import jobs
from lyot.datasette.vo.examples import EXAMPLES

# pyvo leaves the connections of its sessions to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store = stocked(tmp_path_factory.mktemp("store"))
    sequence(store, "naco/beta-pic/2014-02-01", version=2, words="<&\"'> ]]>")
    return with_pages(publish(store, tmp_path_factory.mktemp("out")).folder)


@pytest.fixture(scope="module")
def tap(served):
    return pyvo.dal.TAPService(f"{served}/tap")


def ask(served, query, **more):
    return httpx.get(f"{served}/tap/sync", params={"LANG": "ADQL", "QUERY": query, **more})


def rows_of(content):
    return parse(io.BytesIO(content)).get_first_table().array


QUERY = "SELECT target_id, name, ra, dec, age, simulated FROM lyot.target"


def test_every_format_says_the_same(served):
    found = {}
    for name in ("votable", "votable/b2", "csv", "tsv", "json", "fits", "parquet"):
        answer = ask(served, QUERY, RESPONSEFORMAT=name)
        assert answer.status_code == 200, answer.text
        found[name] = answer.content
    want = ("beta-pic", "β Pic", 86.8212, -51.0665)
    for name in ("votable", "votable/b2"):
        row = rows_of(found[name])[0]
        assert tuple(row.data.item()[:4]) == want
        assert row.mask["age"]
        assert row["simulated"] == 0
    assert tuple(next(csv.DictReader(io.StringIO(found["csv"].decode()))).values()) == (
        "beta-pic", "β Pic", "86.8212", "-51.0665", "", "0")  # fmt: skip
    assert found["tsv"].decode().splitlines()[1].split("\t") == ["beta-pic", "β Pic", "86.8212", "-51.0665", "", "0"]
    said = json.loads(found["json"])
    assert said["rows"] == [[*want, None, 0]]
    assert said["columns"][2]["unit"] == "deg"
    table = Table(fits.open(io.BytesIO(found["fits"]))[1].data)
    assert (table["target_id"][0], table["ra"][0], table["simulated"][0]) == ("beta-pic", 86.8212, 0)
    assert np.isnan(table["age"][0])
    read = pq.read_table(io.BytesIO(found["parquet"]))
    assert tuple(read.to_pylist()[0].values()) == (*want, None, 0)
    assert read.schema.field("ra").metadata[b"unit"] == b"deg"


@pytest.mark.parametrize("name", ["votable", "votable/b2"])
def test_a_votable_of_every_table_is_valid(served, name, tmp_path):
    for table in tables():
        content = ask(served, f"SELECT * FROM lyot.{table}", RESPONSEFORMAT=name).content
        file = tmp_path / f"{table}.xml"
        file.write_bytes(content)
        problems = io.StringIO()
        assert validate(str(file), output=problems), problems.getvalue()
        rows_of(content)


def test_awkward_text_comes_back_as_it_was(served):
    for name in ("votable", "votable/b2"):
        found = rows_of(ask(served, "SELECT DISTINCT programme FROM lyot.observation", RESPONSEFORMAT=name).content)
        assert "<&\"'> ]]>" in {str(one) for one in found["programme"]}


def test_more_rows_than_asked_for_are_an_overflow(served):
    query = "SELECT table_name, column_name FROM TAP_SCHEMA.columns"
    for name in ("votable", "votable/b2"):
        content = ask(served, query, MAXREC="3", RESPONSEFORMAT=name).content
        assert content.index(b"OVERFLOW") > content.index(b"</TABLE>")
        assert len(rows_of(content)) == 3
    whole = ask(served, query).content
    assert b"OVERFLOW" not in whole
    assert len(rows_of(whole)) > 200
    assert json.loads(ask(served, query, MAXREC="3", FORMAT="json").content)["overflow"]
    assert not json.loads(ask(served, "SELECT TOP 3 ra FROM target", MAXREC="3", FORMAT="json").content)["overflow"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [({"QUERY": "SELECT 1"}, "LANG is missing"), ({"LANG": "SQL", "QUERY": "x"}, "LANG is SQL"),
     ({"LANG": "ADQL"}, "QUERY is missing"), ({"LANG": "ADQL", "QUERY": "DROP TABLE x"}, "DROP is not allowed"),
     ({"LANG": "ADQL", "QUERY": QUERY, "MAXREC": "-1"}, "MAXREC"),
     ({"LANG": "ADQL", "QUERY": QUERY, "FORMAT": "votabel"}, "did you mean votable?"),
     ({"LANG": "ADQL", "QUERY": QUERY, "REQUEST": "x"}, "REQUEST"),
     ({"LANG": "ADQL", "QUERY": QUERY, "UPLOAD": "a,param:b"}, "did not come"),
     ({"LANG": "ADQL", "QUERY": QUERY, "UPLOAD": "a,http://127.0.0.1/x"}, "not fetched from 127.0.0.1"),
     ({"LANG": "ADQL", "QUERY": QUERY, "UPLOAD": "a,file:///etc/passwd"}, "from file: addresses")],
)  # fmt: skip
def test_what_is_wrong_is_a_votable_that_says_so(served, parameters, words):
    answer = httpx.get(f"{served}/tap/sync", params=parameters)
    assert answer.status_code == 400
    resource = parse(io.BytesIO(answer.content)).resources[0]
    info = next(info for info in resource.infos if info.name == "QUERY_STATUS")
    assert info.value == "ERROR"
    assert words in info.content


def test_a_head_says_what_would_come_and_holds_nothing(folder):
    with serving(folder) as (base, application):
        query = {"LANG": "ADQL", "QUERY": "SELECT a.* FROM TAP_SCHEMA.columns AS a, TAP_SCHEMA.tables AS b"}
        answer = httpx.head(f"{base}/tap/sync", params=query)
        assert (answer.status_code, answer.content) == (200, b"")
        patience = time.monotonic() + 10  # the server closes after it has answered
        while application.observatory.streams._open and time.monotonic() < patience:
            time.sleep(0.05)
        assert application.observatory.streams._open == 0


def test_parameters_have_any_case_and_come_by_any_way(served):
    for lang in ("ADQL", "ADQL-2.0", "adql-2.1"):
        answer = httpx.post(f"{served}/tap/sync", data={"lang": lang, "query": QUERY, "responseformat": "csv"})
        assert answer.text.startswith("target_id,name"), answer.text


def test_it_says_what_it_has(served, tap):
    assert {"lyot.target", "ivoa.ObsCore", "TAP_SCHEMA.columns"} <= set(tap.tables.keys())
    column = next(one for one in tap.tables["lyot.detection"].columns if one.name == "separation")
    assert (column.unit, column.ucd, column.description) == ("mas", "pos.angDistance", "Angle from star to source")
    assert tap.maxrec == 20_000
    for table in ("lyot.target", "nothing.here"):
        answer = httpx.get(f"{served}/tap/tables/{table}")
        assert answer.status_code == (200 if table == "lyot.target" else 404)


def test_pyvo_asks_and_uploads(tap):
    found = tap.search("SELECT name, parallax FROM lyot.target WHERE parallax > 50")
    assert found.to_table()["name"].tolist() == ["β Pic"]
    mine = Table({"id": ["a", "b"], "ra": [86.8213, 10.0], "dec": [-51.0665, 10.0], "n": [1, 2]})
    matched = tap.search(
        "SELECT u.id, u.n, t.target_id FROM TAP_UPLOAD.mine AS u JOIN lyot.target AS t "
        "ON 1 = CONTAINS(POINT('ICRS', t.ra, t.dec), CIRCLE('ICRS', u.ra, u.dec, 0.001))",
        uploads={"mine": mine},
    ).to_table()
    assert [tuple(row) for row in matched] == [("a", 1, "beta-pic")]


def test_pyvo_runs_jobs(tap):
    found = tap.run_async("SELECT COUNT(*) AS n FROM lyot.detection")
    assert found["n"][0] == 2
    mine = Table({"x": [1.5, 2.5]})
    assert tap.run_async("SELECT SUM(x) AS s FROM TAP_UPLOAD.mine", uploads={"mine": mine})["s"][0] == 4.0
    with pytest.raises(pyvo.dal.DALQueryError, match="no column nmae"):
        tap.run_async("SELECT nmae FROM lyot.target")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_examples_run(tap, example):
    tap.search(example.query)


def test_examples_are_found_by_pyvo(tap):
    assert [one["QUERY"] for one in tap.examples] == [one.query for one in EXAMPLES]


def job(served, **values):
    answer = httpx.post(f"{served}/tap/async", data={"LANG": "ADQL", "QUERY": QUERY, **values})
    assert answer.status_code == 303
    return answer.headers["location"]


def said(address, word):
    return ET.fromstring(httpx.get(address).content).findtext(f"{UWS}{word}")


def test_a_job_lives_as_uws_says(served):
    address = job(served, RUNID="mine", FORMAT="csv")
    assert said(address, "phase") == "PENDING"
    assert said(address, "runId") == "mine"
    assert httpx.get(f"{address}/results/result").status_code == 404
    assert httpx.post(f"{address}/parameters", data={"MAXREC": "1"}).status_code == 303
    assert httpx.post(f"{address}/executionduration", data={"EXECUTIONDURATION": "5"}).status_code == 303
    assert httpx.get(f"{address}/executionduration").text == "5"
    assert httpx.post(f"{address}/destruction", data={"DESTRUCTION": "2999-01-01T00:00:00Z"}).status_code == 303
    assert httpx.get(f"{address}/destruction").text < "2100"
    assert httpx.post(f"{address}/phase", data={"PHASE": "RUN"}).status_code == 303
    while said(f"{address}?WAIT=5&PHASE=EXECUTING", "phase") not in jobs.ENDED:
        time.sleep(0.05)
    assert httpx.get(f"{address}/phase").text == "COMPLETED"
    assert httpx.get(f"{address}/results/result").text.startswith("target_id,name")
    assert b"maxrec" in httpx.get(f"{address}/parameters").content
    assert httpx.post(f"{address}/parameters", data={"MAXREC": "1"}).status_code == 400
    assert httpx.delete(address).status_code == 303
    assert httpx.get(address).status_code == 404


def test_a_job_waits_for_a_change_as_long_as_asked(served):
    address = job(served)
    began = time.monotonic()
    assert said(f"{address}?WAIT=1", "phase") == "PENDING"
    assert time.monotonic() - began > 0.9
    assert httpx.post(f"{address}/phase", data={"PHASE": "ABORT"}).status_code == 303
    assert httpx.get(f"{address}/phase").text == "ABORTED"


def test_nobody_sees_the_jobs_of_others(served):
    job(served)
    assert len(ET.fromstring(httpx.get(f"{served}/tap/async").content)) == 0


def test_jobs_survive_a_restart(folder):
    with serving(folder) as (base, _):
        done, pending = job(base, PHASE="RUN", FORMAT="csv"), job(base)
        while said(done, "phase") != "COMPLETED":
            time.sleep(0.05)
    with serving(folder) as (base, _):
        done, pending = (f"{base}/tap/async/{one.rpartition('/')[2]}" for one in (done, pending))
        assert httpx.get(f"{done}/results/result").text.startswith("target_id,name")
        httpx.post(f"{pending}/phase", data={"PHASE": "RUN"})
        while said(pending, "phase") != "COMPLETED":
            time.sleep(0.05)


def test_jobs_go_when_their_time_is_over(served):
    address = job(served, PHASE="RUN")
    httpx.post(f"{address}/destruction", data={"DESTRUCTION": "2020-01-01T00:00:00Z"})
    assert httpx.get(address).status_code == 404


def test_jobs_are_few(folder, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_JOBS", 3)
    with serving(folder) as (base, application):
        for one in list(application.observatory.jobs._jobs.values()):
            application.observatory.jobs.delete(one)
        for _ in range(3):
            job(base)
        answer = httpx.post(f"{base}/tap/async", data={"LANG": "ADQL", "QUERY": QUERY})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        monkeypatch.setattr(jobs, "YOUNG", jobs.timedelta(0))
        job(base)  # the oldest made room
        assert len(application.observatory.jobs._jobs) == 3


def test_results_are_small_enough(folder, monkeypatch):
    monkeypatch.setattr(jobs, "LARGEST_RESULT", 1000)
    with serving(folder) as (base, application):
        address = job(base, QUERY="SELECT * FROM TAP_SCHEMA.columns", PHASE="RUN")
        while said(address, "phase") not in jobs.ENDED:
            time.sleep(0.05)
        assert "larger than 1,000 bytes" in httpx.get(f"{address}/error").text
        assert not list(application.observatory.jobs.folder.glob("*/result*"))
