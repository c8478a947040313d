"""Work spread over the cores: plain threads around compiled loops that let go of the interpreter.

Threads are made for each call and end with it; whoever calls works beside them. That costs a tenth of a millisecond
(a pool of the standard library, five), and unlike a standing pool of OpenMP threads it survives a fork, may be nested
in other threads, and never spins while something else computes.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
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
    return _share(lambda part: loop(*part), list(pairwise(edges)))


def each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """`[function(item) for item in items]`, on all cores at once, the linear algebra of each on one core."""
    todo = list(items)
    with single_blas_thread():
        if getattr(_here, "busy", False) or threads() == 1 or len(todo) < 2:
            return [function(item) for item in todo]
        return _share(function, todo)


def _share(function: Callable[[T], R], items: list[T]) -> list[R]:
    """`[function(item) for item in items]` on all cores; the first error ends what has not begun."""
    crew = min(threads(), len(items))
    waiting = deque([*range(len(items)), *[len(items)] * crew])  # whoever finds the number of none goes home
    done, errors = dict[int, R](), dict[int, BaseException]()

    def work() -> None:
        number = 0
        try:
            _here.busy = True
            for number in iter(waiting.popleft, len(items)):
                done[number] = function(items[number])
        except BaseException as error:  # noqa: BLE001  it is raised where all have ended
            errors[number] = error
            waiting.extendleft([len(items)] * crew)
        finally:
            _here.busy = False

    others = [threading.Thread(target=work) for _ in range(crew - 1)]
    try:
        for other in others:
            other.start()
        work()
    finally:
        waiting.extendleft([len(items)] * crew)
        for other in others:
            if other.ident is not None:
                other.join()
    try:
        if errors:
            raise errors[min(errors)]
    finally:
        errors.clear()  # they hold this frame, and it them
    return [done[number] for number in range(len(items))]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def single_blas_thread() -> AbstractContextManager[Any]:
    """While it lasts, matrix routines run on one thread: matrices of a few hundred rows are slower on two."""
    limits: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limits
