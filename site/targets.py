"""Pages of targets, a block at a time, here or in several processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyot.errors import LyotError
from lyot.site import target_page
from lyot.site.chart import Subject, charts
from lyot.site.downloads import fetch
from lyot.site.figures import figure
from lyot.site.gallery import by_observation, views
from lyot.site.pages import Pages
from lyot.site.release import Release, opened
from lyot.site.stamps import Made
from lyot.site.track import SQL, tracks_of_all
from lyot.site.writer import Writer
from lyot.store import Store

BLOCK = 64  # targets whose rows are read together
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
    """A target's page to render: `slug` is its folder, `stamp` what its rows and the code are now."""

    target_id: str
    slug: str
    stamp: str


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
        subjects = {row["target_id"]: Subject(row) for row in self._release.load([job.target_id for job in block])}
        asked = [(one.target, self._release.chart_rows(SQL, key)) for key, one in subjects.items()]
        for one, found in zip(subjects.values(), tracks_of_all(asked), strict=True):
            one.kept["tracks"] = found  # of all the block at once
        for job in block:
            address = f"targets/{job.slug}"
            writer = self._pages.writer = Writer(self._setting.site)
            try:
                listed, missing = self._target(subjects[job.target_id], job.slug)
            except (LyotError, ValueError, TypeError, KeyError, ArithmeticError, sqlite3.Error) as error:
                done.failures[f"{address}/"] = f"{type(error).__name__}: {error}"
                continue
            done.notes += [f"{address}: {path} is not in the store" for path in missing]
            # what lacks a file is looked for again the next time
            done.made[job.target_id] = Made("" if missing else job.stamp, sorted(writer.paths), listed)
            done.written += writer.written
            done.kept += writer.kept
        return done

    def _target(self, subject: Subject, slug: str) -> tuple[dict[str, Any], list[str]]:
        release, pages, target = self._release, self._pages, subject.target
        key = target["target_id"]
        address = f"targets/{slug}"
        files, addresses, missing = fetch(release.products(key), self._store, pages.writer)
        pictures = views(release, target, files, pages.writer)
        overview = target_page.overview(release, target, pictures, slug)
        context = target_page.context(release, target, overview, addresses)
        if context["values_apart"]:
            page = f"{address}/values/index.html"
            title = f"Published values, {target['name']}"
            pages.writer.write(page, pages.render(page, "values.html", title=title, **context))
        page = f"{address}/index.html"
        text = pages.render(
            page,
            "target.html",
            title=target["name"],
            views=by_observation(pictures),
            figures=[figure(chart, release, subject, "../../") for chart in charts()],
            **context,
        )
        pages.writer.write(page, text)
        return overview, missing


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
