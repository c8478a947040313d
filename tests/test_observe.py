"""Observing runs from a release or a list of stars, to CSV, JSON, pages and finding charts."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from baked import HOSTILE, RIGHTS, bake

from lyot.build.observe import COLUMNS, as_csv, as_document, constraints_of, observe, site_of, write
from lyot.errors import BadInput, NotFound
from lyot.site.finding_chart import SIDE, finding_chart
from lyot.site.night_chart import clock
from lyot.site.observing_page import write_pages

NIGHT = "2026-12-20"


def target(key: str, name: str, ra: float | None, dec: float | None, **more: Any) -> dict[str, Any]:
    return {"target_id": key, "name": name, "ra": ra, "dec": dec, "ref_epoch": 2016.0, "pmra": 4.0, "pmdec": 80.0,
            **RIGHTS, **more}  # fmt: skip


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of a star with a candidate, one of a hostile name, one too far North and one without a place."""
    rows = {
        "target": [target("beta-pic", "β Pic", 86.8212, -51.0665, mag_r=3.7),
                   target("polaris", "Polaris", 37.95, 89.26),
                   target(HOSTILE, HOSTILE, 80.0, -30.0, mag_r=5.0), target("nowhere", "Nowhere", None, None)],
        "target_alias": [{"target_id": "beta-pic", "alias": "HD 39060", **RIGHTS}],
        "survey": [{"survey_id": "shine", "name": "SHINE"}],
        "observation": [{"observation_id": "o", "target_id": "beta-pic", "survey_id": "shine", "instrument": "naco",
                         "date": "2013-01-31", "filter": "L'", **RIGHTS}],
        "reduction": [{"reduction_id": "r", "observation_id": "o", "target_id": "beta-pic", **RIGHTS}],
        "detection_limit": [
            {"target_id": "beta-pic", "observation_id": "o", "reduction_id": "r", "wavelength": 3.8, "noise": "mawet",
             "separation": separation, "delta_mag": depth, "sigma": 5.0, **RIGHTS}
            for separation, depth in ((400.0, 9.0), (600.0, 10.0))
        ],
        "companion": [{"companion_id": "cc", "target_id": "beta-pic", "name": f"β Pic cc {HOSTILE}",
                       "status": "CANDIDATE", **RIGHTS}],
        "verdict": [{"companion_id": "cc", "target_id": "beta-pic", "origin": "astrometry", "status": "UNDEFINED",
                     "date": "2026-01-01", "decides_on": "2026-12-20", **RIGHTS}],
        "detection": [{"companion_id": "cc", "target_id": "beta-pic", "observation_id": "o", "reduction_id": "r",
                       "number": 0, "mjd": 56323.0, "separation": 800.0, "position_angle": 90.0, **RIGHTS}],
    }  # fmt: skip
    return bake(tmp_path_factory.mktemp("observe") / "public", rows)


def asked(**more: Any) -> Any:
    return constraints_of("Paranal", NIGHT, **more)


def test_all_stars_of_a_release_are_planned_with_what_is_known_of_them(release):
    made = observe(asked(), release)
    assert [entry.name for entry in made.nights[0].entries] == ["β Pic", HOSTILE]
    why = {one.target_id: one.why_not for one in made.targets}
    assert why["polaris"] == "never rises above airmass 2"
    assert why["nowhere"] == "its position is not known"
    past = next(one.history for one in made.targets if one.target_id == "beta-pic")
    assert past.depth == pytest.approx(9.5)
    assert past.depth_of == "naco L' 2013-01-31"
    assert made.nights[0].entries[0].decides == (f"β Pic cc {HOSTILE}",)


def test_a_survey_and_a_query_choose_stars(release):
    assert [one.target_id for one in observe(asked(), release, survey="SHINE").targets] == ["beta-pic"]
    with pytest.raises(NotFound, match="there are SHINE"):
        observe(asked(), release, survey="GPIES")
    query = "SELECT name, 2 AS priority FROM target WHERE dec < 0 ORDER BY dec"
    made = observe(asked(), release, query=query)
    assert [one.target_id for one in made.targets] == ["beta-pic", HOSTILE]
    assert made.targets[0].row["priority"] == 2
    assert made.targets[0].row["ra"] == 86.8212


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT oops FROM target", "the query failed: no such column"),
        ("DELETE FROM target", "the query failed: attempt to write a readonly database"),
        ("SELECT ra FROM target", "a column target_id or name is needed"),
        ("SELECT name, 'high' AS priority FROM target", "row 1 of the query: priority is 'high'"),
        ("SELECT 1; SELECT 2", "the query failed"),
    ],
)
def test_a_query_that_is_none_is_refused(release, query, message):
    with pytest.raises(BadInput, match=message):
        observe(asked(), release, query=query)


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "stars.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_is_completed_from_the_release(release, tmp_path):
    text = "# my stars\nStar,RA,Dec,R,Priority\nHD 39060,,,,1\nNew One,05:20:00,-30:00:36,8.5,\n"
    made = observe(asked(), release, targets=listed(tmp_path, text))
    known, new = made.targets
    assert (known.target_id, known.row["priority"], known.history.observations) == ("beta-pic", 1.0, 1)
    assert new.target_id == "new-one"
    values = [new.row[name] for name in ("ra", "dec", "mag_r", "ref_epoch")]
    assert values == pytest.approx([80.0, -30.01, 8.5, 2000.0])


def test_a_list_with_positions_needs_no_release(tmp_path):
    made = observe(asked(), None, targets=listed(tmp_path, "name,ra,dec\nA,80,-30\nA,81,-30\n星,80,-31\n"))
    assert [one.target_id for one in made.targets] == ["a", "星"]
    assert len(made.nights[0].entries) == 2
    missing = observe(asked(), tmp_path / "no-release", targets=listed(tmp_path, "name,ra,dec\nA,80,-30\n"))
    assert len(missing.targets) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ra,dec\n1,2\n", "has no column `name`; it has ra, dec"),
        ("", "it has none"),
        ("name,ra,dec\nA,80,-30\nB,east,2\n", "stars.csv, star 2: ra is 'east', a number is needed"),
        ("name,ra,dec\nA,80,-95\n", "star 1: dec is '-95', -90 to 90 is needed"),
        ("name,ra,dec\nA,nan,-9\n", "star 1: ra is 'nan'"),
        ("name,ra,dec\n,80,-9\n", "star 1 has no name"),
    ],
)
def test_a_list_that_cannot_be_read_names_the_line(tmp_path, text, message):
    with pytest.raises(BadInput, match=re.escape(message)):
        observe(asked(), None, targets=listed(tmp_path, text))


def test_what_is_missing_is_named(release, tmp_path):
    with pytest.raises(NotFound, match="there is no file"):
        observe(asked(), None, targets=tmp_path / "none.csv")
    with pytest.raises(NotFound, match=re.escape("holds no lyot.db")):
        observe(asked(), tmp_path)
    with pytest.raises(NotFound, match="there is no star to plan for"):
        observe(asked())
    with pytest.raises(BadInput, match="exclude one another"):
        observe(asked(), release, query="SELECT name FROM target", survey="SHINE")


def test_sites_are_known_by_name_by_instrument_and_by_place():
    assert site_of("paranal") == site_of("sphere-irdis")
    assert site_of("cerro pachon").name == "Cerro Pachón"
    there = site_of("19.8, 204.5, 4145")
    assert (there.latitude, there.longitude, there.elevation) == (19.8, -155.5, 4145.0)
    for words, message in (("Atlantis", "no site is known"), ("1,x", "no site"), ("95,0", "no place on the Earth")):
        with pytest.raises(BadInput, match=message):
            site_of(words)


def test_a_constraint_out_of_its_range_is_named():
    with pytest.raises(BadInput, match=r"airmass is 0\.5"):
        asked(airmass=0.5)
    with pytest.raises(BadInput, match="twilight is 'civil'"):
        asked(twilight="civil")
    assert asked(airmass=None).airmass == 2.0


def test_tables_say_what_the_catalogue_says(release, tmp_path):
    made = observe(asked(deep_enough=9.0), release)
    table, document = write(made, tmp_path / "plan")
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert tuple(rows[0]) == COLUMNS
    first = made.nights[0].entries[0]
    assert rows[0]["name"] == "β Pic"
    assert rows[0]["window_begin"] == first.window_begin
    assert float(rows[0]["field_rotation"]) == first.field_rotation
    assert rows[0]["depth_at_500mas"] == "9.5"
    assert rows[1]["name"] == HOSTILE
    said = json.loads(document.read_text(encoding="utf-8"))
    assert said == json.loads(json.dumps(as_document(made)))
    assert said["nights"][0]["entries"][0]["parallactic_angles"] == list(first.parallactic_angles)
    star = next(one for one in said["targets"] if one["target_id"] == "beta-pic")
    assert star["pending"][0]["decides_on"] == "2026-12-20"
    assert said["constraints"]["deep_enough"] == 9.0
    assert as_csv(made) == table.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_pages_are_whole_and_say_hostile_names_as_text(release, tmp_path):
    made = observe(constraints_of("Paranal", "2026-12-19/2026-12-21"), release)
    folder = tmp_path / "plan"
    write(made, folder)
    assert write_pages(made, folder) == 4
    for path in (folder / "index.html", *(folder / night.date / "index.html" for night in made.nights)):
        page = Tags()
        page.feed(path.read_text(encoding="utf-8"))
        assert not page.tags & {"script", "b", "iframe"}
        assert not page.attributes & {"style", "onerror"}
        assert HOSTILE in page.words
        for address in page.addresses:
            place = (path.parent / address.split("#")[0]).resolve()
            assert address.startswith("#") or place.is_file(), address
    night = Tags()
    night.feed((folder / NIGHT / "index.html").read_text(encoding="utf-8"))
    first = made.nights[1].entries[0]
    assert f"{clock(first.window_begin)}–{clock(first.window_end)}" in night.words
    assert first.reason in night.words
    assert "one more epoch decides from 2026-12-20 on" in " ".join(night.words.split())
    assert write_pages(made, folder) == 4  # again, over itself


def test_a_night_without_stars_still_has_a_page(tmp_path):
    path = listed(tmp_path, "name,ra,dec\nPolaris,37.95,89.26\n")
    made = observe(asked(), None, targets=path)
    write_pages(made, tmp_path / "plan")
    page = (tmp_path / "plan" / NIGHT / "index.html").read_text(encoding="utf-8")
    assert "No star serves: 1 never up" in page


def test_a_finding_chart_has_east_left_and_north_up():
    known = [{"name": "b", "status": "COMPANION", "dra": 800.0, "ddec": 0.0, "mjd": 57000.0},
             {"name": HOSTILE, "status": "CANDIDATE", "dra": 0.0, "ddec": 400.0, "mjd": None}]  # fmt: skip
    root = ElementTree.fromstring(finding_chart(f"A\x00 {HOSTILE}", known, {"pmra": 0.0, "pmdec": 300.0}))
    circles = root.findall(".//{*}g[@class='object']/{*}circle")
    (east_x, east_y), (north_x, north_y) = ((float(c.get("cx", "")), float(c.get("cy", ""))) for c in circles)
    middle = SIDE / 2
    assert east_x < middle
    assert east_y == pytest.approx(middle)
    assert north_x == pytest.approx(middle)
    assert north_y < middle
    assert (middle - east_x) == pytest.approx(2 * (middle - north_y), abs=0.2)  # one decimal is written
    ring = root.find("{*}circle")
    assert ring is not None
    assert float(ring.get("r", "")) == pytest.approx((middle - east_x) * 500 / 800, abs=0.2)
    titles = [title.text or "" for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "b at 800 mas, 90.0° on 2014-12-09, companion" in titles
    assert any(title.startswith("moves by 300 mas in a year") for title in titles)
    assert not root.findall(".//{*}img")


def test_clocks_round_to_the_nearest_minute():
    assert [clock(t) for t in ("2026-12-31T23:59:30", "2026-12-31T23:59:29", "")] == ["00:00", "23:59", ""]
