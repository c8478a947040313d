"""Tables on pages: the columns of each are declared, and those that no row fills are left out.

They are joined from strings rather than rendered from a template: a page has hundreds of cells. What a cell says is
markup; the makers of columns below escape it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lyot.site.markup import escape
from lyot.site.words import BADGE, count, number, status, with_error

Row = dict[str, Any]
NOTHING = (None, "")


@dataclass(frozen=True, eq=False)
class Column:
    """One column.

    Parameters
    ----------
    heading : str
        Markup of its heading.
    cell : function
        Row to markup of its cell.
    needs : str
        The value without which, in every row, the column is left out; empty when it always stands.
    mark : str
        What its cells are: `n` numbers, which stand to the right, or `w` a word that is not broken.
    heads : bool
        Whether its cells head their rows.
    """

    heading: str
    cell: Callable[[Row], str]
    needs: str = ""
    mark: str = ""
    heads: bool = False

    @property
    def ends(self) -> tuple[str, str]:
        """Tags of its cells."""
        return ('<th scope="row">', "</th>") if self.heads else ("<td>", "</td>")


def table(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """A table that a reader can sort; `caption` is text.

    Its class says what each column is, `n6` or `w1`: the cells, of which a page has hundreds, need none.
    """
    used = tuple(one for one in columns if not one.needs or _any(rows, one.needs))
    opening, heads, form = _shape(used)
    body = "".join([form % cells for cells in zip(*(map(one.cell, rows) for one in used), strict=True)])
    return (
        f'{opening}<caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table>"
    )


def _any(rows: Sequence[Row], name: str) -> bool:
    """Whether any row says something by this name."""
    for row in rows:  # noqa: SIM110 - any() takes three times as long
        if row.get(name) not in NOTHING:
            return True
    return False


@lru_cache(1000)
def _shape(columns: tuple[Column, ...]) -> tuple[str, str, str]:
    """What all tables of these columns have: their opening tag, their headings, and the form of a row."""
    marks = "".join(f" {one.mark}{place}" for place, one in enumerate(columns, 1) if one.mark)
    heads = "".join(f'<th scope="col">{one.heading}</th>' for one in columns)
    cells = "".join("%s".join(one.ends) for one in columns)
    return f'<table class="sortable{marks}">\n', heads, f"<tr>{cells}</tr>"


def text(heading: str, name: str, *, needed: bool = True, **more: Any) -> Column:
    """What a row says as `name`; `needed` columns are left out where no row says it."""
    return Column(heading, lambda row: escape(str(row[name] or "")), name if needed else "", **more)


def figure(heading: str, name: str, digits: int = 4) -> Column:
    """A number with so many digits."""
    return Column(heading, lambda row: number(row[name], digits), name, "n")


def integer(heading: str, name: str) -> Column:
    """A number of things."""
    return Column(heading, lambda row: count(row[name]), name, "n")


def measured(heading: str, name: str, *, needed: bool = True) -> Column:
    """A value with its error."""
    error = f"{name}_error"
    return Column(heading, lambda row: with_error(row[name], row[error]), name if needed else "", "n")


def badge(yes: object) -> str:
    """The sign beside what was simulated."""
    return f" {BADGE}" if yes else ""


def linked(address: str, said: str, *, away: bool = False) -> str:
    """Words that lead to an address, if there is one; `away` from the site."""
    if not address:
        return escape(said)
    away_from_here = ' rel="external noopener"' if away else ""
    return f'<a href="{escape(address)}"{away_from_here}>{escape(said)}</a>'


def standing(name: str | None) -> str:
    """A status as the style sheet colours it."""
    return f'<span class="status {escape(name.lower())}">{escape(status(name))}</span>' if name else ""


def cited(row: Row) -> str:
    """The number of a row's reference in the list of the page."""
    return f'<a href="#r{row["cited"]}">{row["cited"]}</a>' if row["cited"] else ""
