"""Fixtures that several tests share, and the rule that a skip must be allowed by name where everything is installed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "tests" / "allowed_skips.txt"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data, or a skip that says where it was looked for."""
    for folder in (os.environ.get("LYOT_DATA"), ROOT.parent / "shared" / "data"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("real data absent: neither $LYOT_DATA nor ../shared/data is a folder")


@pytest.fixture(scope="session")
def irdis_night(tmp_path_factory):
    """Folder of a simulated raw night of IRDIS with one bright planet, and its truth."""
    from lyot.reduce.simulate.raw_night import simulate_night
    from lyot.reduce.simulate.raw_scene import Companion

    folder = tmp_path_factory.mktemp("irdis")
    planet = Companion(name="b", separation=700.0, position_angle=211.0, contrast=4e-3)
    return folder, simulate_night(folder, "irdis", seed=3, nscience=2, planets=(planet,), spacing=12.0)


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    """Address at which the release in the module's `folder` is served."""
    from observatory import serving

    with serving(folder) as (base, _):
        yield base


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With LYOT_NO_SKIPS set, a skipped test that is not allowed by name fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("LYOT_NO_SKIPS") or reporter is None:
        return
    allowed = {line.split()[0] for line in ALLOWED.read_text().splitlines() if line.strip() and line[0] != "#"}
    surprising = [r.nodeid for r in reporter.stats.get("skipped", []) if r.nodeid not in allowed]
    if surprising:
        reporter.write_line(f"skipped, and not allowed to be: {', '.join(surprising)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
