"""The rendered site, read back as a browser would: links, policy, numbers, badges, and nothing executed."""

import json
import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from baked import HOSTILE, bake, release

from lyot.site.render import Report, render

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LOADED = {"src", "poster", "data"}  # what a browser fetches by itself, with the href of <link>


class Page(HTMLParser):
    """Elements of a page, whether they are nested rightly, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.text).append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> tuple[Path, Report]:
    folder, store = release(tmp_path_factory.mktemp("site"))
    return folder / "site", render(folder, store, base_url="https://lyot.example/portal")


@pytest.fixture(scope="module")
def pages(site) -> dict[str, Page]:
    root, _ = site
    return {str(path.relative_to(root)): Page(path.read_text(encoding="utf-8")) for path in root.rglob("*.html")}


def good(pages) -> Page:
    return pages["targets/good/index.html"]


def test_every_page_renders(site, pages):
    _, report = site
    assert report.failures == {}
    assert report.notes == []
    assert {
        "index.html", "targets/index.html", "targets/good/index.html", "surveys/index.html", "companions/index.html",
        "companions/good-b/index.html", "data/index.html", "docs/index.html", "docs/dictionary/index.html",
    } <= set(pages)  # fmt: skip
    assert report.pages == len(pages)


def test_links_lead_somewhere(site, pages):
    """Inside the site every link is relative and meets a file; `lyot` is the server's."""
    root, _ = site
    for path, page in pages.items():
        for tag, attributes in page.elements:
            for name in ("href", "src", "data-bundle", "data-chart", "data-index", "data-database"):
                address = attributes.get(name)
                if not address or attributes.get("rel") == "canonical":
                    continue
                parts = urlsplit(address)
                if parts.scheme or parts.netloc:
                    assert tag == "a", f"{path}: {address}"
                    assert parts.scheme in ("http", "https")
                    continue
                assert not address.startswith("/"), f"{path} has the absolute {address}"
                target = (root / path).parent / unquote(parts.path)
                if target.resolve().is_relative_to((root / "lyot").resolve()):
                    continue
                target = target / "index.html" if not parts.path or parts.path.endswith("/") else target
                target = root / path if not parts.path else target
                assert target.is_file(), f"{path} leads to {address}"
                if parts.fragment:
                    ids = {a.get("id") for _, a in Page(target.read_text(encoding="utf-8")).elements}
                    assert parts.fragment in ids, f"{path} leads to {address}"


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(pages):
    for path, page in pages.items():
        policy = [a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
        assert len(policy) == 1, path
        assert "default-src 'none'" in policy[0]
        # the one page that runs a database may compile WebAssembly, and nothing else that is unsafe
        allowed = "'wasm-unsafe-eval'" if path == "sql/index.html" else "nothing"
        assert "unsafe" not in policy[0].replace(allowed, ""), path
        for tag, attributes in page.elements:
            assert tag != "style", path
            assert not any(name.startswith("on") or name == "style" for name in attributes), (path, tag, attributes)
            loaded = [v for n, v in attributes.items() if n in LOADED or (tag == "link" and n == "href")]
            if attributes.get("rel") != "canonical":
                assert not any(urlsplit(v or "").netloc for v in loaded), (path, loaded)
            if tag == "script":
                assert attributes.get("src") or attributes["type"] in ("application/json", "application/ld+json")


def test_hostile_names_are_text(pages):
    for path, page in pages.items():
        assert not page.open, f"{path} leaves {page.open} open"
        assert all(a.get("src") != "x" for _, a in page.elements), path
        assert all(not (a.get("href") or "").startswith("javascript:") for _, a in page.elements), path
    night = "nights/2013-01-31/index.html"
    for path in ("targets/index.html", "companions/index.html", "surveys/index.html", "surveys/s/index.html", night):
        assert HOSTILE in "".join(pages[path].text), path
    own = next(page for path, page in pages.items() if path.startswith("targets/") and is_hostile(page))
    data = [json.loads(script) for script in own.scripts if script.strip()]
    assert any(HOSTILE in group["series"] for groups in data if isinstance(groups, list) for group in groups)
    (described,) = (one for one in data if isinstance(one, dict))
    assert described["about"]["name"] == HOSTILE


def is_hostile(page: Page) -> bool:
    return any(t == "title" for t, _ in page.elements) and "".join(page.text).strip().startswith("</script>")


def test_hostile_names_are_text_in_the_search_index(site):
    root, _ = site
    text = (root / "targets/index.json").read_text(encoding="utf-8")
    assert "<" not in text
    assert HOSTILE in json.loads(text)["name"]


def test_charts_say_what_the_database_says(site, pages):
    root, _ = site
    connection = sqlite3.connect(root.parent / "lyot.db")
    shown = {group["layer"]: group for group in chart(good(pages), "astrometry")}
    query = "SELECT dra, ddec, dra_error, ddec_error FROM detection WHERE target_id = 'good' ORDER BY mjd"
    assert [tuple(row[:4]) for row in shown["measured"]["rows"]] == connection.execute(query).fetchall()
    assert shown["measured"]["columns"][:4] == ["x", "y", "x_error", "y_error"]
    limits = chart(good(pages), "contrast")[0]
    query = "SELECT separation / 1000, delta_mag FROM detection_limit WHERE target_id = 'good' ORDER BY separation"
    assert [tuple(row) for row in limits["rows"]] == connection.execute(query).fetchall()
    connection.close()


def chart(page: Page, name: str) -> list[dict]:
    """Points of one chart of a page."""
    names = [a["id"] for t, a in page.elements if t == "figure" and "data-chart" in a]
    points = [json.loads(s) for s in page.scripts if s.strip()]
    return [one for one in points if isinstance(one, list)][names.index(name)]


def test_charts_have_a_drawing_and_a_table_without_scripts(pages):
    page = good(pages)
    figures = [a["id"] for t, a in page.elements if t == "figure" and "data-chart" in a]
    colours = ["colour-magnitude-h2-h3", "colour-magnitude-j-h"]
    assert figures == ["astrometry", "separation", "position-angle", "contrast", *colours]
    drawings = [a for t, a in page.elements if t == "svg" and a.get("class") == "chart"]
    tables = [a for t, a in page.elements if t == "table" and a.get("class") == "numbers"]
    assert len(drawings) == len(figures)
    assert len(tables) == len(figures) - 3  # the numbers of places and motions are those of the detections
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in drawings)


def test_what_a_chart_links_as_its_data_is_its_query(site, pages):
    root, _ = site
    connection = sqlite3.connect(root.parent / "lyot.db")
    links = [urlsplit(a["href"]) for t, a in good(pages).elements if t == "a" and "lyot?sql=" in (a.get("href") or "")]
    assert len(links) >= 5
    for link in links:
        asked = {name: values[0] for name, values in parse_qs(link.query).items()}
        assert connection.execute(asked.pop("sql"), asked).fetchall()
    connection.close()


def test_a_background_star_runs_against_the_proper_motion(site):
    """The star moves 100 mas/yr to the East: what is far behind falls 100 mas a year to the West, to the right."""
    root, _ = site
    html = (root / "targets/good/index.html").read_text(encoding="utf-8")
    drawing = re.search(r'<svg class="chart".*?</svg>', html, re.DOTALL)[0]
    width = float(re.search(r'<rect x="[^"]+" y="[^"]+" width="([^"]+)"', drawing)[1])
    low, high, *_ = map(float, re.search(r'id="astrometry".*?data-ranges="([^"]+)"', html)[1].split())
    expected = re.search(r'data-layer="expected".*?</g>', drawing, re.DOTALL)[0]
    (x, y), (later_x, later_y) = (map(float, one) for one in re.findall(r'cx="([-.0-9]+)" cy="([-.0-9]+)"', expected))
    mas = (high - low) / width
    # the parallax (50 mas) returns after a Julian year to < 1 mas; places are written to a tenth of a pixel
    assert (later_x - x) * mas == pytest.approx(100.0, abs=1.0 + 0.1 * mas)
    assert (later_y - y) * mas == pytest.approx(0.0, abs=1.0 + 0.1 * mas)


def test_field_dwarfs_are_dots_where_their_colours_put_them(site):
    """At 10 pc an absolute magnitude is the apparent one: dwarfs at (0.5, 10), (1, 11) and (1.5, 12) mag."""
    root, _ = site
    html = (root / "targets/good/index.html").read_text(encoding="utf-8")
    chart = html[html.index('id="colour-magnitude-j-h"') :]
    low_x, high_x, low_y, high_y = map(float, re.search(r'data-ranges="([^"]+)"', chart)[1].split())
    area = re.search(r'<rect x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"', chart).groups()
    x, y, width, height = map(float, area)
    path = re.search(r'data-layer="field"><g><path d="([^"]+)"', chart)[1]
    steps = np.array(re.findall(r"m(-?\d+) ?(-?\d+)h0", path), dtype=int)
    for number, place in enumerate(np.cumsum(steps, axis=0)):
        across, down = (place[0] - x) / width, (place[1] - y) / height
        # dots stand on whole pixels, of which the drawing has some hundreds; magnitudes grow downwards
        assert low_x + across * (high_x - low_x) == pytest.approx(0.5 + number / 2, abs=(high_x - low_x) / width)
        assert low_y + down * (high_y - low_y) == pytest.approx(10.0 + number, abs=(high_y - low_y) / height)
    assert number == 2


def test_simulated_rows_are_badged_and_others_are_not(pages):
    assert badges(pages["targets/sim/index.html"]) > 5
    assert badges(good(pages)) == 0
    assert badges(pages["targets/index.html"]) == 1
    assert badges(pages["companions/index.html"]) == 1


def test_a_companion_has_a_page_with_all_that_is_known_of_it(site, pages):
    root, _ = site
    page = pages["companions/good-b/index.html"]
    text = " ".join("".join(page.text).split())
    assert "Companion, says Good star on 2026-01-01: because Good star" in text
    assert "Near Good star" in text
    connection = sqlite3.connect(root.parent / "lyot.db")
    query = "SELECT dra, ddec, dra_error, ddec_error FROM detection WHERE companion_id = 'good b' ORDER BY mjd"
    (measured,) = (group for group in chart(page, "astrometry") if group["layer"] == "measured")
    assert [tuple(row[:4]) for row in measured["rows"]] == connection.execute(query).fetchall()
    colours = {group["layer"] for group in chart(page, "colour-magnitude-h2-h3")}
    assert colours == {"own"}
    links = [urlsplit(a["href"]) for t, a in page.elements if t == "a" and "lyot?sql=" in (a.get("href") or "")]
    for link in links:
        asked = {name: values[0] for name, values in parse_qs(link.query).items()}
        assert asked["target"] == "good b"
        assert connection.execute(asked.pop("sql"), asked).fetchall()
    connection.close()
    for path in ("targets/good/index.html", "companions/index.html", "targets/index.html"):
        assert any("companions/good-b/" in (a.get("href") or "") for _, a in pages[path].elements), path
    index = json.loads((root / "targets/index.json").read_text(encoding="utf-8"))
    assert index["companions"][str(index["slug"].index("good"))] == [["Good star b", "good-b"]]


def test_a_star_behind_has_no_page_unless_people_speak_of_it(tmp_path):
    folder, store = release(tmp_path)
    connection = sqlite3.connect(folder / "lyot.db")
    connection.execute("UPDATE companion SET status = 'BACKGROUND'")
    connection.execute("DELETE FROM measurement")
    connection.execute("DELETE FROM verdict WHERE companion_id = 'sim b'")
    connection.commit()
    connection.close()
    assert render(folder, store).failures == {}
    assert {path.name for path in (folder / "site/companions").iterdir()} & {"good-b", "sim-b"} == {"good-b"}
    assert "companions/sim-b" not in (folder / "site/targets/sim/index.html").read_text(encoding="utf-8")


def badges(page: Page) -> int:
    return sum(1 for _, a in page.elements if "simulated" in (a.get("class") or ""))


def test_the_source_is_where_its_circle_is(site, pages):
    """At 120° East of North a source stands to the left and below: in the pixels, and in the drawing over them."""
    from io import BytesIO

    from PIL import Image

    root, _ = site
    address = next(a["src"] for t, a in good(pages).elements if t == "img")
    picture = Image.open(BytesIO((root / "targets/good" / address).resolve().read_bytes())).convert("L")
    brightest = np.unravel_index(int(np.argmax(np.asarray(picture, float))), (picture.height, picture.width))
    html = (root / "targets/good/index.html").read_text(encoding="utf-8")
    x, y = map(float, re.search(r'class="detection".*?cx="([\d.]+)" cy="([\d.]+)"', html).groups())
    # one pixel of the detector is 7.9 of the picture; the maximum of noisy pixels wanders by half of one
    assert (brightest[1], brightest[0]) == pytest.approx((x, y), abs=8.0)
    assert x < picture.width / 2 - 100
    assert y > picture.height / 2 + 50


def test_the_data_are_described_for_those_who_search_for_data(site, pages):
    root, _ = site
    (described,) = (json.loads(script) for script in pages["data/index.html"].scripts if script.strip())
    assert described["@type"] == "Dataset"
    sums = dict(line.split("  ")[::-1] for line in (root / "data/SHA256SUMS").read_text().splitlines())
    offered = {file["contentUrl"]: file["sha256"] for file in described["distribution"]}
    assert offered == {f"https://lyot.example/portal/data/{name}": digest for name, digest in sums.items()}
    assert all(file["encodingFormat"] for file in described["distribution"])


def test_instruments_and_tables_are_called_by_their_names(pages):
    """What is a key in the tables is a name in the text; what is code in a docstring is no code there."""
    for path, page in pages.items():
        text = "".join(page.text)
        if not path.startswith(("docs/", "sql/")):  # which are about commands and columns
            assert "`" not in text, path
            words = re.sub(r"(lyot reduce|curl|naco/)[^\n]*", "", text)
            assert not re.search(r"\bnaco\b", words), path
    assert "NACO L'" in "".join(good(pages).text)
    assert "NACO" in "".join(pages["companions/good-b/index.html"].text)


def test_the_numbers_of_a_chart_stand_under_the_heading_of_what_they_are_of(site):
    root, _ = site
    html = (root / "targets/good/index.html").read_text(encoding="utf-8")
    table = re.search(r'<table class="numbers">\n<caption>Detection limits.*?</table>', html, re.DOTALL)[0]
    (head,) = re.findall(r'<th scope="rowgroup" colspan="3">(.*?)</th>', table)
    assert head.startswith("pca · ncomp=5")
    assert re.findall(r"<td>(.*?)</td>", table)[:3] == ["0.2", "4", "6"]  # 0.2″ at 20 pc: 4 au


def test_downloads_have_their_checksums(site, pages):
    import hashlib

    root, _ = site
    for line in (root / "data/SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((root / "data" / name).read_bytes()).hexdigest() == digest
    (file,) = (root / "targets/good" / a["href"] for t, a in good(pages).elements if t == "a" and "download" in a)
    assert file.suffix == ".fits"
    assert hashlib.sha256(file.read_bytes()).hexdigest() in "".join(good(pages).text)


def test_a_typical_page_is_light(site):
    root, _ = site
    assert max(path.stat().st_size for path in (root / "targets").glob("*/index.html")) < 150_000


def test_rendering_again_writes_nothing(tmp_path):
    folder, store = release(tmp_path)
    first = render(folder, store)
    again = render(folder, store)
    assert first.written > 0
    assert (again.written, again.removed) == (0, 0)


def test_a_page_that_is_no_more_is_removed(tmp_path):
    folder, store = release(tmp_path)
    render(folder, store)
    connection = sqlite3.connect(folder / "lyot.db")
    connection.execute("DELETE FROM target WHERE target_id = 'sim'")
    connection.commit()
    connection.close()
    report = render(folder, store)
    assert report.removed == 2  # its page, and that of its companion
    assert not (folder / "site/targets/sim").exists()
    assert "Simulated star" not in (folder / "site/targets/index.json").read_text(encoding="utf-8")


def test_an_empty_release_is_a_site(tmp_path):
    from lyot.store import Store

    report = render(bake(tmp_path / "public", {}), Store(str(tmp_path / "store")))
    assert report.failures == {}
    text = (tmp_path / "public/site/targets/index.html").read_text()
    assert "no target" in text


def test_a_missing_file_is_named_and_the_page_stands(tmp_path):
    from lyot.store import Store

    folder, _ = release(tmp_path)
    report = render(folder, Store(str(tmp_path / "elsewhere")))
    assert len(report.notes) == 1
    assert ".fits" in report.notes[0]
    assert (folder / "site/targets/good/index.html").is_file()
