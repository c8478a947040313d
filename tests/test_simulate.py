"""The simulated sequence is what its truth says, judged by formulae that it does not use."""

import numpy as np
import pytest

from lyot.reduce.simulate import optics
from lyot.reduce.simulate.coronagraph import (
    DECLINATION,
    LATITUDE,
    PIXEL_SCALE,
    PLANETS,
    SIDE,
    STAR_FLUX,
    Planet,
    simulate_sequence,
    zenith_angle,
)

MIDDLE = SIDE // 2
LAMBDA_OVER_D = 1.593e-6 / 8.0 * 206264806.247 / 12.255  # px: 3.35


def disk(y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.indices((SIDE, SIDE))
    return np.hypot(rows - y, columns - x) <= radius


@pytest.fixture(scope="module")
def bright():
    """A short sequence whose planet outshines every speckle."""
    return simulate_sequence(3, frames=6, planets=(Planet(410.0, 75.0, 0.05),))


def test_the_planet_stands_at_its_position_angle_less_that_of_the_frame(bright):
    r = 410.0 / 12.255
    for frame, angle in zip(bright.frames, bright.angles, strict=True):
        turn = np.radians(75.0 - angle)  # counter-clockwise from +y, as East is left when North is up
        y, x = MIDDLE + r * np.cos(turn), MIDDLE - r * np.sin(turn)
        near = disk(y, x, LAMBDA_OVER_D) * frame
        rows, columns = np.indices(frame.shape)
        # a centroid in a round window of whole pixels, of an image with aberrations: good to a tenth of a pixel
        assert (near * rows).sum() / near.sum() == pytest.approx(y, abs=0.1)
        assert (near * columns).sum() / near.sum() == pytest.approx(x, abs=0.1)


def test_the_planet_has_its_contrast(bright):
    r = 410.0 / 12.255
    ratios = []
    for frame, angle in zip(bright.frames, bright.angles, strict=True):
        turn = np.radians(75.0 - angle)
        inside = disk(MIDDLE + r * np.cos(turn), MIDDLE - r * np.sin(turn), 4.0)
        ratios.append(frame[inside].sum())
    centre = bright.psf.shape[0] // 2
    rows, columns = np.indices(bright.psf.shape) - centre
    star = bright.psf[np.hypot(rows, columns) <= 4.0].sum()
    assert np.mean(ratios) / star == pytest.approx(0.05, rel=0.03)  # whole pixels at the edge of a round window


def test_the_star_flux_is_what_an_aperture_of_one_width_holds(bright):
    # an Airy pattern of 14 % obscuration is 1.02 λ/D wide; aberrations widen it a little
    assert bright.fwhm == pytest.approx(1.02 * LAMBDA_OVER_D, rel=0.02)
    assert bright.star_flux == STAR_FLUX
    # flux in a small circle, from its pixels' shares: each pixel cut into 20 × 20
    fine = np.kron(bright.psf, np.ones((20, 20))) / 400
    rows, columns = np.indices(fine.shape) - (fine.shape[0] - 1) / 2
    inside = np.hypot(rows, columns) <= bright.fwhm * 10
    # the pixel that is cut up is the mean of its area no more than to second order: some per cent
    assert fine[inside].sum() == pytest.approx(STAR_FLUX, rel=0.05)


def test_the_sky_turns_as_over_paranal():
    hours = np.linspace(-2.0, 2.0, 41)
    h, delta, phi = np.radians(15 * hours), np.radians(DECLINATION), np.radians(LATITUDE)
    textbook = np.degrees(
        np.arctan2(np.sin(h), np.tan(phi) * np.cos(delta) - np.sin(delta) * np.cos(h))
    )  # Meeus, Astronomical Algorithms, 14.1
    np.testing.assert_allclose((zenith_angle(hours) - textbook + 180) % 360, 180, atol=1e-9)


def test_the_field_turns_enough_for_angular_differences():
    sequence = simulate_sequence(1, frames=8, planets=())
    assert np.ptp(sequence.angles) == pytest.approx(58.5, abs=0.1)
    steps = np.diff(sequence.angles)
    assert (steps > 0).all()
    assert steps.argmax() in (3, len(steps) - 4)  # fastest at transit


def test_a_flat_wave_does_not_pass_the_coronagraph():
    flat = optics.waves_of(np.zeros((1, optics.SAMPLES, optics.SAMPLES)))
    assert np.abs(optics.through_coronagraph(flat)).max() < 1e-12


def test_light_is_conserved():
    # a pixel of λ/D / 2, over 30 λ/D: all but the far wings, 1 % of an Airy pattern beyond 15 λ/D
    offsets = np.arange(-30, 31) * 0.5
    flat = optics.waves_of(np.zeros((1, optics.SAMPLES, optics.SAMPLES)))
    assert optics.image(flat, offsets).sum() * 0.25 == pytest.approx(1.0, abs=0.02)


def test_speckles_stay_while_the_sky_turns():
    frames = simulate_sequence(1, frames=20, planets=()).frames
    ring = disk(MIDDLE, MIDDLE, 30) & ~disk(MIDDLE, MIDDLE, 8)
    values = frames[:, ring]

    def likeness(one: int, other: int) -> float:
        return float(np.corrcoef(values[one], values[other])[0, 1])

    assert likeness(9, 10) > 0.5
    assert likeness(9, 10) > likeness(0, 19)  # and decorrelate slowly


def test_the_same_seed_gives_the_same_sequence():
    one, again, other = (simulate_sequence(seed, frames=3) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.frames, again.frames)
    assert (one.frames != other.frames).any()


def test_the_sequence_is_as_stated():
    sequence = simulate_sequence(1, frames=4)
    assert sequence.frames.shape == (4, 101, 101)
    assert (sequence.pixel_scale, sequence.wavelength) == (PIXEL_SCALE, 1.593)
    assert sequence.planets == PLANETS
    assert np.unravel_index(sequence.psf.argmax(), sequence.psf.shape) == (15, 15)
    # by far the most of the star's light is gone
    assert sequence.frames.max() < 1e-2 * sequence.psf.max()
