"""One port: the site's files from the site, the rest from Datasette."""

import asyncio
import socket
import sqlite3
import threading
import time

import httpx
import pytest
import uvicorn
from releases import facts, sequence

from lyot.build.publish import publish
from lyot.catalog.queries import QUERIES
from lyot.catalog.table import tables
from lyot.datasette.serve import application
from lyot.errors import NotFound
from lyot.store import Store

IMAGE = bytes(range(256)) * 4


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(str(tmp_path_factory.mktemp("store")))
    facts(store)
    sequence(store)
    return store


def with_site(folder):
    pages = {"index.html": "<h1>home</h1>", "targets/beta-pic/index.html": "<h1>β Pic</h1>", "search.json": "[1]"}
    for path, text in pages.items():
        file = folder / "site" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "site" / "data").mkdir()
    (folder / "site" / "data" / "beta.fits").write_bytes(IMAGE)
    (folder / "site" / ".hidden").write_text("not for you")
    return folder


@pytest.fixture(scope="module")
def folder(store, tmp_path_factory):
    return with_site(publish(store, tmp_path_factory.mktemp("out")).folder)


@pytest.fixture(scope="module")
def served(folder):
    return application(folder)


def ask(served, path, method="GET", **headers):
    async def request():
        transport = httpx.ASGITransport(app=served)
        async with httpx.AsyncClient(transport=transport, base_url="http://lyot.test") as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, headers=named)

    return asyncio.run(request())


def test_the_root_is_the_home_of_the_site(served):
    answer = ask(served, "/")
    assert (answer.status_code, answer.text) == (200, "<h1>home</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_a_folder_is_its_index_under_an_address_ending_in_a_slash(served):
    assert "β Pic" in ask(served, "/targets/beta-pic/").text
    answer = ask(served, "/targets/beta-pic?a=1")
    assert (answer.status_code, answer.headers["location"]) == (301, "/targets/beta-pic/?a=1")


def test_a_redirect_never_leaves_the_host(served):
    answer = ask(served, "http://lyot.test//targets/beta-pic")
    assert answer.headers["location"] == "/targets/beta-pic/"


@pytest.mark.parametrize(
    "path",
    ["/%2e%2e/lyot.db", "/..%2flyot.db", "/data/..%2f..%2flyot.db", "/.hidden", "/data/", "/targets/",
     "/..%5clyot.db", "/data/beta.fits/", "/%00", "/" + "a" * 5000],
)  # fmt: skip
def test_nothing_outside_the_site_and_nothing_hidden_is_a_file(served, path):
    answer = ask(served, path)
    assert answer.status_code in (302, 404), answer.text  # Datasette's answer
    assert b"SQLite format 3" not in answer.content
    assert "not for you" not in answer.text


def test_a_link_out_of_the_site_is_not_followed(served, folder):
    (folder / "site" / "out.db").symlink_to(folder / "lyot.db")
    assert b"SQLite format" not in ask(served, "/out.db").content


def test_files_come_in_parts_and_are_revalidated(served):
    whole = ask(served, "/data/beta.fits")
    assert whole.content == IMAGE
    assert whole.headers["content-type"] == "application/fits"
    part = ask(served, "/data/beta.fits", range="bytes=10-19")
    assert (part.status_code, part.content) == (206, IMAGE[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(IMAGE)}"
    assert ask(served, "/data/beta.fits", range="bytes=-5").content == IMAGE[-5:]
    assert ask(served, "/data/beta.fits", range="bytes=1000-").content == IMAGE[1000:]
    assert ask(served, "/data/beta.fits", range="bytes=5000-").status_code == 416
    assert ask(served, "/data/beta.fits", range="bytes=0-4", if_range='"old"').content == IMAGE
    assert ask(served, "/data/beta.fits", if_none_match=whole.headers["etag"]).status_code == 304
    head = ask(served, "/data/beta.fits", "HEAD")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(IMAGE)))


def test_datasette_has_the_rest(served):
    rows = ask(served, "/lyot/target.json?_shape=array").json()
    assert [row["target_id"] for row in rows] == ["beta-pic"]
    answer = ask(served, "/lyot")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert ask(served, "/lyot/nothing").status_code == 404


def test_columns_say_what_they_mean_and_in_which_unit(served):
    page = ask(served, "/lyot/detection").text
    assert "Angle from star to source [mas]" in page
    assert "/targets/beta-pic/" in page
    assert "lyot-brand" in page


def test_other_sites_may_read_a_public_release(served):
    assert ask(served, "/lyot/target.json").headers["access-control-allow-origin"] == "*"
    assert ask(served, "/search.json").headers["access-control-allow-origin"] == "*"


def test_other_sites_may_not_read_a_private_release(store, tmp_path):
    private = application(with_site(publish(store, tmp_path, workspace="main").folder), local=True)
    assert "access-control-allow-origin" not in ask(private, "/lyot/target.json").headers
    assert "access-control-allow-origin" not in ask(private, "/search.json").headers


def test_where_files_lie_on_the_server_is_not_told(served):
    for page in ("/-/databases.json", "/-/databases", "/-/threads.json", "/-/plugins.json"):
        assert ask(served, page).status_code == 404


def test_nothing_can_be_written(served):
    answer = ask(served, "/lyot.json?sql=delete+from+target")
    if answer.is_redirect:  # in Datasette 1.0
        answer = ask(served, answer.headers["location"])
    assert answer.status_code == 400
    assert ask(served, "/lyot/target", "POST").status_code == 405


def test_a_name_is_found_by_its_beginning_and_any_alias(served):
    for word in ("beta", "HD 39060", "39060", "pic b"):
        found = ask(served, f"/lyot/target.json?_shape=array&_search={word}").json()
        assert [row["target_id"] for row in found] == ["beta-pic"], word


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_canned_query_runs(served, query):
    answer = ask(served, f"/lyot/{query.name}.json?name=beta&first=H2&second=H3&companion_id=beta-pic-b")
    assert answer.status_code == 200, answer.text
    assert answer.json()["ok"]


def test_the_tables_are_in_the_database(folder):
    connection = sqlite3.connect(folder / "lyot.db")
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert set(tables()) <= there


def test_a_missing_release_says_which_command_makes_it(tmp_path, store):
    with pytest.raises(NotFound, match="lyot build"):
        application(tmp_path / "public")
    with pytest.raises(NotFound, match="lyot build --workspace ours"):
        application(tmp_path / "ours")
    with pytest.raises(NotFound, match="lyot site"):
        application(publish(store, tmp_path).folder)


def test_a_real_server_answers(served):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(served, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            assert client.get("/").text == "<h1>home</h1>"
            assert client.get("/lyot/target.json?_shape=array").json()[0]["name"] == "β Pic"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
