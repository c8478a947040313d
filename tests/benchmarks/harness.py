"""Wall-clock ratios against peers, measured in turns in one run: load on the machine then falls on both alike."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / "out" / "bench.json"


def seconds(function: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], bar: float, *, peer: str, turns: int = 5
) -> None:
    """Time both in turns, keep the figures, and fail below the bar.

    Each turn runs the peer once and us up to ten times, so that both are sampled over the same stretch of time.
    """
    ours(), theirs()  # compile, import, fill caches
    repeats = max(1, min(10, int(seconds(theirs) / max(seconds(ours), 1e-6))))
    mine, others = [], []
    for _ in range(turns):
        mine += [seconds(ours) for _ in range(repeats)]
        others.append(seconds(theirs))
    keep(name, statistics.median(mine), statistics.median(others), bar, peer)


def keep(name: str, mine: float, other: float, bar: float, peer: str) -> None:
    """Write one figure to `out/bench.json`, say it, and fail below the bar."""
    ratio = other / mine
    figures = json.loads(OUT.read_text()) if OUT.exists() else {}
    figures[name] = {"peer": peer, "ours_s": mine, "peer_s": other, "ratio": round(ratio, 1), "bar": bar}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
    print(f"\n{name:32s} {1e3 * mine:9.1f} ms   {peer} {1e3 * other:9.1f} ms   {ratio:6.1f} × (bar {bar:g} ×)")
    assert ratio >= bar, f"{name}: {ratio:.1f} × {peer}, {bar:g} × wanted"
