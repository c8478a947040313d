"""Every type of raw file is known by its header, and what is unknown says why."""

import pytest
from astropy.io import fits
from sphere_headers import raw_header

from lyot.reduce.classify import classify, night_of

TYPES = [
    ("IRDIS", "DARK", "IMAGE", "dark"),
    ("IFS", "DARK", "IMAGE", "dark"),
    ("IRDIS", "DARK,BACKGROUND", "IMAGE", "background"),
    ("IFS", "DARK,BACKGROUND", "IMAGE", "background"),
    ("IRDIS", "FLAT,LAMP", "IMAGE", "flat"),
    ("IRDIS", "FLAT,LAMP", "SPECTRUM", "flat"),
    ("IFS", "FLAT,LAMP", "IMAGE", "flat"),
    ("IFS", "FLAT,LAMP", "IFU", "lenslet flat"),
    ("IRDIS", "FLAT,LAMP,RONGAIN", "IMAGE", "gain"),
    ("IFS", "FLAT,LAMP,RONGAIN", "IMAGE", "gain"),
    ("IRDIS", "LAMP,DISTORT", "IMAGE", "distortion"),
    ("IFS", "LAMP,DISTORT", "IFU", "distortion"),
    ("IFS", "SPECPOS,LAMP", "IFU", "spectra"),
    ("IFS", "WAVE,LAMP", "IFU", "wavelength"),
    ("IRDIS", "WAVE,LAMP", "SPECTRUM", "wavelength"),
    ("IRDIS", "OBJECT", "IMAGE,DUAL,CORONOGRAPHY", "science"),
    ("IRDIS", "OBJECT", "IMAGE,CLASSICAL", "science"),
    ("IRDIS", "OBJECT", "POLARIMETRY,CORONOGRAPHY", "science"),
    ("IRDIS", "OBJECT", "SPECTRUM", "science"),
    ("IFS", "OBJECT", "IFU", "science"),
    ("IRDIS", "OBJECT,CENTER", "IMAGE,DUAL,CORONOGRAPHY", "centre"),
    ("IFS", "OBJECT,FLUX", "IFU", "flux"),
    ("IRDIS", "SKY", "IMAGE,DUAL", "sky"),
    ("IRDIS", "STD", "IMAGE", "standard"),
    ("IRDIS", "OBJECT,STD", "IMAGE", "standard"),
    ("IRDIS", "OBJECT,ASTROMETRY", "IMAGE", "astrometry"),
    ("ZIMPOL", "BIAS", "POLARIMETRY", "bias"),
    ("ZIMPOL", "DARK", "POLARIMETRY", "dark"),
    ("ZIMPOL", "FLAT,LAMP", "POLARIMETRY", "flat"),
    ("ZIMPOL", "FLAT,POL100", "POLARIMETRY", "modulation"),
    ("ZIMPOL", "OBJECT", "POLARIMETRY", "science"),
]


@pytest.mark.parametrize(("arm", "kind", "technique", "role"), TYPES)
def test_every_type_has_its_role(arm, kind, technique, role):
    found = classify(raw_header(kind, arm, DPR_TECH=technique))
    assert (found.arm, found.role, found.why) == (arm.lower(), role, "")


def test_sparta_is_known_by_its_type_for_it_names_no_arm():
    found = classify(raw_header("OBJECT,AO", SEQ_ARM=None, DET_SEQ1_DIT=None))
    assert (found.arm, found.role) == ("sparta", "telemetry")


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"DPR_TYPE": None}, "DPR TYPE"),
        ({"SEQ_ARM": None}, "SEQ ARM"),
        ({"DPR_TYPE": "TEA,BREAK"}, "TEA,BREAK"),
        ({"DPR_CATG": "ACQUISITION"}, "ACQUISITION"),
        ({"OBS_PROG_ID": "Maintenance"}, "maintenance"),
        ({"INSTRUME": "NAOS+CONICA"}, "NAOS"),
    ],
)
def test_what_is_unknown_says_why(cards, words):
    found = classify(raw_header(**cards))
    assert found.role == ""
    assert words in found.why


def test_the_arm_is_taken_from_the_detector_when_it_is_not_named():
    assert classify(raw_header(SEQ_ARM=None, DET_ID="IRDIS")).arm == "irdis"
    assert classify(raw_header(SEQ_ARM=None, DET_NAME="IFS")).arm == "ifs"


def test_odd_spelling_does_no_harm():
    assert classify(raw_header("object, center")).role == "centre"
    assert classify(raw_header(DET_SEQ1_DIT="16.0")).exposure == 16.0


def test_a_broken_card_is_remembered_and_the_rest_read():
    text = raw_header().tostring(sep="\n").replace("= 'DB_H23  '", "= 'DB_H23   ")
    found = classify(fits.Header.fromstring(text, sep="\n"))
    assert found.role == "science"
    assert found.filter == ""
    assert "IFLT" in found.notes[0]


def test_filters_are_those_of_the_light_path():
    assert classify(raw_header(INS_COMB_IFLT="DB_NDH23")).filter == "DB_H23"
    assert classify(raw_header(INS_COMB_IFLT="BB_Ks")).filter == "BB_Ks"
    assert classify(raw_header(arm="IFS")).filter == "YJ"
    late = classify(raw_header(arm="IFS", INS2_COMB_IFS="OBS_H", INS2_OPTI2_ID="PRIS_YJH"))
    assert late.filter == "YJH"
    lamp = classify(raw_header("FLAT,LAMP", "IFS", INS2_COMB_IFS="CAL_NB4_2_YJH", INS2_OPTI2_ID=None))
    assert (lamp.lamp, lamp.filter) == ("CAL_NB4_2", "YJH")


def test_the_file_is_believed_over_its_plan_and_open_loops_are_seen():
    assert classify(raw_header(NAXIS3=3)).frames == 3
    assert classify(raw_header(AOS_HOLOOP_STATE="OPEN_LOOP")).loops is False
    assert classify(raw_header("DARK", AOS_HOLOOP_STATE="IDLE")).loops is True


def test_nights_run_from_noon_to_noon():
    assert night_of(57647.49) == "2016-09-15"
    assert night_of(57647.51) == "2016-09-16"


@pytest.mark.data
def test_real_headers(shared_data):
    found = {}
    for path in sorted((shared_data / "sphere_headers").glob("*.hdr.txt")):
        header = fits.Header.fromstring(path.read_text(), sep="\n")
        found[path.name.removesuffix(".hdr.txt")] = classify(header, path.name)
    roles = [one.role for one in found.values()]
    assert roles == ["centre", *["science"] * 4, "flux", "wavelength", "wavelength", "science"]
    science = found["SPHER.2020-03-08T07_20_53.733"]
    assert (science.arm, science.filter, science.frames, science.exposure) == ("ifs", "YJ", 8, 64.0)
    assert (science.block, science.tracking, science.coronagraph) == ("2485392", "PUPIL", "N_ALC_YJH_S")
    assert found["SPHER.2020-03-08T16_55_42.124"].filter == "YJH"
    assert found["irdis_dbi_vycma_2014-12_excerpt"].filter == "DB_J23"
