"""The container file: what it copies is there, what it installs is declared, and what it runs is a command of ours."""

import json
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from lyot.commands.release import serve

ROOT = Path(__file__).resolve().parents[1]
LINES = [
    line.partition(" ")[::2]
    for line in (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]


def said(word):
    return [rest for name, rest in LINES if name == word]


def test_every_instruction_is_one():
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "EXPOSE", "CMD"}
    assert {name for name, _ in LINES} == known
    assert LINES[0][0] == "FROM"
    assert LINES[-1][0] == "CMD"


def test_what_it_runs_is_a_command_with_these_options():
    command, name, *options = json.loads(said("CMD")[0])
    assert (command, name) == ("lyot", "serve")
    values = serve.make_context("serve", options).params
    assert (str(values["out"]), values["host"]) == ("/releases", "0.0.0.0")
    assert str(values["port"]) == said("EXPOSE")[0]
    assert said("WORKDIR")[-1] == str(values["out"])
    assert f"mv out/public {values['out']}/public" in said("RUN")[0]


def test_what_it_installs_is_declared():
    words = shlex.split(said("RUN")[0].partition("&&")[0])
    assert words[:2] == ["pip", "install"]
    assert (ROOT / words[words.index("--constraint") + 1]).is_file()
    extra = words[-1].strip(".[]")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extra in project["optional-dependencies"]
    # what the wheel is made of is sent along
    ignored = (ROOT / ".dockerignore").read_text().split()
    needed = ["pyproject.toml", "constraints.txt", "README.md", "LICENSE", "lyot", "build", "reduce", "catalog", "site",
              "datasette", "templates", "docs"]  # fmt: skip
    for name in needed:
        assert (ROOT / name).exists()
        assert not any(fnmatch(name, pattern) for pattern in ignored)
    assert ignored.index("!out/public") > ignored.index("out/*")


def test_it_does_not_run_as_root():
    assert said("USER") == ["lyot"]
    assert "useradd --create-home lyot" in said("RUN")[0]


def test_the_documentation_says_how_to_run_it_where_it_scales_to_zero():
    words = (ROOT / "docs" / "8-virtual-observatory.md").read_text()
    assert f"--port {said('EXPOSE')[0]}" in words
    assert "docker build -t lyot ." in words
