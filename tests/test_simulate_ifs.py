"""Simulated raw frames of the IFS: its lenslets and spectra, its star, spots and planet."""

import numpy as np
import pytest
from raw_reading import named, read, real_headers
from scipy.ndimage import median_filter
from scipy.optimize import least_squares

from lyot.errors import BadInput
from lyot.reduce.simulate.ifs import ifs
from lyot.reduce.simulate.raw_night import simulate_night
from lyot.reduce.simulate.raw_scene import Companion, neutral_density, night

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
