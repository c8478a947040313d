"""Rows as lines of text, a column at a time: Arrow writes numbers three times as fast as Python does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Lines:
    """How rows become text.

    `before`, `between` and `after` stand around cells, `quote` around every text, `nothing` for a null; `infinite` are
    the words for +∞ and −∞ (None: null). `special` is what a text cannot hold as it is, and `escape` what
    becomes of a column's texts if it is found in one.
    """

    before: str
    between: str
    after: str
    special: re.Pattern[str]
    escape: Callable[[str], str]
    infinite: tuple[str | None, str | None] = ("inf", "-inf")
    nothing: str = ""
    quote: str = ""

    def write(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """The lines of some rows, UTF-8; there is one at least."""
        pieces: list[Any] = [self.before]
        for column in zip(*rows, strict=True):
            pieces += [self._cells(column), self.between]
        pieces[-1] = self.after
        if not any(isinstance(piece, pa.Array) for piece in pieces):
            return "".join(pieces).encode() * len(rows)
        made = pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement=self.nothing)
        return bytes(made.buffers()[2])

    def _cells(self, column: Sequence[Any]) -> pa.Array | str:
        """A column as texts, in which null stays null; one text where it has no other."""
        if column.count(None) == len(column):
            return self.nothing
        try:
            values = pa.array(column)
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):  # numbers and texts, or half a character
            column = [None if one is None else _valid(str(one)) for one in column]
            values = pa.array(column, pa.string())
        if pa.types.is_floating(values.type):
            return self._numbers(values)
        if not pa.types.is_string(values.type):
            return values.cast(pa.string())
        if self.special.search("".join(filter(None, column))):
            values = pa.array([None if one is None else self.escape(one) for one in column], pa.string())
        if not self.quote:
            return values
        return pc.binary_join_element_wise(self.quote, values, self.quote, "")

    def _numbers(self, values: pa.Array) -> pa.Array:
        texts = values.cast(pa.string())
        if not pc.any(pc.is_inf(values)).as_py():
            return texts
        for said, word in zip(("inf", "-inf"), self.infinite, strict=True):
            texts = pc.if_else(pc.equal(texts, said), pa.scalar(word, pa.string()), texts)
        return texts


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
