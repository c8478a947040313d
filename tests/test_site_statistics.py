"""What the pages of surveys and the statistics say of many stars."""

import json
import re
import sqlite3

import pytest
from baked import bake, release

from lyot.site.chart import Subject
from lyot.site.render import render
from lyot.site.statistics import STACKED, reached


def star(state="listed", *statuses):
    return {"state": (state, ""), "statuses": list(statuses)}


def test_a_survey_says_how_far_it_has_come():
    stars = [star("images", "COMPANION", "BACKGROUND"), star("images", "CANDIDATE"), star("observed"), star()]
    assert reached(stars) == [
        (4, "stars"), (2, "with reduced images"), (1, "observed, not reduced"), (1, "with companions"),
        (1, "with undecided candidates"), (1, "with background stars"),
    ]  # fmt: skip
    assert reached([]) == [(0, "stars")]


def limit(star: int, depth: float, simulated: bool = False) -> dict:
    return {"target_id": f"{star}", "separation": 0.5, "delta_mag": depth, "simulated": simulated}


def test_half_of_the_stars_were_observed_as_deep_as_the_median():
    found = {line.layer: line for line in STACKED.points([limit(n, float(n)) for n in range(11)], Subject({}, "s"))}
    assert {name: line.y.tolist() for name, line in found.items()} == {"tenth": [9.0], "half": [5.0], "most": [1.0]}
    assert not any(line.simulated for line in found.values())


def test_limits_at_another_significance_are_not_mixed_with_those_at_five(tmp_path):
    """At 3σ a reduction seems half a magnitude deeper than it is."""
    rights = {"workspace": "main", "simulated": 0}
    limits = [{"target_id": "1", "observation_id": "o", "reduction_id": f"r{sigma}", "noise": "mawet",
               "separation": 500.0, "delta_mag": depth, "sigma": sigma, **rights}
              for sigma, depth in ((5.0, 12.0), (3.0, 12.4), (None, 11.0))]  # fmt: skip
    seen = {"observation_id": "o", "target_id": "1", "date": "2020-01-01", **rights}
    with sqlite3.connect(bake(tmp_path, {"observation": [seen], "detection_limit": limits}) / "lyot.db") as connection:
        assert connection.execute(STACKED.sql, {"target": ""}).fetchall() == [("1", 0.5, 12.0, 0)]


def test_simulated_stars_are_left_out_unless_there_are_no_others():
    deep = [limit(9, 20.0, simulated=True)]
    (line,) = STACKED.points([limit(1, 10.0), *deep], Subject({}, "s"))
    assert (line.y.tolist(), line.simulated) == ([10.0], False)
    (line,) = STACKED.points(deep, Subject({}, "s"))
    assert (line.y.tolist(), line.simulated) == ([20.0], True)


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
