"""Header cards read with tolerance: broken cards are remembered, and only what is needed is demanded."""

from __future__ import annotations

import warnings
from typing import Any

from astropy.io import fits
from astropy.time import Time

from lyot.errors import BadInput, Unprocessable


class Cards:
    """The cards of one raw header, by any of their names.

    Names are written without `HIERARCH ESO`. A card that cannot be parsed counts as absent and is listed in `broken`.
    """

    def __init__(self, header: fits.Header, name: str = "the header") -> None:
        self.header = header
        self.name = name
        self.broken: list[str] = []

    def get(self, *names: str) -> Any:
        """Value of the first of these cards that there is, or None."""
        for name in names:
            for keyword in (f"ESO {name}", name):
                value = self._value(keyword)
                if value is not None and value != "":
                    return value
        return None

    def text(self, *names: str, default: str = "") -> str:
        """The value as text, without surrounding blanks."""
        value = self.get(*names)
        return default if value is None else str(value).strip()

    def number(self, *names: str) -> float | None:
        """The value as a number, or None; text that spells a number counts."""
        value = self.get(*names)
        if isinstance(value, bool) or value is None:
            return None
        try:
            return float(value)
        except (TypeError, ValueError):
            self.broken.append(f"{names[0]} = {value!r} is no number")
            return None

    def need(self, *names: str) -> float:
        """The value as a number.

        Raises
        ------
        Unprocessable
            If there is none.
        """
        value = self.number(*names)
        if value is None:
            raise Unprocessable(f"{self.name} has no number in card {names[0]}", hint="; ".join(self.broken))
        return value

    def moment(self, *names: str) -> float | None:
        """A time (ISO or MJD) as MJD (UTC), or None."""
        value = self.get(*names)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if value is None:
            return None
        try:
            return float(Time(str(value).strip(), format="isot", scale="utc").mjd)
        except ValueError:
            self.broken.append(f"{names[0]} = {value!r} is no date")
            return None

    def _value(self, keyword: str) -> Any:
        if keyword not in self.header:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", fits.verify.VerifyWarning)  # odd cards are mended, broken ones raise
                value = self.header[keyword]
        except (fits.VerifyError, ValueError):
            self.broken.append(f"{keyword} cannot be parsed")
            return None
        return None if isinstance(value, fits.card.Undefined) else value


def read_header(path: str) -> fits.Header:
    """Header of the first unit of a FITS file.

    Raises
    ------
    BadInput
        If it is no FITS file.
    """
    try:
        with open(path, "rb") as stream, warnings.catch_warnings():  # astropy leaves a bad file open by itself
            warnings.simplefilter("ignore", fits.verify.VerifyWarning)
            header: fits.Header = fits.getheader(stream)
    except OSError as error:
        raise BadInput(f"{path} is no readable FITS file: {error.strerror or error}") from None
    except (KeyError, TypeError, ValueError) as error:  # astropy, of a header without its first cards
        raise BadInput(f"{path} is no readable FITS file: its header makes no sense ({error})") from None
    return header
