"""Pages of targets, a block at a time, here or in several processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyot.site import companion_page, target_page
from lyot.site.downloads import fetch
from lyot.site.gallery import by_observation, views
from lyot.site.pages import Pages
from lyot.site.release import Release, opened
from lyot.site.sheets import BROKEN, Sheet, sheets
from lyot.site.stamps import Made, packed
from lyot.site.writer import Writer
from lyot.store import Store

BLOCK = 128  # targets whose rows are read together, and whose charts are drawn together
FEW = 600  # pages that one process renders before others have started


@dataclass(frozen=True)
class Setting:
    """Where a rendering reads and writes: folders of the release and of the site, the store, the site's address."""

    release: Path
    site: Path
    store: str
    base_url: str = ""


@dataclass(frozen=True)
class Job:
    """A target's page to render: `slug` is its folder, `stamp` what its rows and the code are now.

    `companions` are the folders of those of its companions that have a page, by their id.
    """

    target_id: str
    slug: str
    stamp: str
    companions: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Done:
    """What rendering some pages gave: what each left, by target, files written and kept, and what went wrong."""

    made: dict[str, Made] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    written: int = 0
    kept: int = 0


def render_all(jobs: Sequence[Job], setting: Setting, processes: int | None = None) -> Iterator[Done]:
    """Render the pages of `jobs`, block by block, in `processes` (default: as it pays), of which this is one."""
    waiting = deque(jobs[first : first + BLOCK] for first in range(0, len(jobs), BLOCK))
    others = min(processes or (os.cpu_count() or 1 if len(jobs) > FEW else 1), max(1, len(waiting))) - 1
    with _room(setting) as room, _pool(others, setting) as pool:
        given: deque[Future[Done]] = deque()
        while waiting or given:
            while waiting and len(given) < 2 * others:
                given.append(pool.submit(_render, waiting.popleft()))
            if waiting:
                yield room.render(waiting.popleft())
            while given and (given[0].done() or not waiting):
                yield given.popleft().result()


def _pool(count: int, setting: Setting) -> ProcessPoolExecutor:
    """Processes that start empty when they are first asked: forking one that computes in threads can hang it."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max(count, 1), mp_context=context, initializer=_enter, initargs=(setting,))


class Room:
    """What one process needs to render pages: the release, the store, the templates."""

    def __init__(self, release: Release, setting: Setting) -> None:
        self._release = release
        self._setting = setting
        self._store = Store(setting.store)
        self._pages = Pages(Writer(setting.site), base_url=setting.base_url)

    def render(self, block: Sequence[Job]) -> Done:
        """The pages of a block of targets; one that breaks fails by its name, and the others are rendered."""
        gc.disable()  # cycles wait for the end of the block: looking for them all the time is a tenth of the work
        try:
            return self._block(block)
        finally:
            gc.enable()
            gc.collect(1)  # of the young: what this block made

    def _block(self, block: Sequence[Job]) -> Done:
        done = Done()
        stars = self._release.load([job.target_id for job in block])
        made = sheets(self._release, stars, {job.target_id: job.companions for job in block})
        for job in block:
            writer = self._pages.writer = Writer(self._setting.site)
            try:
                listed, missing = self._target(made, job)
            except PageError as error:
                done.failures[error.page] = error.why
                continue
            done.notes += [f"targets/{job.slug}: {path} is not in the store" for path in missing]
            # what lacks a file is looked for again the next time
            done.made[job.target_id] = Made("" if missing else job.stamp, sorted(writer.paths), packed(listed))
            done.written += writer.written
            done.kept += writer.kept
        return done

    def _target(self, made: Mapping[tuple[str, str], Sheet], job: Job) -> tuple[dict[str, Any], list[str]]:
        """Write the pages of a target and its companions; what lists say of it, and the files that are missing."""
        release, pages, target = self._release, self._pages, made[job.target_id, ""].subject.target
        with _named(f"targets/{job.slug}/") as address:
            files, addresses, missing = fetch(release.products(job.target_id), self._store, pages.writer)
            pictures = views(release, target, files, pages.writer)
            overview = target_page.overview(release, target, pictures, job.slug, job.companions)
            context = target_page.context(release, target, overview, addresses)
            if context["values_apart"]:
                title = f"Published values, {target['name']}"
                self._write(f"{address}values/", "values.html", {**context, "title": title})
            context["title"], context["views"] = target["name"], by_observation(pictures)
            context["figures"] = made[job.target_id, ""].figures("../../")
            self._write(address, "target.html", context)
        for companion_id, slug in job.companions.items():
            with _named(f"companions/{slug}/") as address:
                about = companion_page.context(release, target, companion_id, overview)
                about["figures"] = made[job.target_id, companion_id].figures("../../")
                self._write(address, "companion.html", about)
        return overview, missing

    def _write(self, folder: str, template: str, context: Mapping[str, Any]) -> None:
        page = f"{folder}index.html"
        self._pages.writer.write(page, self._pages.render(page, template, **context))


class PageError(Exception):
    """A page that could not be made, and why."""

    def __init__(self, page: str, error: Exception) -> None:
        super().__init__(page)
        self.page, self.why = page, f"{type(error).__name__}: {error}"


@contextmanager
def _named(page: str) -> Iterator[str]:
    """What breaks inside breaks this page, by its name."""
    try:
        yield page
    except BROKEN as error:
        raise PageError(page, error) from error


@contextmanager
def _room(setting: Setting) -> Iterator[Room]:
    with opened(setting.release) as release:
        yield Room(release, setting)


class _Process:
    """The room of this process, kept from block to block until it ends."""

    opened = ExitStack()
    room: Room


def _enter(setting: Setting) -> None:
    _Process.room = _Process.opened.enter_context(_room(setting))


def _render(block: Sequence[Job]) -> Done:
    return _Process.room.render(block)
