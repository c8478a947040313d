"""The star's flux and its error: scatter between files, the Strehl ratio, the neutral density."""

from dataclasses import replace

import numpy as np
import pytest

from lyot.cube import Cube
from lyot.instruments.sphere import SPHERE_IRDIS
from lyot.level1 import read_cube, write_cube
from lyot.reduce import flux as measured
from lyot.reduce.calibrate.raw import Stack
from lyot.reduce.characterise import AstrometryErrors, Fit
from lyot.reduce.classify import RawFile
from lyot.reduce.companion import companion_of
from lyot.reduce.flux import FluxFrame, density_error, with_star
from lyot.reduce.group import DataSet
from lyot.reduce.ifs.density import density_errors
from lyot.reduce.inject import Point, inject
from lyot.reduce.night import Night
from lyot.reduce.strehl import Followed, follow

SCIENCE = RawFile(path="s", role="science", arm="irdis", exposure=16.0, frames=4, filter="DB_H23")
FLUX = tuple(RawFile(path=name, role="flux", arm="irdis", exposure=1.0, frames=2, density="ND_2.0") for name in "ab")


def a_night(**changes):
    dataset = DataSet(name="n", arm="irdis", filter="DB_H23", target="t", night="2019-05-11", science=(SCIENCE,),
                      flux=FLUX)
    made = Night(dataset, SPHERE_IRDIS, {}, Stack((), ()), Stack((), ()), Stack(FLUX, ()), ("H2", "H3"),
                 np.array([1.593, 1.667]))
    return replace(made, **changes)


def frames(*levels):
    """Two frames of each file, the star as bright as said."""
    y, x = np.indices((21, 21)) - 10
    star = np.exp(-4 * np.log(2) * (y**2 + x**2) / 3.5**2)
    return [FluxFrame(file, n, np.stack([star, star]).astype(np.float32) * level)
            for file, level in zip(FLUX, levels, strict=True) for n in (0, 1)]


def test_two_files_that_differ_leave_half_of_it_uncertain():
    found = with_star(a_night(), frames(900.0, 1100.0), np.zeros(2), follow_strehl=True)
    assert found.star_flux_error / found.star_flux == pytest.approx([0.1, 0.1], rel=1e-3)


def test_errors_add_in_squares():
    found = with_star(a_night(), frames(900.0, 1100.0), np.array([0.1, 0.0]), follow_strehl=False)
    assert found.star_flux_error / found.star_flux == pytest.approx([0.1 * 2**0.5, 0.1], rel=1e-3)


def test_the_star_follows_the_strehl_ratio(monkeypatch):
    followed = Followed(np.ones((2, 4)), {"a": np.full((2, 2), 1.2), "b": np.full((2, 2), 1.0)})
    monkeypatch.setattr(measured, "follow", lambda night, files: followed)
    found = with_star(a_night(), frames(1000.0, 1200.0), np.zeros(2), follow_strehl=True)
    as_it_was = with_star(a_night(), frames(1200.0, 1200.0), np.zeros(2), follow_strehl=False)
    assert found.star_flux == pytest.approx(as_it_was.star_flux, rel=1e-6)
    assert found.star_flux_error / found.star_flux == pytest.approx([0.05, 0.05], rel=1e-3)  # half of 10 %


def test_without_telemetry_nothing_is_followed():
    assert follow(a_night(), FLUX) is None
    assert follow(a_night(conditions={"strehl": np.array([np.nan, np.nan, np.nan, 0.9])}), FLUX) is None


def test_the_core_is_as_bright_as_the_strehl_ratio_says():
    told = {"strehl": np.array([0.8, np.nan, 0.9, 0.3])}
    flags = ("", "", "", "open loops")
    found = follow(a_night(conditions=told, flags=flags, wavelengths=np.array([1.6, 0.8])), FLUX)
    assert found.science[0] == pytest.approx(np.array([0.8, 0.85, 0.9, 0.3]) / 0.85)  # the gap is bridged
    assert found.science[1] == pytest.approx(np.array([0.8, 0.85, 0.9, 0.3]) ** 4 / np.mean([0.8**4, 0.85**4, 0.9**4]))
    assert np.isnan(found.flux["a"]).all()


def test_a_density_for_all_frames_costs_nothing():
    assert density_error(a_night(), "H2") == pytest.approx(np.hypot(0.01, 0.0015))
    alike = a_night().dataset.model_copy(update={"science": (SCIENCE.model_copy(update={"density": "ND_2.0"}),)})
    assert density_error(a_night(dataset=alike), "H2") == 0.0


def test_a_density_that_falls_with_wavelength_is_as_uncertain_as_the_wavelength():
    """ND_2.0 lets 1.12 % pass at 1.00 µm and 0.993 % at 1.01 µm (curves of vlt-sphere): 1.2 % less each nanometre."""
    science = SCIENCE.model_copy(update={"arm": "ifs", "filter": "YJ"})
    flux = tuple(one.model_copy(update={"arm": "ifs", "filter": "YJ"}) for one in FLUX)
    dataset = a_night().dataset.model_copy(update={"arm": "ifs", "filter": "YJ", "science": (science,), "flux": flux})
    waves = np.array([1.005, 1.23])
    night = a_night(dataset=dataset, flux=Stack(flux, ()), wavelengths=waves, cards={"LYOT WAVE SHIFT": (2.0, "")})
    fall = 1.0 - (0.00993 / 0.0112) ** 0.2
    assert density_errors(night) == pytest.approx([np.hypot(0.01, fall), 0.01], rel=0.05)  # flat at 1.23 µm
    alike = dataset.model_copy(update={"science": (science.model_copy(update={"density": "ND_2.0"}),)})
    assert density_errors(replace(night, dataset=alike)) == pytest.approx([0.0, 0.0])


def test_the_error_of_the_star_is_in_that_of_a_contrast():
    fit = Fit(Point(40.0, 10.0, 300.0), np.diag([0.01, 0.01, 9.0]))
    companion = companion_of(fit, 12.255, 1e6, AstrometryErrors(), 0.02)
    assert companion.contrast_error == pytest.approx(np.hypot(3.0, 6.0) / 1e6)
    assert companion.flux_error == 3.0


def test_it_goes_through_level_1():
    cube = Cube(frames=np.ones((2, 3, 5, 5)), angles=np.zeros(3), wavelengths=[1.6, 1.7], pixel_scale=12.0,
                star_flux=[10.0, 20.0], star_flux_error=[1.0, 3.0], brightness=[[0.9, 1.0, 1.1], [0.8, 1.0, 1.2]])
    assert read_cube(write_cube(cube)).star_flux_error.tolist() == [1.0, 3.0]
    assert read_cube(write_cube(cube)).channel(1).star_flux_error.tolist() == [3.0]
    assert read_cube(write_cube(cube)).select([0, 2]).channel(1).brightness.tolist() == [[0.8, 1.2]]


def test_a_source_is_as_bright_as_its_frame():
    y, x = np.indices((11, 11)) - 5
    psf = np.exp(-(y**2 + x**2) / 4.0)
    cube = Cube(frames=np.zeros((1, 3, 41, 41)), angles=[0.0, 20.0, 40.0], wavelengths=[1.6], pixel_scale=12.0, psf=psf,
                brightness=[[0.5, 1.0, 1.5]])
    sums = inject(cube, Point(10.0, 30.0, 100.0)).frames[0].sum(axis=(1, 2))
    assert sums / sums[1] == pytest.approx([0.5, 1.0, 1.5], rel=1e-3)  # the source moves between pixels
