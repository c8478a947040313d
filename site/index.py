"""The index that the search loads: one array for each column, so that a hundred thousand targets stay small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lyot.site.figures import encoded, inert
from lyot.site.words import instrument

#: Columns whose values are words of a short list, each written once.
WORDS = ("instruments", "setups", "strategies", "surveys", "statuses")
#: Numbers with the digits that a search needs.
DIGITS = {"ra": 8, "dec": 8, "distance": 5, "magnitude": 5, "age": 4, "mass": 4, "observations": 9, "detections": 9}
STATES = ("images", "published", "observed", "listed")


def search_index(overviews: Iterable[dict[str, Any]]) -> str:
    """Names, aliases and the values that the search filters and sorts by, as JSON; each star is looked at once.

    `words` and `of` hold the categories: `of[column][row]` are places in `words[column]`, which people read as their
    `titles`, where they have one. Days are numbers: 20130131.
    `companions[row]` are the names and folders of those that have a page.
    """
    plain: dict[str, list[Any]] = {name: [] for name in ("slug", "name", "aliases", "simulated", "state")}
    companions: dict[int, list[tuple[str, str]]] = {}
    said: dict[str, list[tuple[str, ...]]] = {name: [] for name in WORDS}
    numbers: dict[str, list[float | None]] = {name: [] for name in (*DIGITS, "first", "last")}
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    for place, one in enumerate(overviews):
        plain["slug"].append(one["slug"])
        plain["name"].append(one["name"])
        plain["aliases"].append("\n".join([*one["aliases"], *(name for _, name, _ in one["companions"])]))
        plain["state"].append(STATES.index(one["state"][0]))
        if one["simulated"]:
            plain["simulated"].append(place)
        if pages := [(name, folder) for _, name, folder in one["companions"] if folder]:
            companions[place] = pages
        for name, column in said.items():
            some = tuple(one[name])
            column.append(known.setdefault(some, some))  # most stars have the same
        for name, digits in DIGITS.items():
            numbers[name].append(_rounded(one[name], digits))
        for name in ("first", "last"):
            numbers[name].append(int(one[name].replace("-", "")) if one[name] else None)
    words = {name: sorted({word for found in set(column) for word in found}) for name, column in said.items()}
    index = {
        **plain,
        "companions": companions,
        "words": words,
        "titles": {key: title for key in words["instruments"] if (title := instrument(key)) != key},
        "of": {name: _places(column, words[name]) for name, column in said.items()},
        "numbers": numbers,
    }
    return inert(encoded(index))


def _places(column: Sequence[tuple[str, ...]], words: Sequence[str]) -> list[list[int]]:
    """Words as their places in the list of all."""
    places = {word: place for place, word in enumerate(words)}
    found = {some: [places[word] for word in some] for some in set(column)}
    return [found[some] for some in column]


def _rounded(value: float | None, digits: int) -> float | None:
    if value is None or isinstance(value, int):
        return value
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded
