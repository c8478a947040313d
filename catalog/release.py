"""Who may see a row, and why: the only place that decides what is public.

A row is public when all of these hold, and private otherwise, also when something cannot be read:

- it has a release date D (a day, UTC) and it is D 00:00 UTC or later;
- its workspace releases at all (policy `release-date`; the other policy is `never`);
- it was observed, or simulated rows were asked for;
- nobody rejected it, and where its workspace releases only what people validated, somebody did.

`public_sql` says the same in SQL, so that the build can judge millions of rows; a test holds the two
together.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from lyot.errors import BadInput

Policy = Literal["release-date", "never"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def visible(
    release_date: str | None, policy: str, simulated: bool | None, as_of: str, with_simulated: bool = False
) -> tuple[bool, str]:
    """May everybody see a row, and why (not)?

    Parameters
    ----------
    release_date : ISO day, UTC
        What `release_day` returns; anything else than a day is read as no date.
    policy : str
        Of the row's workspace: `release-date` or `never`; an unknown one counts as `never`.
    simulated : bool
        Whether a simulator made it; unknown counts as simulated.
    as_of : ISO day, UTC
        The day of the release, as `today` or `utc_day` give it.
    with_simulated : bool
        Whether the release shows simulated rows too.
    """
    if policy != "release-date":
        return False, "its workspace is never public"
    if not release_date:
        return False, "it has no release date"
    if not _is_day(release_date):
        return False, f"its release date {release_date!r} is no day"
    if utc_day(as_of) < release_date:
        return False, f"it is private until {release_date}"
    if simulated is None or (simulated and not with_simulated):
        return False, "it is simulated"
    return True, f"public since {release_date}"


def validated(validation: str | None, needs_validation: bool) -> tuple[bool, str]:
    """Does what people said of a reduction allow its release, and why (not)?"""
    if validation == "rejected":
        return False, "it was rejected"
    if needs_validation and validation != "validated":
        return False, "its workspace releases only what people validated"
    return True, "validated" if validation == "validated" else "no validation is needed"


def public_sql(as_of: str, with_simulated: bool = False, row: str = "", workspace: str = "") -> str:
    """`visible` as a DuckDB condition that is never null.

    Parameters
    ----------
    as_of, with_simulated
        As for `visible`.
    row, workspace : str
        Names in the query of the table of the rows and of the table `workspace` joined to it (one row each).
    """
    r, w = (f"{name}." if name else "" for name in (row, workspace))
    conditions = [
        f"{w}policy = 'release-date'",
        f"regexp_full_match({r}release_date, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')",
        f"try_cast({r}release_date AS DATE) IS NOT NULL",
        f"{r}release_date <= '{utc_day(as_of)}'",
        f"{r}simulated IS NOT NULL" if with_simulated else f"NOT {r}simulated",
    ]
    return f"coalesce({' AND '.join(conditions)}, false)"


def release_day(text: str) -> str:
    """The first whole UTC day on which something released at `text` is public.

    A day stands for its 00:00 UTC. An instant later than midnight counts from the next day on,
    never too early.

    Raises
    ------
    BadInput
        If `text` is no ISO 8601 date.
    """
    moment = _instant(text)
    day = moment.date()
    return (day if moment == _midnight(day) else day + timedelta(days=1)).isoformat()


def utc_day(text: str) -> str:
    """The UTC day in which the ISO 8601 day or instant `text` falls; an instant without a zone is in UTC.

    Raises
    ------
    BadInput
        If `text` is no ISO 8601 date.
    """
    return text if _is_day(text) else _instant(text).date().isoformat()


def today() -> str:
    """The UTC day it is now."""
    return datetime.now(UTC).date().isoformat()


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text) or not text.isascii():
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, AttributeError):
        raise BadInput(f"{text!r} is no date", hint="ISO 8601 is needed, as 2026-03-01") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
