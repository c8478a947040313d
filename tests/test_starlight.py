"""The examination that every starlight model sits, and what the engine owes to all of them."""

from dataclasses import replace

import numpy as np
import pytest
from sky import FWHM, Planet, brightest, observe

from lyot.cube import Cube
from lyot.errors import BadInput, Unprocessable
from lyot.reduce import psf
from lyot.reduce.products import scalar_products
from lyot.reduce.psf.annular_pca import AnnularPCA
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.loci import LOCI
from lyot.reduce.psf.noadi import NoADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.starlight import subtract, zones
from lyot.reduce.step import Recipe

EVERY = [*psf.EXAMPLES, ClassicalADI(collapse="mean")]
SUBTRACTING = [model for model in EVERY if model.removes_starlight]


def trial(model, **settings):
    return Recipe(name="trial", model=model, **settings)


def equal(one, other, within):
    """Whether two arrays are known at the same places and nowhere differ by more than `within`."""
    return np.array_equal(np.isnan(one), np.isnan(other)) and np.nanmax(np.abs(one - other)) <= within


def name(model):
    return f"{model}-{getattr(model, 'collapse', '')}".rstrip("-")


@pytest.fixture(scope="module")
def planet():
    return Planet(separation=20.0, position_angle=120.0, contrast=3e-3)


@pytest.fixture(scope="module")
def seen(planet):
    return observe(planet)


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_a_planet_comes_back_where_we_put_it(model, seen):
    found = brightest(trial(model)(seen))

    quarter_beam = 0.25 * FWHM  # a bias larger than this moves an orbit
    assert found.separation == pytest.approx(20.0, abs=quarter_beam)
    assert found.position_angle == pytest.approx(120.0, abs=np.degrees(quarter_beam / 20.0))


@pytest.mark.parametrize("model", SUBTRACTING, ids=name)
def test_a_star_that_never_changes_vanishes(model):
    still = observe(nframes=12).hold_still()
    left = trial(model)(still).residuals
    assert np.nanmax(np.abs(left)) < 1e-5 * np.abs(still.frames).max()  # float32 rounding
    assert np.isfinite(left).mean() > 0.8  # it did look


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_twice_the_light_leaves_twice_the_residual(model):
    once = observe(Planet(20.0, 120.0, 1e-3), nframes=16)
    twice = Cube(2 * once.frames, once.angles, once.wavelengths, once.pixel_scale, once.psf, fwhm=once.fwhm)
    one, two = trial(model)(once).image, trial(model)(twice).image
    assert equal(two, 2 * one, within=1e-4 * np.nanmax(np.abs(two)))  # float32 rounding


@pytest.mark.parametrize("model", EVERY, ids=name)
@pytest.mark.parametrize("size", [(60, 60), (61, 74)])
def test_any_frame_size_will_do(model, size):
    found = brightest(trial(model)(observe(Planet(17.0, 250.0, 5e-3), size=size)))
    assert found.separation == pytest.approx(17.0, abs=0.25 * FWHM)
    assert found.position_angle == pytest.approx(250.0, abs=np.degrees(0.25 * FWHM / 17.0))


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_bad_pixels_and_a_mask_stay_unknown_and_do_no_harm(model, seen, planet):
    frames = seen.frames.copy()
    rng = np.random.default_rng(8)
    frames[:, rng.random(frames.shape[1:]) < 0.01] = np.nan
    frames[:, :, 3, 5] = np.nan
    cube = Cube(frames, seen.angles, seen.wavelengths, seen.pixel_scale, seen.psf, fwhm=seen.fwhm)
    reduction = trial(model, mask_radius=5.0)(cube)
    cy, cx = cube.star
    y, x = np.indices(frames.shape[-2:])
    masked = np.hypot(y - cy, x - cx) < 5.0
    assert np.isnan(reduction.residuals[np.isnan(frames)]).all()
    assert np.isnan(reduction.residuals[..., masked]).all()
    assert np.isnan(reduction.image[0][np.hypot(y - cy, x - cx) < 4.0]).all()
    found = brightest(reduction)
    assert found.separation == pytest.approx(planet.separation, abs=0.25 * FWHM)
    assert found.position_angle == pytest.approx(planet.position_angle, abs=np.degrees(0.25 * FWHM / 20))


@pytest.mark.parametrize(("always", "within"), [(False, 1e-6), (True, 0.05)], ids=["now and then", "always"])
def test_unknown_pixels_are_not_dark_where_starlight_stays(always, within):
    """No ADI leaves bright starlight; what is seen beside a bad pixel must not lack the pixel's part of it.

    Of a star that never changes the other frames know the pixel exactly. One that is always bad is guessed at from
    those beside it, which errs by 0.04 of the peak; counted as 0, it spoils them by 0.38.
    """
    still = replace(observe(nframes=6).hold_still(), angles=np.full(6, 33.0))
    bad = np.random.default_rng(8).random(still.frames.shape) < 0.01
    if always:
        bad[:] = bad[:, :1]
    spoiled = replace(still, frames=np.where(bad, np.nan, still.frames))
    recipe = trial(NoADI(), mask_radius=5.0, collapse="mean")
    image, truth = recipe(spoiled).image[0], recipe(still).image[0]
    assert np.nanmax(np.abs(image - truth)) < within * np.nanmax(truth)
    assert np.isfinite(image).sum() > 0.99 * np.isfinite(truth).sum()


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_the_cube_is_left_as_it_was(model, seen):
    before = seen.frames.copy()
    trial(model)(seen)
    assert np.array_equal(seen.frames, before)


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_zones_cover_the_frame_once(model, seen):
    pixels = np.concatenate([zone.pixels for zone in zones(trial(model), seen)])
    assert np.array_equal(np.sort(pixels), np.arange(seen.frames[0, 0].size))


def test_no_model_means_the_frames_themselves(seen):
    assert np.array_equal(trial(NoADI())(seen).residuals, seen.frames)


def test_components_are_those_of_the_singular_value_decomposition(seen):
    frames = seen.frames[0].reshape(24, -1).astype(float)
    _, _, modes = np.linalg.svd(frames, full_matrices=False)
    left = frames - frames @ modes[:7].T @ modes[:7]
    ours = trial(PCA(ncomp=7))(seen).residuals.reshape(24, -1)
    assert equal(ours, left, within=1e-5 * np.abs(frames).max())  # float32 rounding


def test_all_components_leave_nothing(seen):
    left = trial(PCA(ncomp=24))(seen).residuals
    assert np.abs(left).max() < 1e-4 * np.abs(seen.frames).max()


def test_mean_and_median_are_what_they_say(seen):
    frames = seen.frames[0]
    mean = trial(ClassicalADI(collapse="mean"))(seen).residuals[0]
    median = trial(ClassicalADI())(seen).residuals[0]
    rounding = 1e-5 * np.abs(frames).max()
    assert equal(mean, frames - frames.mean(axis=0, dtype=float), within=rounding)
    assert equal(median, frames - np.median(frames, axis=0), within=rounding)


def test_weights_of_a_local_model_use_no_frame_in_which_the_planet_has_not_moved(seen):
    for model in (AnnularPCA(motion=1.0), LOCI(motion=1.0)):
        frames = seen.frames[0].reshape(24, -1)
        for zone in zones(trial(model), seen):
            gram = scalar_products(frames, frames, zone.optimisation)
            weights = model.weights(gram, gram, zone)
            middle = (zone.inner + zone.outer) / 2
            turn = np.abs(np.subtract.outer(seen.angles, seen.angles))
            near = 2 * middle * np.sin(np.radians(turn) / 2) < FWHM
            assert not np.nan_to_num(weights)[near].any()


def test_bright_static_light_does_not_hide_speckles_from_the_scalar_products(seen):
    frames = (seen.frames[0] + 1e5).reshape(24, -1)
    pixels = np.arange(0, frames.shape[1], 2)
    exact = frames[:, pixels].astype(float) @ frames[:, pixels].T.astype(float)
    centring = np.eye(24) - 1 / 24  # leaves what the frames do not have in common
    speckles = centring @ exact @ centring
    ours = centring @ scalar_products(frames, frames, pixels) @ centring
    assert ours == pytest.approx(speckles, abs=1e-6 * speckles.max())


@pytest.fixture(scope="module")
def colours():
    return observe(Planet(25.0, 200.0, 3e-3), nframes=8, rotation=40.0, wavelengths=(1.2, 1.4, 1.6, 1.8))


class TestStrategies:
    @pytest.mark.parametrize("strategy", ["sdi", "asdi"])
    @pytest.mark.parametrize("model", [ClassicalADI(), PCA(ncomp=2), AnnularPCA(ncomp=1)], ids=name)
    def test_other_wavelengths_show_the_speckles(self, strategy, model, colours):
        plain = trial(NoADI())(colours)
        reduction = trial(model, strategy=strategy)(colours)
        y, x = np.indices(colours.frames.shape[-2:]) - 40
        ring = np.abs(np.hypot(y, x) - 12) < 4
        for wave in range(4):
            assert np.nanstd(reduction.image[wave][ring]) < 0.5 * np.nanstd(plain.image[wave][ring])
            found = brightest(reduction, wave)
            assert found.separation == pytest.approx(25.0, abs=0.25 * FWHM)
            assert found.position_angle == pytest.approx(200.0, abs=np.degrees(0.25 * FWHM / 25))

    def test_no_rotation_is_needed_with_two_wavelengths(self, colours):
        still = Cube(colours.frames[:, :1], [33.0], colours.wavelengths, 12.25, colours.psf, fwhm=colours.fwhm)
        assert trial(PCA(ncomp=2), strategy="sdi")(still).frames_used == 1

    @pytest.mark.parametrize("model", [ClassicalADI(), PCA(ncomp=5), LOCI()], ids=name)
    def test_another_star_serves_and_takes_no_light_of_a_planet_it_has_not(self, model):
        alike, other = observe(nframes=16), observe(Planet(20.0, 120.0, 1e-3), nframes=16, rotation=2.0)
        reduction = trial(model, strategy="rdi")(other, alike.frames)
        found = brightest(reduction)
        assert found.separation == pytest.approx(20.0, abs=0.25 * FWHM)
        # Projected away is only what the planet has in common with the speckles.
        assert found.peak == pytest.approx(1e3, rel=0.25)

    def test_the_best_correlated_frames_are_kept(self):
        alike, other = observe(nframes=6), observe(nframes=6, seed=2)
        library = np.concatenate([other.frames[0], 3.0 * alike.frames[0]])
        kept = Recipe(name="trial", model=PCA(ncomp=6), strategy="rdi", library_size=6)(alike, library)
        assert np.abs(kept.residuals).max() < 1e-4 * alike.frames.max()  # its own frames, whatever their brightness

    def test_bad_libraries_are_named(self, colours):
        with pytest.raises(BadInput, match="needs a library"):
            trial(PCA(), strategy="rdi")(colours)
        with pytest.raises(BadInput, match="serves strategy rdi, not adi"):
            trial(PCA())(colours, colours.frames)
        with pytest.raises(BadInput, match=r"library has shape \(4, 8, 20, 20\)"):
            trial(PCA(), strategy="rdi")(colours, colours.frames[..., :20, :20])

    @pytest.mark.parametrize("strategy", ["sdi", "asdi"])
    def test_one_wavelength_has_no_spectrum(self, strategy, seen):
        with pytest.raises(Unprocessable, match="only one"):
            trial(PCA(), strategy=strategy)(seen)


class TestWhatCannotBeDone:
    @pytest.mark.parametrize("model", [PCA(ncomp=25), AnnularPCA(ncomp=25)], ids=name)
    def test_more_components_than_frames(self, model, seen):
        with pytest.raises(Unprocessable, match="25 components asked of 24 frames"):
            trial(model)(seen)

    @pytest.mark.parametrize("model", SUBTRACTING, ids=name)
    def test_no_field_rotation(self, model):
        with pytest.raises(Unprocessable, match=r"turns by 1\.00°, and a planet at the edge .* needs 5\.8°"):
            trial(model)(observe(rotation=1.0))

    def test_no_field_rotation_is_no_matter_to_models_that_compare_nothing(self):
        for model in EVERY:
            if not model.needs_rotation:
                assert np.isfinite(trial(model)(observe(rotation=0.0)).image).any()

    @pytest.mark.parametrize("model", SUBTRACTING, ids=name)
    def test_a_single_frame(self, model):
        with pytest.raises(Unprocessable, match="only one"):
            trial(model)(observe(nframes=1))

    def test_a_mask_larger_than_the_image(self, seen):
        with pytest.raises(BadInput, match="a mask of 40 px covers the image"):
            trial(PCA(), mask_radius=40)(seen)

    def test_rings_of_a_width_that_nobody_knows(self, seen):
        bare = Cube(seen.frames, seen.angles, seen.wavelengths, seen.pixel_scale)
        with pytest.raises(Unprocessable, match="neither a PSF nor an FWHM"):
            trial(LOCI())(bare)
        assert np.isfinite(trial(PCA())(bare).image).any()

    def test_frames_without_a_library_are_left_out_and_this_is_said(self):
        slow = observe(Planet(30.0, 10.0, 2e-3), rotation=25.0)
        reduction = trial(AnnularPCA(ncomp=3, motion=1.0))(slow)
        assert "px of the star some frames have no library" in reduction.notes[0]
        assert np.isnan(reduction.image[0, 40, 40])
        assert brightest(reduction).separation == pytest.approx(30.0, abs=0.25 * FWHM)

    def test_a_model_that_no_frame_can_follow(self):
        with pytest.raises(Unprocessable, match="leaves no pixel"):
            trial(AnnularPCA(ncomp=12, motion=2.0))(observe(rotation=12.0))

    def test_a_step_that_is_no_starlight_model(self, seen):
        from lyot.reduce.step import Step

        class Nothing(Step):
            pass

        with pytest.raises(BadInput, match="Nothing, the model of recipe trial, is no starlight model"):
            subtract(seen, trial(Nothing()))
