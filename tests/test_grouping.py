"""Detections into objects."""

import numpy as np
import pytest

from lyot.catalog.exchange import rows_of
from lyot.catalog.grouping import group
from lyot.catalog.motion import star_of
from lyot.catalog.published import published_document
from lyot.sky import Star, background_track

STAR = Star(86.82, -51.07, 2016.0, 60.0, 83.9, 30.0)


def _row(mjd, offset, observation=None, **more):
    east, north = offset
    return {
        "mjd": mjd, "dra": east, "ddec": north, "dra_error": 3.0, "ddec_error": 3.0, "snr": 9.0,
        "observation_id": observation or f"on-{mjd}", **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def published():
    tables = rows_of(published_document()).tables
    return {row["target_id"]: row for row in tables["target"]}, tables["detection"]


def test_reductions_of_the_same_frames_are_one_source():
    rows = [_row(57000.0, place, "night") for place in ((300.0, 0.0), (304.0, 2.0), (-500.0, 100.0), (297.0, -3.0))]
    found = group("hd-1", STAR, rows)
    assert found.founded == ["hd-1-cc1", "hd-1-cc2"]
    assert found.assigned == {0: "hd-1-cc1", 1: "hd-1-cc1", 2: "hd-1-cc2", 3: "hd-1-cc1"}


def test_a_background_star_is_followed_over_the_years():
    times = 57000 + np.array([0.0, 200.0, 420.0, 800.0])
    track = background_track(STAR, times, (900.0, 700.0), times[0], motion=(3.0, -2.0))
    rows = [_row(time, place) for time, place in zip(times, track, strict=True)]
    found = group("hd-1", STAR, rows)
    assert set(found.assigned.values()) == {"hd-1-cc1"}
    assert np.hypot(*(track[-1] - track[0])) > 150  # it did go


def test_a_new_detection_joins_a_known_planet(published):
    """The published points of beta Pic b without one of 2014, which then comes back as a detection of its own."""
    targets, detections = published
    target = targets["beta-pic"]
    rows = [dict(row) for row in detections if row["target_id"] == "beta-pic"]
    left = next(row for row in rows if 56960 < row["mjd"] < 56980)
    del left["companion_id"]
    found = group("beta-pic", star_of(target), rows, target["mass"])
    assert list(found.assigned.values()) == ["beta-pic-b"]
    assert not found.founded


def test_a_new_sequence_joins_although_its_error_is_too_small(published):
    """beta Pic b as NACO shows it on MJD 56323: 454 mas, 210.6°; published then 452 ± 10 mas, 211.2 ± 1.3°."""
    targets, detections = published
    target = targets["beta-pic"]
    rows = [dict(row) for row in detections if row["target_id"] == "beta-pic" and abs(row["mjd"] - 56323) < 800]
    seen = {"mjd": 56323.5, "separation": 453.7, "separation_error": 1.8, "position_angle": 210.6,
            "position_angle_error": 0.16, "snr": 13.0, "observation_id": "naco"}  # fmt: skip
    found = group("beta-pic", star_of(target), [*rows, seen], target["mass"])
    assert found.assigned == {len(rows): "beta-pic-b"}


def test_every_planet_of_hr_8799_gets_its_own(published):
    """One epoch of four planets, its detections without names: each finds its planet by where it must be."""
    targets, detections = published
    target = targets["hr-8799"]
    rows = [dict(row) for row in detections if row["target_id"] == "hr-8799"]
    epoch = [place for place, row in enumerate(rows) if int(row["mjd"]) == 55763]
    names = {place: rows[place].pop("companion_id") for place in epoch}
    assert len(names) == 4
    assert group("hr-8799", star_of(target), rows, target["mass"]).assigned == names


def test_two_plausible_objects_are_proposed_not_chosen():
    rows = [
        _row(57000.0, (300.0, 0.0), companion_id="b"),
        _row(57000.0, (330.0, 0.0), companion_id="c"),
        _row(57400.0, (310.0, 5.0)),
    ]
    found = group("hd-1", STAR, rows)
    assert not found.assigned
    assert found.proposed == {2: ("b", "c")}


def test_a_faint_peak_founds_nothing():
    assert not group("hd-1", STAR, [_row(57000.0, (300.0, 0.0)) | {"snr": 3.0}]).assigned


def test_a_single_peak_that_noise_may_give_founds_nothing():
    """A hundredth of a peak of noise as high is expected in the image; a second reduction shows it, or none does."""
    lone = _row(57000.0, (300.0, 0.0)) | {"snr": 5.3, "false_alarms": 0.01, "reduction_id": "night/pca-5"}
    assert not group("hd-1", STAR, [lone]).assigned
    assert not group("hd-1", STAR, [lone, lone | {"wavelength": 2.2}]).assigned  # the same reduction
    assert group("hd-1", STAR, [lone | {"false_alarms": 1e-4}]).founded == ["hd-1-cc1"]
    assert group("hd-1", STAR, [lone | {"false_alarms": None}]).founded == ["hd-1-cc1"]
    other = lone | {"reduction_id": "night/loci", "snr": 5.1, "observation_id": lone.get("observation_id")}
    assert group("hd-1", STAR, [lone, other]).founded == ["hd-1-cc1"]


def test_without_the_motion_of_the_star_nights_stay_apart():
    rows = [_row(57000.0, (300.0, 0.0)), _row(57001.0, (301.0, 0.0)), _row(57400.0, (300.0, 0.0))]
    assert group("hd-1", None, rows).assigned == {0: "hd-1-cc1", 1: "hd-1-cc1", 2: "hd-1-cc2"}


def test_what_has_no_error_is_left():
    row = _row(57000.0, (300.0, 0.0))
    del row["dra_error"]
    assert not group("hd-1", STAR, [row]).assigned
