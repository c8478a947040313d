"""The C library's heaps: by default each thread gets its own, which keeps what the thread once needed."""

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8  # the option's number in glibc's malloc.h


def share_heaps(count: int) -> None:
    """Let all threads made from now on use `count` heaps; other C libraries than glibc have no such habit."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, count)
