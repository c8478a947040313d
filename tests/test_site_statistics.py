"""What the pages of surveys and the statistics say of many stars."""

import json
import re
import sqlite3

import numpy as np
import pytest
from baked import bake, release

from lyot.site.chart import Subject
from lyot.site.release import opened
from lyot.site.render import render
from lyot.site.statistics import STACKED, by_survey, reached


def star(state="listed", *statuses):
    return {"state": (state, ""), "statuses": list(statuses), "surveys": ["s"]}


def test_a_survey_says_how_far_it_has_come():
    stars = [star("images", "COMPANION", "BACKGROUND"), star("images", "CANDIDATE"), star("observed"), star()]
    assert reached(by_survey(stars)["s"]) == [
        (4, "stars"), (2, "with reduced images"), (1, "observed, not reduced"), (1, "with companions"),
        (1, "with undecided candidates"), (1, "with background stars"),
    ]  # fmt: skip
    assert reached(by_survey(stars)["another"]) == [(0, "stars")]


def stacked(tmp_path, depths, survey="s") -> dict[str, float]:
    """Depths at 0.5″ of each line of the chart, for stars with limits of these depths (and whether simulated)."""
    rows = {"observation": [], "detection_limit": []}
    for star, (depth, simulated) in enumerate(depths):
        own = {"target_id": f"{star}", "observation_id": f"{star}", "simulated": int(simulated), "workspace": "main"}
        rows["observation"].append({**own, "survey_id": "s", "date": "2020-01-01"})
        rows["detection_limit"] += [
            {**own, "reduction_id": f"{star}", "wavelength": 1.6, "noise": "mawet", "separation": 500.0, "delta_mag": d}
            for d in (depth, depth - 1.0)  # the deeper counts
        ]
    with opened(bake(tmp_path / "public", rows)) as release:
        lines = STACKED.points(release.query(STACKED.sql, target=survey), Subject({}, survey))
    assert all(line.simulated == all(one for _, one in depths) for line in lines)
    return {line.layer: float(line.y[0]) for line in lines}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 11, 101, 258])
def test_tenths_of_the_stars_were_observed_as_deep_as_the_percentiles(tmp_path, count):
    depths = np.random.default_rng(count).normal(12.0, 1.0, count)
    found = stacked(tmp_path, [(depth, False) for depth in depths.tolist()])
    expected = {"tenth": 90, "half": 50, "most": 10} if count >= 3 else {"half": 50}
    assert found == pytest.approx({layer: np.percentile(depths, part) for layer, part in expected.items()})


def test_simulated_stars_are_left_out_unless_there_are_no_others(tmp_path):
    assert stacked(tmp_path / "both", [(10.0, False), (20.0, True)]) == {"half": 10.0}
    assert stacked(tmp_path / "alone", [(20.0, True)]) == {"half": 20.0}
    assert stacked(tmp_path / "everything", [(20.0, True)], survey="") == {}


@pytest.mark.parametrize("simulated", [False, True])
def test_the_page_of_a_survey_shows_its_depth_and_says_what_is_simulated(tmp_path, simulated):
    folder, store = release(tmp_path)
    connection = sqlite3.connect(folder / "lyot.db")
    if simulated:
        connection.execute("UPDATE observation SET survey_id = NULL WHERE NOT simulated")
        connection.commit()
    depths = connection.execute(
        "SELECT DISTINCT round(l.separation / 1000, 1), l.delta_mag FROM detection_limit l "
        "JOIN observation o USING (observation_id) WHERE o.survey_id = 's' ORDER BY 1"
    ).fetchall()
    connection.close()
    assert render(folder, store).failures == {}
    page = (folder / "site/surveys/s/index.html").read_text(encoding="utf-8")
    figure = re.search(r'<figure .*?id="stacked-limits".*?</figure>', page, re.DOTALL)[0]
    groups = json.loads(re.search(r'class="points">(.*?)</script>', figure)[1])
    (half,) = (group["rows"] for group in groups if group["layer"] == "half")
    assert [tuple(row) for row in half] == depths  # all stars have the same
    assert ("badge simulated" in figure) == simulated
    everything = (folder / "site/statistics/index.html").read_text(encoding="utf-8")
    assert 'id="stacked-limits"' in everything
    assert "badge simulated" not in everything
