"""Which of several published values of one quantity the catalogue uses, and why. All of them are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]

_WHAT = ("target_id", "companion_id", "quantity", "band")


def prefer(rows: Iterable[Mapping[str, Any]], years: Mapping[str, int | None]) -> list[Row]:
    """Rows of `measurement` with exactly one preferred value of each quantity, and the reason where there was a choice.

    A value that its source prefers comes before one it does not mention, and that before one it does not prefer; a
    value before a limit; a known error before none; then the later publication; then the smaller error.

    Parameters
    ----------
    rows : rows of `measurement`
    years : year of publication by `reference_id`
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    order = [dict(row) for row in rows]
    for row in order:
        groups.setdefault(tuple(row.get(name) for name in _WHAT), []).append(row)
    for group in groups.values():
        ranked = sorted(group, key=lambda row: _rank(row, years))
        if len(ranked) > 1 and not ranked[0].get("preferred_reason"):
            ranked[0]["preferred_reason"] = _reason(ranked[0], ranked[1], years)
        for row in group:
            row["preferred"] = row is ranked[0]
    return order


def _rank(row: Mapping[str, Any], years: Mapping[str, int | None]) -> tuple[Any, ...]:
    """The smaller, the better."""
    said = {True: 0, None: 1, False: 2}[row.get("preferred")]
    error, year = _error(row), years.get(str(row.get("reference_id"))) or 0
    return (
        said, bool(row.get("limit")), error is None, -year, error or 0.0, str(row.get("reference_id")),
        row.get("number") or 0,
    )  # fmt: skip


def _reason(best: Mapping[str, Any], next_: Mapping[str, Any], years: Mapping[str, int | None]) -> str:
    """What told the best from the second."""
    for told, words in zip(
        [one != other for one, other in zip(_rank(best, years), _rank(next_, years), strict=True)],
        (
            "its source prefers it", "it is no limit", "its error is known", "it was published later",
            "its error is the smallest", "equal to others of its kind, taken by the order of references",
            "the first of its reference",
        ),
        strict=True,
    ):  # fmt: skip
        if told:
            return words
    return "it is there more than once"


def _error(row: Mapping[str, Any]) -> float | None:
    known = [float(row[name]) for name in ("error_minus", "error_plus") if row.get(name) is not None]
    return max(known) if known else None
