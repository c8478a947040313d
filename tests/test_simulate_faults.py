"""Errors planted in simulated raw nights."""

import numpy as np
import pytest
from astropy.io import fits
from raw_reading import named

from lyot.errors import BadInput
from lyot.reduce.simulate.raw_night import simulate_night
from lyot.reduce.simulate.raw_plan import plan
from lyot.reduce.simulate.raw_scene import FAULTS, night


def test_every_fault_is_described_and_known():
    with pytest.raises(BadInput, match="no such fault"):
        night("irdis", faults=("gremlins",))
    for fault in FAULTS:
        assert night("irdis", faults=(fault,)).faults == (fault,)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("missing_dark", "DARK"),
        ("missing_flat", "FLAT,LAMP"),
        ("missing_center", "OBJECT,CENTER"),
        ("missing_sky", "SKY"),
        ("missing_flux", "OBJECT,FLUX"),
    ],
)
def test_what_is_missing_is_not_planned(fault, kind):
    kinds = [exposure.kind for exposure in plan(night("irdis", faults=(fault,)), 58615.2)]
    assert not [one for one in kinds if one.startswith(kind)]
    assert "OBJECT" in kinds


def test_headers_lie_where_an_error_was_planted():
    honest = plan(night("irdis"), 58615.2)
    assert all(e.light_dit is e.light_nd is e.light_dither is None for e in honest)
    lies = plan(night("irdis", faults=("wrong_dark", "wrong_nd", "swapped_dither", "open_loop")), 58615.2)
    flux = next(e for e in lies if e.kind == "OBJECT,FLUX")
    assert (flux.nd, flux.light_nd) == ("ND_1.0", "ND_2.0")
    center = next(e for e in lies if e.kind == "OBJECT,CENTER")
    assert center.dither == center.light_dither[::-1] != center.light_dither
    darks = [e for e in lies if e.kind.startswith("DARK") and e.dit == 16.0]
    assert [e.light_dit for e in darks] == [48.0, 48.0]
    assert [e.closed for e in lies if e.kind == "OBJECT"] == [False, True, True, True]


@pytest.mark.slow
def test_names_need_not_follow_times(tmp_path):
    tiny = {"ndit": 1, "nscience": 2, "spacing": 1.0, "empty": True, "calibrations": False}
    truth = simulate_night(tmp_path, "irdis", faults=("unsorted_names",), **tiny)
    names = [one.name for one in sorted(truth.files, key=lambda one: one.times[0])]
    assert names != sorted(names)
    assert set(names) | {"truth.json"} == {path.name for path in tmp_path.iterdir()}


def test_files_are_spoilt_on_demand(tmp_path):
    spoilt = ("truncated_cube", "broken_card", "duplicate_file", "foreign_file", "wrong_angle", "saturated_flux")
    truth = simulate_night(tmp_path, "irdis", seed=2, nscience=2, spacing=1.0, calibrations=False, faults=spoilt)
    science = named(truth, "OBJECT")
    assert [one.nframes for one in science] == [4, 3]
    assert b"1x.5.2 '" in (tmp_path / science[1].name).read_bytes()[: 200 * 2880]
    assert fits.getheader(tmp_path / science[1].name)["NAXIS3"] == 3
    assert {one.name for one in truth.files} <= {path.name for path in tmp_path.iterdir()}
    copies = list(tmp_path.glob("copy_*.fits"))
    assert [copy.read_bytes() == (tmp_path / science[0].name).read_bytes() for copy in copies] == [True]
    assert fits.getheader(next(tmp_path.glob("NACO*")))["INSTRUME"] != "SPHERE"
    turns = np.sign(np.diff(np.unwrap(science[0].north, period=360)))
    assert (turns == -np.sign(np.diff(science[0].parallactic_icrs))).all()
    flux = fits.getdata(tmp_path / named(truth, "OBJECT,FLUX")[0].name)
    assert flux.max() == 60_000.0
    assert (flux[0] == 60_000.0).sum() > 20
