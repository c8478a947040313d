"""The telemetry file of a simulated night."""

import numpy as np
import pytest
from astropy.io import fits
from raw_reading import named


def test_telemetry_has_gaps_and_nonsense_as_real_ones(irdis_night):
    folder, truth = irdis_night
    with fits.open(folder / named(truth, "OBJECT,AO")[0].name) as hdus:
        names = [hdu.name for hdu in hdus[1:]]
        table = hdus["AtmPerfParams"].data
        header = hdus[0].header
        seconds = table["Sec"] + 1e-6 * table["USec"]
        strehl, r0 = table["StrehlRatio"].astype(float), table["R0"].astype(float)
    assert [n.upper() for n in names] == ["ATMPERFPARAMS", "VISLOOPPARAMS", "IRLOOPPARAMS", "IRPIXELAVGFRAME"]
    assert header["ESO DPR TYPE"] == "OBJECT,AO"
    assert "ESO SEQ ARM" not in header
    steps = np.diff(seconds)
    assert np.median(steps) == pytest.approx(20.0, abs=0.01)
    assert steps.max() > 200
    assert not np.isfinite(strehl).all()
    assert (r0 <= 0).any()
    valid = np.isfinite(strehl) & (strehl > 0.05) & (strehl <= 0.98)
    times = seconds[valid] / 86400 + 40587
    science = named(truth, "OBJECT")[0]
    told = np.interp(science.times[0], times, strehl[valid])
    assert told == pytest.approx(science.strehl[0], abs=0.02)
