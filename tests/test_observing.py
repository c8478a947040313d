"""What an observing catalogue says: who is left out and why, who comes first and why, what is known of a star."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from lyot.catalog.constraints import Constraints, nights_of
from lyot.catalog.history import History, Pending, depth_at, histories
from lyot.catalog.observing import ObservingCatalogue, iso, plan
from lyot.errors import BadInput
from lyot.instrument import Site
from lyot.instruments.sites import PARANAL

NIGHT = "2026-04-10"
TRANSITS = 195.0  # deg: culminates at midnight of that night, within minutes


def star(name: str, **more: object) -> dict[str, object]:
    return {"target_id": name, "name": name.upper(), "ra": TRANSITS, "dec": -40.0, **more}


def planned(
    *stars: dict[str, object], known: dict[str, History] | None = None, **asked: object
) -> ObservingCatalogue:
    limits = {"site": PARANAL, "first": NIGHT, "last": NIGHT} | asked
    return plan(stars, known or {}, Constraints.model_validate(limits))


def names(made: ObservingCatalogue, night: int = 0) -> list[str]:
    return [entry.target_id for entry in made.nights[night].entries]


def test_the_window_is_around_the_meridian_and_has_the_length_asked_for():
    entry = planned(star("a"), window=90).nights[0].entries[0]
    begin, middle, end = (np.datetime64(t) for t in (entry.window_begin, entry.transit, entry.window_end))
    assert end - begin == np.timedelta64(90 * 60, "s")
    assert abs((middle - begin) - (end - middle)) <= np.timedelta64(1, "s")
    assert entry.begin <= entry.window_begin
    assert entry.airmasses[6] == pytest.approx(entry.airmass_least)
    assert np.ptp(entry.parallactic_angles) == pytest.approx(entry.field_rotation, abs=0.02)


@pytest.mark.parametrize(
    ("row", "asked", "why"),
    [
        ({"dec": 80.0}, {}, "never rises above airmass 2"),
        ({"ra": None}, {}, "its position is not known"),
        ({"ra": TRANSITS - 180}, {}, "is up by day only"),
        ({"mag_r": 13.2}, {"faintest": 12}, "too faint: R = 13.20, the limit is 12"),
        ({"mag_r": 1.2}, {"brightest": 2}, "too bright: R = 1.20, the limit is 2"),
        ({"mag_h": 1.2}, {"faintest": 12}, "its R is not known"),
        ({"dec": -85.0, }, {"airmass": 3, "rotation": 30}, "the field turns by 15"),
        ({}, {"window": 700}, "up at night for"),
        ({"ra": 294.0, "dec": -27.0}, {"moon_distance": 60}, "within 60° of the Moon"),
        ({"ra": 294.0, "dec": -27.0}, {"moon_illumination": 0.1}, "the Moon is up and lit by more than 10%"),
    ],
)  # fmt: skip
def test_a_star_that_does_not_serve_says_why(row, asked, why):
    made = planned(star("a", **row), **asked)
    assert not names(made)
    assert made.targets[0].why_not.startswith(why)
    assert made.nights[0].note.startswith("no star serves: 1 ")


def test_a_night_without_stars_to_plan_says_so():
    assert planned().nights[0].note == "no star was asked for"


def test_polar_summer_has_no_night_and_says_so():
    arctic = Site(name="Tromsø", latitude=69.65, longitude=18.96, elevation=0)
    made = planned(star("a", dec=70.0), site=arctic, first="2026-06-20", last="2026-06-21")
    assert {night.note for night in made.nights} == {"no night: the Sun stays above astronomical twilight"}
    assert made.targets[0].why_not == "there is no night"
    assert made.nights[0].dusk == ""


def test_seasons_run_over_the_end_of_a_year():
    made = planned(star("a", ra=90.0), first="2025-12-25", last="2026-01-08")
    assert [night.date for night in made.nights][6:8] == ["2025-12-31", "2026-01-01"]
    season = made.targets[0]
    assert (season.nights, season.first, season.last) == (15, "2025-12-25", "2026-01-08")
    assert all(night.entries[0].transit[:4] == night.entries[0].window_begin[:4] for night in made.nights)


CANDIDATE = History(1, "2024-01-01", 12.0, "irdis H2", (Pending("C cc1", "CANDIDATE", "2026-04-10"),))


def test_the_order_and_its_reasons():
    known = {"candidate": CANDIDATE, "shallow": History(1, "2024-01-01", 9.0), "deep": History(1, "2024-01-01", 12.0)}
    stars = [star("deep"), star("shallow"), star("slow", dec=-60.0), star("fast", dec=-30.0), star("candidate"),
             star("wanted", priority=1, dec=-60.0)]  # fmt: skip
    made = planned(*stars, known=known)
    assert names(made) == ["wanted", "candidate", "fast", "slow", "shallow", "deep"]
    reasons = [entry.reason for entry in made.nights[0].entries]
    assert reasons[0] == "before CANDIDATE: priority 1 against no priority"
    assert reasons[1] == "after WANTED: no priority against priority 1"
    assert reasons[2] == "after CANDIDATE: a new epoch would decide what C cc1 is"
    assert reasons[3].startswith("after FAST: the field turns by ")
    assert reasons[4] == "after SLOW: seen to 9.0 mag at 0.5″, against never observed"
    assert reasons[5] == "after SHALLOW: seen to 12.0 mag at 0.5″, against seen to 9.0 mag at 0.5″"
    assert "a new epoch would decide what C cc1 is (since 2026-04-10)" in made.nights[0].entries[1].merits
    assert [entry.rank for entry in made.nights[0].entries] == [1, 2, 3, 4, 5, 6]


def test_what_was_seen_deep_enough_is_left_out_until_an_epoch_would_decide():
    known = {"a": History(1, "2024-01-01", 12.0, "irdis H2", (Pending("A cc1", "CANDIDATE", "2026-04-12"),)),
             "b": History(1, "2024-01-01", 12.0, "irdis H2"), "c": History(1, "2024-01-01", 10.9)}  # fmt: skip
    made = planned(star("a"), star("b"), star("c"), known=known, last="2026-04-13", deep_enough=11)
    assert [names(made, n) for n in range(4)] == [["c"], ["c"], ["a", "c"], ["a", "c"]]
    assert made.targets[0].first == "2026-04-12"
    assert made.targets[1].why_not == "seen to 12.0 mag at 0.5″ (irdis H2), 11 is enough"
    assert made.nights[2].entries[0].decides == ("A cc1",)
    assert made.nights[0].entries[0].decides == ()


def test_a_star_that_will_soon_be_gone_comes_before_one_that_can_wait():
    setting, staying = star("setting", ra=TRANSITS - 75, dec=-30.0), star("staying", dec=-27.0)
    made = planned(staying, setting, last="2026-06-10", airmass=1.5)
    last = made.targets[1].last
    place = [night.date for night in made.nights].index(last)
    assert names(made, place) == ["setting", "staying"]
    assert made.nights[place].entries[0].reason.startswith("before STAYING: 1 night left against ")
    assert names(made, 0) == ["staying", "setting"]


def test_equals_stay_as_they_were_listed():
    made = planned(star("b"), star("a"))
    assert names(made) == ["b", "a"]
    assert made.nights[0].entries[1].reason == "after B, its equal, as they were listed"


def limit(separation: float, delta_mag: float | None = None, **more: object) -> dict[str, object]:
    return {"target_id": "a", "reduction_id": "r", "observation_id": "o", "wavelength": 1.6, "noise": "mawet",
            "separation": separation, "delta_mag": delta_mag, "sigma": 5.0, **more}  # fmt: skip


def test_the_depth_is_read_between_the_measured_separations_only():
    assert depth_at([limit(600, 12.0), limit(400, 11.0)]) == pytest.approx(11.5)
    assert depth_at([limit(600, 12.0), limit(700, 13.0)]) is None
    assert depth_at([]) is None
    assert depth_at([limit(500, contrast=1e-4)]) == pytest.approx(10.0)
    assert depth_at([limit(500, 10.0, sigma=1.0)]) == pytest.approx(10.0 - 2.5 * math.log10(5))


def catalogue(**tables: list[dict[str, object]]) -> dict[str, list[dict[str, object]]]:
    empty = ("observation", "reduction", "detection_limit", "companion", "verdict", "detection")
    return {name: tables.get(name, []) for name in empty}


def test_a_history_has_the_deepest_trusted_limit():
    seen = [{"target_id": "a", "observation_id": "o", "date": "2015-02-03T01:02:03", "instrument": "irdis",
             "filter": "H2"},
            {"target_id": "a", "observation_id": "p", "date": "2014-02-03", "instrument": "naco"}]  # fmt: skip
    limits = [limit(500, 11.0), limit(500, 14.0, noise="annulus"), limit(500, 10.0, wavelength=2.1),
              limit(500, 15.0, reduction_id="bad")]  # fmt: skip
    reductions = [{"reduction_id": "bad", "validation": "rejected"}, {"reduction_id": "r", "validation": None}]
    known = histories(catalogue(observation=seen, detection_limit=limits, reduction=reductions))["a"]
    assert (known.observations, known.last, known.depth) == (2, "2015-02-03", 11.0)
    assert known.depth_of == "irdis H2 2015-02-03"


def test_a_history_names_what_waits_for_an_epoch():
    objects = [{"target_id": "a", "companion_id": f"a-{n}", "name": f"A {n}", "status": status}
               for n, status in enumerate(["COMPANION", "CANDIDATE", "UNDEFINED", "AMBIGUOUS"])]  # fmt: skip
    seen = [{"companion_id": f"a-{n}", "mjd": mjd, "dra": 100.0 * mjd, "ddec": 0.0}
            for n in (0, 1, 3) for mjd in (1, 2)]  # fmt: skip
    seen.append({"companion_id": "a-0", "mjd": 3.0, "separation": 200.0, "position_angle": 90.0})
    verdicts = [{"companion_id": "a-1", "date": "2026-01-01", "decides_on": "2026-05-01"},
                {"companion_id": "a-1", "date": "2026-02-01", "decides_on": "2026-06-01"},
                {"companion_id": "a-3", "date": "2026-02-01", "decides_on": None}]  # fmt: skip
    known = histories(catalogue(companion=objects, detection=seen, verdict=verdicts))["a"]
    assert known.pending == (Pending("A 1", "CANDIDATE", "2026-06-01"), Pending("A 3", "AMBIGUOUS", None))
    assert not known.decides("2026-05-31")
    assert [one.name for one in known.decides("2026-06-01")] == ["A 1"]
    assert known.known[0]["dra"] == pytest.approx(200.0)
    assert known.known[0]["ddec"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("2026-03-01", "2026-03-01", "2026-03-01"),
        ("2026-03-01/2026-03-09", "2026-03-01", "2026-03-09"),
        ("2026A", "2026-02-01", "2026-07-31"),
        ("2026b", "2026-08-01", "2027-01-31"),
        ("P95", "2015-04-01", "2015-09-30"),  # Delorme et al. 2017: April to September 2015
        ("P118", "2026-10-01", "2027-03-31"),
    ],
)
def test_nights_in_words(words, first, last):
    assert nights_of(words) == (first, last)


@pytest.mark.parametrize("words", ["tomorrow", "2026-13-01", "2026C", "/2026-03-01", ""])
def test_what_is_no_range_of_nights_is_refused(words):
    with pytest.raises(BadInput, match="no range of nights"):
        nights_of(words)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"first": "2026-04-11"}, "is before the first"),
        ({"last": "2029-01-01"}, "at most 400"),
        ({"first": "soon"}, "'soon' is no date"),
        ({"band": "Q"}, "no magnitudes in 'Q'"),
        ({"brightest": 8, "faintest": 3}, "no star is fainter than 8"),
    ],
)
def test_constraints_that_make_no_sense_are_refused(asked, message):
    with pytest.raises(BadInput, match=message):
        planned(**asked)


def test_times_are_rounded_to_the_second():
    assert iso(np.array([51544.0 + 0.6 / 86400, math.nan])) == ["2000-01-01T00:00:01", ""]


def test_hundreds_of_stars_over_a_semester_take_seconds():
    random = np.random.default_rng(7)
    dec = np.degrees(np.arcsin(random.uniform(-1, 1, 300)))
    stars = [star(f"s{n}", ra=float(a), dec=float(d)) for n, (a, d) in
             enumerate(zip(random.uniform(0, 360, 300), dec, strict=True))]  # fmt: skip
    began = time.process_time()
    made = planned(*stars, first="2026-04-01", last="2026-09-30", rotation=10)
    assert sum(len(night.entries) for night in made.nights) > 10_000
    assert time.process_time() - began < 10.0  # measured: 2 s
