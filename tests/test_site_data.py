"""What people and machines take away: tables in three formats, feeds, references, the search's index, the manual."""

import csv
import gzip
import json
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import duckdb
import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from baked import HOSTILE, release

from lyot.catalog.table import tables
from lyot.site import feeds, skymap
from lyot.site.manual import document, read_documents
from lyot.site.render import render

BASE = "https://lyot.example/portal"


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder, store = release(tmp_path_factory.mktemp("data"))
    render(folder, store, base_url=BASE)
    return folder / "site"


@pytest.mark.parametrize("name", ["target", "detection", "reference", "verdict", "survey"])
def test_tables_come_as_parquet_csv_and_votable_with_the_same_rows(root, name):
    expected = pq.read_table(root / f"data/parquet/{name}.parquet").to_pylist()
    with gzip.open(root / f"data/csv/{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    voted = Table.read(root / f"data/vot/{name}.vot.gz", format="votable")
    manifest = json.loads((root / "data/manifest.json").read_text())
    rows = {one["address"]: one["rows"] for one in manifest["files"]}
    assert len(expected) == len(listed) == len(voted) == rows[f"csv/{name}.csv.gz"] == rows[f"vot/{name}.vot.gz"]
    for column in tables()[name].columns:
        truth = [row[column.name] for row in expected]
        if column.type == "float":
            assert [float(row[column.name]) if row[column.name] else None for row in listed] == truth
            values = np.ma.filled(np.ma.asarray(voted[column.name], float), np.nan)
            assert [None if np.isnan(value) else value for value in values.tolist()] == truth
        elif column.type in ("text", "date", "json"):
            assert [row[column.name] for row in listed] == [value or "" for value in truth]
            said = [str(value) for value in np.ma.filled(np.ma.asarray(voted[column.name]), "")]
            assert said == [value or "" for value in truth]


def test_a_votable_says_units_and_meanings(root):
    read = Table.read(root / "data/vot/detection.vot.gz", format="votable")
    assert str(read["separation"].unit) == "mas"
    assert read["separation"].description == tables()["detection"].column("separation").doc


def test_the_recipe_for_duckdb_reads_the_file_through_fsspec(root):
    """The extension for HTTP cannot be fetched without a network: any fsspec file system stands for it."""
    memory = fsspec.filesystem("memory")
    memory.pipe("/portal/detection.parquet", (root / "data/parquet/detection.parquet").read_bytes())
    with duckdb.connect() as connection:
        connection.register_filesystem(memory)
        query = "SELECT target_id, separation, snr FROM 'memory://portal/detection.parquet' WHERE snr > 5"
        assert len(connection.sql(query).fetchall()) == 6


def test_the_list_of_files_leads_to_files(root):
    with (root / "data/files.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    assert (root / "data" / rows[0]["path"]).stat().st_size == int(rows[0]["size"])


def test_the_feed_is_sound_and_leads_to_pages(root):
    atom = "{http://www.w3.org/2005/Atom}"
    entries = ElementTree.fromstring((root / "feed.xml").read_text(encoding="utf-8")).findall(f"{atom}entry")
    assert len({entry.find(f"{atom}id").text for entry in entries}) == len(entries) == 4
    assert any(HOSTILE in entry.find(f"{atom}title").text for entry in entries)
    assert any("(simulated)" in entry.find(f"{atom}title").text for entry in entries)
    for entry in entries:
        address = unquote(entry.find(f"{atom}link").get("href"))
        assert (root / address.removeprefix(f"{BASE}/") / "index.html").is_file()


def test_the_sitemap_lists_every_page(root):
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = ElementTree.fromstring((root / "sitemap.xml").read_text(encoding="utf-8"))
    listed = {unquote(one.text.removeprefix(f"{BASE}/")) for one in found.iter(f"{space}loc")}
    pages = {str(path.parent.relative_to(root)).replace(".", "") + "/" for path in root.rglob("index.html")}
    assert {path.strip("/") for path in listed} == {path.strip("/") for path in pages}


def test_a_long_sitemap_is_several_files(monkeypatch):
    monkeypatch.setattr(feeds, "A_SITEMAP", 2)
    made = dict(feeds.sitemap(["a/index.html", "b/index.html", "c/index.html"], BASE))
    assert set(made) == {"sitemap-1.xml", "sitemap-2.xml", "sitemap.xml"}
    assert "sitemap-2.xml" in made["sitemap.xml"]


def test_references_are_bibtex_that_nothing_can_break(root):
    text = (root / "data/lyot.bib").read_text(encoding="utf-8")
    assert text.count("@misc{") == 2
    assert "javascript" not in text
    plain = text.replace("\\{", "").replace("\\}", "")
    depths = np.cumsum([(c == "{") - (c == "}") for c in plain])
    assert depths.min() >= 0
    assert depths[-1] == 0
    assert feeds.entry({"reference_id": "a b", "citation": "50% {x} & _y"}) == (
        "@misc{a-b,\n  note = {50\\% \\{x\\} \\& \\_y}\n}\n"
    )


def test_the_search_index_has_what_the_pages_say(root):
    index = json.loads((root / "targets/index.json").read_text(encoding="utf-8"))
    row = index["slug"].index("good")
    assert index["numbers"]["distance"][row] == 20  # 50 mas
    assert index["numbers"]["first"][row] == 20130131
    assert [index["words"]["instruments"][place] for place in index["of"]["instruments"][row]] == ["naco"]
    assert index["titles"] == {"naco": "NACO"}
    assert "alias of Good star" in index["aliases"][row].split("\n")
    assert [index["slug"][place] for place in index["simulated"]] == ["sim"]


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (86.8, -51.07), (179.9, 10.0), (180.1, 10.0), (266.4, -28.9)])
def test_the_map_has_equal_areas_and_east_to_the_left(ra, dec):
    """A small square of the sky covers as much of the map everywhere (Hammer is an equal-area projection)."""
    step = 1e-3
    x, y = skymap.place(ra, dec)
    east, north = skymap.place(ra + step, dec), skymap.place(ra, dec + step)
    area = abs((east[0] - x) * (north[1] - y) - (east[1] - y) * (north[0] - x))
    ellipse = np.pi * (skymap.WIDTH / 2) * (skymap.HEIGHT / 2)
    sphere = 4 * np.pi / np.radians(step) ** 2
    # first differences of a step of 1e-3 deg are 1e-5 of the second derivative off; near the edge that grows
    assert area / np.cos(np.radians(dec)) == pytest.approx(ellipse / sphere, rel=1e-3)
    assert north[1] < y
    assert ra > 170 or east[0] < x


def test_the_galactic_plane_is_that_of_astropy():
    longitudes = np.arange(0, 360, 4)
    true = SkyCoord(l=longitudes, b=0 * longitudes, unit="deg", frame="galactic").icrs
    data = skymap.galactic_plane()
    first = data.split("l", 1)[0][1:].split(" ")
    expected = skymap.place(true.ra.deg[0], true.dec.deg[0])
    assert [float(value) for value in first] == pytest.approx(expected, abs=0.06)  # written to a tenth of a pixel


def test_documents_have_titles_leads_and_working_links(root):
    documents = read_documents()
    names = [one.name for one in documents]
    assert {"manual", "data-levels", "tutorial", "conventions", "faq", "cite"} <= set(names)
    for one in documents:
        assert one.title
        assert one.lead
        assert (root / "docs" / one.name / "index.html").is_file()
    index = json.loads((root / "docs/index.json").read_text(encoding="utf-8"))
    assert any(section["title"] == "Bound or background" for section in index)
    for section in index:
        page, _, anchor = section["address"].partition("#")
        html = (root / page / "index.html").read_text(encoding="utf-8")
        assert not anchor or f'id="{anchor}"' in html


def test_raw_html_in_a_document_is_text():
    made = document("trial", "# Trial <b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n")
    assert "<script>" not in made.html
    assert 'href="javascript' not in made.html
