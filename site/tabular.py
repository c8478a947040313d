"""Tables on pages: the columns of each are declared, and those that no row fills are left out.

They are joined from strings rather than rendered from a template: a page has hundreds of cells. What a cell says is
markup; the makers of columns below escape it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

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
        Class of its cells: `n` for numbers, `when` for dates.
    heads : bool
        Whether its cells head their rows.
    """

    heading: str
    cell: Callable[[Row], str]
    needs: str = ""
    mark: str = ""
    heads: bool = False

    @property
    def opening(self) -> str:
        """Start tag of its cells."""
        name = f' class="{self.mark}"' if self.mark else ""
        return f'<th scope="row"{name}>' if self.heads else f"<td{name}>"


def table(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """A table that a reader can sort; `caption` is text."""
    used = [one for one in columns if not one.needs or any(row.get(one.needs) not in NOTHING for row in rows)]
    heads = "".join(
        f'<th scope="col"{" class=" + chr(34) + "n" + chr(34) if one.mark == "n" else ""}>{one.heading}</th>'
        for one in used
    )
    cells = [(one.opening, one.cell, "</th>" if one.heads else "</td>") for one in used]
    body = "".join([f"<tr>{''.join([o + cell(row) + c for o, cell, c in cells])}</tr>" for row in rows])
    return (
        f'<table class="sortable">\n<caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table>"
    )


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


def standing(name: str | None) -> str:
    """A status as the style sheet colours it."""
    return f'<span class="status {escape(name.lower())}">{escape(status(name))}</span>' if name else ""


def cited(row: Row) -> str:
    """The number of a row's reference in the list of the page."""
    return f'<a href="#r{row["cited"]}">{row["cited"]}</a>' if row["cited"] else ""
