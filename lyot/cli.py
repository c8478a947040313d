"""The command line: run the data centre, one stage at a time.

Results go to standard output, progress and log to standard error. Exit 0: done. 1: some data set failed or could not
be processed, each named with its reason, the rest done. 2: bad usage or bad input, nothing written.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from types import TracebackType

import click

import lyot
from lyot.commands import data, demo, health, judge, observe, raw, release, work
from lyot.errors import LyotError, Unprocessable

INTERRUPTED = 130  # as shells have it of a program that ended by Ctrl-C


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


def bucket_errors() -> tuple[type[Exception], ...]:
    """What S3's client raises for itself, if it was needed: no credentials, no such host."""
    client = sys.modules.get("botocore.exceptions")
    return () if client is None else (client.BotoCoreError,)


def main() -> None:
    """Run the command line."""
    debug = "--debug" in sys.argv[1:2]
    if not debug:
        sys.excepthook = one_line
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("lyot: interrupted; what was kept stays, and the same command goes on from there", err=True)
        sys.stdout.flush()
        workers = multiprocessing.active_children()
        for worker in workers:
            worker.terminate()
        if not workers:
            os._exit(INTERRUPTED)  # a job that is still at work in a thread cannot be stopped otherwise
        sys.exit(INTERRUPTED)
    except LyotError as error:
        if debug:
            raise
        click.echo(f"lyot: {error}", err=True)
        sys.exit(1 if isinstance(error, Unprocessable) else 2)
    except bucket_errors() as error:
        if debug:
            raise
        click.echo(f"lyot: the store is out of reach: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # who reads, as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # of the machine: a disk that is full, a folder that is read-only, a port that is taken
        if debug:
            raise
        where = error.filename2 or error.filename  # of a copy, where it goes
        click.echo(f"lyot: {f'{where}: ' if where else ''}{(error.strerror or str(error)).lower()}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
