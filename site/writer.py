"""Writing the site's files: only what changed, and never outside its folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
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
    _root: str = field(init=False, repr=False)
    _folders: dict[str, str] = field(default_factory=dict, repr=False)
    _made: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        self._root = str(self.folder)

    def write(self, path: str, content: str | bytes) -> None:
        """Write one file, unless it says the same already."""
        target = self._place(path)
        data = content.encode() if isinstance(content, str) else content
        if path.rpartition("/")[0] not in self._made and self._says(target, data):
            self.kept += 1
            return
        self._replace(target, data)
        self.written += 1

    def link(self, path: str, source: Path) -> None:
        """Put an existing file into the site, as a link to the same bytes where the disk allows it.

        Raises
        ------
        FileNotFoundError
            If there is no such file; then the site has none either.
        """
        same = source.stat()
        target = self._place(path)
        if os.path.isfile(target):
            if os.path.samestat(os.stat(target), same):
                self.kept += 1
                return
            os.unlink(target)
        try:
            os.link(source, target)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, target)
        self.written += 1

    def place(self, path: str) -> Path:
        """Where a file is to be that another writes; it counts as written."""
        self.written += 1
        return Path(self._place(path))

    def there(self) -> set[str]:
        """Paths of all files that the folder holds."""
        found: set[str] = set()
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{folder}{entry.name}/")
                        else:
                            found.add(folder + entry.name)
            except FileNotFoundError:  # there is no site yet
                continue
        return found

    def keep(self, paths: Iterable[str]) -> None:
        """Say of files that are there that they are still what they should be."""
        before = len(self.paths)
        self.paths.update(paths)
        self.kept += len(self.paths) - before

    def add(self, other: Writer) -> None:
        """Count what another has done in the same folder."""
        self.written += other.written
        self.kept += other.kept
        self.paths |= other.paths

    def sweep(self, there: set[str]) -> int:
        """Remove of the files that were `there` those that are no longer; how many went."""
        gone = there - self.paths
        for path in gone:
            (self.folder / path).unlink()
        for folder in {parent for path in gone for parent in (self.folder / path).parents}:
            if folder != self.folder and folder.is_relative_to(self.folder) and folder.is_dir():
                self._prune(folder)
        return len(gone)

    def _prune(self, folder: Path) -> None:
        """Remove a folder that is empty, and those around it that become so."""
        while folder != self.folder and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def _place(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            if {"", ".."} & set(folder.split("/") if folder else ()) or "\\" in folder:
                raise BadInput(f"{path!r} is no path inside the site")
            place = os.path.join(self._root, *folder.split("/"))
            try:
                os.mkdir(place)
                self._made.add(folder)  # nothing is there to compare with
            except (FileExistsError, FileNotFoundError):
                os.makedirs(place, exist_ok=True)
            self._folders[folder] = place + os.sep
        if name in ("", "..") or "\\" in name or path[0] == "/":
            raise BadInput(f"{path!r} is no path inside the site")
        self.paths.add(path)
        return self._folders[folder] + name

    @staticmethod
    def _says(target: str, data: bytes) -> bool:
        try:
            with open(target, "rb", buffering=0) as file:
                return os.fstat(file.fileno()).st_size == len(data) and file.read() == data
        except (FileNotFoundError, IsADirectoryError):
            return False

    @staticmethod
    def _replace(target: str, data: bytes) -> None:
        """A reader sees the old file or the new one, never half; a link's other name keeps its bytes."""
        part = f"{target}.part"
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, target)
