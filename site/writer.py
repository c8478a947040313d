"""Writing the site's files: only what changed, and never outside its folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from lyot.errors import BadInput


@dataclass
class Writer:
    """Files under one folder; what is the same already is left alone, what is no longer written is removed.

    `written` and `kept` count files, `paths` holds every path given so far.
    """

    folder: Path
    written: int = 0
    kept: int = 0
    paths: set[str] = field(default_factory=set)

    def write(self, path: str, content: str | bytes) -> None:
        """Write one file, unless it says the same already."""
        target = self._place(path)
        data = content.encode() if isinstance(content, str) else content
        if target.is_file() and target.stat().st_size == len(data) and target.read_bytes() == data:
            self.kept += 1
            return
        self._replace(target, data)
        self.written += 1

    def link(self, path: str, source: Path) -> None:
        """Put an existing file into the site, as a link to the same bytes where the disk allows it."""
        target = self._place(path)
        if target.is_file():
            if target.samefile(source):
                self.kept += 1
                return
            target.unlink()
        try:
            os.link(source, target)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, target)
        self.written += 1

    def has(self, path: str, size: int) -> bool:
        """Whether a file of this size is there already; if so it is kept."""
        target = self._place(path)
        there = target.is_file() and target.stat().st_size == size
        self.kept += there
        return there

    def sweep(self) -> int:
        """Remove what an earlier rendering left and this one did not write; how many files went."""
        gone = 0
        for found in sorted(self.folder.rglob("*"), reverse=True):
            if found.is_dir():
                if not any(found.iterdir()):
                    found.rmdir()
            elif found.relative_to(self.folder).as_posix() not in self.paths:
                found.unlink()
                gone += 1
        return gone

    def _place(self, path: str) -> Path:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or "" in parts or "\\" in path:
            raise BadInput(f"{path!r} is no path inside the site")
        self.paths.add(path)
        target = self.folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    @staticmethod
    def _replace(target: Path, data: bytes) -> None:
        """A reader sees the old file or the new one, never half; a link's other name keeps its bytes."""
        part = target.with_name(target.name + ".part")
        part.write_bytes(data)
        part.replace(target)
