"""The bar of the site is that of Datasette's pages, too."""

from __future__ import annotations

from jinja2 import Environment
from pluggy import HookimplMarker

from lyot.bar import BAR

hookimpl = HookimplMarker("datasette")


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    """Let templates know it."""
    env.globals["bar"] = BAR
