"""SPARTA's tables: what is believed of them, and what belongs to each frame."""

import numpy as np
import pytest
from astropy.io import fits

from lyot.errors import Unprocessable
from lyot.reduce.telemetry import at_frames, at_zenith, good_frames, read_telemetry

START = 58000.0


def sparta(path, seconds, r0, wind, strehl):
    unix = (START - 40587.0) * 86400 + np.asarray(seconds, float)
    columns = [
        fits.Column("Sec", "J", array=np.floor(unix)),
        fits.Column("USec", "J", array=(unix % 1) * 1e6),
        fits.Column("R0", "E", array=r0),
        fits.Column("WindSpeed", "E", array=wind),
        fits.Column("StrehlRatio", "E", array=strehl),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="AtmPerfParams")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return str(path)


def test_values_out_of_range_are_not_believed_and_files_are_put_in_order(tmp_path):
    late = sparta(tmp_path / "a.fits", [100, 120], [0.1, -1.0], [10.0, 60.0], [0.8, 0.99])
    early = sparta(tmp_path / "b.fits", [0.5, 20], [0.2, 0.95], [5.0, 0.0], [0.04, 0.5])
    found = read_telemetry([late, early])
    np.testing.assert_allclose((found.times - START) * 86400, [0.5, 20, 100, 120], atol=1e-3)
    np.testing.assert_allclose(found.r0, [0.2, np.nan, 0.1, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.wind, [5, np.nan, 10, np.nan])
    np.testing.assert_allclose(found.strehl, [np.nan, 0.5, 0.8, np.nan], rtol=1e-6)
    assert found.seeing[2] == pytest.approx(1.031, abs=0.001)  # 10 cm at 500 nm
    assert found.coherence_time[2] == pytest.approx(3.14)


def test_at_the_zenith_the_air_is_thinner():
    """Of seeing twice as bad, and coherence half as long, the same air stands 2^(5/3) times as thick in the way."""
    seeing, coherence_time = at_zenith([1.0, 2.0], [4.0, 2.0], [1.0, 2 ** (5 / 3)])
    assert seeing == pytest.approx([1.0, 1.0])
    assert coherence_time == pytest.approx([4.0, 4.0])


def test_an_empty_table_adds_nothing(tmp_path):
    empty = sparta(tmp_path / "a.fits", [], [], [], [])
    assert len(read_telemetry([empty]).times) == 0
    fits.PrimaryHDU().writeto(tmp_path / "b.fits")
    with pytest.raises(Unprocessable, match="AtmPerfParams"):
        read_telemetry([str(tmp_path / "b.fits")])


def test_a_frame_takes_its_mean_or_what_lies_around_it():
    times = START + np.array([0, 10, 20, 30, 200, 400]) / 86400
    values = np.array([1.0, 2.0, 3.0, np.nan, 5.0, 7.0])
    frames = START + np.array([10.0, 25.0, 230.0, 300.0, 500.0]) / 86400
    found = at_frames(times, values, frames, 24.0)
    # Means of three and of one; 30 s from the nearest; 100 s from both; 100 s beyond the last.
    np.testing.assert_allclose(found, [2.0, 3.0, 5.0 + 2 * 30 / 200, np.nan, np.nan])
    assert np.isnan(at_frames([], np.array([]), frames, 1.0)).all()


def test_bad_frames_go_but_half_stay():
    rng = np.random.default_rng(1)
    strehl, tau = rng.normal(0.8, 0.01, 40), rng.normal(4.0, 0.1, 40)
    strehl[5], tau[7], strehl[9] = 0.3, 1.0, np.nan
    keep, why = good_frames(strehl, tau)
    assert not keep[5]
    assert not keep[7]
    assert keep[9]
    assert why[5] == "low Strehl ratio"
    assert why[7] == "short coherence time"
    assert good_frames(np.full(4, np.nan), np.full(4, np.nan))[0].all()
