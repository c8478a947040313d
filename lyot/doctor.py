"""What this machine has of what Lyot uses, and what to do about the rest."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

NEEDED = ("numpy", "scipy", "astropy", "numba", "pyarrow", "duckdb", "datasette", "altair", "vl-convert-python")
OPTIONAL = {
    "s3fs": "stores on S3: pip install 'lyot[s3]'",
    "distributed": "jobs on a cluster: pip install 'lyot[cluster]'",
    "vip_hci": "comparison with VIP: pip install 'lyot[peers]'",
    "pyklip": "comparison with pyKLIP: pip install 'lyot[peers]'",
}
PROGRAMS = {
    "chromium": "tests in a real browser",
    "stilts": "validation of the Virtual Observatory services",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for."""

    name: str
    found: str  # version or place; empty when absent
    needed: bool
    use: str

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def examine() -> Iterator[Finding]:
    """Look for everything Lyot can use: packages, programs, the real data, cores and memory."""
    yield Finding("python", platform.python_version() if sys.version_info >= (3, 11) else "", True, "3.11 or newer")
    for name in NEEDED:
        yield Finding(name, _version(name), True, "reinstall Lyot")
    for name, use in OPTIONAL.items():
        yield Finding(name, _version(name), False, use)
    for name, use in PROGRAMS.items():
        yield Finding(name, shutil.which(name) or "", False, use)
    data = os.environ.get("LYOT_DATA", "")
    yield Finding("LYOT_DATA", data if data and Path(data).is_dir() else "", False, "folder of the real sequences")
    yield Finding("cores", str(os.cpu_count() or ""), False, "jobs at once: lyot reduce --workers")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
