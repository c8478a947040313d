"""Lenslets, wavelengths, spectra and square pixels of the IFS, on a detector of known truth."""

from dataclasses import replace

import numpy as np
import pytest
import raw_ifs
from scipy.ndimage import convolve
from scipy.spatial import cKDTree

from lyot.errors import Unprocessable
from lyot.instruments.sphere_frames import IFS_LASER_ROWS, LENSLETS
from lyot.reduce.ifs.crosstalk import kernel, without_crosstalk
from lyot.reduce.ifs.extract import extraction, squares
from lyot.reduce.ifs.lattice import find_lattice, turn
from lyot.reduce.ifs.recalibrate import LASER_WINDOWS, laser_channels
from lyot.reduce.ifs.traces import follow, straighten

LINES = np.array(raw_ifs.LASERS)
USUAL = np.array(IFS_LASER_ROWS["YJ"])
TURN = -11.3  # deg; the model says −11
WAVES = np.linspace(0.95, 1.346, 39)


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
    fine = np.linspace(0.94, 1.356, 160)
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
    mosaic, seen = squares(traces.ideal, 291, good)
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


def test_crosstalk_is_a_convolution():
    rng = np.random.default_rng(3)
    image = rng.random((200, 220)).astype(np.float32)
    expected = image - convolve(image.astype(float), kernel().astype(float), mode="constant")
    np.testing.assert_allclose(without_crosstalk(image), expected, atol=1e-4)
    assert kernel()[20, 22] == pytest.approx(1 / (1 + (2 / (0.727986 / 1.8)) ** 3))
    assert kernel()[19:22, 19:22].max() == 0


def test_lasers_peak_between_channels():
    at = np.array([3.62, 16.7, 34.5])
    spectrum = sum(np.exp(-0.5 * ((np.arange(39) - a) / 1.1) ** 2) for a in at)
    np.testing.assert_allclose(laser_channels(spectrum, LASER_WINDOWS["YJ"]), at, atol=0.02)
