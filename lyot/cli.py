"""The command line: run the data centre, one stage at a time.

Results go to standard output, progress and log to standard error. Exit 0: done. 1: some data set failed or could not
be processed, each named with its reason, the rest done. 2: bad usage or bad input, nothing written.
"""

from __future__ import annotations

import sys
from types import TracebackType

import click

import lyot
from lyot.commands import data, demo, health, judge, observe, raw, release, work
from lyot.errors import LyotError, Unprocessable


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(lyot.__version__, prog_name="lyot")
@click.option("--debug", is_flag=True, help="Show where in the code an error arose.")
def cli(debug: bool) -> None:
    """Lyot: from coronagraphic frames to a public portal, one stage at a time.

    Start with `lyot demo`; then `lyot serve`.
    """


for module in (demo, raw, data, work, judge, release, observe, health):
    for command in vars(module).values():
        if isinstance(command, click.Command):
            cli.add_command(command)


def one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What people see of an error that nobody foresaw."""
    click.echo(f"lyot: {kind.__name__}: {error} (a bug; `lyot --debug …` shows where)", err=True)


def main() -> None:
    """Run the command line."""
    if "--debug" not in sys.argv[1:2]:
        sys.excepthook = one_line
    try:
        cli()
    except LyotError as error:
        if "--debug" in sys.argv[1:2]:
            raise
        click.echo(f"lyot: {error}", err=True)
        sys.exit(1 if isinstance(error, Unprocessable) else 2)


if __name__ == "__main__":
    main()
