"""Pages from templates: what is said is always text, never markup."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lyot.site import words
from lyot.site.addresses import query_address, upwards
from lyot.site.listing import STATUS_WORDS
from lyot.site.target_page import plural
from lyot.site.writer import Writer

#: Nothing from elsewhere, nothing inline, nothing made of text at run time.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'"
)

LOCAL = "http://127.0.0.1:8001"  # where `lyot serve` answers, for examples on a site that has no address yet


class Pages:
    """The templates with what all pages share; `write` makes one page."""

    def __init__(self, writer: Writer, *, base_url: str, common: Mapping[str, Any]) -> None:
        self.writer = writer
        self.count = 0
        self._base_url = base_url.rstrip("/")
        self._environment = environment()
        self._environment.globals.update(common)

    def write(self, path: str, template: str, **context: Any) -> None:
        """Render `template` to `path`, an `…/index.html`."""
        folder = path.removesuffix("index.html")
        html = self._environment.get_template(template).render(
            root=upwards(path),
            section=folder.split("/")[0],
            canonical=f"{self._base_url}/{folder}" if self._base_url else "",
            server=self._base_url or LOCAL,
            **context,
        )
        self.writer.write(path, html)
        self.count += 1


def environment() -> Environment:
    """Jinja with escaping always on, unknown names an error, and the filters of `words`."""
    made = Environment(
        loader=FileSystemLoader(str(files("lyot.templates") / "site")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": words.number,
        "size": words.size,
        "count": words.count,
        "day": words.day,
        "plural": plural,
        "status": lambda status: STATUS_WORDS.get(status or "", status or ""),
    }
    made.globals |= {
        "policy": POLICY,
        "with_error": words.with_error,
        "query_address": query_address,
        "this_year": date.today().year,
    }
    return made
