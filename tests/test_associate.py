"""Calibrations are the nearest in time whose cards match; what is missing is named."""

import pytest
from sphere_headers import raw_header

from lyot.reduce.associate import associate
from lyot.reduce.classify import RawFile, classify
from lyot.reduce.group import group


def raw(name: str, kind: str = "OBJECT", arm: str = "IRDIS", hours: float = 0.0, **cards: object) -> RawFile:
    found = classify(raw_header(kind, arm, **cards), name, sha256=name)
    return found.model_copy(update={"start": found.start + hours / 24.0})


def chosen(files: list[RawFile]) -> dict:
    found = group(files)
    return {one.need: one for one in associate(found.datasets[0], found.calibrations)}


BACKGROUND = "background 16 s OPEN"


@pytest.mark.parametrize(("hours", "level"), [(5, 0), (-11.9, 0), (13, 1), (100, 2), (-400, 3), (1000, 4)])
def test_the_level_grows_with_the_time_between(hours, level):
    found = chosen([raw("science"), raw("dark", "DARK", hours=hours)])[BACKGROUND]
    assert (found.level, found.files[0].path) == (level, "dark")
    assert found.hours == pytest.approx(abs(hours))


def test_sky_is_better_than_background_better_than_dark():
    files = [raw("science"), raw("dark", "DARK", hours=1), raw("background", "DARK,BACKGROUND", hours=2),
             raw("sky", "SKY", hours=3)]
    for best in ("sky", "background", "dark"):
        assert chosen(files)[BACKGROUND].files[0].path == best
        files = [one for one in files if one.path != best]


def test_but_not_a_sky_of_another_week():
    files = [raw("science"), raw("dark", "DARK", hours=1), raw("sky", "SKY", hours=200, OBS_ID=7)]
    assert chosen(files)[BACKGROUND].files[0].path == "dark"


def test_the_exposure_must_match_and_what_there_is_is_named():
    found = chosen([raw("science"), raw("dark", "DARK", DET_SEQ1_DIT=8.0)])[BACKGROUND]
    assert not found.found
    assert "8 s" in found.why
    assert "instead" in found.why


def test_the_warm_background_of_k_must_have_its_filter():
    science = raw("science", INS_COMB_IFLT="DB_K12")
    other = raw("background", "DARK,BACKGROUND")
    own = raw("own", "DARK,BACKGROUND", INS_COMB_IFLT="DB_K12", hours=30)
    assert chosen([science, other, own])[BACKGROUND].files[0].path == "own"
    assert chosen([raw("science"), other])[BACKGROUND].files[0].path == "background"


def test_a_relaxed_key_is_level_four():
    found = chosen([raw("science"), raw("dark", "DARK", DET_READ_CURNAME="Double")])[BACKGROUND]
    assert found.level == 4
    assert "relaxed" in found.why


def test_every_file_of_the_nearest_set_is_taken_and_none_of_another_day():
    near = [raw(f"dark{n}", "DARK", hours=6 + n / 10) for n in range(3)]
    found = chosen([raw("science"), *near, raw("old", "DARK", hours=-24)])[BACKGROUND]
    assert [one.path for one in found.files] == ["dark0", "dark1", "dark2"]


def test_a_flat_wants_two_exposures_and_its_own_filter():
    files = [raw("science"), raw("f1", "FLAT,LAMP", hours=5, DET_SEQ1_DIT=2.0),
             raw("f2", "FLAT,LAMP", hours=5, DET_SEQ1_DIT=4.0), raw("k", "FLAT,LAMP", INS_COMB_IFLT="DB_K12")]
    found = chosen(files)["flat"]
    assert [one.path for one in found.files] == ["f1", "f2"]
    alone = chosen(files[:2])["flat"]
    assert "2 wanted" in alone.why


def test_flux_frames_have_needs_of_their_own():
    files = [raw("science"), raw("flux", "OBJECT,FLUX", DET_SEQ1_DIT=2.0, INS4_FILT2_NAME="ND_2.0")]
    assert set(chosen(files)) == {BACKGROUND, "background 2 s ND_2.0", "flat"}


def test_the_ifs_wants_its_lamps_and_darks_of_1_65_s():
    def lamp(name: str) -> RawFile:
        return raw(name, "FLAT,LAMP", "IFS", DPR_TECH="IMAGE", INS2_COMB_IFS=f"{name}_YJ")

    files = [
        raw("science", arm="IFS"), raw("dark", "DARK", "IFS", DET_SEQ1_DIT=1.650726),
        raw("long", "DARK", "IFS"), lamp("CAL_BB_2"), lamp("CAL_NB1_1"),
        raw("wave", "WAVE,LAMP", "IFS"), raw("spec", "SPECPOS,LAMP", "IFS"),
        raw("ifu", "FLAT,LAMP", "IFS", DPR_TECH="IFU"),
        raw("other", "WAVE,LAMP", "IFS", INS2_OPTI2_ID="PRIS_YJH"),
    ]  # fmt: skip
    found = chosen(files)
    assert {need: [f.path for f in one.files] for need, one in found.items()} == {
        BACKGROUND: ["long"], "lamp dark": ["dark"], "flat CAL_BB_2": ["CAL_BB_2"], "flat CAL_NB1_1": ["CAL_NB1_1"],
        "flat CAL_NB2_1": [], "flat CAL_NB3_1": [], "spectra": ["spec"], "wavelength": ["wave"],
        "lenslet flat": ["ifu"],
    }  # fmt: skip
