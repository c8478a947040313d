"""The command line: help with examples, one sentence for an error, exit codes."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from lyot.cli import cli, main


@pytest.mark.parametrize("command", cli.commands.values(), ids=lambda c: c.name)
def test_every_command_shows_an_example_and_the_common_options(command: click.Command):
    shown = CliRunner().invoke(cli, [str(command.name), "--help"]).output
    assert f"Example: lyot {command.name}" in " ".join(shown.split())
    assert {"--store", "--out", "--json"} <= {opt for p in command.params for opt in p.opts}


def test_doctor_finds_what_is_installed():
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    found = {one["name"]: one["found"] for one in json.loads(done.output)}
    assert done.exit_code == 0
    assert found["astropy"]


def test_bad_usage_exits_with_two():
    assert CliRunner().invoke(cli, ["adopt"]).exit_code == 2
    assert CliRunner().invoke(cli, ["no-such-command"]).exit_code == 2


def test_bad_input_is_one_sentence_on_standard_error_and_exit_two(monkeypatch, capsys, tmp_path):
    (tmp_path / "cube.fits").write_text("this is no image")
    monkeypatch.setattr(sys, "argv", [
        "lyot", "adopt", str(tmp_path / "cube.fits"), "--angles", str(tmp_path / "none.fits"), "--instrument", "naco",
        "--target", "beta Pic", "--date", "2013-01-31", "--store", str(tmp_path / "store")])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert "cube.fits" in said.err
    assert not (tmp_path / "store").exists()


def test_a_bug_is_one_line_too_unless_debug_is_asked_for():
    broken = "import lyot.cli as c; c.cli.main = lambda *a, **k: 1 / 0; c.main()"
    short = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True, check=False)
    assert short.returncode == 1
    (line,) = short.stderr.splitlines()
    assert line == "lyot: ZeroDivisionError: division by zero (a bug; `lyot --debug …` shows where)"
    whole = subprocess.run([sys.executable, "-c", broken, "--debug"], capture_output=True, text=True, check=False)
    assert "Traceback" in whole.stderr
