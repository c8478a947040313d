"""The arrows between the stages, read from every import."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("reduce", "catalog", "build", "site", "datasette")
MAY_IMPORT = {
    "core": set(),
    "reduce": {"core"},
    "catalog": {"core"},
    "build": {"core", "reduce", "catalog"},
    "site": {"core", "catalog"},
    "datasette": {"core", "catalog"},
    "cli": {"core", *STAGES},
    "facade": {"core", "reduce"},
    "simulate": {"core"},
}
#: Core modules that the simulator may use: nouns, and no angle, placement or extraction function.
NOUNS = {"lyot.errors", "lyot.declaration", "lyot.cube"}


def sources() -> list[Path]:
    files = [p for p in (ROOT / "lyot").rglob("*.py") if not any(q.is_symlink() for q in p.parents)]
    return files + [p for stage in STAGES for p in (ROOT / stage).rglob("*.py")]


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    if parts == ("lyot", "cli.py") or parts[:2] == ("lyot", "commands"):
        return "cli"
    if parts == ("lyot", "__init__.py"):
        return "facade"
    if parts[:2] == ("reduce", "simulate"):
        return "simulate"
    return parts[0] if parts[0] in STAGES else "core"


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"lyot(\.[a-z_0-9]+)+", str(node.value)):
            found.add(str(node.value))  # modules imported by name: import_module("lyot.reduce.psf")
    return {name for name in found if name == "lyot" or name.startswith("lyot.")}


def target_of(name: str) -> str:
    parts = name.split(".")
    if len(parts) > 1 and parts[1] in STAGES:
        return parts[1]
    return "cli" if parts[1:2] in (["cli"], ["commands"]) else "core"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    room = room_of(path)
    own = "reduce" if room == "simulate" else room
    for name in imports(path):
        if room == "simulate":
            inside = name.startswith("lyot.reduce.simulate")
            noun = any(name == n or name.startswith(n + ".") for n in NOUNS)
            assert inside or noun, f"the simulator imports {name}"
            continue
        assert target_of(name) in MAY_IMPORT[room] | {own}, f"{room} imports {name}"


def test_the_stages_that_would_hide_other_packages_are_no_packages():
    for stage in ("build", "site", "datasette"):
        assert not (ROOT / stage / "__init__.py").exists()


def test_the_package_links_to_every_stage():
    for stage in (*STAGES, "templates"):
        link = ROOT / "lyot" / stage
        assert link.is_symlink()
        assert link.readlink() == Path("..") / stage


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    hosts = ["pypi." + "org", "pythonhosted." + "org", "npmjs." + "org", "debian." + "org"]
    forbidden = re.compile("|".join(map(re.escape, hosts)) + r"|(?<![\w.])/(?:work|root|farm)/")
    for name in filter(None, tracked.stdout.split("\0")):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        found = forbidden.search(path.read_text(errors="ignore"))
        assert found is None, f"{name}: {found and found.group()}"
