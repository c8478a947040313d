"""What every command shares: its options, what it prints, and how it ends."""

from __future__ import annotations

import functools
import json
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from lyot.errors import BadInput


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command."""

    @click.option("--store", envvar="LYOT_STORE", default="out/store", show_default=True, help="Any fsspec URL.")
    @click.option("--out", envvar="LYOT_OUT", default="out", show_default=True, type=click.Path(path_type=Path),
                  help="Folder of the releases.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        return function(*args, **options)

    return wrapped


workspace = click.option("--workspace", default="main", show_default=True, help="Whose data.")
released = click.option("--workspace", default=None, help="A private release of this workspace; default: public.")


def tell(document: Any, lines: list[str], as_json: bool) -> None:
    """Results on standard output: as lines, or as one JSON document."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        for line in lines:
            click.echo(line)


def split(setting: str) -> tuple[str, str]:
    """`name=value` as its two halves."""
    name, equals, value = setting.partition("=")
    if not (name and equals):
        raise BadInput(f"--set wants NAME=VALUE, found {setting!r}")
    return name.strip(), value.strip()


def end_with(outcomes: Sequence[Any], pages: Mapping[str, str] = MappingProxyType({})) -> None:
    """Name on standard error the jobs and pages that did not end well, and exit with 1 if any did not."""
    failed = [one for one in outcomes if one.outcome != "done"]
    for one in failed:
        click.echo(f"{one.job.dataset} {one.job.label}: {one.outcome}: {one.message}", err=True)
        if one.error is not None and click.get_current_context().find_root().params.get("debug"):
            traceback.print_exception(one.error)
    if failed:
        done = len(outcomes) - len(failed)
        click.echo(f"{done} of {len(outcomes)} jobs done; what failed is tried again by the same command", err=True)
    for page, why in pages.items():
        click.echo(f"page {page}: {why}", err=True)
    if failed or pages:
        sys.exit(1)
