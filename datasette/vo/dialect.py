"""The words of ADQL, and the tree of one statement."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError

from lyot.errors import BadInput

LONGEST = 100_000  # characters of a query
MOST_TOKENS = 20_000
DEEPEST = 60  # brackets in brackets
LONGEST_CHAIN = 900  # operands joined by operators without brackets, which the parser nests

Query = exp.Select | exp.SetOperation


class QueryError(BadInput):
    """A query that cannot be answered: where, and why."""

    def __init__(self, message: str, node: exp.Expr | None = None, *, hint: str = "") -> None:
        place = position(node) if node is not None else None
        super().__init__(f"line {place[0]}, column {place[1]}: {message}" if place else message, hint=hint)
        self.place = place


class Busy(QueryError):
    """More is asked than can be done now."""


class ADQL(Dialect):
    """ADQL 2.1 as far as words and grammar go; what may stand where is checked when the tree is compiled."""

    class Tokenizer(tokens.Tokenizer):
        """Words: TOP is one; a quote in text is doubled; comments run to the end of the line."""

        KEYWORDS: ClassVar[dict[str, Any]] = {**tokens.Tokenizer.KEYWORDS, "TOP": tokens.TokenType.TOP}
        COMMENTS: ClassVar[list[Any]] = ["--"]
        STRING_ESCAPES: ClassVar[list[str]] = ["'"]

    class Parser(parser.Parser):
        """Grammar: no function is known, so that each keeps its name and arguments as they were written."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CAST": parser.Parser.FUNCTION_PARSERS["CAST"]}
        COLUMN_OPERATORS: ClassVar[dict[Any, Any]] = {tokens.TokenType.DOT: None}


def parse(text: str) -> exp.Expr:
    """The tree of a query.

    Raises
    ------
    QueryError
        If it is no single SELECT, or longer or deeper than anybody needs.
    """
    if len(text) > LONGEST:
        raise QueryError(f"the query has {len(text):,} characters; {LONGEST:,} are allowed", hint="upload a table")
    try:
        words = ADQL().tokenize(text)
        _check_size(words)
        _check_beginning(words)
        trees = ADQL().parser().parse(words, text)
    except (ParseError, TokenError) as error:
        raise _not_understood(error) from error
    except RecursionError as error:
        raise QueryError("the query is nested too deeply") from error
    statements = [tree for tree in trees if tree is not None]
    if not statements:
        raise QueryError("the query is empty")
    if len(statements) > 1:
        raise QueryError("several statements; one SELECT is allowed", statements[1])
    tree = statements[0]
    while isinstance(tree, exp.Subquery) and isinstance(tree.this, Query | exp.Subquery) and not tree.alias:
        tree = tree.this
    if not isinstance(tree, Query):
        raise QueryError("a query is one SELECT", tree)
    return tree


def position(node: exp.Expr) -> tuple[int, int] | None:
    """Line and column, both from 1, of the first word of a node that knows where it stands."""
    places = [one.meta for one in node.walk() if "line" in one.meta]
    if not places:
        return None
    first = min(places, key=lambda place: place["start"])
    return first["line"], first["col"] - (first["end"] - first["start"])


def _check_size(words: list[tokens.Token]) -> None:
    if len(words) > MOST_TOKENS:
        raise QueryError(f"the query has {len(words):,} words; {MOST_TOKENS:,} are allowed", hint="upload a table")
    depth, chain = 0, 0
    for word in words:
        depth += {tokens.TokenType.L_PAREN: 1, tokens.TokenType.R_PAREN: -1}.get(word.token_type, 0)
        chain = 0 if word.token_type == tokens.TokenType.COMMA else chain + (word.token_type in _OPERATORS)
        if depth > DEEPEST or chain > LONGEST_CHAIN:
            place = f"line {word.line}, column {_column(word.col, word.text)}"
            raise QueryError(f"{place}: nested too deeply; {DEEPEST} brackets in brackets are allowed")


def _check_beginning(words: list[tokens.Token]) -> None:
    """Every query begins with SELECT or WITH, maybe in brackets: for all else the reason can be told plainly."""
    first = next((word for word in words if word.token_type != tokens.TokenType.L_PAREN), None)
    if first is not None and first.text.upper() not in ("SELECT", "WITH"):
        place = f"line {first.line}, column {_column(first.col, first.text)}"
        raise QueryError(f"{place}: {first.text[:30]} is not allowed; a query is one SELECT")


_OPERATORS = {
    tokens.TokenType.AND, tokens.TokenType.OR, tokens.TokenType.NOT, tokens.TokenType.PLUS, tokens.TokenType.DASH,
    tokens.TokenType.STAR, tokens.TokenType.SLASH, tokens.TokenType.DPIPE, tokens.TokenType.UNION,
}  # fmt: skip


def _column(last: int, text: str) -> int:
    return max(1, last - len(text) + 1)


def _not_understood(error: Exception) -> QueryError:
    """What sqlglot could not read, in one sentence and without its colours."""
    known = error.errors[0] if isinstance(error, ParseError) and error.errors else None
    if known is None:
        words = re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0]
        return QueryError(f"cannot be read: {words[:200]}")
    found, said = str(known["highlight"]).strip(), str(known["description"]).rstrip(".")
    column = _column(int(known["col"]), found)
    return QueryError(f"line {known['line']}, column {column}: cannot be read near {found[:40]!r}: {said[:160]}")
