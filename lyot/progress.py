"""Progress on standard error: a bar on a terminal, silence elsewhere."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")

console = Console(stderr=True, highlight=False)


def steps(items: Iterable[T], doing: str) -> Iterator[T]:
    """Yield `items`, showing on a terminal how far `doing` has come."""
    if not sys.stderr.isatty():
        yield from items
        return
    total = len(items) if isinstance(items, Sized) else None
    yield from track(items, description=doing, console=console, total=total, transient=True)


def say(sentence: str) -> None:
    """One line of log, on standard error."""
    console.print(sentence, markup=False, soft_wrap=True)
