"""Rendering a release: the baked database and the released files in, a folder of plain files out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyot.progress import steps
from lyot.site import digests, stamps
from lyot.site.addresses import slugs
from lyot.site.assets import assets, has_sqlite
from lyot.site.bulk import Bulk, bulk
from lyot.site.chart import charts
from lyot.site.companion_page import PAGED
from lyot.site.lists import LISTS, data, sitemap
from lyot.site.pages import Pages
from lyot.site.reading import Parts
from lyot.site.release import Release, opened
from lyot.site.stamps import Part, Stamps
from lyot.site.stars import Stars
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
        columns = digests.of_columns(folder, kept.columns)
        stars = _targets(release, kept, columns, setting, writer, there, report, processes)
        report.target_seconds = time.perf_counter() - began
        parts, tables = _rest(release, kept, columns, stars, writer, there, base_url)
    for path, content in assets().items():
        writer.write(path, content)
    report.pages, report.removed = sum(path.endswith(".html") for path in writer.paths), writer.sweep(there)
    report.written, report.kept = report.written + writer.written, report.kept + writer.kept
    if work != place:
        work.rename(place)
    shutil.rmtree(rest, ignore_errors=True)
    now = Stamps(kept.code, columns, parts, tables.known, stars.made)
    if now != kept:
        now.write(rest.with_name(f"{folder.name}.jsonl"))
    report.seconds = time.perf_counter() - began
    return report


def _targets(
    release: Release,
    kept: Stamps,
    columns: Mapping[str, digests.Columns],
    setting: Setting,
    writer: Writer,
    there: set[str],
    report: Report,
    processes: int | None,
) -> Stars:
    """Render the pages of targets that changed; what every target's page left, now or before."""
    folders = slugs(row["target_id"] for row in release.query("SELECT target_id FROM target ORDER BY target_id"))
    companions = _companions(release)
    now = {key: one.stamp for key, one in kept.targets.items() if one.stamp} if columns == kept.columns else {}
    if not now.keys() >= folders.keys():
        rows, shared = digests.of_targets(release.folder), _shared(release)
        now = {
            key: stamps.digest(rows[key], key, slug, companions.get(key, {}), shared.get(key, ""))
            for key, slug in folders.items()
            if key in rows
        }
    made, jobs = {}, []
    for key, slug in folders.items():
        stamp, before = now.get(key, ""), kept.targets.get(key)
        if stamp and before and before.stamp == stamp and there.issuperset(before.files):
            writer.keep(before.files)
            made[key] = before
        else:
            jobs.append(Job(key, slug, stamp, companions.get(key, {})))
    for done in _shown(render_all(jobs, setting, processes), len(jobs)):
        made |= done.made
        report.failures |= done.failures
        report.notes += done.notes
        report.written += done.written
        report.kept += done.kept
        writer.paths.update(path for one in done.made.values() for path in one.files)
    return Stars({key: made[key] for key in folders if key in made}, folders)


def _rest(
    release: Release,
    kept: Stamps,
    columns: Mapping[str, digests.Columns],
    stars: Stars,
    writer: Writer,
    there: set[str],
    base_url: str,
) -> tuple[dict[str, Part], Bulk]:
    """Make the files of whole tables, and what is of no single target, where something changed."""
    about, beside = release.about(), Writer(writer.folder)
    pages = Pages(writer, base_url=base_url, known=kept.keys)
    parts = Parts(release.folder, pages, kept.parts, there, digests.by_name(columns))
    parts.give("about", about, stamps.digest(about))
    parts.give("stars", stars, stars.digest)
    parts.give("folders", stars.folders, stamps.digest(stars.folders))
    parts.give("has_sqlite", has_sqlite(), str(has_sqlite()))
    with ThreadPoolExecutor(1) as pool:
        tables = pool.submit(bulk, release.folder, about, beside, kept.bulk)
        for name, make in LISTS.items():
            parts.make(name, make)
        made = tables.result()
    parts.give("data", made, stamps.digest(made.files))
    parts.make("data", data)
    writer.add(beside)
    addresses = sorted(path for path in writer.paths if path.endswith(".html"))
    parts.give("addresses", addresses, stamps.digest(addresses))
    parts.make("sitemap", sitemap)
    return parts.made, made


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
