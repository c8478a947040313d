"""TAP and Datasette on 100,000 stars and 1,000,000 detections, over real HTTP, from a process of their own.

`$LYOT_SKY`, a folder that `bake_sky` has made, saves making it.
"""

import itertools
import os
import random
import statistics
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from harness import at_least, at_most

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from observatory import process
from skies import bake_sky

COLUMNS = "target_id, number, mjd, separation, position_angle, contrast"
ROWS = f"SELECT TOP 20000 {COLUMNS} FROM lyot.detection"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    made = os.environ.get("LYOT_SKY")
    folder = Path(made) if made else bake_sky(tmp_path_factory.mktemp("sky") / "public", 100_000, 1_000_000)
    with process(folder) as (address, _):
        yield address


@pytest.fixture(scope="module")
def client():
    with httpx.Client(timeout=60) as client:
        yield client


def cones(seed):
    """Cones of one degree all over the sky."""
    places = random.Random(seed)
    while True:
        ra, dec = places.uniform(0, 360), places.uniform(-85, 85)
        yield f"SELECT target_id, ra, dec FROM lyot.target WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({ra}, {dec}, 1))"


def milliseconds(client, address, **parameters):
    began = time.perf_counter()
    answer = client.get(address, params=parameters)
    assert answer.status_code == 200, answer.text
    assert b"<html" not in answer.content[:200] or "facet" in address
    return 1e3 * (time.perf_counter() - began)


def median(client, base, query, count, **more):
    address = f"{base}/tap/sync"
    texts = itertools.repeat(query) if isinstance(query, str) else query
    asked = [{"LANG": "ADQL", "QUERY": one, "MAXREC": "200000", **more} for one in itertools.islice(texts, count)]
    return statistics.median(milliseconds(client, address, **one) for one in asked)


def test_a_cone_of_one_degree(base, client):
    at_most("tap cone of 1 deg, ms", median(client, base, cones(1), 51), 10)


def test_ten_rows(base, client):
    at_most("tap top 10, ms", median(client, base, "SELECT TOP 10 * FROM lyot.detection", 31), 5)


def test_an_aggregate_of_all_detections(base, client):
    query = "SELECT COUNT(*) AS n, AVG(snr) AS s, MAX(contrast) AS c FROM lyot.detection"
    at_most("tap aggregate of 1e6 rows, ms", median(client, base, query, 7), 150)


@pytest.mark.parametrize("form", ["votable", "votable/b2", "csv", "fits", "parquet"])
def test_twenty_thousand_rows(base, client, form):
    at_most(f"tap 20,000 rows as {form}, ms", median(client, base, ROWS, 9, RESPONSEFORMAT=form), 150)


def test_the_first_byte(base, client):
    def first():
        began = time.perf_counter()
        with client.stream("GET", f"{base}/tap/sync", params={"LANG": "ADQL", "QUERY": ROWS}) as answer:
            next(answer.iter_raw())
            return 1e3 * (time.perf_counter() - began)

    at_most("tap first byte of 20,000 rows, ms", statistics.median(first() for _ in range(9)), 20)


def together(count, seconds, work):
    """Calls of `work(client, number)` in a second, by so many clients at once."""
    done, end = [0] * count, time.perf_counter() + seconds

    def run(number):
        with httpx.Client(timeout=60) as own:
            while time.perf_counter() < end:
                work(own, number)
                done[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def test_eight_clients(base):
    queries = [cones(seed) for seed in range(8)]
    address = f"{base}/tap/sync"
    rate = together(8, 5.0, lambda own, number: milliseconds(own, address, LANG="ADQL", QUERY=next(queries[number])))
    at_least("tap cones by 8 clients, 1/s", rate, 100)


def test_datasette_json(base):
    rate = together(2, 4.0, lambda own, _: milliseconds(own, f"{base}/lyot/target/star-7.json", _shape="objects"))
    at_least("datasette json, 1/s", rate, 150)


def test_a_facet_page(base, client):
    address = f"{base}/lyot/observation?_facet=instrument&_facet=filter"
    times = sorted(milliseconds(client, address) for _ in range(21))
    at_most("datasette facet page, 95 %, ms", times[19], 200)
