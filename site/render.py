"""Rendering a release: the baked database and the released files in, a folder of plain files out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyot.progress import steps
from lyot.site import stamps
from lyot.site.addresses import slugs
from lyot.site.assets import assets, has_sqlite
from lyot.site.bulk import bulk
from lyot.site.chart import charts
from lyot.site.companion_page import PAGED
from lyot.site.lists import write_lists
from lyot.site.pages import Pages
from lyot.site.release import Release, opened
from lyot.site.stamps import Made, Stamps
from lyot.site.targets import BLOCK, Job, Setting, render_all
from lyot.site.writer import Writer
from lyot.store import Store


@dataclass
class Report:
    """What was rendered: pages, files written and kept, files removed, and what went wrong, by page.

    `seconds` are those of everything, `target_seconds` those of the pages of targets and companions.
    """

    pages: int = 0
    written: int = 0
    kept: int = 0
    removed: int = 0
    seconds: float = 0.0
    target_seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def render(release_folder: Path | str, store: Store, base_url: str = "", processes: int | None = None) -> Report:
    """Render `site/` inside a release folder from its `lyot.db` and the released files of the store.

    Only pages of which something changed since the last rendering are made anew.

    Parameters
    ----------
    release_folder : Path
        As `out/public`; holds `lyot.db`, and `parquet/` when tables were written.
    store : Store
        Where the FITS files of the released products are.
    base_url : str
        Public address of the site, for canonical links, feeds and citations; links inside are always relative.
    processes : int, optional
        That render pages of targets; default: as many as there are processors where it pays.

    Raises
    ------
    NotFound
        If the folder holds no release.
    """
    began = time.perf_counter()
    folder = Path(release_folder)
    report = Report()
    with opened(folder) as release:
        place, rest = folder / "site", folder.parent / ".site" / folder.name
        work = rest if rest.is_dir() and not place.exists() else place
        setting = Setting(folder.resolve(), work.resolve(), store.url, base_url)
        kept = stamps.read(rest.with_name(f"{folder.name}.jsonl"), stamps.of_code(base_url))
        writer = Writer(setting.site)
        there = writer.there()
        made = _targets(release, kept, setting, writer, there, report, processes)
        report.target_seconds = time.perf_counter() - began
        of_targets = [path for one in made.values() for path in one.files if path.endswith(".html")]
        pages = Pages(writer, base_url=base_url, known=kept.pages, code=kept.code)
        data = bulk(release, writer, kept.bulk)
        whole = stamps.of_tables(folder, release.about.get("as_of"), has_sqlite(), sorted(made), report.failures)
        if whole and whole == kept.whole and report.written == 0 and there.issuperset(kept.lists):
            writer.keep(kept.lists)
            pages.count, pages.keys = len(kept.pages), kept.pages
            lists = kept.lists
        else:
            before = set(writer.paths)
            write_lists(release, pages, {key: one.overview for key, one in made.items()}, data, of_targets)
            lists = sorted(writer.paths - before)
        for path, content in assets().items():
            writer.write(path, content)
        report.pages, report.removed = pages.count + len(of_targets), writer.sweep()
        report.written, report.kept = report.written + writer.written, report.kept + writer.kept
        if work != place:
            work.rename(place)
        shutil.rmtree(rest, ignore_errors=True)
        now = Stamps(kept.code, whole, lists, made, pages.keys, data.known)
        if now != kept:
            now.write(rest.with_name(f"{folder.name}.jsonl"))
    report.seconds = time.perf_counter() - began
    return report


def _targets(
    release: Release,
    kept: Stamps,
    setting: Setting,
    writer: Writer,
    there: set[str],
    report: Report,
    processes: int | None,
) -> dict[str, Made]:
    """Render the pages of targets that changed; what every target's page left, now or before."""
    names = slugs(row["target_id"] for row in release.query("SELECT target_id FROM target ORDER BY target_id"))
    companions = _companions(release)
    rows, shared = stamps.of_rows(release.folder), _shared(release)
    made, jobs = {}, []
    for key, slug in names.items():
        own = companions.get(key, {})
        stamp = stamps.stamp_of(rows, key, slug, own, shared.get(key, ""))
        before = kept.targets.get(key)
        if stamp and before and before.stamp == stamp and there.issuperset(before.files):
            writer.keep(before.files)
            made[key] = before
        else:
            jobs.append(Job(key, slug, stamp, own))
    for done in _shown(render_all(jobs, setting, processes), len(jobs)):
        made |= done.made
        report.failures |= done.failures
        report.notes += done.notes
        report.written += done.written
        report.kept += done.kept
        writer.paths.update(path for one in done.made.values() for path in one.files)
    return {key: made[key] for key in names if key in made}


def _companions(release: Release) -> dict[str, dict[str, str]]:
    """Folders of the companions that have a page, by the id of their star and their own."""
    paged = release.query(PAGED)
    folders = slugs(row["companion_id"] for row in paged)
    found: dict[str, dict[str, str]] = {}
    for row in paged:
        found.setdefault(row["target_id"], {})[row["companion_id"]] = folders[row["companion_id"]]
    return found


def _shown(blocks: Iterable[Any], count: int) -> Iterable[Any]:
    return steps(_Sized(blocks, -(-count // BLOCK)), "Rendering targets")


@dataclass(frozen=True)
class _Sized:
    """Blocks of which it is known how many come, so that a bar can show how far it is."""

    blocks: Iterable[Any]
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Any:
        return iter(self.blocks)


def _shared(release: Release) -> Mapping[str, str]:
    """Digest of what the pages of some targets share: charts that show them among all others."""
    shared: dict[str, str] = {}
    for chart in charts():
        if chart.shared:
            rows = release.chart_rows(chart.sql, "")
            digest = stamps.digest(rows)
            for key in {row["target_id"] for row in rows}:
                shared[key] = stamps.digest(shared.get(key), digest)
    return shared
