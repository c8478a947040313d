"""The bar above every page: one list for the site and for Datasette, and every address of it leads somewhere."""

import asyncio
import re
from urllib.parse import urljoin

import httpx
import pytest
from releases import OPEN, facts, sequence

from lyot.build.publish import publish
from lyot.datasette.serve import application
from lyot.site.render import render
from lyot.store import Store

HOME = "http://lyot.test/"
WORDS = ["Targets", "Companions", "Surveys", "Statistics", "Data", "Docs", "SQL"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bar")
    store = Store(str(folder / "store"))
    facts(store)
    sequence(store, date=OPEN)
    released = publish(store, folder / "out").folder
    render(released, store)
    return application(released, HOME)


def ask(served, path):
    async def request():
        transport = httpx.ASGITransport(app=served)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            return await client.get(path)

    return asyncio.run(request())


def bar(served, path):
    """Words and whole addresses of the bar of a page, and the word that is marked as where one is."""
    lists = re.findall(r"<ul.*?</ul>", ask(served, path).text, re.DOTALL)
    found = next(one for one in lists if ">Targets</a>" in one)
    links = re.findall(r'<a href="([^"]*)"([^>]*)>([^<]*)</a>', found)
    return {word: urljoin(HOME + path, address) for address, _, word in links}, [w for _, more, w in links if more]


@pytest.mark.parametrize(
    ("path", "here"),
    [("", []), ("targets/", ["Targets"]), ("statistics/", ["Statistics"]), ("docs/cite/", ["Docs"]),
     ("lyot", ["SQL"]), ("lyot/target", ["SQL"]), ("lyot/detection", ["SQL"])],
)  # fmt: skip
def test_the_bar_of_every_page_is_the_same(served, path, here):
    links, marked = bar(served, path)
    assert list(links) == WORDS
    assert links == bar(served, "")[0]
    assert marked == here


def test_every_address_of_the_bar_leads_somewhere(served):
    for address in bar(served, "lyot/target")[0].values():
        assert ask(served, address).status_code == 200, address
