"""A Level 1 file holds a cube whole, and others can read it."""

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from lyot.cube import Cube
from lyot.errors import BadInput
from lyot.level1 import read_cube, write_cube


def cube(**changes) -> Cube:
    rng = np.random.default_rng(2)
    given = {
        "frames": rng.normal(size=(2, 5, 21, 20)), "angles": rng.uniform(-180, 180, 5), "wavelengths": [1.593, 1.667],
        "pixel_scale": 12.255, "psf": rng.uniform(size=(2, 7, 9)), "star_flux": [1e5, 2e5],
        "times": 57000.0 + rng.uniform(size=5), "fwhm": [3.4, 3.6], **changes,
    }  # fmt: skip
    return Cube(**given)


@pytest.mark.parametrize("without", [(), ("psf",), ("star_flux", "times"), ("psf", "star_flux", "times", "fwhm")])
def test_a_cube_comes_back_bit_by_bit(without):
    made = cube(**dict.fromkeys(without))
    again = read_cube(write_cube(made))
    for name in ("frames", "angles", "wavelengths", "psf", "star_flux", "times", "fwhm"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name), err_msg=name)
    assert again.pixel_scale == made.pixel_scale


@pytest.mark.parametrize("said", [True, False, None])
def test_how_the_psf_is_normalised_is_kept_when_it_was_said(said):
    assert read_cube(write_cube(cube(psf_normalised=said))).psf_normalised is said


def test_bad_pixels_stay_bad():
    frames = np.ones((1, 2, 5, 5))
    frames[0, 1, 2, 3] = np.nan
    made = cube(frames=frames, angles=[0, 1], times=None, wavelengths=[1.6], psf=None, star_flux=None, fwhm=None)
    np.testing.assert_array_equal(np.isnan(read_cube(write_cube(made)).frames), np.isnan(frames))


def test_others_can_read_it():
    made = cube()
    data = write_cube(made, cards={"LYOT TARGET": ("beta Pic", "target")})
    with fits.open(io.BytesIO(data)) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "FRAMES", "WAVELENGTHS", "PSF"]
        header = hdus[0].header
        assert header["LYOT TARGET"] == "beta Pic"
        assert (header["LYOT STAR Y"], header["LYOT STAR X"]) == (10, 10)
        assert hdus[0].data.dtype == np.dtype(">f4")
    frames = Table.read(io.BytesIO(data), hdu="FRAMES")
    np.testing.assert_allclose(frames["ANGLE"].quantity.to_value("deg"), made.angles)
    waves = Table.read(io.BytesIO(data), hdu="WAVELENGTHS")
    np.testing.assert_allclose(waves["WAVELENGTH"].quantity.to_value("nm"), [1593, 1667])


@pytest.mark.parametrize("kind", ["primary", "extension", "compressed"])
def test_the_header_of_the_raw_frames_is_kept_and_the_file_stays_sound(kind):
    raw = {"primary": fits.PrimaryHDU, "extension": fits.ImageHDU, "compressed": fits.CompImageHDU}[kind]
    buffer = io.BytesIO()
    hdu = raw(np.ones((3, 4, 4), np.int16))
    hdu.header["EXPTIME"] = (8.0, "[s]")
    hdu.header["ENDTIME"] = "06:00"
    hdu.header["HIERARCH ESO DET SEQ1 DIT"] = 64.0
    hdu.header["COMMENT"] = "observed through clouds"
    (fits.HDUList([hdu]) if kind == "primary" else fits.HDUList([fits.PrimaryHDU(), hdu])).writeto(buffer)
    with fits.open(io.BytesIO(buffer.getvalue())) as hdus:
        header = hdus[-1].header.copy()

    data = write_cube(cube(), header)

    with fits.open(io.BytesIO(data)) as hdus:
        hdus.verify("exception")
        assert hdus[0].data.shape == (2, 5, 21, 20)
        kept = hdus[0].header
        assert (kept["EXPTIME"], kept["ENDTIME"], kept["ESO DET SEQ1 DIT"]) == (8.0, "06:00", 64.0)
        assert "observed through clouds" in str(kept["COMMENT"])
        assert "XTENSION" not in kept
        assert "PCOUNT" not in kept


def test_a_file_of_something_else_is_refused():
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.ones((3, 3))).writeto(buffer)
    with pytest.raises(BadInput, match="no Level 1 file"):
        read_cube(buffer.getvalue())
    with pytest.raises(BadInput, match="no FITS file"):
        read_cube(b"not a FITS file")


@pytest.mark.data
def test_a_whole_raw_header_is_kept(shared_data):
    paths = sorted((shared_data / "sphere_headers").glob("SPHER.*.hdr.txt"))
    assert len(paths) == 8
    lines = [[line[:80] for line in path.read_text().splitlines()] for path in paths]
    headers = [fits.Header.fromstring("\n".join(cards), sep="\n") for cards in lines]
    for header in headers:
        with fits.open(io.BytesIO(write_cube(cube(), header))) as hdus:
            for keyword in ("DATE-OBS", "MJD-OBS", "INSTRUME"):
                assert hdus[0].header[keyword] == header[keyword]
            assert hdus[0].header["ESO DET SEQ1 DIT"] == header["ESO DET SEQ1 DIT"]
            assert len(hdus[0].header) > 880  # of about 980 cards; where pixels are on the sky is not kept
            assert not hdus[0].header["CRPIX*"]  # frames are moved, and not turned: it would say wrong
