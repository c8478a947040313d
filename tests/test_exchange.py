"""Documents into rows."""

import json

import pytest

from lyot.catalog.exchange import rows_of
from lyot.catalog.table import tables
from lyot.errors import BadInput
from lyot.sky import mjd_of

DOCUMENT = {
    "references": [{"reference_id": "me-2026", "citation": "Me 2026"}],
    "targets": [
        {
            "name": "β Test", "aliases": ["HD 1", "HIP 2"], "ra": 10.5, "dec": -20, "parallax": 50.0,
            "measurements": [
                {"quantity": "parallax", "value": 50.0, "error_plus": 0.1, "reference_id": "me-2026"},
                {"quantity": "apparent_mag", "band": "H", "value": "> 18.2", "reference_id": "me-2026"},
            ],
        }
    ],
    "observations": [
        {
            "target_name": "β Test", "instrument": "GPI", "date": "2015-03-04T05:06:07Z", "filter": "H",
            "reductions": [
                {
                    "software": "mine", "reference_id": "me-2026",
                    "detections": [
                        {"separation": 500, "position_angle": 12.5, "separation_error": 2, "position_angle_error": 0.2},
                        {"dra": -30.0, "ddec": 400.0, "snr": 7, "wavelength": 1.65, "companion_id": "beta-test-b"},
                    ],
                    "detection_limits": [{"noise": "mawet", "separation": 200, "contrast": 1e-5}],
                }
            ],
        }
    ],
}  # fmt: skip


def _with(path, value):
    """The document with one value changed."""
    document = json.loads(json.dumps(DOCUMENT))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


DETECTION = ("observations", 0, "reductions", 0, "detections", 0)


def test_the_hierarchy_becomes_rows():
    rows = rows_of(DOCUMENT).tables
    assert {name: len(listed) for name, listed in rows.items()} == {
        "reference": 1, "target": 1, "target_alias": 2, "measurement": 2, "observation": 1, "reduction": 1,
        "detection": 2, "detection_limit": 1,
    }  # fmt: skip
    observation, detection = rows["observation"][0], rows["detection"][0]
    assert observation["target_id"] == detection["target_id"] == "beta-test"
    assert detection["observation_id"] == observation["observation_id"]
    assert detection["reduction_id"] == rows["reduction"][0]["reduction_id"]
    assert detection["mjd"] == observation["mjd"] == mjd_of("2015-03-04T05:06:07Z")
    assert detection["filter"] == "H"
    assert detection["reference_id"] == "me-2026"
    assert [row["number"] for row in rows["detection"]] == [0, 1]
    assert rows["detection"][1]["separation"] == pytest.approx(401.12, abs=0.01)


def test_rows_fit_their_tables():
    for name, listed in rows_of(DOCUMENT).tables.items():
        assert tables()[name].rows(listed).num_rows == len(listed)


def test_a_limit_is_kept_as_a_limit():
    row = rows_of(DOCUMENT).tables["measurement"][1]
    assert (row["value"], row["limit"]) == (18.2, ">")


def test_values_of_targets_are_measurements_too():
    star = {"name": "HD 1", "parallax": 20.0, "parallax_error": 0.5, "mag_lp": 3.4, "reference_id": "me"}
    found = {(row["quantity"], row.get("band")): row for row in rows_of({"targets": [star]}).tables["measurement"]}
    assert set(found) == {("parallax", None), ("apparent_mag", "L'")}
    parallax = found["parallax", None]
    assert (parallax["value"], parallax["error_plus"], parallax["unit"]) == (20.0, 0.5, "mas")
    assert parallax["reference_id"] == "me"
    said = rows_of({"targets": [star | {"measurements": [{"quantity": "parallax", "value": 20.0}]}]}).tables
    assert [row["quantity"] for row in said["measurement"]] == ["parallax", "apparent_mag"]


def test_a_verdict_says_who_when_and_why():
    said = {"companion_id": "hd-1-b", "target_id": "hd-1", "status": "BACKGROUND", "author": "A. Stronomer",
            "date": "2026-02-03", "reason": "it is a galaxy"}  # fmt: skip
    assert rows_of({"verdicts": [said]}).tables["verdict"][0]["origin"] == "human"
    for name in ("author", "date", "reason"):
        with pytest.raises(BadInput, match=rf"verdicts\[0\]: {name} is missing"):
            rows_of({"verdicts": [{**said, name: None}]})
    with pytest.raises(BadInput, match="only verdicts of people"):
        rows_of({"verdicts": [said | {"origin": "astrometry"}]})


def test_unknown_columns_are_named():
    rows = rows_of(_with((*DETECTION, "airmass"), 1.2) | {"colour": "red"})
    assert rows.unknown == ["colour", "observations[0].reductions[0].detections[0].airmass"]


def test_what_is_missing_is_missing():
    rows = rows_of({"observations": [{"target_name": "HD 1", "mjd": 57000.25}]}).tables
    assert rows["observation"][0]["date"] == "2014-12-09"
    assert list(rows) == ["observation"]
    detection = rows_of(_with((*DETECTION, "separation_error"), None)).tables["detection"][0]
    assert "separation_error" not in detection


def test_a_day_without_a_time_says_how_well_it_is_known():
    def observed(**when):
        reduction = {"detections": [{"separation": 300, "position_angle": 5}]}
        return rows_of({"observations": [{"target_name": "HD 1", **when, "reductions": [reduction]}]}).tables

    day, instant = observed(date="2015-03-04"), observed(date="2015-03-04T05:06:07Z")
    assert [row["mjd_error"] for name in ("observation", "detection") for row in day[name]] == [0.5, 0.5]
    assert day["observation"][0]["mjd"] == mjd_of("2015-03-04T12:00:00Z")
    assert all("mjd_error" not in row for name in ("observation", "detection") for row in instant[name])


def test_a_julian_date_is_turned():
    rows = rows_of({"observations": [{"target_name": "HD 1", "julian_date": 2457000.75}]}).tables
    assert rows["observation"][0]["mjd"] == 57000.25


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((*DETECTION, "separation"), "abc", "detections[0].separation: 'abc' is not a number"),
        ((*DETECTION, "separation"), ">18.2", "detections[0].separation: '>18.2' is not a number"),
        ((*DETECTION, "separation"), float("nan"), "detections[0].separation: nan is not a finite number"),
        ((*DETECTION, "separation"), float("inf"), "detections[0].separation: inf is not a finite number"),
        ((*DETECTION, "separation"), True, "detections[0].separation: True is not a number"),
        ((*DETECTION, "separation"), [1], "detections[0].separation: [1] is not a number"),
        ((*DETECTION, "separation"), 10**400, "detections[0].separation: 1000"),
        ((*DETECTION, "separation"), -5, "detections[0].separation: -5 mas is outside"),
        ((*DETECTION, "separation"), 0, "detections[0].separation: 0 mas is not positive"),
        ((*DETECTION, "separation"), None, "detections[0]: separation is missing"),
        ((*DETECTION, "separation_error"), -1, "detections[0].separation_error: -1 mas is outside"),
        ((*DETECTION, "position_angle"), 400, "detections[0].position_angle: 400 deg is outside"),
        ((*DETECTION, "number"), 1.5, "detections[0].number: 1.5 is not a whole number"),
        ((*DETECTION, "release_date"), "soon", "detections[0].release_date: 'soon' is no date"),
        ((*DETECTION, "simulated"), "perhaps", "detections[0].simulated: 'perhaps' is neither"),
        (("targets", 0, "parallax"), 0, "targets[0].parallax: 0 mas is not positive"),
        (("targets", 0, "parallax"), -3, "targets[0].parallax: -3 mas is not positive"),
        (("targets", 0, "measurements", 0, "value"), -3, "targets[0].measurements[0].value: a parallax of -3"),
        (("targets", 0, "name"), "", "targets[0]"),
        (("targets", 0, "aliases"), "HD 1", "targets[0].aliases: text, a list of names is needed"),
        (("targets", 0), [], "targets[0]: a list, an object is needed"),
        (("targets",), {}, "targets: an object, a list is needed"),
        (("observations", 0, "target_name"), None, "observations[0]: neither target_id nor target_name"),
        (("observations", 0, "date"), "yesterday", "observations[0].date: 'yesterday' is no date"),
        (("observations", 0, "reductions", 0, "validation"), "fine", "reductions[0].validation: 'fine' is none of"),
        (("observations", 0, "reductions", 0, "detection_limits", 0, "noise"), None, "noise is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(path, value, message):
    with pytest.raises(BadInput) as error:
        rows_of(_with(path, value))
    assert message in error.value.message


def test_one_key_twice():
    document = _with(("references",), [{"reference_id": "a", "citation": "A"}, {"reference_id": "a", "citation": "B"}])
    with pytest.raises(BadInput, match="two rows of reference have the same reference_id 'a' and differ"):
        rows_of(document)
    same = _with(("references",), [{"reference_id": "a", "citation": "A"}] * 2)
    assert len(rows_of(same).tables["reference"]) == 1


@pytest.mark.parametrize("document", [None, 3, "text", [1], {}, {"something": []}])
def test_another_shape(document):
    with pytest.raises(BadInput, match="the document"):
        rows_of(document)


def test_ten_thousand_levels():
    deep = {}
    for _ in range(900):
        deep = {"targets": [deep]}
    with pytest.raises(BadInput, match="levels deep"):
        rows_of(deep)


def test_rights_come_down():
    document = _with(("observations", 0, "release_date"), "2027-01-01T10:00:00Z")
    rows = rows_of(document | {"release_date": "2026-01-01"}).tables
    assert rows["target"][0]["release_date"] == "2026-01-01"
    assert rows["detection"][0]["release_date"] == "2027-01-02"
