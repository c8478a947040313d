"""The index that the search loads: one array for each column, so that a hundred thousand targets stay small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lyot.site.figures import encoded, inert
from lyot.site.words import instrument

#: Columns whose values are words of a short list, each written once.
WORDS = ("instruments", "setups", "strategies", "surveys", "statuses")
#: Numbers with the digits that a search needs.
DIGITS = {"ra": 8, "dec": 8, "distance": 5, "magnitude": 5, "age": 4, "mass": 4, "observations": 9, "detections": 9}
STATES = ("images", "published", "observed", "listed")


def search_index(overviews: Sequence[dict[str, Any]]) -> str:
    """Names, aliases and the values that the search filters and sorts by, as JSON.

    `words` and `of` hold the categories: `of[column][row]` are places in `words[column]`, which people read as their
    `titles`, where they have one. Days are numbers: 20130131.
    `companions[row]` are the names and folders of those that have a page.
    """
    words, of = {}, {}
    for name in WORDS:
        words[name] = sorted({word for one in overviews for word in one[name]})
        places = {word: place for place, word in enumerate(words[name])}
        of[name] = [[places[word] for word in one[name]] for one in overviews]
    numbers: dict[str, list[float | None]] = {
        name: [_rounded(one[name], digits) for one in overviews] for name, digits in DIGITS.items()
    }
    for name in ("first", "last"):
        numbers[name] = [int(one[name].replace("-", "")) if one[name] else None for one in overviews]
    index = {
        "slug": [one["slug"] for one in overviews],
        "name": [one["name"] for one in overviews],
        "aliases": ["\n".join([*one["aliases"], *(name for _, name, _ in one["companions"])]) for one in overviews],
        "companions": {
            place: pages
            for place, one in enumerate(overviews)
            if (pages := [(name, folder) for _, name, folder in one["companions"] if folder])
        },
        "simulated": [place for place, one in enumerate(overviews) if one["simulated"]],
        "state": [STATES.index(one["state"][0]) for one in overviews],
        "words": words,
        "titles": {key: title for key in words["instruments"] if (title := instrument(key)) != key},
        "of": of,
        "numbers": numbers,
    }
    return inert(encoded(index))


def _rounded(value: float | None, digits: int) -> float | None:
    if value is None or isinstance(value, int):
        return value
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded
