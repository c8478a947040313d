"""The container file, without a container: its steps run with other paths, and its command serves what they leave."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import httpx
import pytest
from observatory import answers, free_port
from skies import bake_sky

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


def test_what_it_copies_is_there():
    for words in said("COPY"):
        *sources, _ = words.split()
        assert all((ROOT / source).exists() for source in sources)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The folder that stands for the container's root once its steps have run; commands that need one say so only."""
    root = tmp_path_factory.mktemp("image")
    source, commands = root / "source", root / "commands"
    bake_sky(source / "out" / "public", 10, 20)
    shutil.copy(ROOT / "constraints.txt", source)
    commands.mkdir()
    for name in ("pip", "useradd", "chown"):
        (commands / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {root}/said\n')
        (commands / name).chmod(0o755)
    for step in said("RUN"):
        words = step.replace("/releases", f"{root}/releases").replace("/source", f"{root}/source")
        environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-euc", words], cwd=source, env=environment, check=True, timeout=60)
    return root


def test_its_steps_leave_the_release_and_nothing_of_the_source(image):
    assert (image / "releases" / "public" / "lyot.db").is_file()
    assert not (image / "source").exists()
    steps = [line.split() for line in (image / "said").read_text().splitlines()]
    assert [step[0] for step in steps] == ["pip", "useradd", "chown"]
    assert steps[2][1:] == ["-R", said("USER")[0], f"{image}/releases"]


@pytest.mark.slow
def test_its_command_serves_what_its_steps_leave(image):
    port = free_port()
    lyot, *words = json.loads(said("CMD")[0])
    command = [str(image / "releases") if word == "/releases" else word for word in words]
    command[command.index("--port") + 1] = str(port)
    more = dict(one.split("=", 1) for one in said("ENV"))
    with subprocess.Popen(
        [shutil.which(lyot, path=f"{sys.prefix}/bin"), *command], cwd=image / "releases", env={**os.environ, **more},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        try:
            base = f"http://127.0.0.1:{port}"
            while not answers(base):
                assert server.poll() is None, "the server ended"
                time.sleep(0.05)
            assert httpx.get(base).text == "<h1>sky</h1>"
            assert len(httpx.get(f"{base}/lyot/target.json?_shape=array").json()) == 10
        finally:
            server.terminate()


def test_it_does_not_run_as_root():
    assert said("USER") == ["lyot"]
    assert "useradd --create-home lyot" in said("RUN")[0]


def test_the_documentation_says_how_to_run_it_where_it_scales_to_zero():
    words = (ROOT / "docs" / "8-virtual-observatory.md").read_text()
    assert f"--port {said('EXPOSE')[0]}" in words
    assert "docker build -t lyot ." in words
