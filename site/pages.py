"""Pages from templates: what is said is always text, never markup."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from lyot import __version__
from lyot.bar import BAR
from lyot.site import words
from lyot.site.addresses import query_address, upwards
from lyot.site.figures import charts_of, drawn
from lyot.site.markup import contents, rows, scrolled, section
from lyot.site.stamps import digest
from lyot.site.tabular import badge, standing
from lyot.site.target_tables import of_night
from lyot.site.writer import Writer

#: Nothing from elsewhere, nothing inline, nothing made of text at run time.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'"
)
#: The one page that runs a database in the browser may compile WebAssembly, and start its worker.
POLICY_SQL = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'")

LOCAL = "http://127.0.0.1:8001"  # where `lyot serve` answers, for examples on a site that has no address yet


class Pages:
    """Pages of one site, from templates.

    Parameters
    ----------
    writer : Writer
    base_url : str
        Public address of the site; empty when it has none yet.
    known : str by path
        Keys of the pages of the last rendering: what had the same context is not rendered again.
    """

    def __init__(self, writer: Writer, *, base_url: str, known: Mapping[str, str] = MappingProxyType({})) -> None:
        self.writer = writer
        self.keys: dict[str, str] = {}
        self.base_url = base_url.rstrip("/")
        self._frames: dict[tuple[str, str, bool], tuple[Markup, Markup]] = {}
        self._known = known

    def write(self, path: str, template: str, **context: Any) -> None:
        """Render `template` to `path`, an `…/index.html`, unless it would say what it says already."""
        self.keys[path] = digest(template, context)
        if self._known.get(path) == self.keys[path] and (self.writer.folder / path).is_file():
            self.writer.keep([path])
            return
        self.writer.write(path, self.render(path, template, **context))

    def render(self, path: str, template: str, **context: Any) -> str:
        """The text of a page."""
        folder = path.removesuffix("index.html")
        section, _, rest = folder.partition("/")
        top, bottom = self._frame(upwards(path), section, not rest)
        return self._environment.get_template(template).render(
            root=upwards(path),
            top=top,
            bottom=bottom,
            canonical=f"{self.base_url}/{folder}" if self.base_url else "",
            server=self.base_url or LOCAL,
            **context,
        )

    def _frame(self, root: str, section: str, here: bool) -> tuple[Markup, Markup]:
        """What stands above and below every page of a section; `here` when it is the first of it."""
        key = (root, section, here)
        if key not in self._frames:
            above, below = (self._environment.get_template(f"_{name}.html") for name in ("top", "bottom"))
            self._frames[key] = (Markup(above.render(root=root, section=section, here=here)),
                                 Markup(below.render(root=root)))  # fmt: skip
        return self._frames[key]

    @property
    def _environment(self) -> Environment:
        return _environment()


class _Environment(Environment):
    """Jinja that finds each template once, and looks first into rows for what templates call `row.name`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._found: dict[str, Template] = {}

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:
        """The template of this name."""
        if name not in self._found:
            self._found[name] = super().get_template(name, parent, globals)
        return self._found[name]

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What `obj` calls `attribute`."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def _environment() -> Environment:
    """That of all pages of this process: a template is compiled once."""
    return environment()


def environment() -> Environment:
    """Jinja with escaping always on, unknown names an error, and the filters of `words`."""
    made = _Environment(
        loader=FileSystemLoader(str(files("lyot.templates") / "site")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "number": words.number,
        "size": words.size,
        "count": words.count,
        "day": words.day,
        "plural": words.plural,
        "status": words.status,
        "instrument": words.instrument,
        "with_error": words.with_error,
        "simulated": lambda yes: Markup(badge(yes)),
        "standing": lambda name: Markup(standing(name)),
        "night": lambda rows: Markup(of_night(rows)),
        "section": section,
        "contents": contents,
        "rows": rows,
        "scrolled": scrolled,
        "figures": drawn,
        "charts": charts_of,
    }
    made.globals |= {
        "bar": BAR,
        "version": __version__,
        "policy": POLICY,
        "policy_sql": POLICY_SQL,
        "query_address": query_address,
    }
    return made
