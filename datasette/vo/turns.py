"""Turns at work: of the threads that want Python few have it at once, those first that have had least of it."""

from __future__ import annotations

import heapq
import threading


class Turns:
    """So many turns; who waits for one waits behind those who have worked less."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._arrived = 0
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._lock = threading.Lock()

    def take(self, worked: float) -> None:
        """Wait for a turn, having worked so long (s)."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._arrived += 1
            heapq.heappush(self._waiting, (worked, self._arrived, mine))
        mine.acquire()  # which `leave` lets go of

    def leave(self) -> None:
        """Give it to whoever waits and has worked least."""
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[-1].release()
            else:
                self._free += 1
