"""The recipes of the documentation run, as they are written, against a real server."""

import re
import textwrap
from pathlib import Path

import pytest
from observatory import serving
from releases import facts, sequence

from lyot.build.publish import publish
from lyot.datasette.vo import budget, jobs, service, task, upload, web
from lyot.store import Store

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PAGE = (Path(__file__).resolve().parent.parent / "docs" / "8-virtual-observatory.md").read_text()
RECIPES = [textwrap.dedent(one) for one in re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE) if "import" in one]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    store = Store(str(tmp_path_factory.mktemp("store")))
    facts(store)
    sequence(store)
    folder = publish(store, tmp_path_factory.mktemp("out")).folder
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<h1>home</h1>")
    with serving(folder) as (base, _):
        yield base


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_runs_and_finds_the_star(served, recipe, capsys):
    exec(compile(recipe.replace("http://127.0.0.1:8001", served), "recipe", "exec"), {})
    said = capsys.readouterr().out
    assert any(word in said for word in ("β Pic", "beta-pic", "452.0", "#this")), said


def test_there_are_recipes():
    assert len(RECIPES) == 5


def test_the_limits_are_those_of_the_code():
    for number in (f"{task.DEFAULT_ROWS:,}", f"{task.MOST_ROWS:,}", f"{service.SYNC_SECONDS:g} s",
                   f"{jobs.SECONDS // 60} min",
                   f"{web.LARGEST_BODY // 10**6} MB", f"{upload.MOST_ROWS:,} rows",
                   f"{jobs.LARGEST_RESULT // 10**6} MB"):
        assert number in PAGE, number
    assert budget.LONG_AT_ONCE == 2
