"""The recipes of the documentation run, as they are written, against a real server."""

import csv
import json
import re
import shutil
import subprocess
import textwrap
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import duckdb
import httpx
import pytest
from releases import stocked

from lyot.build.publish import publish
from lyot.datasette.vo import budget, jobs, service, task, upload, web
from lyot.site.render import render

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PAGE = (Path(__file__).resolve().parent.parent / "docs" / "8-virtual-observatory.md").read_text()
HERE = "http://127.0.0.1:8001"  # the address that every example has, for the reader to put his in its place
RECIPES = [textwrap.dedent(one) for one in re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE) if "import" in one]
COMMANDS = re.findall(r"^    ((?:curl|stilts) .*)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store = stocked(tmp_path_factory.mktemp("store"))
    folder = publish(store, tmp_path_factory.mktemp("out")).folder
    render(folder, store)
    return folder


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_runs_and_finds_the_star(served, recipe, capsys):
    exec(compile(recipe.replace(HERE, served), "recipe", "exec"), {})
    said = capsys.readouterr().out
    assert any(word in said for word in ("β Pic", "beta-pic", "452.0", "#this")), said


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_a_command_runs_and_finds_the_star(served, command):
    if shutil.which(command.split()[0]) is None:
        pytest.skip(f"no {command.split()[0]} on this machine")
    said = run(command.replace(HERE, served))
    assert any(word in said for word in ("β Pic", "\\u03b2 Pic", "beta-pic")), said


def run(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_recipes():
    assert (len(RECIPES), len(COMMANDS)) == (5, 7)


@pytest.fixture(scope="module")
def page(served):
    """What the page of the star shows for programs: code by its heading, as a reader copies it."""
    section = httpx.get(f"{served}/targets/beta-pic/").text.partition("From programs")[2].partition("</section>")[0]
    found = re.findall(r"<summary>(.*?)</summary>.*?<pre><code>(.*?)</code></pre>", section, re.DOTALL)
    return {heading: unescape(code) for heading, code in found}


def test_the_page_of_a_star_has_an_example_for_each_tool(page):
    assert {heading.split()[0] for heading in page} == {"curl", "Python", "TOPCAT"}
    assert len(page) == 4
    assert all(HERE in code for heading, code in page.items() if heading != "TOPCAT")


def test_the_page_shows_curl_how(served, page):
    (row,) = json.loads(run(page["curl"].replace(HERE, served)))
    assert (row["target_id"], row["separation"]) == ("beta-pic", 452.0)


def test_the_page_shows_pyvo_how(served, page):
    assert last_value(page["Python with pyvo (TAP)"].replace(HERE, served))["separation"].tolist() == [452.0]


def test_the_page_shows_topcat_how(served, page):
    query = {"LANG": "ADQL", "FORMAT": "csv", "QUERY": page["TOPCAT"]}
    rows = list(csv.DictReader(httpx.get(f"{served}/tap/sync", params=query).text.splitlines()))
    assert [row["separation"] for row in rows] == ["452"]


def test_the_page_shows_duckdb_how(served, page):
    """DuckDB fetches its own reader of addresses from its makers, who cannot be reached here: fsspec reads instead."""
    http = pytest.importorskip("fsspec.implementations.http", reason="aiohttp is not installed")

    class Dated(http.HTTPFileSystem):
        def modified(self, path):  # DuckDB asks, and HTTP does not tell fsspec
            return datetime(2026, 1, 1, tzinfo=UTC)

    duckdb.register_filesystem(Dated())
    try:
        found = last_value(page["Python with DuckDB, no server needed"].replace(HERE, served).replace(".df()", ""))
        assert found.fetchall()[0][: len(found.columns)][found.columns.index("separation")] == 452.0
    finally:
        duckdb.unregister_filesystem("http")


def last_value(code):
    """What the last line of some code gives, as an interpreter would show it."""
    *before, last = code.strip().splitlines()
    names = {}
    exec("\n".join(before), names)
    return eval(last, names)


def test_the_limits_are_those_of_the_code():
    for number in (f"{task.DEFAULT_ROWS:,}", f"{task.MOST_ROWS:,}", f"{service.SYNC_SECONDS:g} s",
                   f"{jobs.SECONDS // 60} min",
                   f"{web.LARGEST_BODY // 10**6} MB", f"{upload.MOST_ROWS:,} rows",
                   f"{jobs.LARGEST_RESULT // 10**6} MB"):
        assert number in PAGE, number
    assert budget.LONG_AT_ONCE == 2
