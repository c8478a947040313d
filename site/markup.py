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
