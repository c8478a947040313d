"""Derotation of point sources whose place is known, and of what algebra says."""

import numpy as np
import pytest
from sky import point_source

from lyot.errors import BadInput
from lyot.reduce.derotate import derotate, derotate_rows
from lyot.reduce.derotate_fft import derotate_fft
from lyot.reduce.shears import sinc_weights

PLACES = ((9.3, 20.0), (18.7, 133.0), (27.2, 250.0), (40.9, 321.0))  # px from the star, deg East of North


def stand(separation, position_angle, shape):
    at = np.radians(position_angle)
    return shape[0] // 2 + separation * np.cos(at), shape[1] // 2 - separation * np.sin(at)


def errors(turn, resolution, shape=(101, 101), rotation=50.0, nframes=12):
    """Worst error of the peak (relative) and of the place (px) of sources at all places, over all frames."""
    rng = np.random.default_rng(0)
    angles = np.linspace(-rotation / 2, rotation / 2, nframes) + rng.uniform(-0.3, 0.3, nframes)
    peaks, places = [], []
    for separation, position_angle in PLACES:
        frames = [point_source(shape, *stand(separation, position_angle - a, shape), resolution) for a in angles]
        turned = turn(np.array(frames, np.float32), angles)
        y, x = stand(separation, position_angle, shape)
        step = 0.05
        truth = point_source(shape, y, x, resolution)
        slope_y = (point_source(shape, y + step, x, resolution) - point_source(shape, y - step, x, resolution)) / 0.1
        slope_x = (point_source(shape, y, x + step, resolution) - point_source(shape, y, x - step, resolution)) / 0.1
        v, u = np.indices(shape)
        core = np.hypot(v - y, u - x) < 1.5 * resolution
        terms = np.stack([image[core] for image in (truth, slope_y, slope_x)], axis=1)
        for frame in turned:
            flux, dy, dx = np.linalg.lstsq(terms, frame[core], rcond=None)[0]
            at_peak = np.unravel_index(np.argmax(truth), shape)
            peaks.append(abs(frame[at_peak] / truth[at_peak] - 1))
            places.append(np.hypot(dy, dx) / flux)
    return max(peaks), max(places)


@pytest.mark.parametrize("resolution", [2.5, 2.6, 4.0, 6.0])
def test_a_point_source_keeps_its_peak_and_its_place(resolution):
    peak, place = errors(derotate, resolution)
    assert peak < 5e-4
    assert place < 2e-3  # px, in every single frame


@pytest.mark.parametrize("turn", [lambda f, a: derotate(f, a, taps=24), derotate_fft], ids=["24 taps", "FFT"])
def test_undersampled_images_want_more_taps_or_the_fft(turn):
    peak, place = errors(turn, 2.15)  # IRDIS in Y
    assert peak < 1e-3
    assert place < 2e-3


@pytest.mark.parametrize("shape", [(61, 61), (60, 60), (60, 75), (75, 60), (61, 74)])
@pytest.mark.parametrize("angle", [7.0, 45.0, 60.0, -80.0, 100.0, 135.0, 180.0, 200.0, -225.0, 359.0, 725.0])
def test_a_source_ends_where_the_convention_says_whatever_the_angle_and_the_shape(shape, angle):
    y, x = stand(17.3, 33.0 - angle, shape)
    y_end, x_end = stand(17.3, 33.0, shape)
    turned = derotate(point_source(shape, y, x)[None], [angle])[0]
    expected = point_source(shape, y_end, x_end)
    seen = np.hypot(*(np.indices(shape) - np.array([y_end, x_end])[:, None, None])) < 6
    assert np.abs(turned - expected)[seen].max() < 1e-3  # of the peak


@pytest.mark.parametrize("shape", [(61, 61), (60, 60), (50, 61)])
@pytest.mark.parametrize("quarters", [-3, -2, -1, 0, 1, 2, 3, 4])
def test_quarter_turns_move_pixels_and_change_none(shape, quarters):
    frame = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    turned = derotate(frame[None], [90.0 * quarters])[0]
    cy, cx = shape[0] // 2, shape[1] // 2
    for y, x in ((cy, cx), (cy + 5, cx + 2), (cy - 7, cx + 11), (cy - 3, cx - 20)):
        dy, dx = y - cy, x - cx
        for _ in range(quarters % 4):
            dy, dx = dx, -dy  # counter-clockwise, y up: (x, y) → (−y, x)
        assert turned[cy + dy, cx + dx] == frame[y, x]


@pytest.mark.parametrize("shape", [(81, 81), (80, 80), (80, 91)])
def test_it_agrees_with_the_fourier_reference(shape):
    rng = np.random.default_rng(5)
    places = [stand(rng.uniform(0, 30), rng.uniform(0, 360), shape) for _ in range(12)]
    field = sum(rng.normal() * point_source(shape, y, x, 3.0) for y, x in places)
    angles = [0.0, 12.0, 44.9, 45.1, -70.0, 133.0, 181.0]
    frames = np.repeat(field[None], len(angles), axis=0)
    near = np.hypot(*(np.indices(shape) - np.array(shape)[:, None, None] // 2)) < 36
    part = 5e-4 * np.abs(field).max()  # what 12 taps may err
    assert np.abs(derotate(frames, angles) - derotate_fft(frames, angles))[:, near].max() < part


def test_flux_is_conserved():
    shape = (101, 101)
    y, x = stand(20.4, 77.0, shape)
    frame = point_source(shape, y, x) * np.exp(-((np.hypot(*(np.indices(shape) - [[[y]], [[x]]])) / 12) ** 4))
    turned = derotate(np.repeat(frame[None], 8, axis=0), np.linspace(0, 350, 8))
    assert np.nansum(turned, axis=(1, 2)) == pytest.approx(np.full(8, frame.sum()), rel=1e-4)  # of the table of taps


def test_weights_interpolate_and_sum_to_one():
    weights = sinc_weights(12)
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-6
    assert weights[0] == pytest.approx(np.eye(12)[5], abs=1e-7)  # at a sample, that sample
    assert weights[-1] == pytest.approx(np.eye(12)[6], abs=1e-7)
    assert np.abs(weights - weights[::-1, ::-1]).max() < 1e-6


def test_what_comes_from_outside_the_frame_is_nan_and_nothing_else():
    shape, angle = (40, 51), 30.0
    turned = derotate(np.ones((1, *shape), np.float32), [angle])[0]
    y, x = np.indices(shape) - np.array([20, 25])[:, None, None]
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u, v = x * c + y * s + 25, y * c - x * s + 20
    outside = (u < -0.5) | (u > 50.5) | (v < -0.5) | (v > 39.5)
    assert np.array_equal(np.isnan(turned), outside)


def test_a_mask_of_nan_turns_with_the_frame():
    frame = np.ones((1, 81, 81), np.float32)
    y, x = np.indices((81, 81)) - 40
    frame[0, (np.hypot(y - 15, x) < 5)] = np.nan  # North of the star in a frame turned by 90°
    turned = derotate(frame, [90.0])[0]
    assert np.isnan(turned[40, 25])  # East is left
    turned = derotate(frame, [50.0])[0]
    at = np.radians(50.0)
    distance = np.hypot(y - 15 * np.cos(at), x + 15 * np.sin(at))
    inner = np.hypot(y, x) < 35
    assert np.isnan(turned[inner & (distance < 4)]).all()
    assert np.isfinite(turned[inner & (distance > 6)]).all()


def test_in_place_gives_the_same():
    frames = np.random.default_rng(4).normal(size=(3, 32, 32)).astype(np.float32)
    frames[1, 10:14, 10:14] = np.nan
    angles = [3.0, 60.0, -100.0]
    expected = derotate(frames, angles)
    assert derotate(frames, angles, out=frames) is frames
    assert np.array_equal(frames, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("frames", "angles", "said"),
    [
        (np.ones((2, 9, 9)), [1.0], "2 frames to derotate but angles of shape"),
        (np.ones((9, 9)), [1.0], "shape"),
        (np.ones((2, 9, 9)), [1.0, np.nan], "1 of 2 angles"),
    ],
)
def test_bad_input_is_named(frames, angles, said):
    with pytest.raises(BadInput, match=said):
        derotate(frames, angles)


def test_taps_come_in_dozens():
    with pytest.raises(BadInput, match="13 taps"):
        derotate(np.ones((1, 9, 9)), [1.0], taps=13)


def test_rows_are_those_of_the_whole():
    """To the rounding of single precision: the order of a sum may differ."""
    frames = np.random.default_rng(5).normal(size=(6, 41, 36)).astype(np.float32)
    frames[2, 12:15, 20] = np.nan
    angles = np.array([3.0, 60.0, -100.0, 44.9, 180.0, 271.0])
    whole = derotate(frames, angles)
    for first, last in ((0, 9), (9, 30), (30, 41)):
        rows = np.empty((6, last - first, 36), np.float32)
        derotate_rows(frames, angles, first, rows)
        assert np.allclose(rows, whole[:, first:last], atol=2e-6, equal_nan=True)
