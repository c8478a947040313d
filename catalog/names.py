"""One star, many names: spellings made alike, and a dictionary of aliases that finds the target."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lyot.catalog.constellations import CONSTELLATIONS, GREEK, GREEK_TOO
from lyot.errors import BadInput, NotFound
from lyot.product import slug

_GENITIVES = {genitive: short for short, genitive in CONSTELLATIONS.items()}
_CONSTELLATION = "|".join(
    sorted((re.escape(name) for name in [*CONSTELLATIONS, *_GENITIVES]), key=len, reverse=True)
)
_LETTERS = GREEK | {short: short for short in GREEK.values()} | GREEK_TOO
_LETTER = "|".join(sorted((re.escape(name) for name in _LETTERS), key=len, reverse=True))
#: What SIMBAD puts before a name to say what kind of object it is.
_KIND = re.compile(r"^(\*\*?|v\*|em\*|name|star)\s+")
_BAYER = re.compile(rf"^({_LETTER})[\s.]*0*(\d*)\s*({_CONSTELLATION})\b\.?\s*([a-d]{{0,3}})$")
_IN_CONSTELLATION = re.compile(rf"^([a-z]{{0,2}}\d*[a-z]?|\d+)\s*({_CONSTELLATION})\s*([a-d]{{0,3}})$")
_NUMBERED = re.compile(r"^(hd|hip|hr|sao|gj|gliese|gl|tic|toi|koi|hii)[\s\-:]*0*(\d[\d.]*)\s*([a-d]{0,3})$")
_ZONED = re.compile(r"^(bd|cd|cpd|cod)\s*([+-])\s*0*(\d+)[\s°d]+0*(\d+)\s*([a-d]?)$")
_TYCHO = re.compile(r"^tyc\s*0*(\d+)-0*(\d+)-(\d)\s*([a-d]?)$")
_GAIA = re.compile(r"^gaia\s*e?(dr\d)\s*(\d+)$")
_PLACED = re.compile(r"^([0-9]?[a-z]+)[\s\-]*j\s*([\d.]+[+-][\d.]+)\s*([a-d]?)$")
_SAME = {"gliese": "gj", "gl": "gj", "cod": "cd"}
#: Names that mean one star in capitals and another in small letters: NU Ori is a variable star, nu Ori is ν Orionis;
#: R Car is a variable star, r Car has a Latin letter of Bayer's.
_CASED = re.compile(r"^(V\* )?([A-Za-z]|NU|MU|[Nn]u\.?|[Mm]u\.?)\s+([A-Z][A-Za-z]+(?:\s[A-Z][a-z]+)?)$")


def normalise(name: str) -> str:
    """One spelling of a name: `β Pictoris`, `* bet Pic` and `bet Pic` are all `bet pic`.

    Raises
    ------
    BadInput
        If nothing of the name remains.
    """
    text = "".join(_spelt(character) for character in name)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[\s_]+", " ", text).strip()
    text = _KIND.sub("", text).strip()
    if not re.search(r"[a-z0-9]", text):
        raise BadInput(f"{name!r} is no name of a star")
    for form in (_numbered, _placed, _in_constellation):
        found = form(text)
        if found:
            return found
    apart = re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", " ", text)  # pds70, pds 70
    return re.sub(r"\s+", " ", apart)


def case_of(name: str) -> str:
    """How a name is written, where that tells two stars apart: `capital`, `small`, or nothing.

    Nothing where case makes no difference, or the whole name is in capitals or in small letters, as in headers.
    """
    found = _CASED.match(re.sub(r"[\s_]+", " ", "".join(map(_spelt, name))).strip(" *"))
    if not found:
        return ""
    variable, letters, constellation = found.groups()
    if constellation.lower() not in _GENITIVES and constellation.lower() not in CONSTELLATIONS:
        return ""
    if letters.isupper():
        return "capital" if variable or not constellation.isupper() else ""
    return "small"


def target_id_of(name: str) -> str:
    """The `target_id` made of a name; two stars whose names differ in case only get two."""
    case, plain = case_of(name), slug(name)
    letters = plain.partition("-")[0]
    usual = "capital" if len(letters) == 1 and letters >= "r" else "small"  # variable stars begin at R
    return f"{plain}-{case}" if case and case != usual else plain


def _spelt(character: str) -> str:
    """A Greek letter by its abbreviation, a dash of any kind as a hyphen."""
    said = unicodedata.name(character, "")
    for case in ("GREEK SMALL LETTER ", "GREEK CAPITAL LETTER "):
        letter = said.removeprefix(case).lower()
        if said.startswith(case) and letter in GREEK:
            return f" {GREEK[letter]} "
    return "-" if unicodedata.category(character) == "Pd" or character == "−" else character


def _numbered(text: str) -> str:
    """A number in a catalogue."""
    if found := _NUMBERED.match(text):
        catalogue, number, component = found.groups()
        return " ".join(part for part in (_SAME.get(catalogue, catalogue), number, component) if part)
    if found := _ZONED.match(text):
        catalogue, sign, zone, number, component = found.groups()
        return " ".join(part for part in (f"{_SAME.get(catalogue, catalogue)}{sign}{zone}", number, component) if part)
    if found := _TYCHO.match(text):
        return " ".join(part for part in ("tyc {}-{}-{}".format(*found.groups()), found[4]) if part)
    if found := _GAIA.match(text):
        return f"gaia {found[1]} {found[2]}"
    return ""


def _placed(text: str) -> str:
    """A name made of a place on the sky, as `2MASS J05471708-5103594`."""
    found = _PLACED.match(text)
    return " ".join(part for part in (found[1], f"j{found[2]}", found[3]) if part) if found else ""


def _in_constellation(text: str) -> str:
    """A name of Bayer, Flamsteed or a variable star."""
    if found := _BAYER.match(text):
        letter, number, constellation, component = found.groups()
        star = _LETTERS[letter] + number
    elif found := _IN_CONSTELLATION.match(text):
        star, constellation, component = found.groups()
        star = re.sub(r"^([a-z])0+(\d)", r"\1\2", star)  # b03 Cyg
        if not star:
            return ""
    else:
        return ""
    return " ".join(part for part in (star, _GENITIVES.get(constellation, constellation), component) if part)


@dataclass
class Names:
    """A dictionary of names: the targets that each spelling may mean, and how each was written (`case_of`)."""

    meanings: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    spoken: dict[str, str] = field(default_factory=dict)  # target_id → main name

    def add(self, target_id: str, *names: str) -> None:
        """Let these names mean a target."""
        for name in names:
            self.meanings.setdefault(normalise(name), {}).setdefault(target_id, set()).add(case_of(name))
        self.spoken.setdefault(target_id, names[0] if names else target_id)

    def meant(self, name: str) -> set[str]:
        """The targets that a name may mean; NU Ori is not nu Ori, but NU ORI may be either."""
        case = case_of(name)
        known = self.meanings.get(normalise(name), {})
        return {target_id for target_id, written in known.items() if not case or written & {case, ""}}

    def resolve(self, name: str) -> str:
        """The target that a name means.

        Raises
        ------
        BadInput
            If it may mean several; the message lists them.
        NotFound
            If it means none; the message says which names are alike.
        """
        found = sorted(self.meant(name))
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(f"{self.spoken[one]} ({one})" for one in found)
            raise BadInput(f"the name {name!r} may mean several targets: {choices}", hint="use another of its names")
        close = difflib.get_close_matches(normalise(name), self.meanings, n=3, cutoff=0.75)
        alike = [self._said(one) for one in close]
        raise NotFound(f"no target is known as {name!r}", hint=f"alike are {', '.join(alike)}" if alike else "")

    def _said(self, key: str) -> str:
        """A known spelling, with the target that it means."""
        meant = ", ".join(self.spoken[one] for one in sorted(self.meanings[key]))
        return key if key == normalise(meant) else f"{key} ({meant})"


def dictionary(targets: Iterable[Mapping[str, Any]], aliases: Iterable[Mapping[str, Any]]) -> Names:
    """The names in rows of `target` and `target_alias`."""
    names = Names()
    for target in targets:
        names.add(target["target_id"], target["name"])
    for alias in aliases:
        names.add(alias["target_id"], alias["alias"])
    return names


def same_star(names: Names, observed: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Which targets, named by their observers, are known under another `target_id`.

    Parameters
    ----------
    names : Names
        Of the targets that somebody described.
    observed : pairs of `target_id`, made from the name that the observers gave, and that name

    Returns
    -------
    mapping of these `target_id` to the known ones, where exactly one is meant and it is another
    """
    found: dict[str, str] = {}
    for target_id, name in observed:
        if target_id in names.spoken:
            continue
        for spelling in (name, target_id.replace("-", " ") if not case_of(name or "") else None):
            meant = names.meant(spelling) if spelling else set()
            if len(meant) == 1:
                found[target_id] = next(iter(meant))
                break
    return found
