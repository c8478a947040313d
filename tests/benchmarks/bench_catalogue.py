"""The catalogue at the scale of a survey of all surveys: a release of a million detections, a night more, small files.

Wall-clock seconds against the stated limit; the peak of memory is that of a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import keep
from survey import STARS, add_night, fill, scatter

from lyot.build.compact import compact
from lyot.build.publish import publish
from lyot.store import Store

WHOLE, NIGHT, SMALL = 240.0, 30.0, 60.0  # s
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
    store = Store(str(tmp_path / "store"))
    scatter(store, FILES // 2)
    start = time.perf_counter()
    before = publish(store, tmp_path / "before").rows
    scattered = time.perf_counter() - start
    start = time.perf_counter()
    compact(store)
    keep("merging 20,000 row files", time.perf_counter() - start, SMALL, 0.0, "a minute")  # kept, not judged
    start = time.perf_counter()
    after = publish(store, tmp_path / "after").rows
    assert after == before
    keep("release of merged rows", time.perf_counter() - start, scattered, 1.0, "release of small files")
