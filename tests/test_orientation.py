"""Where North is in raw frames: sums of published offsets, and what must not be guessed."""

import numpy as np
import pytest
from astropy.io import fits
from sphere_headers import raw_header

from lyot.errors import Unprocessable
from lyot.instruments.sphere import SPHERE_IFS, SPHERE_IRDIS
from lyot.reduce.cards import Cards
from lyot.reduce.classify import classify
from lyot.reduce.group import group
from lyot.reduce.irdis import OrientFrames, begin
from lyot.reduce.orientation import orientation

#: One real IFS exposure of 2020-03-08: where the telescope pointed (equinox of date), when it began and ended.
EXPOSURE = {
    "DATE-OBS": "2020-03-08T07:20:53.733", "DET_FRAM_UTC": "2020-03-08T07:29:40.980", "DET_SEQ1_DIT": 64.0,
    "DET_NDIT": 8, "DET_DITDELAY": 0.2, "INS4_DROT2_RA": 124523.298602, "INS4_DROT2_DEC": -84656.87053,
}  # fmt: skip
#: Its parallactic angles by vlt-sphere 1.8, from the pole of date.
PARALLACTIC = np.array([139.6200, 139.1370, 138.6625, 138.1964, 137.7386, 137.2888, 136.8470, 136.4131])


def cards(**more: object) -> Cards:
    return Cards(raw_header(arm="IFS", **EXPOSURE, **more))


def icrs_term() -> float:
    """How much North of date is turned from that of ICRS: precession alone, to first order (0.557° a century)."""
    return 0.00557 * 20.18 * np.sin(np.radians(191.3)) / np.cos(np.radians(8.78))


@pytest.mark.parametrize(
    ("camera", "turn"),  # Maire et al. 2016; vlt-sphere 1.8 turns the frames of the IFS by 33.76°
    [(SPHERE_IRDIS, 135.99 - 1.75), (SPHERE_IFS, 33.76)],
)
def test_with_the_pupil_held_frames_turn_with_the_parallactic_angle(camera, turn):
    found = orientation(cards(), 8, camera)
    # nutation and aberration are not in the term of first order: 0.003°
    np.testing.assert_allclose(found.angles, PARALLACTIC + turn - icrs_term(), atol=0.006)


@pytest.mark.parametrize(("camera", "turn"), [(SPHERE_IRDIS, -1.75), (SPHERE_IFS, -100.48 - 1.75)])
def test_with_the_field_held_frames_stand_as_the_derotator_was_told(camera, turn):
    found = orientation(cards(INS4_COMB_ROT="FIELD", INS4_DROT2_POSANG=40.0), 8, camera)
    np.testing.assert_allclose(found.angles, 40.0 + turn - icrs_term(), atol=0.006)


def test_an_angle_that_nobody_wrote_down_is_not_taken_for_nothing():
    with pytest.raises(Unprocessable, match="INS4 DROT2 POSANG"):
        orientation(cards(INS4_COMB_ROT="FIELD"), 8, SPHERE_IRDIS)


@pytest.mark.parametrize(("year", "doubted"), [(2015, True), (2020, False)])
def test_a_derotator_that_lagged_by_nobody_knows_how_much_is_said(tmp_path, year, doubted):
    more = {name: value for name, value in EXPOSURE.items() if "UTC" not in name and name != "DATE-OBS"}
    header = raw_header(INS4_COMB_ROT="FIELD", INS4_DROT2_POSANG=0.0, DATE_OBS=f"{year}-03-08T07:20:53.733", **more)
    fits.PrimaryHDU(header=header).writeto(tmp_path / "one.fits")
    (dataset,) = group([classify(header, str(tmp_path / "one.fits"), "one")]).datasets
    assert any("derotator lagged" in note for note in OrientFrames()(begin(dataset, {})).notes) == doubted
