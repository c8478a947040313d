"""Path data of an SVG: places in tenths of a pixel, lines by their steps, as short as SVG reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lyot.sky import Floats


def dots(x: Floats, y: Floats) -> str:
    """Path data of a dot at each place, in whole pixels, by the steps between; those that fall together are one."""
    places = np.unique(np.rint(np.column_stack([x, y])).astype(int), axis=0)
    steps = np.diff(places, axis=0, prepend=0).tolist()
    return "".join([f"m{across}{' ' * (down >= 0)}{down}h0" for across, down in steps])


class _Tenths(dict[int, str]):
    """Numbers of tenths as short as SVG reads them, `.5`, `-1.2`, `30`; each is made once."""

    def __missing__(self, tenths: int) -> str:
        text = f"{tenths / 10:.1f}".removesuffix(".0")
        self[tenths] = text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
        return self[tenths]


class _Steps(dict[int, str]):
    """The same with a blank before what no minus sign sets off."""

    def __missing__(self, tenths: int) -> str:
        self[tenths] = tenth(tenths) if tenths < 0 else f" {tenth(tenths)}"
        return self[tenths]


tenth = _Tenths().__getitem__
_step = _Steps().__getitem__
REACH = 8191  # tenths: no step inside a drawing is longer


def at(x: float, y: float) -> str:
    """A place (pixels)."""
    return f"{tenth(round(10 * x))} {tenth(round(10 * y))}"


def line(x: Floats, y: Floats) -> str:
    """Path data through places (pixels)."""
    return lines(np.stack([x, y]), [len(x)])[0]


def lines(places: Floats, lengths: Sequence[int]) -> list[str]:
    """Path data of lines through places (2, point), pixels, the points of one line behind those of another.

    They go in steps of whole tenths, so that rounding does not add up; steps of nothing are left out.
    """
    tenths = np.rint(places * 10.0).astype(int)
    steps = tenths[:, 1:] - tenths[:, :-1]
    if steps.size and max(steps.max(), -steps.min()) > REACH:
        moves = np.array([[_step(one) if any(pair) else "" for one in pair] for pair in steps.T.tolist()], "S")
    else:
        steps += REACH
        steps[:, (steps == REACH).all(axis=0)] = -1  # the last of those written: nothing
        moves = _written()[steps.T]
    found, start = [], 0
    for length in lengths:
        x, y = tenths[:, start].tolist()
        text = moves[start : start + length - 1].tobytes().translate(None, b"\0").decode("ascii")
        found.append(f"M{tenth(x)} {tenth(y)}l{text.lstrip()}" if text else f"M{tenth(x)} {tenth(y)}")
        start += length
    return found


@cache
def _written() -> NDArray[np.bytes_]:
    """Every step from -REACH to REACH, as it is written, and nothing."""
    return np.array([*map(_step, range(-REACH, REACH + 1)), ""], "S")


def star_path(x: float, y: float, radius: float) -> str:
    """Outline of a five-pointed star."""
    return f"M{at(x, y - radius)}{_star_steps(radius)}z"


@cache
def _star_steps(radius: float) -> str:
    reach = radius * np.where(np.arange(10) % 2 == 0, 1.0, 0.4)
    angle = np.pi * np.arange(10) / 5
    steps = line(reach * np.sin(angle), radius - reach * np.cos(angle))
    return steps[steps.index("l") :]
