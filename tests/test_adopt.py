"""Bringing in cubes that someone else calibrated."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lyot.build.adopt import adopt
from lyot.build.options import AdoptOptions
from lyot.errors import BadInput, NotFound
from lyot.level1 import read_cube
from lyot.store import Store

NTIME, NY, NX = 12, 41, 41
REQUIRED = {"instrument": "naco", "target": "beta Pic", "date": "2013-01-31", "filter": "L'"}


def blob(y: float, x: float, shape: tuple[int, int], sigma: float = 2.0) -> np.ndarray:
    """A Gaussian of unit height at (y, x)."""
    rows, columns = np.indices(shape)
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))


def fits_file(path: Path, values: np.ndarray) -> Path:
    fits.PrimaryHDU(np.asarray(values)).writeto(path, overwrite=True)
    return path


@pytest.fixture
def folder(tmp_path):
    """A folder with a good cube, its angles and its PSF."""
    noise = np.random.default_rng(1).normal(size=(NTIME, NY, NX))
    fits_file(tmp_path / "cube.fits", (100 * blob(20, 20, (NY, NX)) + noise).astype(np.float32))
    fits_file(tmp_path / "angles.fits", np.linspace(-10.0, 30.0, NTIME))
    fits_file(tmp_path / "psf.fits", blob(9, 9, (19, 19)).astype(np.float32))
    return tmp_path


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def take(store, folder, **changes):
    given = {"angles": folder / "angles.fits", "psf": folder / "psf.fits", "star_flux": 1e5, **REQUIRED, **changes}
    return adopt(store, folder / "cube.fits", options=AdoptOptions(**given))


def test_a_cube_comes_back_as_it_went_in(store, folder):
    kept = take(store, folder, north=-104.39)
    cube = read_cube(store.read(kept, "fits"))

    assert kept.product.dataset == "naco/beta-pic/2013-01-31/lp"
    np.testing.assert_array_equal(cube.frames[0], fits.getdata(folder / "cube.fits"))
    np.testing.assert_allclose(cube.angles, np.linspace(-10.0, 30.0, NTIME) - 104.39)
    assert cube.wavelengths.tolist() == [3.80]
    assert cube.pixel_scale == 27.19
    assert cube.star_flux.tolist() == [1e5]


def test_its_row_says_what_was_observed(store, folder):
    about = {"survey": "My survey", "survey_description": "Young stars"}
    kept = take(store, folder, date="2013-01-31T06:00:00", programme="090.C-0653", **about)
    (row,) = store.rows(kept, "observation").to_pylist()
    (survey,) = store.rows(kept, "survey").to_pylist()

    assert row["observation_id"] == "naco/beta-pic/2013-01-31t0600/lp"
    assert (row["target_id"], row["target_name"]) == ("beta-pic", "beta Pic")
    assert row["date"] == "2013-01-31"
    assert row["mjd"] == pytest.approx(56323.25, abs=1e-9)  # MJD 56323 is 2013-01-31
    assert (row["telescope"], row["filter"], row["frames"]) == ("ESO-VLT-UT4", "L'", NTIME)
    assert row["field_rotation"] == pytest.approx(40.0)
    assert (row["survey_id"], row["programme"]) == ("my-survey", "090.C-0653")
    assert (survey["survey_id"], survey["name"], survey["description"]) == ("my-survey", "My survey", "Young stars")
    assert row["product_key"] == kept.key
    assert row["simulated"] is False
    assert row["release_date"] is None


@pytest.mark.parametrize(
    ("instrument", "more", "turning", "held"),  # Delorme et al. 2017, Maire et al. 2016: 0.08°, 0.11°, 0.10°
    [
        ("sphere-irdis", {"filter": "H2"}, (0.08**2 + 0.11**2) ** 0.5, 0.08),
        ("sphere-ifs", {"filter": None, "wavelengths": (1.2,)}, (0.08**2 + 0.11**2 + 0.10**2) ** 0.5, 0.0164**0.5),
        ("naco", {}, 0.10, 0.10),
    ],
)
def test_north_is_as_uncertain_as_all_that_tells_it(store, folder, instrument, more, turning, held):
    """True north, the turn of the camera and, where the pupil was held and the field turned, that of the pupil."""
    for name, angles, error in (("a", np.linspace(-10.0, 30.0, NTIME), turning), ("b", np.full(NTIME, 12.0), held)):
        fits_file(folder / "angles.fits", angles)
        kept = take(store, folder, instrument=instrument, target=name, **more)
        (row,) = store.rows(kept, "observation").to_pylist()
        assert row["true_north_error"] == pytest.approx(error, rel=1e-6)


def test_the_same_again_makes_nothing_and_another_option_makes_another(store, folder):
    first = take(store, folder)
    assert take(store, folder).created == first.created
    assert take(store, folder, north=1.0).key != first.key
    assert len(store.find()) == 2


def test_a_release_date_is_no_part_of_the_product(store, folder):
    kept = take(store, folder, release_date="2030-01-01")
    again = take(store, folder, release_date="2014-01-01")
    name = f"releases/{kept.product.dataset}"

    assert again.created == kept.created
    assert store.notes("releases/", workspace="main")[name]["release_date"] == "2014-01-01"
    take(store, folder)  # saying nothing of the date changes nothing of it
    assert store.notes("releases/", workspace="main")[name]["release_date"] == "2014-01-01"


def test_without_a_release_date_nothing_says_it_is_public(store, folder):
    take(store, folder)
    assert store.notes("releases/", workspace="main") == {}


@pytest.mark.parametrize("centre", [(18.0, 23.0), (20.0, 20.0), (21.3, 18.7), (19.5, 20.25)])
def test_the_star_is_moved_to_the_middle(store, folder, centre):
    frames = np.repeat(blob(*centre, (NY, NX))[None], NTIME, axis=0)
    fits_file(folder / "cube.fits", frames.astype(np.float32))
    cube = read_cube(store.read(take(store, folder, centre=centre), "fits"))

    ny, nx = cube.frames.shape[2:]
    assert ny % 2 == nx % 2 == 1 or (ny, nx) == (NY, NX)
    # interpolation of a Gaussian of σ = 2 px, which is all but band-limited
    np.testing.assert_allclose(cube.frames[0, 0], blob(ny // 2, nx // 2, (ny, nx)), atol=2e-3)


def test_single_bad_pixels_are_filled_and_unseen_areas_are_cut(store, folder):
    frames = np.repeat(blob(20, 20, (NY, NX), sigma=6.0)[None], NTIME, axis=0)
    truth = frames[0].copy()
    frames[3, 10, 10] = np.nan  # once
    frames[:, 25, 14] = np.nan  # always
    frames[:, :, :6] = np.nan  # a dead border
    fits_file(folder / "cube.fits", frames.astype(np.float32))
    cube = read_cube(store.read(take(store, folder, psf=None), "fits"))

    assert np.isfinite(cube.frames).all()
    ny, nx = cube.frames.shape[2:]
    assert ny == nx
    assert nx > 2 * (20 - 6)
    cut = truth[20 - ny // 2 : 21 + ny // 2, 20 - nx // 2 : 21 + nx // 2]
    inside = (slice(None), slice(4, -4))
    np.testing.assert_allclose(cube.frames[0, 5][inside], cut[inside], atol=0.02)  # curvature over one pixel


def test_without_psf_the_width_is_that_of_diffraction(store, folder):
    cube = read_cube(store.read(take(store, folder, psf=None), "fits"))
    # 1.029 λ/D of 8.2 m at 3.8 µm is 98.4 mas
    assert cube.fwhm[0] * 27.19 == pytest.approx(98.4, abs=0.1)


def test_a_psf_of_even_sides_is_cut_around_its_peak(store, folder):
    fits_file(folder / "psf.fits", blob(10, 9, (20, 20)))
    psf = read_cube(store.read(take(store, folder), "fits")).psf[0]
    assert psf.shape == (19, 19)
    assert np.unravel_index(psf.argmax(), psf.shape) == (9, 9)


def test_channels_have_each_their_wavelength(store, folder):
    fits_file(folder / "cube.fits", np.ones((2, NTIME, NY, NX)) + np.arange(NX))
    fits_file(folder / "psf.fits", np.stack([blob(9, 9, (19, 19)), blob(9, 9, (19, 19), 2.2)]))
    cube = read_cube(store.read(take(store, folder, wavelengths=(3.7, 3.9)), "fits"))
    assert cube.wavelengths.tolist() == [3.7, 3.9]
    assert cube.star_flux.tolist() == [1e5, 1e5]


def test_compressed_files_and_one_column_tables_are_read(store, folder):
    whole = (folder / "cube.fits").read_bytes()
    table = fits.BinTableHDU.from_columns([fits.Column("PARANG", "E", array=np.linspace(0, 20, NTIME))])
    table.writeto(folder / "angles.fits", overwrite=True)
    (folder / "cube.fits").write_bytes(gzip.compress(whole))
    cube = read_cube(store.read(take(store, folder), "fits"))
    np.testing.assert_allclose(cube.angles, np.linspace(0, 20, NTIME), rtol=1e-6)


def cut(folder):
    raw = (folder / "cube.fits").read_bytes()
    (folder / "cube.fits").write_bytes(raw[: len(raw) // 2])


def cut_compressed(folder):
    raw = gzip.compress((folder / "cube.fits").read_bytes())
    (folder / "cube.fits").write_bytes(raw[: len(raw) // 2])


def two_columns(folder):
    columns = [fits.Column(name, "D", array=np.zeros(NTIME)) for name in ("A", "B")]
    fits.BinTableHDU.from_columns(columns).writeto(folder / "angles.fits", overwrite=True)


def one_frame_dead(folder):
    frames = np.ones((NTIME, NY, NX), np.float32)
    frames[4] = np.nan
    fits_file(folder / "cube.fits", frames)


BAD_FILES = {
    "text": (lambda f: (f / "cube.fits").write_text("wave flux\n"), "cube.fits is no FITS file: it begins with .wa"),
    "empty": (lambda f: (f / "cube.fits").write_bytes(b""), "cube.fits is no FITS file: it begins with ..,"),
    "cut": (cut, "cube.fits is cut short"),
    "cut-compressed": (cut_compressed, "cube.fits is cut short"),
    "missing": (lambda f: (f / "cube.fits").unlink(), "there is no file .*cube.fits"),
    "folder": (lambda f: ((f / "psf.fits").unlink(), (f / "psf.fits").mkdir()), "psf.fits cannot be read"),
    "no-data": (lambda f: fits.PrimaryHDU().writeto(f / "psf.fits", overwrite=True), "psf.fits holds no data"),
    "lengths": (lambda f: fits_file(f / "angles.fits", np.zeros(11)), "angles.fits holds 11 angles, .* has 12 frames"),
    "frames-nan": (lambda f: fits_file(f / "cube.fits", np.full((NTIME, NY, NX), np.nan)), "cube.fits holds no number"),
    "one-frame-nan": (one_frame_dead, "cube.fits has 1 of 12 frames without any number .first: 4."),
    "angles-nan": (lambda f: fits_file(f / "angles.fits", np.full(NTIME, np.nan)), "angles.fits holds 12 angles"),
    "flat-image": (lambda f: fits_file(f / "cube.fits", np.ones((NY, NX))), r"holds data of shape \(41, 41\)"),
    "five-dimensions": (lambda f: fits_file(f / "cube.fits", np.ones((1, 1, 2, 9, 9))), "cube.fits holds data"),
    "large-psf": (lambda f: fits_file(f / "psf.fits", np.ones((43, 43))), "psf.fits holds a PSF of 43 × 43 px, larger"),
    "negative-psf": (lambda f: fits_file(f / "psf.fits", -np.ones((9, 9))), "psf.fits holds a PSF without positive"),
    "psf-nan": (lambda f: fits_file(f / "psf.fits", np.full((9, 9), np.nan)), "psf.fits holds 81 pixels"),
    "psf-off": (lambda f: fits_file(f / "psf.fits", blob(0, 9, (19, 19))), "psf.fits has its brightest pixel at"),
    "psf-channels": (lambda f: fits_file(f / "psf.fits", np.ones((3, 9, 9))), "psf.fits holds data of shape"),
    "angles-2d": (lambda f: fits_file(f / "angles.fits", np.zeros((NTIME, 2))), "angles.fits holds data of shape"),
    "angles-table": (two_columns, "angles.fits holds a table of 2 columns .A, B."),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_named_and_nothing_is_kept(store, folder, case):
    spoil, sentence = BAD_FILES[case]
    spoil(folder)
    with pytest.raises(BadInput, match=sentence) as caught:
        take(store, folder, release_date="2014-01-01")
    assert "\n" not in caught.value.message
    assert not (folder / "store").exists()


BAD_OPTIONS = {
    "instrument": ({"instrument": "nacho"}, "unknown instrument 'nacho'; known: .*naco"),
    "no-date": ({"date": "yesterday"}, "'yesterday' is no date"),
    "impossible-date": ({"date": "2013-02-30"}, "'2013-02-30' is no date"),
    "release-date": ({"release_date": "soon"}, "'soon' is no date"),
    "filter": ({"filter": "H7"}, "naco has no filter 'H7'"),
    "nothing-says-the-wavelength": ({"filter": None}, "wavelength of .*cube.fits is unknown"),
    "too-many-wavelengths": ({"wavelengths": (3.7, 3.8)}, "cube.fits has 1 wavelength channels, but 2"),
    "wavelength-in-nm": ({"wavelengths": 3800.0}, "3800 µm"),
    "pixel-scale-in-arcsec": ({"pixel_scale": 0.02719}, "arcseconds"),
    "star-flux": ({"star_flux": -1.0}, "star flux is -1"),
    "centre-error": ({"centre_error": -1.0}, "error of the centre is -1 px"),
    "centre-error-infinite": ({"centre_error": float("inf")}, "error of the centre is inf px"),
    "exposure-time": ({"exposure_time": 0.0}, "exposure time is 0 s"),
    "future": ({"date": "2913-01-31"}, "observation is of 2913-01-31, which is still to come"),
    "star-flux-nan": ({"star_flux": float("nan")}, "star flux is nan"),
    "star-fluxes": ({"star_flux": (1.0, 2.0)}, "2 star fluxes for the 1 channels"),
    "north": ({"north": float("inf")}, "angle to north is inf"),
    "centre-outside": ({"centre": (20, 90)}, "cube.fits: a star is outside the frames"),
    "centre-nan": ({"centre": (20, float("nan"))}, "cube.fits: a star is outside"),
    "centre-at-the-edge": ({"centre": (20, 3)}, "cube.fits: a star 3 px from the edge leaves 7 px"),
    "centre-near-the-edge": ({"centre": (20, 7)}, "cube.fits leaves 15 × 15 px around the star, 21 × 21 are needed"),
    "target": ({"target": "***"}, "no name can be made"),
    "workspace": ({"workspace": "../other"}, "is no name"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_a_bad_option_is_named_and_nothing_is_kept(store, folder, case):
    changes, sentence = BAD_OPTIONS[case]
    with pytest.raises(BadInput, match=sentence):
        take(store, folder, **{"release_date": "2014-01-01", **changes})
    assert not (folder / "store").exists()


def test_what_does_not_exist_is_not_found(store, folder):
    with pytest.raises(NotFound):
        take(store, folder, angles=folder / "nowhere.fits")


def test_how_the_psf_is_normalised_is_asked_and_kept(store, folder, capsys):
    unit = blob(9, 9, (19, 19))
    fits_file(folder / "psf.fits", unit / (0.5 * unit.sum()))  # half of a Gaussian is within its FWHM
    judged = take(store, folder)
    assert "looks normalised" in capsys.readouterr().err
    said = take(store, folder, psf_normalised=True)
    assert capsys.readouterr().err == ""
    assert said.key != judged.key
    assert read_cube(store.read(said, "fits")).psf_normalised is True
    assert read_cube(store.read(judged, "fits")).psf_normalised is None
    with pytest.raises(BadInput, match="there is no PSF"):
        take(store, folder, psf=None, psf_normalised=True)
    fits_file(folder / "psf.fits", 1e5 * unit)
    with pytest.raises(BadInput, match="said to be normalised"):
        take(store, folder, psf_normalised=True)


def test_two_sequences_of_one_night_are_two_data_sets(store, folder):
    first = take(store, folder, date="2013-01-31T00:30:00")
    second = take(store, folder, date="2013-01-31T08:30:00+02:00")
    assert first.product.dataset == "naco/beta-pic/2013-01-31t0030/lp"
    assert second.product.dataset == "naco/beta-pic/2013-01-31t0630/lp"
