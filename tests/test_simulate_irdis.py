"""Simulated raw frames of IRDIS: filters, detector, spots, dithers, planets and the star beside the mask."""

import itertools
import json

import numpy as np
import pytest
from astropy.io import fits
from raw_reading import centroid, flat_of, named, read, reduced
from scipy.ndimage import median_filter

from lyot.reduce.simulate.irdis import irdis
from lyot.reduce.simulate.raw_night import simulate_night
from lyot.reduce.simulate.raw_scene import Truth, neutral_density, night

SCALE, SQUEEZE = 12.255, 1.0062  # mas/px and the stretch of y: Delorme et al. 2017, Maire et al. 2016


@pytest.mark.data
def test_neutral_densities_are_the_measured_ones(shared_data):
    curves = np.genfromtxt(shared_data / "sphere_calib" / "filters" / "SPHERE_CPI_ND.txt")
    for column, name in enumerate(("ND_1.0", "ND_2.0", "ND_3.5"), start=2):
        inside = (curves[:, 0] >= 950) & (curves[:, 0] <= 2300)
        ours = neutral_density(name, curves[inside, 0] / 1000)
        assert ours == pytest.approx(curves[inside, column], rel=0.03)  # steps of 10 and 25 nm


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
    # filters are taken as boxes: 1 % in most, 2 % where the density falls fast in Y and J
    assert camera.transmission(name) == pytest.approx(expected, rel=0.02 if band[3] in "YJ" else 0.012)


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
