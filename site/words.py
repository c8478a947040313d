"""Numbers, dates and sizes as people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

MINUS = "−"
#: Stands beside whatever a simulator made.
BADGE = '<span class="badge simulated" title="Made by a simulator, not observed">Simulated</span>'
MODIFIED_JULIAN_DAY_ZERO = date(1858, 11, 17)
#: What may be said of an object, from the surest down.
STATUSES = {
    "COMPANION": "Companion",
    "AMBIGUOUS": "Ambiguous",
    "CANDIDATE": "Candidate",
    "BACKGROUND": "Background star",
    "UNDEFINED": "Undefined",
}
#: Names of instruments that are not written in capitals.
MIXED = {"nircam": "NIRCam", "lmircam": "LMIRCam", "clio2": "Clio2", "hiciao": "HiCIAO", "scexao": "SCExAO"}


SIGNIFICANT = [f".{digits}g" for digits in range(12)]
PLACES = [f".{decimals}f" for decimals in range(9)]


def number(value: float | None, digits: int = 4) -> str:
    """`value` with so many significant digits, a true minus sign, and no exponent unless it helps.

    Empty for None and NaN.
    """
    if value is None or not math.isfinite(value):
        return ""
    if value and not 1e-3 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.{max(digits - 2, 0)}e}".partition("e")
        raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{mantissa} × 10{raised}".replace("-", MINUS)
    text = format(value, SIGNIFICANT[digits])
    if "e" in text:
        text = f"{value:.0f}"
    return text.replace("-", MINUS) if value < 0 else text


def numbers(values: Iterable[float], digits: int) -> list[str]:
    """`number` of many values that are there."""
    form, most = SIGNIFICANT[digits], 0.9 * 10**digits  # beyond, an exponent would be written
    return [format(one, form) if 1e-3 <= one < most else number(one, digits) for one in values]


def decimals_of(error: float) -> int:
    """Decimals that show two significant digits of `error`, at most 8."""
    return min(max(1 - math.floor(math.log10(abs(error))), 0), 8)


@lru_cache(2000)  # a page says most values twice, in a chart and in a table
def with_error(value: float | None, error: float | None, upwards: float | None = None) -> str:
    """`value ± error`, both to two digits of the error; `value +up −down` when they differ."""
    if value is None or not math.isfinite(value):
        return ""
    down = _error(error) or _error(upwards)
    up = down if upwards is None else _error(upwards) or down
    if not down:
        return number(value, 6)
    form = PLACES[decimals_of(min(down, up))]
    text, below, over = format(value, form), format(down, form), format(up, form)
    if value < 0:
        text = text.replace("-", MINUS)
    return f"{text} ± {below}" if below == over else f"{text} +{over} {MINUS}{below}"


def _error(value: float | None) -> float:
    """An error that can be written; 0 when it cannot."""
    return value if value is not None and 0.0 < value < math.inf else 0.0


def size(count: int | None) -> str:
    """A number of bytes, in decimal units."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}" if value < 999.5 else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def count(value: int | None) -> str:
    """An integer with thin spaces between thousands."""
    return "" if value is None else f"{value:,}".replace(",", "\u202f")


def plural(value: int, noun: str) -> str:
    """`1 epoch`, `2 epochs`."""
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"


def status(name: str | None) -> str:
    """A status as people say it."""
    return STATUSES.get(name or "", name or "")


@lru_cache(1000)
def instrument(name: str | None) -> str:
    """An instrument as people write it, `SPHERE/IRDIS` for `sphere-irdis`; what is no such key stays as it is."""
    if not name or not re.fullmatch("[a-z0-9-]+", name):
        return name or ""
    return "/".join(MIXED.get(part, part.upper()) for part in name.split("-"))


def rank(name: str | None) -> int:
    """Where a status stands in a list."""
    return list(STATUSES).index(name) if name in STATUSES else len(STATUSES)


@lru_cache(10_000)
def day(mjd: float | None) -> str:
    """Calendar date (UTC) of a Modified Julian Date."""
    if mjd is None or not math.isfinite(mjd):
        return ""
    return (MODIFIED_JULIAN_DAY_ZERO + timedelta(days=math.floor(mjd))).isoformat()


def right_ascension(degrees: float | None) -> str:
    """Right ascension as hours, minutes and seconds."""
    return "" if degrees is None else _sixty(degrees / 15.0, "hms", 3, turn=24)


def declination(degrees: float | None) -> str:
    """Declination as degrees, minutes and seconds, signed also between −1° and 0°."""
    if degrees is None:
        return ""
    return (MINUS if degrees < 0 else "+") + _sixty(abs(degrees), "°′″", 2)


def _sixty(value: float, marks: str, places: int, turn: int = 0) -> str:
    """`value` in units, sixtieths and sixtieths of these, rounded as a whole so that no 60 (nor a `turn`) appears."""
    ticks = round(value * 3600 * 10**places)
    if turn:
        ticks %= turn * 3600 * 10**places
    seconds, fraction = divmod(ticks, 10**places)
    minutes, seconds = divmod(seconds, 60)
    units, minutes = divmod(minutes, 60)
    return f"{units:02d}{marks[0]} {minutes:02d}{marks[1]} {seconds:02d}.{fraction:0{places}d}{marks[2]}"
