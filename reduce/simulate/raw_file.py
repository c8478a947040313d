"""Raw FITS files written as the detector's computer writes them: one header, float32 planes, nothing else.

A raw header has a thousand cards. astropy formats each, and the file is put together here, in one go: kept as its
`Header`, every card costs a walk through all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy.io import fits

from lyot.cube import Images
from lyot.reduce.simulate.housekeeping import Value, machinery

BLOCK = 2880


def header_text(cards: Mapping[str, Value], comments: Mapping[str, str] | None = None) -> str:
    """Cards of 80 characters each; a name of several words is one of ESO's hierarchy."""
    told = comments or {}
    return "".join(_card(name, value, told.get(name, "")) for name, value in cards.items())


def _card(name: str, value: Value, comment: str = "") -> str:
    return str(fits.Card(f"HIERARCH ESO {name}" if " " in name else name, value, comment).image)


@lru_cache(maxsize=1)
def machinery_text() -> str:
    """The cards that every file has alike."""
    return header_text(dict(machinery()))


def write_image(path: Path, frames: Images, text: str) -> None:
    """Write planes (time, y, x) under the cards of `text`."""
    shape: Iterable[tuple[str, Value]] = (
        ("SIMPLE", True),
        ("BITPIX", -32),
        ("NAXIS", 3),
        *((f"NAXIS{i}", size) for i, size in enumerate(frames.shape[::-1], start=1)),
        ("EXTEND", True),
        ("BZERO", 0.0),
        ("BSCALE", 1.0),
    )
    head = header_text(dict(shape)) + text + "END".ljust(80)
    with path.open("wb") as stream:
        stream.write(_padded(head.encode("ascii"), b" "))
        planes = np.ascontiguousarray(frames, dtype=">f4")
        planes.tofile(stream)
        stream.write(b"\0" * (-planes.nbytes % BLOCK))


def header_of(text: str) -> fits.Header:
    """The same cards as astropy's header."""
    return fits.Header.fromstring(text + "END".ljust(80))


def _padded(content: bytes, filler: bytes) -> bytes:
    return content + filler * (-len(content) % BLOCK)
