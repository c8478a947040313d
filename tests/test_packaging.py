"""What people install: the sdist, the wheel made from it, and the editable install."""

import os
import shutil
import site
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
IMPORT_ALL = """
import importlib, pathlib, lyot
top = pathlib.Path(lyot.__file__).parent
files = [f for folder in (top, *(p for p in top.iterdir() if p.is_dir())) for f in folder.rglob('*.py')]
names = {'.'.join(('lyot', *f.relative_to(top).with_suffix('').parts)).removesuffix('.__init__') for f in files}
for name in sorted(names):
    importlib.import_module(name)
print(lyot.__file__)
print(*sorted(names))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed, without the environment of this test run."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "LYOT"))}
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, env=clean, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The project as git has it now, with what is not committed yet, in another folder."""
    folder = tmp_path_factory.mktemp("copy") / "lyot"
    run("git", "clone", "--quiet", ROOT, folder, cwd=ROOT)
    listed = run("git", "ls-files", "--modified", "--others", "--exclude-standard", cwd=ROOT)
    for name in listed.splitlines():
        source = ROOT / name
        if source.is_file() and not source.is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    run("git", "add", "-A", cwd=folder)
    return folder


def environment(folder: Path) -> Path:
    """A new environment that sees the dependencies of this one, but not the project."""
    venv.create(folder, with_pip=True)
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for entry in Path(site.getsitepackages()[0]).iterdir():
        # pip is its own; a path file would bring the project back in
        if not entry.name.lower().startswith(("lyot", "_lyot", "pip")) and entry.suffix != ".pth":
            (dependencies / entry.name).symlink_to(entry)
    inside = run(folder / "bin/python", "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    (Path(inside) / "dependencies.pth").write_text(f"{dependencies}\n")
    return folder / "bin" / "python"


def modules_of(printed: str) -> set[str]:
    return set(printed.splitlines()[-1].split())


@pytest.mark.slow
def test_the_wheel_from_the_sdist_holds_every_module(copy, tmp_path):
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", tmp_path / "dist", copy, cwd=copy)
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    python = environment(tmp_path / "elsewhere")
    run(python, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", tmp_path / "wheel",
        sdist, cwd=tmp_path)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", wheel, cwd=tmp_path)

    printed = run(python, "-W", "error::SyntaxWarning", "-c", IMPORT_ALL, cwd=tmp_path)

    assert str(tmp_path / "elsewhere") in printed.splitlines()[0]
    written = {
        "lyot." + str(path.relative_to(copy).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for stage in ("reduce", "catalog", "build", "site", "datasette")
        for path in (copy / stage).rglob("*.py")
    }
    assert len(written) > 100
    assert written <= modules_of(printed)
    assert "Usage: lyot" in run(tmp_path / "elsewhere/bin/lyot", "--help", cwd=tmp_path)
    resources = run(python, "-c", "import lyot, pathlib; p = pathlib.Path(lyot.__file__).parent; "
                    "print(*sorted(str(f.relative_to(p)) for f in p.rglob('*')))", cwd=tmp_path).split()
    for folder, pattern in (("templates", "*.html"), ("build", "*.sql"), ("catalog", "*.csv"), ("site", "*.css")):
        for path in (copy / folder).rglob(pattern):
            assert str(path.relative_to(copy)) in resources


@pytest.mark.slow
def test_the_editable_install_sees_every_edit_and_leaves_no_trace(copy, tmp_path):
    before = run("git", "status", "--porcelain", cwd=copy)
    python = environment(tmp_path / "elsewhere")
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation", "-e", copy, cwd=tmp_path)

    printed = run(python, "-B", "-c", IMPORT_ALL, cwd=tmp_path)

    assert str(copy) in printed.splitlines()[0]
    assert "lyot.reduce.step" in modules_of(printed)
    where = "import lyot.reduce.step as s, pathlib; print(pathlib.Path(s.__file__).resolve())"
    assert run(python, "-B", "-c", where, cwd=tmp_path).strip() == str(copy / "reduce/step.py")
    assert run("git", "status", "--porcelain", cwd=copy) == before
    for tool in ("build", "datasette"):
        assert version(tool) in run(python, "-m", tool, "--version", cwd=copy)  # theirs, not our folder of that name
