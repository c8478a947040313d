"""A patient client in a process of its own: asks for little, again and again, and says how long each answer took."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

ASKED = {
    "tap": ("/tap/sync", {"LANG": "ADQL", "QUERY": "SELECT TOP 5 target_id FROM lyot.target"}),
    "hundred": ("/tap/sync", {"LANG": "ADQL", "QUERY": "SELECT TOP 100 * FROM lyot.detection"}),
    "cone": ("/scs/target", {"RA": "10", "DEC": "20", "SR": "1"}),
    "row": ("/lyot/target/star-7.json", {}),
    "page": ("/lyot/target/star-8", {}),
    "rows": ("/lyot/target.json", {"target_id": "star-9", "_shape": "array"}),
    "canned": ("/lyot/target-by-any-name.json", {"name": "HD 77"}),
    "site": ("/", {}),
}
Waits = dict[str, list[tuple[int, float]]]


@contextmanager
def asking(base: str) -> Iterator[Waits]:
    """Status and seconds of every answer, by kind; filled in when the block ends, which it does after one round."""
    found: Waits = {}
    command = [sys.executable, __file__, base]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "warm\n"
        try:
            yield found
        finally:
            said, _ = client.communicate()  # closes its stdin: the sign to stop
    found |= {kind: [(status, wait) for status, wait in answers] for kind, answers in json.loads(said).items()}


def main(base: str) -> None:
    """Ask until the standard input ends."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    waits: Waits = {kind: [] for kind in ASKED}
    for path, said in ASKED.values():
        httpx.get(base + path, params=said, timeout=60)
    print("warm", flush=True)
    while not over.is_set():
        for kind, (path, said) in ASKED.items():
            began = time.monotonic()
            status = httpx.get(base + path, params=said, timeout=60).status_code
            waits[kind].append((status, time.monotonic() - began))
    print(json.dumps(waits))


if __name__ == "__main__":
    main(sys.argv[1])
