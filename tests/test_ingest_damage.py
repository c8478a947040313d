"""Damaged, foreign and doubled files stay out of data sets, say why, and cost the others nothing."""

import json
import os
from pathlib import Path

import numpy as np
from astropy.io import fits
from click.testing import CliRunner
from sphere_headers import raw_header

from lyot.build.ingest import bytes_missing, ingest
from lyot.cli import cli
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

    assert {Path(path).name for path in found.unread} == {"1.fits", "empty.fits"}

    (raw / "1.fits").write_bytes(whole)  # fetched again
    again = ingest(store, [raw])
    assert len(again.datasets[0].science) == 3
    assert bytes_missing(raw / "1.fits") == 0


def test_headers_that_make_no_sense_and_folders_that_are_closed_cost_the_others_nothing(tmp_path, monkeypatch):
    raw = tmp_path / "raw"
    (raw / "closed").mkdir(parents=True)
    write(raw / "good.fits")
    whole = (raw / "good.fits").read_bytes()
    noise = np.random.default_rng(1).normal(size=(4, 30, 40)).astype(np.float32)
    fits.PrimaryHDU(noise, raw_header("OBJECT")).writeto(raw / "cut.fits.gz")
    (raw / "cut.fits.gz").write_bytes((raw / "cut.fits.gz").read_bytes()[:-500])
    for name, old, new in (("axis", b"NAXIS2  ", b"NAXIX2  "), ("type", b"BITPIX  ", b"BITPIY  "),
                           ("blank", b"NAXIS1  = " + b" " * 18 + b"40", b"NAXIS1  = " + b" " * 20)):  # fmt: skip
        (raw / f"{name}.fits").write_bytes(whole.replace(old, new, 1))
    walk = os.walk

    def refuse(top, onerror):  # as the system does where one may not look
        onerror(PermissionError(13, "Permission denied", str(raw / "closed")))
        yield from walk(top)

    monkeypatch.setattr(os, "walk", refuse)
    found = ingest(Store(str(tmp_path / "store")), [raw])
    why = {Path(path).name: reason for path, reason in found.unknown.items()}
    assert [Path(one.path).name for one in found.datasets[0].science] == ["good.fits"]
    assert set(why) == {"cut.fits.gz", "axis.fits", "type.fits", "blank.fits", "closed"}
    assert "cut short or damaged" in why["cut.fits.gz"]
    assert why["closed"] == "this folder cannot be read: permission denied"
    assert {Path(path).name for path in found.unread} == set(why)


def test_the_command_tells_by_its_end_that_a_file_could_not_be_read(tmp_path):
    raw, store = tmp_path / "raw", str(tmp_path / "store")
    raw.mkdir()
    for minute in range(2):
        write(raw / f"{minute}.fits", DATE_OBS=f"2016-09-16T03:0{minute}:00.000")
    whole = (raw / "1.fits").read_bytes()
    (raw / "1.fits").write_bytes(whole[:-5000])
    done = CliRunner().invoke(cli, ["ingest", str(raw), "--store", store, "--json"])
    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (said["files"], len(said["datasets"])) == (2, 1)  # it stopped no other
    assert done.stderr == f"lyot: {raw / '1.fits'}: {said['not_used'][str(raw / '1.fits')]}\n"

    (raw / "1.fits").write_bytes(whole)
    (raw / "copy.fits").write_bytes(whole)  # not used, and that is as it should be
    done = CliRunner().invoke(cli, ["ingest", str(raw), "--store", store])
    assert (done.exit_code, done.stderr) == (0, "")
