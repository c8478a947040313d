"""The catalogue at the scale of a survey of all surveys: a release of a million detections, a night more, small files.

Wall-clock seconds against the stated limit; the peak of memory is that of a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import duckdb
import pytest
from harness import keep
from survey import STARS, add_night, fill, scatter

from lyot.build.compact import compact
from lyot.build.publish import publish
from lyot.catalog.table import tables
from lyot.store import Store

WHOLE, NIGHT = 240.0, 30.0  # s
MEMORY = 4.0  # GB
FILES = 20_000  # row files, of half as many products

#: Publishes in a process of its own, and says how long it took and how much memory it had at most.
_PUBLISH = """
import json, resource, sys, time
from lyot.build.publish import publish
from lyot.store import Store
start, clock = time.perf_counter(), time.process_time()
done = publish(Store(sys.argv[1]), sys.argv[2], as_of=sys.argv[3])
print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - clock,
                  "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "rows": dict(done.rows)}))
"""


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    """A store of 100,000 stars, 300,000 observations and a million detections."""
    folder = tmp_path_factory.mktemp("survey")
    fill(Store(str(folder / "store")), STARS)
    return folder


def _published(folder: Path, day: str) -> dict:
    done = subprocess.run([sys.executable, "-c", _PUBLISH, str(folder / "store"), str(folder / "out"), day],
                          capture_output=True, text=True, check=True, env=os.environ)  # fmt: skip
    said = json.loads(done.stdout.splitlines()[-1])
    print(f"\n{said['seconds']:.0f} s, {said['cpu']:.0f} s of processors, {said['memory']:.1f} GB, {said['rows']}")
    return said


def test_a_million_detections(survey):
    said = _published(survey, "2026-01-01")
    rows = said["rows"]
    assert rows["target"] >= 100_000
    assert rows["observation"] >= 300_000
    assert rows["detection"] >= 1_000_000
    assert rows["verdict"] > 300_000
    assert said["memory"] < MEMORY
    keep("release of 10⁶ detections", said["seconds"], WHOLE, 1.0, "limit")


def test_a_night_more(survey):
    add_night(Store(str(survey / "store")), STARS)
    said = _published(survey, "2026-01-02")
    assert said["memory"] < MEMORY
    keep("one night more", said["seconds"], NIGHT, 1.0, "limit")


def test_twenty_thousand_small_files(tmp_path):
    """Who makes releases all the time while row files are merged finds the same rows in each; afterwards it is quicker.

    How long the merging takes is said, not judged: nobody waits for it.
    """
    store = Store(str(tmp_path / "store"))
    scatter(store, FILES // 2)
    start = time.perf_counter()
    before = _marks(publish(store, tmp_path / "before").folder)
    scattered = time.perf_counter() - start
    assert before["observation"][0] == before["reduction"][0] == FILES // 2
    merging, meanwhile = Event(), []

    def read() -> None:
        while not meanwhile or merging.is_set():
            meanwhile.append(_marks(publish(store, tmp_path / "meanwhile").folder))

    with ThreadPoolExecutor(1) as pool:
        merging.set()
        reader = pool.submit(read)
        start = time.perf_counter()
        compact(store)
        took = time.perf_counter() - start
        merging.clear()
        reader.result()
    print(f"\nmerged in {took:.0f} s, with {len(meanwhile)} releases made meanwhile")
    assert all(seen == before for seen in meanwhile)
    start = time.perf_counter()
    after = publish(store, tmp_path / "after").folder
    keep("release of merged rows", time.perf_counter() - start, scattered, 1.0, "release of small files")
    assert _marks(after) == before


def _marks(folder: Path) -> dict[str, tuple[int, int]]:
    """How many rows each table of a release has, and a mark of their values."""
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        return {name: connection.execute(f'SELECT count(*), bit_xor(hash(t)) FROM "{name}" t').fetchall()[0]
                for name in tables()}  # fmt: skip
