"""Candidates: what was put in is found once, edges and masks are not."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import t
from sky import FWHM, point_source

from lyot.reduce.analyse import find_companions
from lyot.reduce.detect import Peak, masked, peaks, same_source
from lyot.reduce.measure import snr_map
from lyot.reduce.rings import apertures_on_ring


def field(*places, side=121, seed=2):
    """Noise with point sources at (y, x, peak in units of the noise)."""
    image = gaussian_filter(np.random.default_rng(seed).standard_normal((side, side)), 1.4)
    image /= image.std()
    for y, x, peak in places:
        image += peak * point_source((side, side), y, x)
    return image.astype(np.float32)


def test_each_source_is_found_once_at_its_place_best_first():
    places = [(90.3, 60.2, 40.0), (40.0, 30.6, 20.0)]
    found = find_companions(field(*places), FWHM)
    assert len(found) == 2
    assert found["snr"][0] > found["snr"][1] > 5
    for (y, x, _), row in zip(places, found, strict=True):
        assert row["y"] == pytest.approx(y, abs=0.25)
        assert row["x"] == pytest.approx(x, abs=0.25)
    assert found["position_angle"][0] == pytest.approx(np.degrees(np.arctan2(60 - 60.2, 90.3 - 60)) % 360, abs=1)
    assert found["separation"].unit == "pix"


def test_noise_alone_gives_nothing():
    assert len(find_companions(field(), FWHM)) == 0
    assert find_companions(field(), FWHM).colnames == [
        "y", "x", "separation", "position_angle", "snr", "false_alarm_probability",
    ]


def test_the_probability_is_students():
    found = find_companions(field((90.0, 60.0, 30.0)), FWHM)[0]
    freedom = apertures_on_ring(FWHM, float(np.hypot(*(np.rint([found["y"], found["x"]]) - 60)))) - 2
    assert found["false_alarm_probability"] == pytest.approx(t.sf(found["snr"], freedom), rel=1e-6)


def test_the_probability_is_that_of_the_apertures_left_by_a_mask():
    """With part of the field hidden fewer places tell the noise, and 8σ is not as rare as on a whole ring."""
    image = field((75.0, 70.0, 12.0))
    image[:, :52] = np.nan
    found = find_companions(image, FWHM)[0]
    y, x = np.rint([found["y"], found["x"]]) - 60
    radius, start = np.hypot(y, x), np.arctan2(y, x)
    count = apertures_on_ring(FWHM, radius)
    places = 60 + radius * np.cos(start - 2 * np.arcsin(FWHM / (2 * radius)) * np.arange(1, count))
    left = int((places - FWHM / 2 >= 51.5).sum())
    assert left < count - 4
    assert found["false_alarm_probability"] == pytest.approx(t.sf(found["snr"], left - 1), rel=1e-6)


def test_the_edge_of_a_mask_is_no_source():
    image = field()
    x = np.arange(121)[None, :]
    slope = 50.0 * np.exp(-((x - 100) ** 2) / 50.0)
    cut = np.where(x < 95, image + slope, np.nan)  # brightest where it is cut
    found = peaks(cut, snr_map(cut, FWHM), FWHM)
    assert all(peak.x < 95 - FWHM / 2 for peak in found)
    snr = np.full((41, 41), 1.0)
    snr[20, 30], snr[19, 31] = 9.0, np.nan
    assert peaks(snr, snr, FWHM) == []


def test_peaks_nearer_than_a_beam_are_one():
    snr = np.zeros((61, 61))
    snr[30, 43], snr[32, 45], snr[30, 54] = 9.0, 8.0, 7.0
    found = peaks(snr, snr, FWHM)
    assert [round(peak.snr) for peak in found] == [9, 7]


def test_the_same_source_has_one_number_at_all_wavelengths():
    def peak(y, x, snr):
        return Peak(y, x, snr, 0.0)

    found = [[peak(10, 10, 7.0), peak(30, 30, 6.0)], [peak(30.4, 29.8, 20.0)], []]
    assert same_source(found, np.array([4.0, 4.5, 5.0])) == [[1, 0], [0], []]


def test_a_mask_hides_discs():
    hidden = masked(np.ones((21, 21)), [(10.0, 5.0)], 3.0)
    assert np.isnan(hidden[10, 5])
    assert np.isnan(hidden[12, 5])
    assert hidden[10, 8] == 1.0
