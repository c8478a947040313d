"""Work spread over the cores: plain threads around compiled loops that let go of the interpreter.

Threads are made for each call and end with it. That costs a tenth of a millisecond, and unlike a standing pool of
OpenMP threads it survives a fork, may be nested in other threads, and never spins while something else computes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

from lyot.heaps import share_heaps

T = TypeVar("T")
R = TypeVar("R")

_here = threading.local()  # `busy` in threads made here

share_heaps(1)  # what a thread leaves is then there for the next: the compiled loops allocate little and seldom

PARTS_PER_THREAD = 4  # enough that a core disturbed by others does not hold up the rest


def threads() -> int:
    """Cores that this process may use; `LYOT_THREADS` lowers it."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("LYOT_THREADS", "")
    return max(1, min(allowed, int(wanted))) if wanted.isdigit() else allowed


def spread(loop: Callable[[int, int], R], count: int, per_thread: int = PARTS_PER_THREAD) -> list[R]:
    """What `loop(start, stop)` gives for parts that together cover `range(count)`, in order, on all cores at once.

    Inside another `spread` or `each` it is a single part: the cores are busy already.
    """
    parts = 1 if getattr(_here, "busy", False) else min(count, per_thread * threads())
    if threads() == 1 or parts < 2:
        return [loop(0, count)]
    edges = [count * part // parts for part in range(parts + 1)]
    with ThreadPoolExecutor(threads(), initializer=_say_busy) as pool:
        return list(pool.map(lambda part: loop(*part), pairwise(edges)))


def each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """`[function(item) for item in items]`, on all cores at once, the linear algebra of each on one core."""
    todo = list(items)
    with single_blas_thread():
        if getattr(_here, "busy", False) or threads() == 1 or len(todo) < 2:
            return [function(item) for item in todo]
        with ThreadPoolExecutor(threads(), initializer=_say_busy) as pool:
            return list(pool.map(function, todo))


def _say_busy() -> None:
    _here.busy = True


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def single_blas_thread() -> AbstractContextManager[Any]:
    """While it lasts, matrix routines run on one thread: matrices of a few hundred rows are slower on two."""
    limits: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limits
