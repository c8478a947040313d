"""The parts of the site that are of no single star: each is made anew when something that it reads has changed.

Nobody declares what a part reads. SQLite tells of each statement which columns of which tables it reads, and `Reading`
notes whatever else a part asks for; that is kept, with the digest that each had then. A part of which every digest is
still the same would become what it is, and is left alone. What has no digest is never the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lyot.site.bulk import Bulk
from lyot.site.pages import Pages
from lyot.site.release import Release, opened
from lyot.site.stamps import Part
from lyot.site.stars import Stars


class Reading:
    """What one part may read: the release, through a connection that notes columns, and what is `given` besides."""

    def __init__(self, release: Release, given: Mapping[str, Any], noted: set[str]) -> None:
        self.release = release
        self._given = given
        self._noted = noted

    @property
    def about(self) -> Mapping[str, Any]:
        """What the release says of itself: day, audience, version."""
        found: Mapping[str, Any] = self._asked("about")
        return found

    @property
    def stars(self) -> Stars:
        """What is said of each star that has a page."""
        found: Stars = self._asked("stars")
        return found

    @property
    def folders(self) -> Mapping[str, str]:
        """Folders of the stars that have a page, by target."""
        found: Mapping[str, str] = self._asked("folders")
        return found

    @property
    def data(self) -> Bulk:
        """The files of whole tables."""
        found: Bulk = self._asked("data")
        return found

    @property
    def addresses(self) -> Sequence[str]:
        """Paths of all pages."""
        found: Sequence[str] = self._asked("addresses")
        return found

    @property
    def has_sqlite(self) -> bool:
        """Whether SQLite for browsers is there."""
        found: bool = self._asked("has_sqlite")
        return found

    def _asked(self, name: str) -> Any:
        self._noted.add(name)
        return self._given[name]


class Parts:
    """The parts of one site: those of the last rendering that are still right, and those `made` now.

    Parameters
    ----------
    folder : Path
        Of the release.
    pages : Pages
    before : Part by name
        What the last rendering left.
    there : set of paths
        Files that the site has.
    columns : str by name, as `target.name`
        Digests of what the database holds.
    """

    def __init__(
        self, folder: Path, pages: Pages, before: Mapping[str, Part], there: set[str], columns: Mapping[str, str]
    ) -> None:
        self.made: dict[str, Part] = {}
        self._folder = folder
        self._pages = pages
        self._before = before
        self._there = there
        self._digests = dict(columns)
        self._given: dict[str, Any] = {}

    def give(self, name: str, value: Any, digest: str) -> None:
        """Let parts read `value`, whose digest this is."""
        self._given[name] = value
        self._digests[name] = digest

    def make(self, name: str, make: Callable[[Reading, Pages], None]) -> None:
        """Make one part, unless it would become what it is."""
        before, writer = self._before.get(name), self._pages.writer
        if before and before.read.items() <= self._digests.items() and self._there.issuperset(before.files):
            writer.keep(before.files)
            self.made[name] = before
            return
        others, noted = set(writer.paths), set[str]()
        with opened(self._folder, noted) as release:
            make(Reading(release, self._given, noted), self._pages)
        read = {one: self._digests.get(one, "") for one in sorted(noted)}
        files = {path: self._pages.keys.get(path, "") for path in sorted(writer.paths - others)}
        self.made[name] = Part(read, files)
