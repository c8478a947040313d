"""Files that belong together are put together, and none is lost."""

from sphere_headers import raw_header

from lyot.reduce.classify import RawFile, classify
from lyot.reduce.group import group


def raw(name: str, kind: str = "OBJECT", arm: str = "IRDIS", **cards: object) -> RawFile:
    return classify(raw_header(kind, arm, **cards), name, sha256=name)


def names(files) -> list[str]:
    return [one.path for one in files]


def test_one_block_gives_one_data_set_an_arm():
    both = [raw(f"{arm}-{kind}", kind, arm) for arm in ("IRDIS", "IFS")
            for kind in ("OBJECT", "OBJECT,CENTER", "OBJECT,FLUX", "SKY")]
    found = group(both)
    assert {one.name for one in found.datasets} == {
        "sphere-irdis/beta-pic/2016-09-15/db-h23", "sphere-ifs/beta-pic/2016-09-15/yj",
    }
    irdis = next(one for one in found.datasets if one.arm == "irdis")
    assert names(irdis.centre) == ["IRDIS-OBJECT,CENTER"]
    assert names(irdis.flux) == ["IRDIS-OBJECT,FLUX"]
    assert names(irdis.sky) == ["IRDIS-SKY"]
    assert not found.left_over


def test_files_are_sorted_by_time_whatever_their_names():
    late = raw("a", DATE_OBS="2016-09-16T04:00:00.000")
    early = raw("b", DATE_OBS="2016-09-16T03:00:00.000")
    assert names(group([late, early]).datasets[0].science) == ["b", "a"]


def test_set_ups_of_one_star_and_night_are_kept_apart_by_name():
    found = group([raw("a"), raw("b", DET_SEQ1_DIT=64.0), raw("c", OBS_ID=1001)])
    assert len({one.name for one in found.datasets}) == 3


def test_no_file_is_lost():
    files = [
        raw("science"),
        raw("copy").model_copy(update={"sha256": "science"}),
        raw("other block", "OBJECT,CENTER", OBS_ID=77),
        raw("naco", INSTRUME="NAOS+CONICA"),
        raw("undated", DATE_OBS="never"),
        raw("empty", NAXIS3=0),
        raw("dark", "DARK"),
        raw("ao", "OBJECT,AO"),
        raw("sky of another star", "SKY", OBS_ID=5),
    ]
    found = group(files)
    sorted_ = [
        *(one for dataset in found.datasets for one in dataset.files), *found.calibrations, *found.telemetry,
        *(one for one, _ in found.left_over),
    ]
    assert sorted(names(sorted_)) == sorted(names(files))
    why = {one.path: reason for one, reason in found.left_over}
    assert why["copy"] == "the same as science"
    assert "block 77" in why["other block"]
    assert "never" in why["undated"]


def test_frames_taken_with_open_loops_are_kept_and_said():
    found = group([raw("good"), raw("bad", AOS_TTLOOP_STATE="OPEN_LOOP"), raw("short", NAXIS3=2)]).datasets[0]
    assert names(found.science) == ["bad", "good", "short"]  # flagged frame by frame, later
    assert any("bad" in note and "open" in note for note in found.notes)
    assert any("short: 2 of 4" in note for note in found.notes)
