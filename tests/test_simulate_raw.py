"""Simulated raw nights of SPHERE: their headers against real ones, their geometry against algebra and astropy."""

import itertools
import json
import re

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time
from scipy.ndimage import median_filter
from scipy.optimize import least_squares

from lyot.errors import BadInput
from lyot.reduce.simulate.headers import sexagesimal
from lyot.reduce.simulate.ifs import ifs
from lyot.reduce.simulate.irdis import irdis
from lyot.reduce.simulate.raw_night import simulate_night
from lyot.reduce.simulate.raw_plan import plan
from lyot.reduce.simulate.raw_scene import FAULTS, Companion, Truth, neutral_density, night
from lyot.reduce.simulate.raw_sky import Star, of_date_direction, offset, point, transit

PLANET = Companion(name="b", separation=700.0, position_angle=211.0, contrast=4e-3)
SCALE, SQUEEZE = 12.255, 1.0062  # mas/px and the stretch of y: Delorme et al. 2017, Maire et al. 2016


@pytest.fixture(scope="module")
def irdis_night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("irdis")
    truth = simulate_night(folder, "irdis", seed=3, nscience=2, planets=(PLANET,), spacing=12.0)
    return folder, truth


def real_headers(shared_data, pattern="SPHER.*.hdr.txt"):
    for path in sorted((shared_data / "sphere_headers").glob(pattern)):
        lines = [line.rstrip("\n") for line in path.read_text().splitlines() if "=" in line]
        yield path.name, {line.split("=", 1)[0].strip(): line.split("=", 1)[1] for line in lines}


def number(text):
    return float(re.split(r" /", text)[0].strip(" '"))


def degrees(packed):
    """DDMMSS.s to degrees, the sign kept."""
    whole, seconds = divmod(abs(packed), 100.0)
    hours, minutes = divmod(whole, 100.0)
    return np.copysign(hours + minutes / 60 + seconds / 3600, packed)


def hour_angle_formula(ra, dec, lst):
    """The textbook parallactic angle, which the simulator does not use. Hours, deg."""
    angle, dec, latitude = np.radians((lst - ra / 15) * 15), np.radians(dec), np.radians(-24.6268)
    return np.degrees(np.arctan2(np.sin(angle), np.cos(dec) * np.tan(latitude) - np.sin(dec) * np.cos(angle)))


def named(truth, kind):
    return [one for one in truth.files if one.kind == kind]


def read(folder, one):
    with fits.open(folder / one.name) as hdus:
        return hdus[0].data.astype(float), hdus[0].header.copy()


def clean(image, bad):
    """Bad pixels replaced by the median of the good ones around them."""
    good = np.where(bad, np.nan, image)
    around = np.stack([np.roll(good, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j])
    return np.where(bad, np.nanmedian(around, axis=0), image)


def centroid(image, x, y, half=6):
    """Centre of light of what stands above the lowest third, (x, y)."""
    column, row = round(x), round(y)
    cut = image[row - half : row + half + 1, column - half : column + half + 1]
    weight = np.clip(cut - np.percentile(cut, 60), 0, None) ** 1.5
    rows, columns = np.mgrid[row - half : row + half + 1, column - half : column + half + 1]
    return (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()


def flat_of(folder, truth):
    flats = sorted(named(truth, "FLAT,LAMP"), key=lambda one: one.dit)
    low, high = (read(folder, one)[0].mean(axis=0) for one in (flats[0], flats[-1]))
    slope = (high - low) / (flats[-1].dit - flats[0].dit)
    return slope / np.median(slope[100:900, 100:900])


def reduced(folder, truth, one, half=0):
    """Frames of one half less the dark of their integration time, over the flat; cleaned around the star."""
    darks = [d for d in named(truth, "DARK,BACKGROUND") if d.dit == one.dit]
    near = (slice(400, 640), slice(1024 * half + 360, 1024 * half + 600))
    dark = read(folder, darks[0])[0].mean(axis=0)
    flat = flat_of(folder, truth)[near]
    warm = read(folder, named(truth, "DARK,BACKGROUND")[0])[0].mean(axis=0)[near]
    bad = (np.abs(flat - 1) > 0.25) | (warm > np.median(warm) + 40)
    frames = np.zeros((one.nframes, 1024, 1024))
    for frame, raw in zip(frames, read(folder, one)[0], strict=True):
        frame[400:640, 360:600] = clean((raw - dark)[near] / np.where(bad, 1, flat), bad)
    return frames


# --- angles -----------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_angles_are_those_of_real_headers(shared_data):
    checked = 0
    for name, cards in real_headers(shared_data, "SPHER.2020-03-08T07*.txt"):
        ra = 15 * degrees(number(cards["HIERARCH ESO INS4 DROT2 RA"]))
        dec = degrees(number(cards["HIERARCH ESO INS4 DROT2 DEC"]))
        when = [cards[key].split("'")[1] for key in ("DATE-OBS", "HIERARCH ESO DET FRAM UTC")]
        told = [number(cards[f"HIERARCH ESO TEL PARANG {end}"]) for end in ("START", "END")]
        # the telescope's clock and ours may differ by two seconds: 0.015 deg here
        assert of_date_direction(ra, dec, Time(when)) == pytest.approx(told, abs=0.02), name
        checked += 1
    assert checked == 6


@pytest.mark.data
def test_pointing_is_that_of_real_headers(shared_data):
    for name, cards in real_headers(shared_data, "SPHER.2020-03-08T07*.txt"):
        alpha, delta = (number(cards[f"HIERARCH ESO TEL TARG {c}"]) for c in ("ALPHA", "DELTA"))
        pma, pmd = (1000 * number(cards[f"HIERARCH ESO TEL TARG {c}"]) for c in ("PMA", "PMD"))
        at_2016 = {"ra": 15 * degrees(alpha) + 16 * pma / 3.6e6, "dec": degrees(delta) + 16 * pmd / 3.6e6}
        star = Star(name="real", pmra=pma, pmdec=pmd, parallax=1.0, **at_2016)
        time = Time([cards["DATE-OBS"].split("'")[1]])
        here = point(star.at(time[0]), time)
        assert here.altitude[0] == pytest.approx(number(cards["HIERARCH ESO TEL ALT"]), abs=0.02), name
        assert here.azimuth[0] - 180 == pytest.approx(number(cards["HIERARCH ESO TEL AZ"]), abs=0.02), name
        drot = 15 * degrees(number(cards["HIERARCH ESO INS4 DROT2 RA"]))
        assert here.ra_date[0] == pytest.approx(drot, abs=1.0 / 3600), name  # 0.4″ are known to remain


@pytest.mark.parametrize("dec", [-70.0, -38.1, -20.0, 5.0])
def test_the_zenith_stands_where_the_textbook_has_it(dec):
    star = Star(dec=dec, pmra=0, pmdec=0)
    times = Time(Time("2019-05-12T02:00:00").mjd + np.linspace(0, 0.2, 9), format="mjd")
    here = point(star.at(times[0]), times)
    expected = hour_angle_formula(here.ra_date, here.dec_date, here.lst)
    # the formula knows no diurnal aberration (0.3″) and no polar motion
    assert (here.zenith_date - expected + 180) % 360 - 180 == pytest.approx(np.zeros(9), abs=0.005)


def test_north_of_date_is_not_icrs_north():
    star = Star(pmra=0, pmdec=0)
    times = Time(["2019-05-12T04:00:00", "2019-05-12T06:00:00"])
    here = point(star.at(times[0]), times)
    turned = 0.00557 * (2019.36 - 2000) * np.sin(np.radians(star.ra)) / np.cos(np.radians(star.dec))
    # precession to first order; nutation in longitude adds up to 17″ sin ε sin α / cos δ = 0.002 deg, aberration less
    assert here.zenith_icrs - here.zenith_date == pytest.approx(np.full(2, -turned), abs=0.005)


def test_a_background_star_trails_behind_the_target():
    star = Star(parallax=0.2)
    first, later = (offset(star, 234.2, -38.1001, Time(f"{year}-05-12")) for year in (2018, 2021))

    def north_east(separation, angle):
        return separation * np.cos(np.radians(angle)), separation * np.sin(np.radians(angle))

    moved = np.subtract(north_east(*later), north_east(*first))
    assert moved == pytest.approx((3 * 31.0, 3 * 24.0), abs=0.3)  # leap years 0.1 mas, parallax 0.2 mas
    near = Star(parallax=100.0, pmra=0, pmdec=0)
    spring, autumn = (north_east(*offset(near, 234.2, -38.1001, Time(t))) for t in ("2018-02-20", "2018-08-23"))
    assert np.hypot(*np.subtract(spring, autumn)) == pytest.approx(200.0, rel=0.05)  # twice the parallax, along RA


def test_a_star_that_is_up_by_day_is_refused():
    with pytest.raises(BadInput, match="does not cross"):
        transit(Star(ra=60.0), "2019-05-11")


# --- headers ----------------------------------------------------------------------------------------------------


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


# --- the filters ------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_neutral_densities_are_the_measured_ones(shared_data):
    curves = np.genfromtxt(shared_data / "sphere_calib" / "filters" / "SPHERE_CPI_ND.txt")
    for column, name in enumerate(("ND_1.0", "ND_2.0", "ND_3.5"), start=2):
        inside = (curves[:, 0] >= 950) & (curves[:, 0] <= 2300)
        ours = neutral_density(name, curves[inside, 0] / 1000)
        assert ours == pytest.approx(curves[inside, column], rel=0.06)  # a table of 50 nm steps


@pytest.mark.parametrize(
    ("band", "name", "expected"),  # integrals over the published curves of the filters
    [
        ("DB_Y23", "ND_2.0", (8.64e-3, 5.32e-3)),
        ("DB_J23", "ND_2.0", (3.28e-3, 3.20e-3)),
        ("DB_H23", "ND_1.0", (0.1143, 0.1394)),
        ("DB_H23", "ND_2.0", (1.183e-2, 1.781e-2)),
        ("DB_H23", "ND_3.5", (5.23e-4, 1.047e-3)),
        ("DB_K12", "ND_2.0", (2.217e-2, 2.221e-2)),
        ("BB_H", "ND_2.0", (1.503e-2,)),
        ("BB_Y", "ND_2.0", (8.15e-3,)),
    ],
)
def test_a_filter_sees_the_neutral_density_of_its_curve(band, name, expected):
    camera = irdis(night("irdis", band=band), seed=1)
    # filters are taken as boxes: 1 % in most, 3 % where the density falls fast in the wide Y
    assert camera.transmission(name) == pytest.approx(expected, rel=0.03 if band == "BB_Y" else 0.012)


# --- pixels -----------------------------------------------------------------------------------------------------


def test_the_truth_is_written_beside_the_files(irdis_night):
    folder, truth = irdis_night
    assert Truth.model_validate_json((folder / "truth.json").read_text()) == truth
    assert {one.name for one in truth.files} | {"truth.json"} == {path.name for path in folder.iterdir()}
    assert json.loads((folder / "truth.json").read_text())["simulated"] is True


def test_frames_are_as_the_camera_writes_them(irdis_night):
    folder, truth = irdis_night
    for one in truth.files:
        if one.kind != "OBJECT,AO":
            header = fits.getheader(folder / one.name)
            assert header["BITPIX"] == -32
            assert (header["NAXIS3"], header["NAXIS2"], header["NAXIS1"]) == (one.nframes, 1024, 2048)
            assert header["ESO DET SEQ1 DIT"] == one.dit


def test_the_detector_has_the_faults_of_a_real_one(irdis_night):
    folder, truth = irdis_night
    flat = flat_of(folder, truth)
    lit = flat[100:900, 100:900]
    good = np.abs(lit - 1) < 0.3
    assert 0.02 < lit[good].std() < 0.05
    assert 0.01 < truth.bad_fraction < 0.03
    assert np.abs(flat[:, 960:1020]).mean() < 0.01  # between the two fields no light falls
    noise = np.diff(read(folder, named(truth, "DARK,BACKGROUND")[1])[0], axis=0)[0]
    spread = 1.4826 * np.median(np.abs(noise - np.median(noise))) / np.sqrt(2)
    assert spread == pytest.approx(4.4 / 1.75, rel=0.2)  # read noise over gain, and a little dark current


@pytest.mark.parametrize(("half", "wavelength"), [(0, 1.593), (1, 1.667)])
def test_spots_stand_around_the_star_at_the_known_radius(irdis_night, half, wavelength):
    folder, truth = irdis_night
    assert truth.wavelengths[half] == wavelength
    center = named(truth, "OBJECT,CENTER")[0]
    x0, y0 = center.stars[half]
    image = np.median(reduced(folder, truth, center, half), axis=0)
    image[400:640, 360:600] -= median_filter(image[400:640, 360:600], 15)
    radius = 13.717 * wavelength * 1e-6 / 8 * 180 / np.pi * 3.6e6  # 0.97 √2 10 λ/D
    found = []
    for sx, sy in itertools.product((1, -1), repeat=2):
        x, y = x0 + sx * radius / np.sqrt(2) / SCALE, y0 + sy * radius / np.sqrt(2) / (SCALE * SQUEEZE)
        found.append(centroid(image, x, y, 5))
        assert found[-1] == pytest.approx((x, y), abs=0.3)  # speckles lie under each
    assert np.mean(found, axis=0) == pytest.approx((x0, y0), abs=0.12)


def test_frames_are_moved_by_the_dither_that_the_header_tells(irdis_night):
    folder, truth = irdis_night
    places = set()
    for one in named(truth, "OBJECT") + named(truth, "OBJECT,CENTER"):
        header = read(folder, one)[1]
        dither = np.array([header["ESO INS1 DITH POSX"], header["ESO INS1 DITH POSY"]])
        pac = np.array([header["ESO INS1 PAC X"], header["ESO INS1 PAC Y"]])
        assert pac / 18 == pytest.approx(dither, abs=0.01)
        places.add(tuple(np.round(np.array(one.stars) - dither, 9).ravel()))
    assert len(places) == 1


def test_the_planet_is_where_the_truth_says(irdis_night):
    folder, truth = irdis_night
    source = truth.sources[0]
    assert (source.separation, source.position_angle) == (700.0, 211.0)
    science = named(truth, "OBJECT")
    stacks = [reduced(folder, truth, one) for one in science]
    shift = np.subtract(science[1].stars[0], science[0].stars[0])
    assert shift == pytest.approx(np.round(shift), abs=1e-9)
    other = np.roll(stacks[1].mean(axis=0), tuple(-np.round(shift[::-1]).astype(int)), axis=(0, 1))
    still = stacks[0] - other  # the field turned in between: the planet is once bright, once dark
    for frame, north in zip(still, science[0].north, strict=True):
        angle = np.radians(source.position_angle - north)
        x = science[0].stars[0][0] - source.separation * np.sin(angle) / SCALE
        y = science[0].stars[0][1] + source.separation * np.cos(angle) / (SCALE * SQUEEZE)
        assert centroid(frame, x, y) == pytest.approx((x, y), abs=0.15)


def test_north_is_the_zenith_and_the_fixed_offsets(irdis_night):
    _, truth = irdis_night
    for one in named(truth, "OBJECT"):
        expected = np.array(one.parallactic_icrs) + 135.99 - 1.75
        assert (np.array(one.north) - expected + 180) % 360 - 180 == pytest.approx(np.zeros(4), abs=1e-9)


def test_the_star_off_the_mask_gives_the_contrast(irdis_night):
    folder, truth = irdis_night
    flux, science = named(truth, "OBJECT,FLUX")[0], named(truth, "OBJECT")

    def aperture(image, x, y, radius=4.0):
        rows, columns = np.indices(image.shape)
        distance = np.hypot(columns - x, rows - y)
        ring = (distance > 9) & (distance < 13)
        return (image[distance < radius] - np.median(image[ring])).sum()

    star = aperture(reduced(folder, truth, flux).mean(axis=0), *flux.stars[0]) / flux.dit / flux.transmission[0]
    ratios = []
    for frame, north in zip(reduced(folder, truth, science[0]), science[0].north, strict=True):
        angle = np.radians(truth.sources[0].position_angle - north)
        x = science[0].stars[0][0] - 700.0 * np.sin(angle) / SCALE
        y = science[0].stars[0][1] + 700.0 * np.cos(angle) / (SCALE * SQUEEZE)
        ratios.append(aperture(frame, x, y) / science[0].dit / star)
    # 4e-3, on speckles of 1e-5; the Strehl ratio of the two exposures differs by a few per cent
    assert np.mean(ratios) == pytest.approx(4e-3, rel=0.06)


@pytest.mark.slow
def test_classical_imaging_sees_one_band_twice(tmp_path):
    tiny = {"ndit": 1, "nscience": 1, "calibrations": False}
    truth = simulate_night(tmp_path, "irdis", band="BB_H", **tiny)
    assert truth.wavelengths == (1.625,)
    assert {len(source.contrast) for source in truth.sources} == {1}
    data, header = read(tmp_path, named(truth, "OBJECT,FLUX")[0])
    assert (header["ESO DPR TECH"], header["ESO INS COMB IFLT"]) == ("IMAGE,CLASSICAL,CORONOGRAPHY", "BB_H")
    stars = named(truth, "OBJECT,FLUX")[0].stars
    counts = []
    for half, (x, y) in enumerate(stars):
        row, column = round(y), round(x) + 1024 * half
        cut = data[0, row - 8 : row + 9, column - 8 : column + 9]
        counts.append(cut.sum() - 17**2 * np.median(data[0, 100:900, 100:900]))
    assert counts[0] == pytest.approx(counts[1], rel=0.1)  # bad pixels and the flat


@pytest.mark.slow
def test_the_same_seed_gives_the_same_pixels(tmp_path):
    tiny = {"ndit": 1, "nscience": 1, "calibrations": False}
    truths = [simulate_night(tmp_path / str(i), "irdis", seed=5, **tiny) for i in (0, 1)]
    assert truths[0] == truths[1]
    name = named(truths[0], "OBJECT")[0].name
    assert np.array_equal(fits.getdata(tmp_path / "0" / name), fits.getdata(tmp_path / "1" / name))


# --- telemetry --------------------------------------------------------------------------------------------------


def test_telemetry_has_gaps_and_nonsense_as_real_ones(irdis_night):
    folder, truth = irdis_night
    with fits.open(folder / named(truth, "OBJECT,AO")[0].name) as hdus:
        names = [hdu.name for hdu in hdus[1:]]
        table = hdus["AtmPerfParams"].data
        header = hdus[0].header
        seconds = table["Sec"] + 1e-6 * table["USec"]
        strehl, r0 = table["StrehlRatio"].astype(float), table["R0"].astype(float)
    assert [n.upper() for n in names] == ["ATMPERFPARAMS", "VISLOOPPARAMS", "IRLOOPPARAMS", "IRPIXELAVGFRAME"]
    assert header["ESO DPR TYPE"] == "OBJECT,AO"
    assert "ESO SEQ ARM" not in header
    steps = np.diff(seconds)
    assert np.median(steps) == pytest.approx(20.0, abs=0.01)
    assert steps.max() > 200
    assert not np.isfinite(strehl).all()
    assert (r0 <= 0).any()
    valid = np.isfinite(strehl) & (strehl > 0.05) & (strehl <= 0.98)
    times = seconds[valid] / 86400 + 40587
    science = named(truth, "OBJECT")[0]
    told = np.interp(science.times[0], times, strehl[valid])
    assert told == pytest.approx(science.strehl[0], abs=0.02)


# --- planted errors ---------------------------------------------------------------------------------------------


def test_every_fault_is_described_and_known():
    with pytest.raises(ValueError, match="no such fault"):
        night("irdis", faults=("gremlins",))
    for fault in FAULTS:
        assert night("irdis", faults=(fault,)).faults == (fault,)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("missing_dark", "DARK"),
        ("missing_flat", "FLAT,LAMP"),
        ("missing_center", "OBJECT,CENTER"),
        ("missing_sky", "SKY"),
        ("missing_flux", "OBJECT,FLUX"),
    ],
)
def test_what_is_missing_is_not_planned(fault, kind):
    kinds = [exposure.kind for exposure in plan(night("irdis", faults=(fault,)), 58615.2)]
    assert not [one for one in kinds if one.startswith(kind)]
    assert "OBJECT" in kinds


def test_headers_lie_where_an_error_was_planted():
    honest = plan(night("irdis"), 58615.2)
    assert all(e.light_dit is e.light_nd is e.light_dither is None for e in honest)
    lies = plan(night("irdis", faults=("wrong_dark", "wrong_nd", "swapped_dither", "open_loop")), 58615.2)
    flux = next(e for e in lies if e.kind == "OBJECT,FLUX")
    assert (flux.nd, flux.light_nd) == ("ND_1.0", "ND_2.0")
    center = next(e for e in lies if e.kind == "OBJECT,CENTER")
    assert center.dither == center.light_dither[::-1] != center.light_dither
    darks = [e for e in lies if e.kind.startswith("DARK") and e.dit == 16.0]
    assert [e.light_dit for e in darks] == [48.0, 48.0]
    assert [e.closed for e in lies if e.kind == "OBJECT"] == [False, True, True, True]


@pytest.mark.slow
def test_names_need_not_follow_times(tmp_path):
    tiny = {"ndit": 1, "nscience": 2, "spacing": 1.0, "empty": True, "calibrations": False}
    truth = simulate_night(tmp_path, "irdis", faults=("unsorted_names",), **tiny)
    names = [one.name for one in sorted(truth.files, key=lambda one: one.times[0])]
    assert names != sorted(names)
    assert set(names) | {"truth.json"} == {path.name for path in tmp_path.iterdir()}


def test_files_are_spoilt_on_demand(tmp_path):
    spoilt = ("truncated_cube", "broken_card", "duplicate_file", "foreign_file", "wrong_angle", "saturated_flux")
    truth = simulate_night(tmp_path, "irdis", seed=2, nscience=2, spacing=1.0, calibrations=False, faults=spoilt)
    science = named(truth, "OBJECT")
    assert [one.nframes for one in science] == [4, 3]
    assert b"1x.5.2 '" in (tmp_path / science[1].name).read_bytes()[: 200 * 2880]
    assert fits.getheader(tmp_path / science[1].name)["NAXIS3"] == 3
    assert {one.name for one in truth.files} <= {path.name for path in tmp_path.iterdir()}
    copies = list(tmp_path.glob("copy_*.fits"))
    assert [copy.read_bytes() == (tmp_path / science[0].name).read_bytes() for copy in copies] == [True]
    assert fits.getheader(next(tmp_path.glob("NACO*")))["INSTRUME"] != "SPHERE"
    turns = np.sign(np.diff(np.unwrap(science[0].north, period=360)))
    assert (turns == -np.sign(np.diff(science[0].parallactic_icrs))).all()
    flux = fits.getdata(tmp_path / named(truth, "OBJECT,FLUX")[0].name)
    assert flux.max() == 60_000.0
    assert (flux[0] == 60_000.0).sum() > 20


# --- the integral-field spectrograph ----------------------------------------------------------------------------

BRIGHT = Companion(name="b", separation=450.0, position_angle=60.0, contrast=6e-3)
PITCH, ROW = 161.5 / 18 * np.sqrt(3), 161.5 / 18 * 1.5  # px: hexagons of 161.5 µm sides on pixels of 18 µm


@pytest.fixture(scope="module")
def ifs_night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ifs")
    return folder, simulate_night(folder, "ifs", seed=4, nscience=2, ndit=2, spacing=20.0, planets=(BRIGHT,))


def lenslets(truth):
    """Places of lenslets in their frame (px), and where the middles of their spectra fall, by hand."""
    row, column = (index.ravel() for index in np.mgrid[-60:61, -50:51])
    x, y = (column + 0.5 * (row % 2)) * PITCH, row * ROW
    angle = np.radians(truth.lenslets["turn"])
    left = truth.lenslets["middle_x"] + x * np.cos(angle) - y * np.sin(angle)
    up = truth.lenslets["middle_y"] + x * np.sin(angle) + y * np.cos(angle)
    far = np.hypot(left - 1024, up - 1024) / 1024
    left, up = left + 0.25 * far**2 * (left / 1024 - 1), up + 0.25 * far**2 * (up / 1024 - 1)
    inside = (left > 30) & (left < 2018) & (up > 40) & (up < 2008)
    return x[inside], y[inside], left[inside], up[inside]


def one_colour(folder, truth, one, rise):
    """Light of every lenslet, `rise` px above the middle of its spectrum: rows added, columns added."""
    darks = [d for d in truth.files if d.kind.startswith("DARK") and d.dit == one.dit]
    frames = read(folder, one)[0] - read(folder, darks[0])[0].mean(axis=0)
    x, y, left, up = lenslets(truth)
    row = np.round(up + rise).astype(int)
    column = np.round(left - 0.0056 * rise).astype(int)
    spots = [frames[:, row + i, column + j] for i in (-1, 0, 1) for j in (-2, -1, 0, 1, 2)]
    return x, y, np.sum(spots, axis=0)


def light_centre(x, y, light, near, radius=45.0):
    """Middle of the Gaussian that fits the light of the lenslets around a place (px)."""
    inside = np.hypot(x - near[0], y - near[1]) < radius
    dx, dy, seen = x[inside] - near[0], y[inside] - near[1], light[inside] / light[inside].max()

    def misfit(p):
        return p[0] + p[1] * np.exp(-((dx - p[2]) ** 2 + (dy - p[3]) ** 2) / (2 * p[4] ** 2)) - seen

    fitted = least_squares(misfit, (0.1, 1.0, 0.0, 0.0, 15.0), loss="soft_l1", f_scale=0.05).x
    return near[0] + fitted[2], near[1] + fitted[3]


@pytest.mark.slow
def test_ifs_files_are_those_of_a_night(ifs_night):
    folder, truth = ifs_night
    kinds = [one.kind for one in truth.files]
    assert {"OBJECT", "OBJECT,CENTER", "OBJECT,FLUX", "SKY", "DARK", "WAVE,LAMP", "SPECPOS,LAMP"} <= set(kinds)
    assert 1.650726 in [one.dit for one in named(truth, "DARK")]
    flats = {}
    for one in named(truth, "FLAT,LAMP"):
        data, header = read(folder, one)
        assert data.shape[1:] == (2048, 2048)
        flats.setdefault((header["ESO DPR TECH"], header["ESO INS2 COMB IFS"]), []).append(one.dit)
    assert len(flats.pop(("IFU", "OBS_YJ"))) == 1
    expected = {("IMAGE", f"CAL_{lamp}_YJ") for lamp in ("BB_2", "NB1_1", "NB2_1", "NB3_1")}
    assert set(flats) == expected
    assert {len(set(dits)) for dits in flats.values()} == {2}


@pytest.mark.data
@pytest.mark.slow
def test_ifs_headers_have_the_cards_of_real_ones(shared_data, ifs_night):
    folder, truth = ifs_night
    for kind, pattern in (("OBJECT", "SPHER.2020-03-08T07*.txt"), ("WAVE,LAMP", "SPHER.2020-03-08T16_53*.txt")):
        header = read(folder, named(truth, kind)[0])[1]
        ours = {f"HIERARCH {key}" if key.startswith("ESO ") else key for key in header}
        for _, cards in real_headers(shared_data, pattern):
            assert set(cards) - ours <= {"BZERO", "BSCALE", "CHECKSUM", "DATASUM"}
            assert {key for key in ours - set(cards) if "INS" in key} == set()


@pytest.mark.slow
def test_laser_lines_fall_where_the_lattice_puts_them(ifs_night):
    folder, truth = ifs_night
    wave = named(truth, "WAVE,LAMP")[0]
    dark = read(folder, named(truth, "DARK")[0])[0].mean(axis=0)
    image = median_filter(read(folder, wave)[0].mean(axis=0) - dark, (1, 1))
    _, _, left, up = lenslets(truth)
    lines = {key: value for key, value in truth.lenslets.items() if key.startswith("up_")}
    assert len(lines) == 3
    for line, rise in lines.items():
        offsets = []
        for x, y in zip(left[::200] - 0.0056 * rise, up[::200] + rise, strict=True):
            row, column = round(y), round(x)
            cut = image[row - 3 : row + 4, column - 2 : column + 3].copy()
            cut -= np.percentile(cut, 20)
            rows, columns = np.mgrid[-3:4, -2:3]
            offsets.append(((cut * columns).sum() / cut.sum() + column - x, (cut * rows).sum() / cut.sum() + row - y))
        # flat field and bad pixels scatter single centroids by a tenth of a pixel
        assert np.median(offsets, axis=0) == pytest.approx((0, 0), abs=0.05), line


@pytest.mark.slow
def test_lines_are_where_the_prism_has_them(ifs_night):
    _, truth = ifs_night
    up = [truth.lenslets[f"up_{line}"] for line in ("0.98772", "1.12371", "1.30937")]
    assert np.diff(up) == pytest.approx((13.40, 15.35), abs=0.05)  # px, published positions of the lines
    assert truth.wavelengths[0] == pytest.approx(0.950 + 0.396 / 78)
    assert len(truth.wavelengths) == 39


@pytest.mark.slow
def test_the_star_off_the_mask_is_where_the_truth_says(ifs_night):
    folder, truth = ifs_night
    for flux in named(truth, "OBJECT,FLUX"):
        x, y, light = one_colour(folder, truth, flux, truth.lenslets["up_1.12371"])
        place = np.array(flux.stars[0]) * PITCH / np.sqrt(3)  # a cube's pixel is a hexagon's side
        assert light_centre(x, y, light.mean(axis=0), place) == pytest.approx(place, abs=0.6)  # 0.5 mas


@pytest.mark.slow
def test_ifs_spots_are_those_of_irdis_turned(ifs_night):
    folder, truth = ifs_night
    center = named(truth, "OBJECT,CENTER")[0]
    x, y, light = one_colour(folder, truth, center, truth.lenslets["up_1.12371"])
    star = np.array(center.stars[0]) * 7.46
    radius = 13.717 * 1.12371e-6 / 8 * 180 / np.pi * 3.6e6
    for angle in np.radians(np.arange(4) * 90 + 45 + 100.48):
        sky = star * (1.0059, 1.0011) + radius * np.array([np.cos(angle), np.sin(angle)])
        place = sky / (1.0059, 1.0011) / 7.46 * PITCH / np.sqrt(3)
        assert light_centre(x, y, light.mean(axis=0), place) == pytest.approx(place, abs=2.0)  # on speckles


@pytest.mark.slow
def test_the_ifs_planet_is_where_the_truth_says(ifs_night):
    folder, truth = ifs_night
    first, second = named(truth, "OBJECT")
    rise = truth.lenslets["up_1.12371"]
    x, y, before = one_colour(folder, truth, first, rise)
    _, _, after = one_colour(folder, truth, second, rise)
    star = np.array(first.stars[0]) * 7.46 * (1.0059, 1.0011)
    for light, other, north in ((before, after, first.north), (after, before, second.north)):
        still = np.median(other, axis=0)
        for frame, turned in zip(light, north, strict=True):
            angle = np.radians(60.0 - turned)
            sky = star + 450.0 * np.array([-np.sin(angle), np.cos(angle)])
            place = sky / (1.0059, 1.0011) / 7.46 * PITCH / np.sqrt(3)
            assert light_centre(x, y, frame - still, place) == pytest.approx(place, abs=1.0)  # 0.8 mas


@pytest.mark.slow
def test_the_ifs_turns_with_irdis(ifs_night):
    _, truth = ifs_night
    one = named(truth, "OBJECT")[0]
    expected = np.array(one.parallactic_icrs) + 135.99 - 1.75 - 100.48
    assert (np.array(one.north) - expected + 180) % 360 - 180 == pytest.approx(np.zeros(2), abs=1e-9)


@pytest.mark.slow
def test_light_spreads_between_spectra(ifs_night):
    folder, truth = ifs_night
    wave = named(truth, "WAVE,LAMP")[0]
    dark = read(folder, named(truth, "DARK")[0])[0].mean(axis=0)
    image = read(folder, wave)[0].mean(axis=0) - dark
    inner = image[500:1500, 500:1500]
    assert 0 < np.percentile(inner, 5) < 0.05 * np.percentile(inner, 99.5)


def test_both_prisms_can_be_had():
    for band, lines in (("YJ", 3), ("YJH", 4)):
        camera = ifs(night("ifs", band=band), seed=1)
        assert len([key for key in camera.lenslets if key.startswith("up_")]) == lines
        assert 17_000 < camera.lenslets["count"] < 21_000
    with pytest.raises(BadInput, match="no band"):
        night("ifs", band="DB_H23")


@pytest.mark.slow
def test_the_ifs_planet_has_its_contrast(ifs_night):
    folder, truth = ifs_night
    rise = truth.lenslets["up_1.12371"]
    flux, (first, second) = named(truth, "OBJECT,FLUX")[0], named(truth, "OBJECT")
    x, y, star_light = one_colour(folder, truth, flux, rise)

    def total(light, place):
        away = np.hypot(x - place[0], y - place[1])
        return light[away < 36].sum() - (away < 36).sum() * np.median(light[(away > 70) & (away < 110)])

    passed = float(neutral_density("ND_2.0", 1.12371))
    star = total(star_light.mean(axis=0), np.array(flux.stars[0]) * PITCH / np.sqrt(3)) / flux.dit / passed
    _, _, before = one_colour(folder, truth, first, rise)
    _, _, after = one_colour(folder, truth, second, rise)
    middle = np.array(first.stars[0]) * 7.46 * (1.0059, 1.0011)
    angle = np.radians(60.0 - np.mean(first.north))
    place = (middle + 450.0 * np.array([-np.sin(angle), np.cos(angle)])) / (1.0059, 1.0011) / 7.46 * PITCH / np.sqrt(3)
    planet = total(before.mean(axis=0) - after.mean(axis=0), place) / first.dit
    # bad pixels, the flat field (not corrected here) and a Strehl ratio that changes by a few per cent
    assert planet / star == pytest.approx(6e-3, rel=0.08)
