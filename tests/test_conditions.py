"""Unfit frames are flagged one by one, with the reason, and what the adaptive optics said stands beside each."""

import io
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from sphere_headers import raw_header

from lyot.cube import Cube
from lyot.level1 import read_cube, write_cube
from lyot.reduce.classify import classify
from lyot.reduce.conditions import FlagFrames, medians
from lyot.reduce.group import group
from lyot.reduce.irdis import begin

MJD = 57647.125


def telemetry(path, strehl):
    seconds = (MJD - 40587) * 86400 + 10.0 * np.arange(len(strehl))
    columns = [fits.Column(name, "D", array=values) for name, values in (
        ("Sec", seconds), ("uSec", np.zeros(len(strehl))), ("R0", np.full(len(strehl), 0.1)),
        ("WindSpeed", np.full(len(strehl), 10.0)), ("StrehlRatio", strehl))]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="AtmPerfParams")]).writeto(path)
    return classify(raw_header("OBJECT,AO"), str(path), "telemetry")


@pytest.fixture
def night(tmp_path):
    strehl = [0.80, 0.81, 0.79, 0.80, 0.81, 0.80, 0.30, 0.79, 0.80, 0.81]
    said = telemetry(tmp_path / "ao.fits", strehl)
    headers = {"first": raw_header(TEL_AIRM_START=1.0, TEL_AIRM_END=1.0),
               "second": raw_header(TEL_AIRM_START=1.5, TEL_AIRM_END=2.0, AOS_TTLOOP_STATE="OPEN_LOOP")}  # fmt: skip
    for name, header in headers.items():
        fits.PrimaryHDU(header=header).writeto(tmp_path / f"{name}.fits")
    files = [classify(header, str(tmp_path / f"{name}.fits"), name) for name, header in headers.items()]
    (dataset,) = group([one.model_copy(update={"frames": 5}) for one in files]).datasets
    times = MJD + 10.0 / 86400 * np.arange(10)
    return replace(begin(dataset, {}), times=times, telemetry=(said,)), np.array(strehl)


def test_conditions_are_those_of_the_moment(night):
    done = FlagFrames()(night[0])
    # an exposure of 16 s covers its own row alone: those beside it are 10 s away
    np.testing.assert_allclose(done.conditions["strehl"], night[1])
    # λ / r0 at 500 nm and 0.1 m is 1.03″, 0.314 r0 / v is 3.14 ms; at the zenith, as the airmass of each frame has it
    thinner = np.array([1.0] * 5 + [1.55, 1.65, 1.75, 1.85, 1.95]) ** 0.6
    np.testing.assert_allclose(done.conditions["seeing"], 1.0313 / thinner, rtol=1e-4)
    np.testing.assert_allclose(done.conditions["coherence_time"], 3.14 * thinner, rtol=1e-6)


def test_without_an_airmass_nothing_is_said_of_the_zenith(night):
    file = night[0].dataset.science[0].path
    fits.PrimaryHDU(header=raw_header()).writeto(file, overwrite=True)
    done = FlagFrames()(night[0])
    assert np.isnan(done.conditions["seeing"][:5]).all()
    assert np.isfinite(done.conditions["strehl"]).all()


def test_open_loops_flag_frames_and_not_files_beside_them(night):
    done = FlagFrames()(night[0])
    assert list(done.flags) == [""] * 5 + ["open loops"] * 5
    assert medians(done)["strehl"] == pytest.approx(np.median(night[1][:5]))


def test_the_telemetry_flags_when_it_is_asked(night):
    done = FlagFrames(by_telemetry=True)(night[0])
    assert done.flags[6] == "open loops and low Strehl ratio"


def test_when_nothing_is_better_all_is_kept(night):
    dataset = night[0].dataset
    open_ = tuple(one.model_copy(update={"loops": False}) for one in dataset.science)
    done = FlagFrames()(replace(night[0], dataset=dataset.model_copy(update={"science": open_})))
    assert set(done.flags) == {""}
    assert "nothing better" in done.notes[-1]


def test_flagged_frames_are_in_the_file_and_not_in_the_cube():
    cube = Cube(np.ones((1, 3, 5, 5)), np.arange(3.0), [1.6], 12.25)
    data = write_cube(cube, columns=[fits.Column("FLAG", "10A", array=np.array(["", "open loops", ""]))])
    with fits.open(io.BytesIO(data)) as hdus:
        assert hdus[0].data.shape[1] == 3
    assert list(read_cube(data).angles) == [0.0, 2.0]
