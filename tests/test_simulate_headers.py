"""Headers of simulated raw files against real ones, and what they tell."""

import numpy as np
import pytest
from astropy.time import Time
from raw_reading import degrees, hour_angle_formula, named, read, real_headers

from lyot.reduce.simulate.headers import sexagesimal
from lyot.reduce.simulate.raw_night import simulate_night


@pytest.mark.parametrize(("value", "packed"), [(-0.5, -3000.0), (12.7556, 124520.16), (-8.78246, -84656.856)])
def test_packed_angles_keep_their_sign(value, packed):
    assert sexagesimal(value) == pytest.approx(packed, abs=1e-4)
    assert degrees(sexagesimal(value)) == pytest.approx(value, abs=1e-8)


@pytest.mark.data
def test_an_irdis_header_has_the_cards_of_a_real_one(shared_data, irdis_night):
    folder, truth = irdis_night
    header = read(folder, named(truth, "OBJECT")[0])[1]
    ours = {card.keyword if " " not in card.keyword else f"HIERARCH ESO {card.keyword[4:]}" for card in header.cards}
    ours |= {f"HIERARCH {key}" for key in header if key.startswith("ESO ")}
    for _, cards in real_headers(shared_data, "SPHER.2020-03-08T07*.txt"):
        assert set(cards) - ours <= {"BZERO", "BSCALE", "CHECKSUM", "DATASUM"}  # astropy hides the first two
    text = (shared_data / "sphere_headers" / "irdis_dbi_vycma_2014-12_excerpt.hdr.txt").read_text()
    excerpt = {line.split("=")[0].strip() for line in text.splitlines() if line.startswith("HIERARCH")}
    assert excerpt - ours <= {"HIERARCH ESO INS4 COMB IND"}  # a card of 2014 that files of 2020 have no more


def test_headers_tell_the_time_and_the_place(irdis_night):
    folder, truth = irdis_night
    for one in named(truth, "OBJECT"):
        header = read(folder, one)[1]
        begin, end = Time(header["DATE-OBS"]), Time(header["ESO DET FRAM UTC"])
        step = (end - begin).sec / header["ESO DET NDIT"]
        told = [(begin.mjd * 86400 + i * step + 0.2 + 8.0) / 86400 for i in range(4)]
        assert one.times == pytest.approx(told, abs=0.5 / 86400)  # s: the file is stamped 0.6 s after the last read
        ra, dec = 15 * degrees(header["ESO INS4 DROT2 RA"]), degrees(header["ESO INS4 DROT2 DEC"])
        for moment, card in ((begin, "START"), (end, "END")):
            lst = moment.sidereal_time("apparent", longitude=-70.4045).hour
            expected = hour_angle_formula(ra, dec, lst)
            difference = (header[f"ESO TEL PARANG {card}"] - expected + 180) % 360 - 180
            assert difference == pytest.approx(0, abs=0.01)
        # the derotator follows half of the altitude; its first angle is logged when most of the exposure is over
        first, last = header["ESO INS4 DROT2 BEGIN"], header["ESO INS4 DROT2 END"]
        begun = 180 + header["ESO TEL ALT"] / 2
        assert abs(last - begun) > abs(last - first) > 0
        assert (first - begun) / (last - begun) == pytest.approx(0.77, abs=0.03)  # angles are rounded


@pytest.mark.slow
def test_the_derotator_card_was_renamed_in_june_2021(tmp_path):
    tiny = {"ndit": 1, "nscience": 1, "empty": True, "calibrations": False}
    for date, word in (("2021-05-20", "BEGIN"), ("2021-06-02", "START")):
        truth = simulate_night(tmp_path / date, "irdis", date=date, **tiny)
        header = read(tmp_path / date, named(truth, "OBJECT")[0])[1]
        assert f"ESO INS4 DROT2 {word}" in header
        assert ("ESO INS4 DROT2 START" in header) != ("ESO INS4 DROT2 BEGIN" in header)


def test_one_block_holds_the_night_and_two_nights_are_two_blocks(irdis_night):
    folder, truth = irdis_night
    sky = [read(folder, one)[1] for one in truth.files if one.category == "SCIENCE"]
    assert len({(h["ESO OBS ID"], h["ESO OBS START"], h["OBJECT"]) for h in sky if h["ESO DPR TYPE"] != "SKY"}) == 1
    assert all(h["ESO OBS START"] < h["ESO TPL START"] < h["DATE-OBS"] for h in sky)
    numbers = [h["ESO TPL EXPNO"] for h in sky]
    assert numbers == sorted(set(numbers))
    calibration = read(folder, named(truth, "FLAT,LAMP")[0])[1]
    assert calibration["ESO OBS ID"] != sky[0]["ESO OBS ID"]


@pytest.mark.slow
def test_the_clock_of_the_derotator_was_wrong_until_july_2016(tmp_path):
    tiny = {"ndit": 1, "nscience": 2, "spacing": 1.0, "empty": True, "calibrations": False}
    truth = simulate_night(tmp_path, "irdis", date="2016-05-10", **tiny)
    errors = []
    for one in named(truth, "OBJECT"):
        header = read(tmp_path, one)[1]
        expected = one.parallactic_icrs[0] + 135.99 - 1.75
        errors.append((one.north[0] - expected + 180) % 360 - 180)
        led = np.radians(header["ESO TEL ALT"] - 2 * header["ESO INS4 DROT2 BEGIN"])
        assert np.degrees(np.arctan(np.tan(led))) == pytest.approx(errors[-1], abs=0.001)  # rounding
    assert min(errors) > 0.05
    assert errors[0] != errors[1]
