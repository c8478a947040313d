"""What the page of surveys says of observations of no survey, and of publications."""

import re

from baked import HOSTILE, RIGHTS, bake

from lyot.site.collected import MOST_LISTED, collected
from lyot.site.release import opened


def observed(number, reference, survey=None, simulated=0, instrument="naco", star=None):
    return {"observation_id": f"o{number}", "target_id": star or f"star {number}", "survey_id": survey,
            "instrument": instrument, "reference_id": reference, "date": f"20{10 + number}-01-02T03:04:05",
            **RIGHTS, "simulated": simulated}  # fmt: skip


def read(folder, **rows):
    with opened(bake(folder / "public", rows)) as release:
        return collected(release)


def cells(table):
    """Texts of the cells of each row of a table."""
    rows = re.findall("<tr>(.*?)</tr>", table.split("<tbody>")[1], re.DOTALL)
    return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)] for row in rows]


def test_what_is_of_a_survey_or_simulated_is_not_counted(tmp_path):
    found = read(tmp_path, observation=[
        observed(0, "a"), observed(1, "a"), observed(2, "b", star="star 1", instrument="gpi"), observed(3, "a", "s"),
        observed(4, "a", simulated=1), observed(5, None, instrument=None, star="star 0"),
    ])  # fmt: skip
    whole = ("observations", "stars", "publications", "first", "last", "papers")
    assert [found[name] for name in whole] == [4, 2, 2, "2010-01-02", "2015-01-02", 2]
    assert cells(found["by_instrument"]) == [
        ["NACO", "2", "2", "1", "2010-01-02", "2011-01-02"],
        ["GPI", "1", "1", "1", "2012-01-02", "2012-01-02"],
        ["not said", "1", "1", "0", "2015-01-02", "2015-01-02"],
    ]
    assert re.findall('href="(.*?)"', found["by_instrument"]) == ["../instruments/naco/", "../instruments/gpi/"]


def test_a_publication_counts_each_star_once(tmp_path):
    """Two observations, two positions and a value of one star, and a value of another, rest on one publication."""
    seen = {"reduction_id": "r", "separation": 1.0, "position_angle": 1.0, "reference_id": "a", **RIGHTS}
    value = {"quantity": "age", "value": 1.0, "unit": "Myr", "reference_id": "a", **RIGHTS}
    found = read(
        tmp_path,
        observation=[observed(0, "a"), observed(1, "a", star="star 0")],
        detection=[{**seen, "target_id": "star 0", "number": number} for number in range(2)],
        measurement=[{**value, "target_id": star, "number": 0} for star in ("star 0", "star 1")],
        reference=[{"reference_id": "a", "citation": HOSTILE, "url": "https://example.org/?a=1&b=2"}],
    )
    ((_, *numbers),) = cells(found["by_publication"])
    assert numbers == ["2", "2", "2", "2", "2010-01-02", "2011-01-02"]
    assert HOSTILE not in found["by_publication"]
    assert 'href="https://example.org/?a=1&amp;b=2"' in found["by_publication"]


def test_of_many_publications_those_that_give_most_are_listed(tmp_path):
    many = range(MOST_LISTED + 5)
    rows = [{"target_id": f"star {n}", "quantity": "age", "value": 1.0, "number": k, "reference_id": f"{n:03d}",
             **RIGHTS} for n in many for k in range(n + 1)]  # fmt: skip
    found = read(tmp_path, measurement=rows)
    assert (found["papers"], found["listed"], found["observations"]) == (MOST_LISTED + 5, MOST_LISTED, 0)
    assert cells(found["by_publication"])[0][0] == f"{many[-1]:03d}"
    assert len(cells(found["by_publication"])) == MOST_LISTED
