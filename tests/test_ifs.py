"""Lenslets, wavelengths, spectra and square pixels of the IFS, on a detector of known truth."""

from dataclasses import replace

import numpy as np
import pytest
import raw_ifs
from astropy.io import fits
from scipy.ndimage import convolve
from scipy.spatial import cKDTree
from scipy.special import erf, j1

from lyot.errors import Unprocessable
from lyot.instruments.sphere import SPHERE_IFS
from lyot.instruments.sphere_frames import IFS_LASER_ROWS, LENSLETS, transmission_at
from lyot.reduce.calibrate.flat import MakeLampFlat
from lyot.reduce.calibrate.master import Master
from lyot.reduce.calibrate.raw import Stack
from lyot.reduce.calibrate.resample import resample
from lyot.reduce.classify import RawFile
from lyot.reduce.group import DataSet
from lyot.reduce.ifs.crosstalk import kernel, without_crosstalk
from lyot.reduce.ifs.density import channel_transmission
from lyot.reduce.ifs.extract import extraction
from lyot.reduce.ifs.lasers import channel_widths, laser_peaks
from lyot.reduce.ifs.lattice import find_lattice, turn
from lyot.reduce.ifs.mosaic import squares
from lyot.reduce.ifs.recalibrate import RecalibrateWavelengths
from lyot.reduce.ifs.traces import Traces, follow, straighten
from lyot.reduce.night import Night

LINES = np.array(raw_ifs.LASERS)
USUAL = np.array(IFS_LASER_ROWS["YJ"])
TURN = -11.3  # deg; the model says −11
WAVES = np.linspace(0.95, 1.346, 39)
BEAM = 0.95e-6 / 8.0 * 180 / np.pi * 3.6e6 / 7.46  # px, λ/D of the first channel


@pytest.fixture(scope="module")
def lasers():
    places = raw_ifs.lenslets(TURN)
    rng = np.random.default_rng(1)
    light = np.broadcast_to([2000.0, 5000.0, 3000.0], (len(places), 3))
    image = raw_ifs.render(places, LINES, light) + rng.normal(0, 4, (2048, 2048))
    return places, image.astype(np.float32)


@pytest.fixture(scope="module")
def traces(lasers):
    return follow(lasers[1], find_lattice(lasers[1], USUAL), LINES)


def test_the_lattice_is_turned_as_it_was(lasers):
    found = find_lattice(lasers[1], USUAL)
    assert np.degrees(turn(found)) == pytest.approx(TURN, abs=0.05)
    assert np.hypot(*found.first) == pytest.approx(LENSLETS.pitch, rel=2e-3)


def test_a_dark_frame_has_no_lattice():
    noise = np.random.default_rng(1).normal(0, 4, (2048, 2048)).astype(np.float32)
    with pytest.raises(Unprocessable, match="lasers"):
        find_lattice(noise, USUAL)


def test_every_wavelength_is_where_the_lenslets_put_it(lasers, traces):
    places = lasers[0]
    assert len(traces.ideal) > 19000
    _, same = cKDTree(raw_ifs.where(places, LINES[1])).query(traces.places[:, 1])
    for n, wave in enumerate(WAVES):
        away = traces.at(WAVES)[:, n] - raw_ifs.where(places[same], wave)
        assert np.abs(away).max() < 0.02  # px; 2 nm are 0.17 px
    assert traces.turn == pytest.approx(TURN, abs=0.02)  # 0.3 mas at 1″


def test_lenslets_are_upright_on_their_own_lattice(lasers, traces):
    _, same = cKDTree(raw_ifs.where(lasers[0], LINES[1])).query(traces.places[:, 1])
    t = np.radians(-TURN)
    y, x = lasers[0][same].T
    upright = np.stack([y * np.cos(t) + x * np.sin(t), x * np.cos(t) - y * np.sin(t)], axis=1)
    away = (upright - upright.mean(axis=0)) - (traces.ideal - traces.ideal.mean(axis=0))
    assert np.abs(away).max() < 0.4  # px of 0.83 mas, at the corners


def test_the_white_lamp_straightens_the_traces(traces):
    wrong = replace(traces, places=traces.places + np.array([0.0, 0.3]))
    image = np.zeros((2048, 2048), np.float32)
    for n in range(3):
        row = np.round(traces.places[:, n, 0]).astype(int)
        for dy in (-1, 0, 1):
            for dx in range(-3, 4):
                column = np.round(traces.places[:, n, 1]).astype(int) + dx
                np.add.at(image, (row + dy, column),
                          100 * np.exp(-0.5 * ((column - traces.places[:, n, 1]) / 0.85) ** 2))
    mended = straighten(wrong, image)
    assert np.abs(mended.places[..., 1] - traces.places[..., 1]).mean() < 0.03


@pytest.mark.slow
def test_spectra_hold_the_light_that_was_put_in(lasers, traces):
    places = lasers[0]
    fine = np.linspace(0.94, 1.356, 80)  # half a pixel from one to the next
    colour = 1000.0 * (1 + 0.5 * np.sin(8 * fine))
    bright = np.random.default_rng(2).normal(1.0, 0.05, len(places))
    image = raw_ifs.render(places, fine, bright[:, None] * colour).astype(np.float32)
    spectra = (extraction(traces, WAVES, 2048, {}) @ image.ravel()).reshape(-1, len(WAVES))
    _, same = cKDTree(raw_ifs.where(places, LINES[1])).query(traces.places[:, 1])
    ratio = spectra.mean(axis=1) / bright[same]
    assert ratio.std() / ratio.mean() < 0.01  # neighbours overlap by less
    rows = np.gradient(89.2 * (fine - 1.148) - 50 * (fine - 1.148) ** 2)
    expected = np.interp(WAVES, fine, colour / rows)
    inner = slice(2, -2)
    shape = spectra.mean(axis=0)[inner] / expected[inner]
    assert shape.std() / shape.mean() < 0.02


def test_coloured_flats_divide_each_pixel_by_its_own_colour(traces):
    blue, red = np.full((2048, 2048), 0.8, np.float32), np.full((2048, 2048), 1.2, np.float32)
    plain = extraction(traces, WAVES, 2048, {}).sum(axis=1)
    flat = extraction(traces, WAVES, 2048, {None: blue, 1.02: blue, 1.3: red}).sum(axis=1)
    ratio = np.asarray(plain / flat).reshape(-1, len(WAVES)).mean(axis=0)
    expected = np.interp(WAVES, [1.02, 1.3], [0.8, 1.2])
    np.testing.assert_allclose(ratio, expected, rtol=1e-3)  # at the detector's edge spectra are cut


def test_squares_conserve_light_and_place(traces):
    good = np.ones(len(traces.ideal), bool)
    mosaic, seen = squares(traces.ideal, 291, good, BEAM)
    flat = (mosaic @ np.ones(len(good))).reshape(291, 291)
    area = LENSLETS.side**2 / (LENSLETS.pitch**2 * 3**0.5 / 2)
    np.testing.assert_allclose(flat[seen], area, rtol=1e-5)  # a uniform field stays uniform
    centre = np.array([30.0, -45.0])  # px of the square image from its middle
    star = np.exp(-0.5 * ((traces.ideal / LENSLETS.side - centre) ** 2).sum(axis=1) / 3.0**2)
    image = (mosaic @ star).reshape(291, 291)
    y, x = np.indices(image.shape) - 145
    assert (image * y).sum() / image.sum() == pytest.approx(30.0, abs=0.02)
    assert (image * x).sum() / image.sum() == pytest.approx(-45.0, abs=0.02)
    assert image.sum() == pytest.approx(star.sum(), rel=5e-3)


def test_crosstalk_is_undone():
    rng = np.random.default_rng(3)
    image = np.zeros((200, 220))
    image[30:-30, 30:-30] = rng.random((140, 160))  # nothing comes from beyond the edge
    spread = image + convolve(image, kernel().astype(float), mode="constant")
    np.testing.assert_allclose(without_crosstalk(spread.astype(np.float32)), image, atol=2e-3)  # 20 px from the edge
    assert spread[100].mean() > 1.15 * image[100].mean()
    assert kernel()[20, 22] == pytest.approx(1 / (1 + (2 / (0.727986 / 1.8)) ** 3))
    assert kernel()[19:22, 19:22].max() == 0


def test_lasers_peak_between_channels():
    at, sigma = np.array([3.62, 16.7, 34.5]), np.array([1.3, 1.2, 1.1])
    spectrum = np.exp(-0.5 * ((np.arange(39)[:, None] - at) / sigma) ** 2).sum(axis=1)
    places, widths = laser_peaks(spectrum, "YJ")
    np.testing.assert_allclose(places, at, atol=0.02)
    np.testing.assert_allclose(widths, sigma, rtol=0.01)
    step = 0.396 / 38
    wide = channel_widths(spectrum, "YJ", 0.95 + step * at, WAVES) / step
    np.testing.assert_allclose(wide[[4, 35]], [1.3, 1.1], atol=0.02)


def test_a_channel_sees_the_density_of_the_light_that_it_collects():
    """At the end of the band half of a channel is dark: what it sees is denser than its middle."""
    widths = np.full(39, 0.009)
    found = channel_transmission("ND_2.0", WAVES, (0.95, 1.346), widths)
    first, middle = found[0], found[19]
    lit = 0.95 + 0.009 * (2 / np.pi) ** 0.5  # mean of half a Gaussian
    assert first == pytest.approx(float(transmission_at("ND_2.0", lit)[0]), rel=0.01)  # the curve bends
    assert middle == pytest.approx(float(transmission_at("ND_2.0", WAVES[19])[0]), rel=0.01)


def night_with_spots(scale):
    """Lasers at their channels, and spots whose distance is as if the wavelengths were `scale` times what they are."""
    at = np.interp(LINES, WAVES, np.arange(39))
    lasers = np.exp(-0.5 * ((np.arange(39)[:, None] - at) / 1.1) ** 2).sum(axis=1)
    master = Master("wavelength", {"LASER": lasers, "LINES": LINES}, {})
    science = (RawFile(path="s", role="science", arm="ifs"),)
    dataset = DataSet(name="n", arm="ifs", filter="YJ", target="t", night="2019-05-11", science=science)
    empty = Stack((), ())
    return Night(dataset, SPHERE_IFS, {"wavelength": master}, empty, empty, empty, (), WAVES, spot_radii=45.0 * scale)


def test_spots_correct_wavelengths_when_they_say_so_clearly():
    stretched = WAVES + 0.05 * (WAVES - LINES[0]) * (WAVES - LINES[1]) * (WAVES - LINES[2])  # 0.4 nm
    kept = RecalibrateWavelengths()(night_with_spots(stretched))
    assert np.array_equal(kept.wavelengths, WAVES)
    stretched = WAVES + 1.5 * (WAVES - LINES[0]) * (WAVES - LINES[1]) * (WAVES - LINES[2])  # 5 nm between the lasers
    mended = RecalibrateWavelengths()(night_with_spots(stretched))
    np.testing.assert_allclose(mended.wavelengths, stretched, atol=3e-4)


def test_a_dark_edge_makes_no_bad_pixels_beside_it(tmp_path):
    rng = np.random.default_rng(8)
    flat = 1.0 + 0.02 * rng.standard_normal((300, 300))
    flat[:4] = flat[-4:] = 0.0
    flat[100:102, 50] = 0.1
    files = []
    for exposure in (1.0, 3.0):
        path = tmp_path / f"{exposure}.fits"
        fits.writeto(path, (flat * 5000 * exposure).astype(np.float32))
        files.append(RawFile(path=str(path), role="flat", arm="ifs", exposure=exposure, frames=1))
    bad = MakeLampFlat()("flat", files, {}).planes["BAD"]
    assert bad.sum() == 8 * 300 + 2


def spectra_of(columns, count=24, rise=60.0):
    """Spectra side by side, as three lines say where they are."""
    lines = np.array([1.0, 1.2, 1.4])
    rows = 20.0 + rise * (lines - 1.0) / 0.4
    places = np.stack([np.broadcast_to(rows, (count, 3)), np.broadcast_to(columns[:, None], (count, 3))], axis=-1)
    return Traces(np.zeros((count, 2)), lines, places, 0.0, 0.0)


def test_pixels_that_say_nothing_are_left_out():
    rng = np.random.default_rng(5)
    columns = 8.0 + 8.0 * np.arange(24) + rng.uniform(-0.5, 0.5, 24)
    made, waves = spectra_of(columns), np.linspace(1.02, 1.38, 30)
    x, y = np.arange(200), np.arange(100)
    edges = (x[:, None] + np.array([-0.5, 0.5]) - columns[:, None, None]) / (0.85 * 2**0.5)
    across = 0.5 * np.diff(erf(edges), axis=-1)[..., 0].sum(axis=0)
    along = 1000.0 + 15.0 * y  # linear: what stands between two rows is their mean
    image = np.float64(along[:, None] * across)
    image = np.zeros((200, 200)) + np.pad(image, ((0, 100), (0, 0)))
    bad = rng.random(image.shape) < 0.04
    spoilt = np.where(bad, 1e6, image)
    mended = np.where(bad, np.roll(image, 1, axis=0), spoilt)  # by their neighbours below
    found = (extraction(made, waves, 200, {}, bad) @ mended.ravel()).reshape(24, 30)
    expected = np.broadcast_to(1000.0 + 15.0 * (20.0 + 60.0 * (waves - 1.0) / 0.4), found.shape)
    off = found / expected - 1
    assert np.abs(off).max() < 0.012  # 0.8 % where two pixels of a profile are bad, and its mended ones are used
    assert np.median(np.abs(off)) < 1e-3


def airy(ideal, star):
    """What lenslets see of a star at 0.96 µm, (lenslet,)."""
    inside = LENSLETS.side * 0.646 * np.array([[1.0, 0.0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])
    light = np.zeros(len(ideal))
    for offset in inside:
        r = np.pi * np.maximum(np.hypot(*((ideal + offset) / LENSLETS.side - star).T), 1e-9) / (BEAM * 0.96 / 0.95)
        light += (2 * j1(r) / r) ** 2 / 3
    return light


def test_a_star_looks_the_same_wherever_it_falls_on_the_lenslets(traces):
    good = np.random.default_rng(6).random(len(traces.ideal)) > 0.002  # dark ones are bridged
    near = np.hypot(*traces.ideal.T) < 40 * LENSLETS.pitch
    good[np.hypot(*traces.ideal.T) < 6 * LENSLETS.pitch] = True
    mosaic, seen = squares(traces.ideal[near], 81, good[near], BEAM)
    assert seen.all()
    images = []
    for star in np.random.default_rng(7).uniform(-1, 1, (12, 2)):
        image = (mosaic @ airy(traces.ideal[near], star)).reshape(81, 81).astype(np.float32)
        images.append(resample(image, (40 + star[0], 40 + star[1]), 21))
    spread = np.std(images, axis=0) / np.max(images)
    assert spread.max() < 0.006
    assert np.std([image[7:14, 7:14].sum() for image in images]) / images[0][7:14, 7:14].sum() < 0.002
