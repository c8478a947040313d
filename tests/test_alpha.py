"""The release under the newest Datasette 1.0: the same tests, in an environment that has it before the other one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ALPHA = Path(sys.prefix) / "alpha"
TESTS = ("test_serve.py", "test_fixed.py", "test_door.py", "e2e/test_served.py")


@pytest.mark.slow
def test_the_portal_works_under_datasette_1_0():
    if not (ALPHA / "datasette").is_dir():
        pytest.skip("Datasette 1.0 is not installed: make alpha installs it")
    environment = {**os.environ, "PYTHONPATH": str(ALPHA)}  # LYOT_NO_SKIPS is handed on: what skips in there fails here
    version = [sys.executable, "-c", "import datasette; print(datasette.__version__)"]
    found = subprocess.run(version, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("1.0")
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(str(folder / one) for one in TESTS)]
    done = subprocess.run(
        command, cwd=folder.parent, env=environment, capture_output=True, text=True, timeout=550, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 40
