"""A night with everything wrong at once still ends in a cube, and says what is wrong with it."""

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lyot.build.ingest import ingest
from lyot.build.level1 import plan_level1, run_level1
from lyot.level1 import read_cube
from lyot.reduce.simulate.raw_night import simulate_night
from lyot.store import Store

FAULTS = ("saturated_flux", "open_loop", "truncated_cube", "broken_card", "duplicate_file", "foreign_file")


@pytest.mark.slow
def test_what_is_good_is_reduced_and_the_rest_says_why(tmp_path):
    raw = tmp_path / "raw"
    simulate_night(raw, "irdis", seed=5, nscience=3, ndit=2, faults=FAULTS)
    flat = next(path for path in sorted(raw.glob("SPHER*")) if fits.getheader(path)["ESO DPR TYPE"] == "FLAT,LAMP")
    flat.write_bytes(flat.read_bytes()[:-100_000])
    store = Store(str(tmp_path / "store"))
    found = ingest(store, [raw])
    why = " ".join(f"{Path(path).name}: {reason}" for path, reason in found.unknown.items())
    assert len(found.unknown) == 3
    assert "the same as" in why
    assert "NAOS+CONICA" in why
    assert f"{flat.name}: cut short" in why

    jobs, _ = plan_level1(store, settings={"size": 101})
    assert [one.outcome for one in run_level1(store, jobs)] == ["done"]
    kept = store.find(kind="cube")[0]
    notes = " ".join(kept.product.about["notes"])
    assert "saturated" in notes
    assert "1 of 2 exposures" in notes
    assert "star flux" in kept.product.about["lacks"]
    data = store.read(kept, "fits")
    with fits.open(io.BytesIO(data)) as hdus:
        assert [flag.strip() for flag in hdus["FRAMES"].data["FLAG"]] == ["open loops"] * 2 + [""] * 3
        assert {"STREHL", "SEEING", "COHERENCE_TIME", "R0", "WIND"} <= set(hdus["FRAMES"].columns.names)
        times, angles = (np.array(hdus["FRAMES"].data[name][2:], float) for name in ("TIME", "ANGLE"))
        exposure = hdus[0].header["ESO DET SEQ1 DIT"]
    (row,) = store.rows(kept, "observation").to_pylist()  # tells of the frames that are used
    assert (row["frames"], row["exposure_time"]) == (3, pytest.approx(3 * exposure))
    assert row["mjd"] == pytest.approx(times.mean(), abs=1e-6)
    assert row["field_rotation"] == pytest.approx(np.ptp(angles), abs=1e-6)
    assert read_cube(data).frames.shape[1] == 3
    assert {"raw_file", "association"} <= set(kept.tables)
