"""What people do to a public service, on purpose or not: it keeps answering, and lets go of what they took."""

import asyncio
import gzip
import socket
import sqlite3
import threading
import time
from contextlib import closing, suppress
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from observatory import serving
from skies import bake_sky

from lyot.datasette.plugins import lyot_limits
from lyot.datasette.vo import fetch, run, service, stream, web
from lyot.datasette.vo.dialect import QueryError

ENDLESS = (
    "SELECT COUNT(*) AS n FROM lyot.detection AS a, lyot.detection AS b, lyot.detection AS c "
    "WHERE a.snr < b.snr + c.snr"
)
SMALL = "SELECT TOP 5 target_id FROM lyot.target"
SOON = 1.0  # s, for a small query whatever else goes on
PATIENT = httpx.Timeout(60.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return bake_sky(tmp_path_factory.mktemp("sky") / "public", 20_000, 60_000)


@pytest.fixture
def served(folder, monkeypatch):
    monkeypatch.setattr(service, "SYNC_SECONDS", 2.0)
    with serving(folder) as both:
        yield both


def parameters(query, **more):
    return {"LANG": "ADQL", "QUERY": query, **more}


def small(base):
    """Seconds that a small query takes."""
    began = time.monotonic()
    answer = httpx.get(f"{base}/tap/sync", params=parameters(SMALL), timeout=PATIENT)
    assert answer.status_code == 200, answer.text
    return time.monotonic() - began


def test_a_query_that_would_never_end_is_stopped(served):
    base, application = served
    began = time.monotonic()
    answer = httpx.get(f"{base}/tap/sync", params=parameters(ENDLESS), timeout=PATIENT)
    assert time.monotonic() - began < 2.0 + 2.0
    assert answer.status_code == 400
    assert "stopped after 2 s" in answer.text
    assert application.observatory.streams._open == 0


def test_a_sort_beyond_the_memory_is_refused_with_a_reason_and_not_put_on_disk(served):
    """By Datasette, whose SQL is anybody's; on a slow machine its two seconds are over first."""
    base, _ = served
    small(base)  # with it comes the limit, of all that SQLite holds in the process
    distinct = "SELECT DISTINCT hex(randomblob(400)) FROM n"
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)"
    answer = httpx.get(f"{base}/lyot.json", params={"sql": f"{counted} SELECT count(*) FROM ({distinct})"}, timeout=60)
    assert answer.status_code == 400
    assert "more memory than there is" in answer.text or "interrupted" in answer.text.lower()
    assert small(base) < SOON
    with closing(sqlite3.connect(":memory:")) as connection:
        lyot_limits.prepare_connection(connection)
        assert connection.execute("PRAGMA temp_store").fetchone()[0] == 2  # in memory


@pytest.mark.slow
def test_many_endless_queries_do_not_keep_small_ones_waiting(served):
    base, _ = served

    async def flood():
        async with httpx.AsyncClient(timeout=PATIENT, limits=httpx.Limits(max_connections=100)) as client:
            asked = [client.get(f"{base}/tap/sync", params=parameters(ENDLESS)) for _ in range(40)]
            running = [asyncio.create_task(one) for one in asked]
            await asyncio.sleep(1.0)
            waits = [await asyncio.to_thread(small, base) for _ in range(5)]
            answers = await asyncio.gather(*running)
        return waits, answers

    waits, answers = asyncio.run(flood())
    assert sorted(waits)[2] < SOON, waits
    assert {answer.status_code for answer in answers} <= {400, 503}


@pytest.mark.slow
def test_two_hundred_clients_at_once_are_all_answered(served):
    base, _ = served

    async def crowd():
        async with httpx.AsyncClient(timeout=PATIENT, limits=httpx.Limits(max_connections=200)) as client:
            asked = (client.get(f"{base}/tap/sync", params=parameters(SMALL)) for _ in range(200))
            return await asyncio.gather(*asked)

    answers = asyncio.run(crowd())
    assert {answer.status_code for answer in answers} == {200}


def reader(base, query):
    """A connection whose reader never reads on."""
    parts = urlsplit(base)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    path = f"/tap/sync?{urlencode(parameters(query, MAXREC='200000'))}"
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


@pytest.mark.slow
def test_readers_that_do_not_read_are_left(served, monkeypatch):
    monkeypatch.setattr(web, "PATIENCE", 6.0)
    base, application = served
    readers = [reader(base, "SELECT * FROM lyot.detection") for _ in range(100)]
    try:
        end = time.monotonic() + 5
        while application.observatory.streams._open < 60 and time.monotonic() < end:
            time.sleep(0.05)
        assert application.observatory.streams._open >= 60
        assert min(small(base) for _ in range(5)) < SOON
        end = time.monotonic() + 60
        while application.observatory.streams._open and time.monotonic() < end:
            time.sleep(0.1)
        assert application.observatory.streams._open == 0
    finally:
        for one in readers:
            one.close()


def test_a_reader_who_leaves_stops_his_query(served):
    base, application = served
    with closing(reader(base, ENDLESS)):
        time.sleep(0.3)
        assert application.observatory.streams._open == 1
    end = time.monotonic() + 1.0  # of the 2 s that it would have
    while application.observatory.streams._open and time.monotonic() < end:
        time.sleep(0.02)
    assert application.observatory.streams._open == 0


def test_more_than_can_be_done_is_refused_at_once(served, monkeypatch):
    monkeypatch.setattr(stream, "MOST_OPEN", 0)
    answer = httpx.get(f"{served[0]}/tap/sync", params=parameters(SMALL))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


def upload(base, content, name="t.xml"):
    query = parameters("SELECT * FROM TAP_UPLOAD.t", UPLOAD="t,param:t")
    return httpx.post(f"{base}/tap/sync", data=query, files={"t": (name, content)}, timeout=PATIENT)


INT = '<FIELD name="a" datatype="int"/>'


def votable(inside):
    return f'<VOTABLE version="1.4"><RESOURCE><TABLE>{inside}</TABLE></RESOURCE></VOTABLE>'.encode()


def test_fifty_megabytes_are_refused(served):
    with suppress(httpx.WriteError):  # refused before all of it was sent
        assert upload(served[0], b"<" * 50_000_000).status_code == 413
    assert small(served[0]) < SOON


BOMB = b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'"><!ENTITY c "' + b"&b;" * 1000 + b'">]><VOTABLE>&c;</VOTABLE>'
UPLOADS = {
    "zip": (gzip.compress(b"<VOTABLE>" + b" " * 50_000_000), "compressed tables are not taken"),
    "entities": (BOMB, "declares entities"),
    "elsewhere": (votable(INT + '<DATA><BINARY><STREAM href="file:///etc/passwd"/></BINARY></DATA>'),
                  "refers to data elsewhere"),
    "http": (votable(INT + '<DATA><FITS><STREAM href="http://127.0.0.1/"/></FITS></DATA>'),
             "refers to data elsewhere"),
    "gzip stream": (votable(INT + '<DATA><BINARY><STREAM encoding="gzip">AA</STREAM></BINARY></DATA>'),
                    "compresses them"),
    "array": (votable('<FIELD name="a" datatype="int" arraysize="99999x99999"/><DATA><TABLEDATA/></DATA>'), "elements"),
    "fields": (votable(INT * 500), "too large"),
    "rows": (votable(INT + '<DATA><TABLEDATA>' + "<TR/>" * 200_000 + "</TABLEDATA></DATA>"),
             "too large"),
    "not xml": (b"<VOTABLE><", "no XML"),
    "empty": (b"", "no VOTable"),
    "text": (b"id,ra\n1,2\n", "no VOTable"),
    "twice": (votable(INT + '<FIELD name="A" datatype="int"/><DATA><TABLEDATA/></DATA>'), "twice"),
    "no table": (b"<VOTABLE version='1.4'/>", "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", UPLOADS)
def test_uploads_that_would_harm_are_refused(served, name):
    content, words = UPLOADS[name]
    answer = upload(served[0], content)
    assert answer.status_code == 400
    assert words in answer.text, answer.text


def test_uploads_leave_nothing_behind(served, folder):
    good = votable(INT + '<DATA><TABLEDATA><TR><TD>7</TD></TR></TABLEDATA></DATA>')
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    assert "<TD>7</TD>" in upload(served[0], good).text
    assert "no table TAP_UPLOAD.t" in httpx.get(
        f"{served[0]}/tap/sync", params=parameters("SELECT * FROM TAP_UPLOAD.t")).text  # fmt: skip
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_the_last_lock_reads_only(folder):
    """Even SQL that had slipped through the translation could not write, nor read another file."""
    catalogue = run.Catalogue(folder / "lyot.db", "http://x", "x")
    connection = catalogue.take(fresh=False)
    for sql in ("DELETE FROM target", "CREATE TABLE x (a)", "CREATE TEMP TABLE x (a)", "ATTACH '/tmp/x.db' AS x",
                "PRAGMA query_only = OFF", "SELECT load_extension('x')", "SELECT randomblob(1000)",
                "VACUUM INTO '/tmp/x.db'",
                "SELECT * FROM sqlite_master, pragma_table_info('target')",
                "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t"):  # fmt: skip
        with pytest.raises(sqlite3.DatabaseError):
            connection.execute(sql).fetchall()
    connection.close()
    catalogue.close()


def test_memory_of_queries_is_bounded(served):
    """A sort of what would be gigabytes ends with a reason, not with the machine's memory."""
    query = ("SELECT DISTINCT a.target_id || b.target_id || a.reduction_id || b.observation_id AS t "
             "FROM lyot.detection AS a, lyot.detection AS b")  # fmt: skip
    answer = httpx.get(f"{served[0]}/tap/sync", params=parameters(query), timeout=PATIENT)
    assert answer.status_code in (200, 400)
    assert b"ERROR" in answer.content or b"OVERFLOW" in answer.content
    assert small(served[0]) < SOON


INSIDE = (
    "127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "192.168.0.1", "172.16.9.9", "0.0.0.0", "100.64.0.1",
    "224.0.0.1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:808:808::f5ff:fffe",
)  # fmt: skip


@pytest.mark.parametrize("place", INSIDE)
def test_tables_are_never_fetched_from_inside(monkeypatch, place):
    """A name on the list that resolves to an address inside is refused: no connection is made."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(None, None, None, "", (place, 80))])
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))
    with pytest.raises(QueryError, match="not a public address"):
        fetch.fetch("http://good.example/t.xml", ("good.example",))
    with pytest.raises(QueryError, match="not fetched from"):
        fetch.fetch(f"http://good.example@{'[::1]' if ':' in place else place}/t.xml", ("good.example",))


@pytest.mark.parametrize("place", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(place):
    assert fetch.is_public(place)


def test_a_redirection_is_not_followed_and_what_was_resolved_is_what_is_connected_to(monkeypatch):
    """The host's second answer of the resolver, and the place that its server names, are inside: neither is asked."""
    answers = iter(["8.8.8.8", "127.0.0.1"])
    asked, (ours, theirs) = [], socket.socketpair()

    def connect(place, timeout):
        asked.append(place)
        return ours

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(None, None, None, "", (next(answers), 80))])
    monkeypatch.setattr(socket, "create_connection", connect)
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/secret\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(QueryError, match="answers 302"):
            fetch.fetch("http://good.example/t.xml", ("good.example",))
    assert asked == [("8.8.8.8", 80)]


@pytest.mark.slow
def test_a_flood_of_jobs_leaves_small_queries_soon(served):
    base, _ = served

    def flood():
        for _ in range(30):
            httpx.post(f"{base}/tap/async", data=parameters(ENDLESS, PHASE="RUN"), timeout=PATIENT)

    thread = threading.Thread(target=flood)
    thread.start()
    waits = sorted(small(base) for _ in range(9))
    thread.join()
    assert waits[4] < SOON, waits
