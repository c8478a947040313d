"""Small pieces of markup that pages have by the hundred, each made once."""

from __future__ import annotations

import html
from functools import cache, lru_cache

from markupsafe import Markup

KEPT = 4000  # words: a block of pages has about so many, most of them again and again

#: Text as markup.
escape = lru_cache(KEPT)(html.escape)


@cache
def section(heading: str, place: str) -> Markup:
    """The beginning of a part of a page, called `place` where its contents lead to it."""
    return Markup(f'<section id="{place}" aria-labelledby="{place}-h">\n<h2 id="{place}-h">{html.escape(heading)}</h2>')


@cache
def contents(parts: tuple[tuple[str, str], ...]) -> Markup:
    """The contents of a page: where each part is, and its heading."""
    listed = "".join(f'<li><a href="#{place}">{html.escape(heading)}</a></li>' for place, heading in parts)
    return Markup(f'<nav class="contents" aria-label="On this page"><ul>{listed}</ul></nav>')


def rows(table: str, place: str, heading: str, nothing: str) -> Markup:
    """A part of a page that is one table, which is markup already, or says in its place that there is none."""
    said = f"{scrolled(table, heading)}\n" if table else f'    <p class="nothing">{html.escape(nothing)}</p>\n'
    return Markup(f"  {section(heading, place)}\n{said}  </section>\n")


def scrolled(table: str, label: str) -> Markup:
    """A table, which is markup already, that scrolls in its place."""
    box = f'<div class="scroll tall" tabindex="0" role="region" aria-label="{html.escape(label)}">'
    return Markup(f"    {box}{table}</div>\n")
