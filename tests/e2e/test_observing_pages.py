"""The pages of an observing catalogue in a real browser: no complaint under their policy, any width, and on paper."""


import pytest

from lyot.build.observe import constraints_of, observe, write
from lyot.site.observing_page import write_pages

pytestmark = pytest.mark.browser
NIGHT = "2026-12-20"
STARS = "name,ra,dec,pmra,pmdec,R,priority\n" + "".join(
    f"Star {n} of a rather long name,{70 + n},{-20 - n},{10 * n},5,{5 + n / 10:.1f},{1 + n % 3}\n" for n in range(30)
)


@pytest.fixture(scope="module")
def address(tmp_path_factory, file_server):
    """A plan of three nights, below a prefix of an ordinary file server."""
    folder = tmp_path_factory.mktemp("observing")
    (folder / "stars.csv").write_text(STARS, encoding="utf-8")
    made = observe(constraints_of("paranal", "2026-12-19/2026-12-21", faintest=7.5), targets=folder / "stars.csv")
    write(made, folder / "plan")
    write_pages(made, folder / "plan")
    with file_server(folder) as server:
        yield f"{server}plan/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["index.html", f"{NIGHT}/index.html"])
def test_plans_open_without_complaint_at_any_width(browser, address, screenshots, path, scheme):
    complaints = []
    with browser.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("request", lambda r: None if r.url.startswith(address) else complaints.append(r.url))
        page.on("response", lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.goto(address + path, wait_until="load")
        for width in (360, 800, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            name = "observing-night" if path.startswith(NIGHT) else "observing"
            page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert complaints == []


def test_a_night_fits_on_paper(browser, address):
    with browser.new_context(viewport={"width": 700, "height": 990}) as context:  # A4 less its margins, px
        page = context.new_page()
        page.goto(f"{address}{NIGHT}/index.html")
        page.emulate_media(media="print")
        wide = "[...document.querySelectorAll('.ranks, .timeline, .stars')].map(e => e.getBoundingClientRect().right)"
        assert max(page.evaluate(wide)) <= 700
        assert page.locator(".top nav").is_hidden()
