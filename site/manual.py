"""The documentation: Markdown of `docs/`, as pages of the site that can be searched."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lyot.product import slug
from lyot.site.figures import inert
from lyot.site.pages import Pages


@dataclass(frozen=True)
class Section:
    """What stands under one heading, for the search: `anchor` is empty for the top of a page."""

    title: str
    anchor: str
    text: str


@dataclass(frozen=True)
class Document:
    """One page: its folder under `docs/`, title, first sentence, HTML and sections."""

    name: str
    title: str
    lead: str
    html: str
    sections: tuple[Section, ...]


def write_manual(pages: Pages, year: str) -> None:
    """Every document as a page, their list, and the index that the search in them loads."""
    from lyot.site.feeds import lyot_entry

    documents = list(read_documents())
    pages.write("docs/index.html", "docs.html", title="Documentation", documents=documents)
    for document in documents:
        cite = lyot_entry(pages.base_url, year) if document.name == "cite" else ""
        pages.write(f"docs/{document.name}/index.html", "document.html", title=document.title, document=document,
                    documents=documents, bibtex=cite)  # fmt: skip
    index = [
        {
            "title": section.title,
            "page": document.title if section.anchor else "",
            "address": f"docs/{document.name}/{'#' + section.anchor if section.anchor else ''}",
            "text": section.text,
        }
        for document in documents
        for section in document.sections
    ]
    pages.writer.write("docs/index.json", inert(json.dumps(index, ensure_ascii=False)))


@cache
def read_documents() -> tuple[Document, ...]:
    """The documents of `docs/`, in the order of the numbers that their names begin with."""
    found = sorted((one for one in files("lyot.docs").iterdir() if one.name.endswith(".md")), key=lambda one: one.name)
    return tuple(
        document(re.sub(r"^\d+-|\.md$", "", one.name), one.read_text(encoding="utf-8")) for one in found
    )


def document(name: str, markdown: str) -> Document:
    """A document out of Markdown: its first heading is its title, its first paragraph leads.

    Links to `root:path` lead from the root of the site; raw HTML is text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    sections, title = _sections(tokens)
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", _address(str(child.attrGet("href") or "")))
    html = parser.renderer.render(tokens, parser.options, {})
    html = re.sub(r"^<h1.*?</h1>\s*", "", html, count=1, flags=re.DOTALL)
    html = html.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")
    return Document(name, title, sections[0].text.split("\n")[0] if sections else "", html, tuple(sections))


def _address(address: str) -> str:
    """A link of a document, seen from `docs/<name>/`."""
    return f"../../{address.removeprefix('root:')}" if urlsplit(address).scheme == "root" else address


def _sections(tokens: list[Token]) -> tuple[list[Section], str]:
    """Sections of a document, its headings given ids on the way, and its title."""
    found: list[tuple[str, str, list[str]]] = [("", "", [])]
    title = ""
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            anchor = slug(token.content) if before.tag != "h1" else ""
            if before.tag == "h1":
                title = token.content
            else:
                before.attrSet("id", anchor)
            found.append((_plain(token), anchor, []))
        elif token.type in ("inline", "fence", "code_block"):
            found[-1][2].append(_plain(token))
    sections = [Section(name, anchor, "\n".join(texts)) for name, anchor, texts in found if name]
    return sections, title


def _plain(token: Token) -> str:
    """The text of a token without its markup."""
    return "".join(child.content or " " for child in token.children) if token.children else token.content
