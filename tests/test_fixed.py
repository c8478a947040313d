"""Addresses that name the release: kept for ever, while the plain ones are asked for again."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing

import httpx
import pytest
from skies import bake_sky

from lyot.build.bake import inspect
from lyot.datasette.serve import application


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return bake_sky(tmp_path_factory.mktemp("sky") / "public", 20, 60)


@pytest.fixture(scope="module")
def served(folder):
    return application(folder, "http://lyot.test")


def ask(served, path, method="GET", **headers):
    async def request():
        transport = httpx.ASGITransport(app=served)
        async with httpx.AsyncClient(transport=transport, base_url="http://lyot.test") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(request())


def named(served):
    return re.search(r'href="(/lyot-[0-9a-f]{12})/target"', ask(served, "/lyot").text)[1]


def test_both_addresses_say_the_same(served):
    address = named(served)
    for rest in (".json", "/target.json?_shape=array&_size=3", "/target/star-7.json", "/target.csv"):
        plain, fixed = ask(served, f"/lyot{rest}"), ask(served, f"{address}{rest}")
        assert plain.status_code == fixed.status_code == 200
        times = re.compile(rb'"query_ms": [\d.]+')
        assert times.sub(b"", plain.content) == times.sub(b"", fixed.content)
        assert plain.headers["cache-control"] == "no-cache"
        assert fixed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert plain.headers["access-control-allow-origin"] == "*"


def test_what_has_not_changed_is_not_sent_again(served):
    answer = ask(served, "/lyot/target.json")
    again = ask(served, "/lyot/target.json", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert ask(served, "/lyot/target.json", **{"If-None-Match": '"other"'}).status_code == 200


def test_the_address_of_another_release_leads_to_this_one(served):
    answer = ask(served, "/lyot-0123456789ab/target.json?_size=2&name=a%26b")
    assert (answer.status_code, answer.headers["location"]) == (302, "/lyot/target.json?_size=2&name=a%26b")
    assert ask(served, "/lyot-short/target").status_code == 404
    missing = ask(served, f"{named(served)}/nothing.json")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("cache-control", "")


def test_another_release_has_another_address(served, tmp_path):
    other = application(bake_sky(tmp_path / "public", 20, 61))
    assert named(other) != named(served)


def test_the_inspect_file_is_what_datasette_would_find(folder):
    """Its own command says the same."""
    from click.testing import CliRunner
    from datasette.cli import cli

    said = json.loads((folder / "inspect.json").read_text())["lyot"]
    theirs = json.loads(CliRunner().invoke(cli, ["inspect", str(folder / "lyot.db")]).output)["lyot"]
    assert (said["hash"], said["size"]) == (theirs["hash"], theirs["size"])
    assert said["tables"].items() <= theirs["tables"].items()
    assert said["tables"]["detection"] == {"count": 60}
    assert said == inspect(folder / "lyot.db")


def test_it_is_read_and_nothing_is_counted_again(folder, served):
    database = served.datasette.get_database("lyot")
    assert not database.is_mutable
    assert asyncio.run(database.table_counts())["detection"] == 60
    with closing(sqlite3.connect(folder / "lyot.db")) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(asyncio.run(database.table_counts())) < there  # those of the full-text search are not counted


def test_a_result_too_large_for_memory_is_refused(served):
    sql = "WITH t AS (SELECT hex(zeroblob(500000)) AS h) SELECT h FROM t, detection, target"
    answer = ask(served, f"/lyot.json?sql={sql}&_shape=array")
    if answer.is_redirect:  # in Datasette 1.0
        answer = ask(served, answer.headers["location"])
    assert answer.status_code == 400
    assert "20,000,000 bytes" in answer.text
