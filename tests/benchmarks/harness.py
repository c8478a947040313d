"""Wall-clock ratios against peers, measured in turns in one run: load on the machine then falls on both alike."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[2] / "out" / "bench.json"
LONG = 8.0  # s, of a peer's call that needs no other before it: imports and caches are a small part of it


def seconds(function: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    bar: float,
    *,
    peer: str = "VIP",
    turns: int = 3,
) -> None:
    """Time both in turns, keep the figures, and fail below the bar.

    Each turn runs the peer once and us up to ten times, so that both are sampled over the same stretch of time. A peer
    that takes long is not run beforehand to warm up, and once less.
    """
    ours()  # compiled code is read from disk, caches are filled
    mine, others = [seconds(ours)], [seconds(theirs)]
    repeats = max(1, min(10, int(others[0] / mine[0])))
    if others[0] < LONG:
        mine, others = [], []
        turns += 1
    for _ in range(turns - 1):
        mine += [seconds(ours) for _ in range(repeats)]
        others.append(seconds(theirs))
        mine += [seconds(ours) for _ in range(repeats)]
    keep(name, statistics.median(mine), statistics.median(others), bar, peer)


def keep(name: str, mine: float, other: float, bar: float, peer: str) -> None:
    """Write one ratio of times (s) to `out/bench.json`, say it, and fail below the bar."""
    ratio = other / mine
    _write(f"{name}, {peer}", {"peer": peer, "ours_s": mine, "peer_s": other, "ratio": round(ratio, 2), "bar": bar})
    print(f"\n{name:34s} {1e3 * mine:10.1f} ms   {peer} {1e3 * other:10.1f} ms   {ratio:7.1f} × (bar {bar:g} ×)")
    assert ratio >= bar, f"{name}: {ratio:.1f} × {peer}, {bar:g} × wanted"


def at_most(name: str, value: float, bar: float, **more: Any) -> None:
    """Write a figure that must not pass its bar to `out/bench.json`, say it, and fail above the bar."""
    _write(name, {"value": round(value, 3), "at_most": bar, **more})
    print(f"\n{name:34s} {value:10.2f} (at most {bar:g})   {more or ''}")
    assert value <= bar, f"{name}: {value:.2f}, at most {bar:g} wanted"


def at_least(name: str, value: float, bar: float, **more: Any) -> None:
    """Write a figure that must reach its bar to `out/bench.json`, say it, and fail below the bar."""
    _write(name, {"value": round(value, 3), "at_least": bar, **more})
    print(f"\n{name:34s} {value:10.2f} (at least {bar:g})   {more or ''}")
    assert value >= bar, f"{name}: {value:.2f}, at least {bar:g} wanted"


def _write(name: str, figure: dict[str, Any]) -> None:
    figures = json.loads(OUT.read_text()) if OUT.exists() else {}
    figures[name] = figure
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
