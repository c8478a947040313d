"""How fast the portal is built: pages with charts a second, what an unchanged release costs, memory at full size.

The stars are made up; each has observations, a reduction with a detection limit, a companion at four epochs, names and
published values, as a survey's star has. LYOT_BENCH_TARGETS says how many (10,000); the memory of 100,000 is measured
when it says so, and told at any number. `$LYOT_SITE`, a folder in which `baked` has made a release of so many, saves
making it. The release is made in one process and rendered in another, whose memory is watched.
"""

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from harness import at_least, at_most

from lyot.catalog.table import tables
from lyot.site.render import Report, render
from lyot.sky import day_of
from lyot.store import Store

COUNT = int(os.environ.get("LYOT_BENCH_TARGETS", "10000"))
PHOTOMETRY = 60  # companions with photometry: about what is published
RIGHTS = {"simulated": False, "workspace": "main", "release_date": "2020-01-01"}
SQLITE = {"text": "TEXT", "int": "INTEGER", "float": "REAL", "bool": "INTEGER", "date": "TEXT", "json": "TEXT"}


def star(number: int, random: np.random.Generator) -> dict[str, list[dict]]:
    """Rows of one star."""
    key = f"hd-{number:06d}"
    own = {"target_id": key, "reference_id": f"ref-{number % 100}", **RIGHTS}
    east, north = random.normal(0.0, 800.0, 2)
    pm = random.normal(0.0, 60.0, 2)
    times = 57000.0 + np.sort(random.uniform(0.0, 2500.0, 4))
    rows: dict[str, list[dict]] = {name: [] for name in tables()}
    rows["target"] = [
        {**own, "name": f"HD {number}", "ra": random.uniform(0, 360),
         "dec": np.degrees(np.arcsin(random.uniform(-1, 1))),
         "ref_epoch": 2016.0, "pmra": pm[0], "pmdec": pm[1], "parallax": random.uniform(5, 50), "parallax_error": 0.03,
         "mag_h": random.uniform(3, 9), "mag_h_error": 0.02, "spectral_type": "A5V", "age": 30.0, "mass": 1.6}
    ]  # fmt: skip
    rows["target_alias"] = [
        {**_only(own, "target_alias"), "alias": f"{name} {number}"} for name in ("HIP", "Gaia DR3", "2MASS J")
    ]
    rows["companion"] = [
        {**own, "companion_id": f"{key} b", "name": f"HD {number} b", "status": "BACKGROUND", "epochs": 4}
    ]
    rows["verdict"] = [
        {**_only(own, "verdict"), "companion_id": f"{key} b", "origin": "astrometry", "status": "BACKGROUND",
         "log_odds": -12.0, "epochs": 4, "time_span": float(np.ptp(times)), "reason": "odds over 4 epochs"}
    ]  # fmt: skip
    for epoch, mjd in enumerate(times.tolist()):
        observation, reduction = f"{key}/{epoch}", f"{key}/{epoch}/pca"
        rows["observation"].append(
            {**own, "observation_id": observation, "survey_id": "survey", "instrument": "sphere-irdis", "filter": "H2",
             "setup": "IRDIFS", "date": day_of(mjd), "mjd": mjd, "frames": 64, "exposure_time": 4096.0,
             "field_rotation": 25.0, "seeing": 0.8, "pixel_scale": 12.25, "pixel_scale_error": 0.02}
        )  # fmt: skip
        rows["reduction"].append(
            {**own, "observation_id": observation, "reduction_id": reduction, "recipe": "pca", "strategy": "adi",
             "parameters": "ncomp=10", "date": "2026-01-01", "record": '{"recipe": "pca", "ncomp": 10}'}
        )  # fmt: skip
        rows["detection"].append(
            {**own, "observation_id": observation, "reduction_id": reduction, "number": 0, "companion_id": f"{key} b",
             "mjd": mjd, "filter": "H2", "wavelength": 1.59, "dra": east - pm[0] * (mjd - times[0]) / 365.25,
             "dra_error": 2.0, "ddec": north - pm[1] * (mjd - times[0]) / 365.25, "ddec_error": 2.0,
             "dra_ddec_correlation": 0.3, "separation": float(np.hypot(east, north)), "separation_error": 2.0,
             "position_angle": float(np.degrees(np.arctan2(east, north)) % 360), "position_angle_error": 0.2,
             "delta_mag": 11.2, "delta_mag_error": 0.1, "snr": 14.0, "status": "BACKGROUND"}
        )  # fmt: skip
    rows["detection_limit"] = [
        {**_only(own, "detection_limit"), "observation_id": f"{key}/0", "reduction_id": f"{key}/0/pca", "filter": "H2",
         "wavelength": 1.59, "noise": "mawet", "separation": 100.0 * (1 + step),
         "delta_mag": 8.0 + 0.2 * step + random.normal(0.0, 0.1), "sigma": 5.0}
        for step in range(30)
    ]  # fmt: skip
    rows["measurement"] = [
        {**own, "companion_id": None, "quantity": name, "band": None, "number": 0, "value": random.uniform(1, 50),
         "error_minus": 0.1, "error_plus": 0.1, "unit": "mas", "preferred": True}
        for name in ("parallax", "pmra", "pmdec", "age", "mass")
    ]  # fmt: skip
    if number < PHOTOMETRY:
        rows["measurement"] += [
            {**own, "companion_id": f"{key} b", "quantity": "apparent_mag", "band": f"SPHERE/{band}", "number": 0,
             "value": random.uniform(12, 18), "error_minus": 0.1, "error_plus": 0.1, "unit": "mag", "preferred": True}
            for band in ("H2", "H3", "K1", "K2")
        ]  # fmt: skip
    return rows


def _only(row: dict, table: str) -> dict:
    return {name: value for name, value in row.items() if name in tables()[table].names}


def baked(folder: Path, count: int) -> Path:
    """A release of many stars: the SQLite database with its indices, and the Parquet files."""
    folder.mkdir(parents=True)
    (folder / "parquet").mkdir()
    random = np.random.default_rng(1)
    connection = sqlite3.connect(folder / "lyot.db")
    writers = {}
    for table in tables().values():
        columns = ", ".join(f'"{column.name}" {SQLITE[column.type]}' for column in table.columns)
        connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
        writers[table.name] = pq.ParquetWriter(folder / "parquet" / f"{table.name}.parquet", table.arrow_schema())
    shared: dict[str, list[dict]] = {name: [] for name in tables()}
    shared["reference"] = [
        {"reference_id": f"ref-{n}", "citation": f"Author et al. {n}, A&A", "year": 2020, "url": None}
        for n in range(100)
    ]
    shared["survey"] = [{"survey_id": "survey", "name": "The survey", "description": "Stars"}]
    shared["workspace"] = [{"workspace": "main", "policy": "release-date"}]
    block = 2000
    for first in range(0, count, block):
        rows = shared if first == 0 else {name: [] for name in tables()}
        for number in range(first, min(first + block, count)):
            for name, some in star(number, random).items():
                rows[name] += some
        for name, some in rows.items():
            table = tables()[name]
            marks = ", ".join("?" for _ in table.names)
            values = ([row.get(column) for column in table.names] for row in some)
            connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', values)
            if some:
                writers[name].write_table(table.rows(some))
    for name, table in tables().items():
        writers[name].close()
        for column in ("target_id", "observation_id", "reduction_id", "companion_id", "product_key"):
            if column in table.names:
                connection.execute(f'CREATE INDEX "{name}_{column}" ON "{name}" ("{column}")')
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    return folder


class Portal:
    """A release and the process that renders it; `memory` (MB) is the most that this and its workers held together."""

    def __init__(self, folder: Path, renderer: ProcessPoolExecutor) -> None:
        self.folder = folder / "public"
        self.memory = 0.0
        self._store = str(folder / "store")
        self._renderer = renderer
        self._process = renderer.submit(os.getpid).result()
        self._done = threading.Event()

    def render(self) -> Report:
        """What a rendering reports."""
        return self._renderer.submit(rendered, self.folder, self._store).result()

    def watch(self) -> None:
        """Look at the memory fifty times a second, until it is over."""
        while not self._done.wait(0.02):
            self.memory = max(self.memory, held(self._process))

    def close(self) -> None:
        """Look no longer."""
        self._done.set()


def rendered(folder: Path, store: str) -> Report:
    """What rendering a release reports."""
    return render(folder, Store(store))


def held(process: int) -> float:
    """Memory (MB) of a process and its children: their own pages, and once those of files, which are of libraries."""
    waiting, own, files = [process], 0, 0
    while waiting:
        here = Path(f"/proc/{waiting.pop()}")
        try:
            _, resident, of_files, *_ = map(int, (here / "statm").read_text().split())
            for task in (here / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        own, files = own + resident - of_files, max(files, of_files)
    return (own + files) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Portal]:
    folder, made = tmp_path_factory.mktemp("site"), os.environ.get("LYOT_SITE")
    if made:
        shutil.copytree(Path(made), folder / "public", ignore=shutil.ignore_patterns("site"))
    else:
        maker = get_context("spawn").Process(target=baked, args=(folder / "public", COUNT))
        maker.start()
        maker.join()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as renderer:
        assert pq.read_metadata(folder / "public/parquet/target.parquet").num_rows == COUNT
        found = Portal(folder, renderer)
        watcher = threading.Thread(target=found.watch)
        watcher.start()
        yield found
        found.close()
        watcher.join()


def test_pages_a_second(portal):
    report = portal.render()
    assert report.failures == {}
    rate = COUNT / report.target_seconds
    at_least("site: pages of targets a second", rate, 600, targets=COUNT, everything_s=round(report.seconds, 1))


def test_nothing_changed(portal):
    again = portal.render()
    assert again.written == 0
    at_most("site: seconds for 10,000 targets, nothing changed", again.seconds * 10_000 / COUNT, 1.0, targets=COUNT)


def test_one_changed(portal):
    folder = portal.folder
    connection = sqlite3.connect(folder / "lyot.db")
    connection.execute("UPDATE detection SET snr = 20 WHERE target_id = 'hd-000099' AND mjd > 0")
    connection.commit()
    connection.close()
    path = folder / "parquet" / "detection.parquet"
    read = pq.read_table(path)
    values = read.column("snr").to_numpy().copy()
    values[np.array(read.column("target_id").to_pylist()) == "hd-000099"] = 20.0
    place = read.schema.get_field_index("snr")
    pq.write_table(read.set_column(place, read.schema.field("snr"), [values]), path)
    report = portal.render()
    assert (folder / "site/targets/hd-000099/index.html").stat().st_mtime > time.time() - 60
    at_most("site: seconds for 10,000 targets, one changed", report.seconds * 10_000 / COUNT, 2.0, targets=COUNT)


def test_memory(portal):
    """Of all renderings above."""
    at_most("site: peak memory (MB) of all processes", portal.memory, 1000, targets=COUNT)
