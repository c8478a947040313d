"""Templates of Datasette's pages: in memory, and they know the bar of the site."""

from __future__ import annotations

from jinja2 import BaseLoader, DictLoader, Environment
from pluggy import HookimplMarker

from lyot.bar import BAR

hookimpl = HookimplMarker("datasette")


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    """Read all templates once: for every page Datasette would look dozens of times whether the disk has others."""
    assert isinstance(env.loader, BaseLoader)
    env.loader = DictLoader({name: env.loader.get_source(env, name)[0] for name in env.loader.list_templates()})
    env.globals["bar"] = BAR
