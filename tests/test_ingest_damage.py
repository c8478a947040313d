"""Damaged, foreign and doubled files stay out of data sets, say why, and cost the others nothing."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from sphere_headers import raw_header

from lyot.build.ingest import bytes_missing, ingest
from lyot.store import Store


def write(path: Path, kind: str = "OBJECT", **cards: object) -> None:
    header = raw_header(kind, **cards)
    fits.PrimaryHDU(np.full((4, 30, 40), len(path.name), np.float32), header).writeto(path)


def test_a_file_cut_short_is_left_out_and_the_data_set_stays(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    for minute in range(3):
        write(raw / f"{minute}.fits", DATE_OBS=f"2016-09-16T03:0{minute}:00.000")
    whole = (raw / "1.fits").read_bytes()
    (raw / "1.fits").write_bytes(whole[:-5000])
    (raw / "copy.fits").write_bytes((raw / "0.fits").read_bytes())
    write(raw / "alien.fits")
    with fits.open(raw / "alien.fits", mode="update") as hdus:
        hdus[0].header["INSTRUME"] = "NAOS+CONICA"
    (raw / "empty.fits").write_bytes(b"")
    store = Store(str(tmp_path / "store"))
    found = ingest(store, [raw])
    why = {Path(path).name: reason for path, reason in found.unknown.items()}
    assert [Path(one.path).name for one in found.datasets[0].science] == ["0.fits", "2.fits"]
    assert set(why) == {"1.fits", "copy.fits", "alien.fits", "empty.fits"}
    assert "5000 bytes are missing" in why["1.fits"]
    assert "the same as" in why["copy.fits"]
    assert "NAOS+CONICA" in why["alien.fits"]

    (raw / "1.fits").write_bytes(whole)  # fetched again
    again = ingest(store, [raw])
    assert len(again.datasets[0].science) == 3
    assert bytes_missing(raw / "1.fits") == 0
