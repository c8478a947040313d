"""Files on a disk: whole or not there, and one sentence where they cannot be written."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lyot.errors import Unwritable


@contextmanager
def part_of(path: str, data: bytes) -> Iterator[str]:
    """A file beside `path` that holds `data`, also if the power fails next; to be linked or renamed to `path`."""
    part = f"{path}.{uuid.uuid4().hex}.part"
    try:
        with open(part, "xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        yield part
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


@contextmanager
def writing(path: str) -> Iterator[None]:
    """What is done inside writes `path`.

    Raises
    ------
    Unwritable
        If the system refuses, but for a name that is taken.
    """
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise Unwritable(
            f"{path} cannot be written: {(error.strerror or str(error)).lower()}",
            hint="what was kept before stays; the same command goes on from there",
        ) from error
