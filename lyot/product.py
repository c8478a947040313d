"""Immutable results, named by a digest of what made them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lyot.declaration import canonical, digest
from lyot.errors import BadInput

NAME = r"[a-z0-9][a-z0-9.+_-]*"  # fit for a path


@dataclass(frozen=True)
class Product:
    """What was made, from which inputs, by which record.

    Parameters
    ----------
    kind : str
        `cube` (Level 1), `reduction` (Level 2 and 3) or `import` (rows that someone else measured).
    dataset : str
        Data set it belongs to, as `naco/beta-pic/2013-01-31`.
    record : JSON object
        What replays it: step or recipe, version, every parameter, digests of files from outside.
    inputs : keys of the products it was made from
    workspace : str
        Whose it is; part of its path, not of its key.
    label : str
        A readable word for its path.
    about : JSON object
        What the maker knows of it that does not change it: target, instrument, date, software version…
    """

    kind: str
    dataset: str
    record: Mapping[str, Any]
    inputs: tuple[str, ...] = ()
    workspace: str = "main"
    label: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.kind, self.workspace, *self.dataset.split("/"), *([self.label] if self.label else [])):
            check_name(name)
        canonical(dict(self.record))  # a record that is no JSON cannot be replayed

    @property
    def key(self) -> str:
        """SHA-256 prefix of kind, data set, record and input keys."""
        return digest([self.kind, self.dataset, dict(self.record), list(self.inputs)])

    @property
    def stem(self) -> str:
        """Path in the store, without an ending; it ends in the key."""
        return f"{self.workspace}/{self.dataset}/{self.kind}-{self.label + '-' if self.label else ''}{self.key}"


def slug(text: str) -> str:
    """`text` as a name for paths and addresses: lower-case ASCII letters, digits, dots and single hyphens.

    Raises
    ------
    BadInput
        If nothing of `text` remains.
    """
    plain = re.sub(r"[^a-z0-9.+]+", "-", spelled(text).lower()).strip("-.+")
    if not plain:
        raise BadInput(f"no name can be made of {text!r}")
    return plain


def spelled(text: str) -> str:
    """`text` in ASCII, as FITS headers need it: Greek letters by their names, letters without their accents."""
    greek = "".join(_spell(c) for c in text)
    return unicodedata.normalize("NFKD", greek).encode("ascii", "ignore").decode()


def check_name(name: str) -> str:
    """`name`, if it is fit for a path: it can neither climb out of its folder nor hide in it."""
    if not re.fullmatch(NAME, name):
        raise BadInput(f"{name!r} is no name: lower-case letters, digits and .+_- are allowed, a letter or digit first")
    return name


def _spell(character: str) -> str:
    """Greek letters by their names, as star catalogues write them (`β` → `beta`)."""
    name = unicodedata.name(character, "")
    return name.rsplit(" ", 1)[-1].lower() if name.startswith("GREEK SMALL LETTER ") else character
