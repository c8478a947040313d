"""The site in a real browser, under its own policy: no error, no request elsewhere, with scripts and without."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from baked import release

from lyot.site.render import render

pytestmark = pytest.mark.browser
PAGES = ("", "targets/", "targets/good/", "companions/", "surveys/", "data/", "docs/", "docs/dictionary/")
WIDTHS = (360, 800, 1440)
SCREENSHOTS = Path(__file__).resolve().parent.parent.parent / "out" / "screenshots"
# Chromium as a container runs it; it shall not phone home, or the test would not be of us alone.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The site below a prefix of an ordinary file server."""
    folder, store = release(tmp_path_factory.mktemp("browser") / "some")
    render(folder, store)
    handler = functools.partial(Quiet, directory=str(folder.parent.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/some/public/site/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on the path")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, address):
    """Open a page in a context of its own; whatever the browser complains of fails the test."""
    complaints, contexts = [], []

    def opened(path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((address, "data:")) else complaints.append(r.url))
        page.on("requestfailed", lambda r: complaints.append(f"failed: {r.url}"))
        page.on("response", lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.goto(address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_open_without_complaint_at_any_width(visit, path, scheme):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page = visit(path, color_scheme=scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        name = path.strip("/").replace("/", "-") or "home"
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)


def test_everything_reads_without_scripts(visit):
    page = visit("targets/good/", java_script_enabled=False)
    assert page.locator("svg.chart").count() == page.locator("figure[data-chart]").count() > 3
    assert page.locator("svg.chart").first.bounding_box()["height"] > 200
    assert page.locator(".explore:visible").count() == 0
    assert visit("targets/", java_script_enabled=False).locator("#targets tbody tr").count() == 3


def test_charts_can_be_explored_under_the_policy(visit):
    page = visit("targets/good/")
    buttons = page.locator(".explore")
    charts = buttons.count()
    for _ in range(charts):
        buttons.first.click()
        page.wait_for_function("n => document.querySelectorAll('.explore').length < n", arg=buttons.count() + 1)
        page.wait_for_timeout(50)
    page.wait_for_function(f"document.querySelectorAll('figure[data-explored]').length === {charts}")
    assert page.locator(".vega svg").count() == charts
    measured = page.evaluate("document.querySelectorAll('#astrometry .vega svg path').length")
    assert measured > 5


@pytest.mark.parametrize(
    ("typed", "found"), [("good", ["Good star"]), ("Goood sta", ["Good star"]), ("alias of sim", ["Simulated star"])]
)
def test_search_forgives_a_typo_and_knows_aliases(visit, typed, found):
    page = visit("targets/")
    page.get_by_label("Name or alias").fill(typed)
    assert page.locator("#targets tbody tr:visible th a").all_text_contents() == found
    assert page.url.endswith("?q=" + typed.replace(" ", "+"))


def test_a_search_can_be_linked_and_columns_sort(visit):
    page = visit("targets/?q=good")
    page.wait_for_selector("#finder:visible")
    assert page.locator("#targets tbody tr:visible").count() == 1
    page = visit("targets/")
    page.get_by_role("button", name="Target").click()
    names = page.locator("#targets tbody th a").all_text_contents()
    assert names.index("Good star") < names.index("Simulated star")
    page.get_by_role("button", name="Target").click()
    names = page.locator("#targets tbody th a").all_text_contents()
    assert names.index("Good star") > names.index("Simulated star")


def test_the_keyboard_reaches_the_content_first(visit):
    page = visit("")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
