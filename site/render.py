"""Rendering a release: the baked database and the released files in, a folder of plain files out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lyot import __version__
from lyot.errors import LyotError
from lyot.progress import steps
from lyot.site import listing, target_page
from lyot.site.addresses import slugs
from lyot.site.assets import assets
from lyot.site.chart import Subject, charts
from lyot.site.downloads import bulk, checksums, fetch
from lyot.site.figures import figure
from lyot.site.gallery import View, by_observation, views
from lyot.site.pages import Pages
from lyot.site.release import Release, Row, opened
from lyot.site.writer import Writer
from lyot.store import Store


@dataclass
class Report:
    """What was rendered: pages, files written and kept, files removed, and what went wrong, by page."""

    pages: int = 0
    written: int = 0
    kept: int = 0
    removed: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    """What a target's page gave to the pages that list targets."""

    overview: dict[str, Any]
    views: list[View]


def render(release_folder: Path | str, store: Store, base_url: str = "") -> Report:
    """Render `site/` inside a release folder from its `lyot.db` and the released files of the store.

    Parameters
    ----------
    release_folder : Path
        As `out/public`; holds `lyot.db`, and `parquet/` when tables were written.
    store : Store
        Where the FITS files of the released products are.
    base_url : str
        Public address of the site, for canonical links and citations; links inside are always relative.

    Raises
    ------
    NotFound
        If the folder holds no release.
    """
    began = time.perf_counter()
    folder = Path(release_folder)
    report = Report()
    with opened(folder) as release:
        writer = Writer(folder / "site")
        names = slugs(row["target_id"] for row in release.tables["target"])
        pages = Pages(writer, base_url=base_url, common=_common(release))
        shown = {}
        for target in steps(release.tables["target"], "Rendering targets"):
            address = f"targets/{names[target['target_id']]}"
            try:
                shown[target["target_id"]] = _target(release, target, address, store, pages, report)
            except (LyotError, ValueError, TypeError, KeyError, ArithmeticError, sqlite3.Error) as error:
                # one broken page fails by its name; the others are rendered
                report.failures[f"{address}/"] = f"{type(error).__name__}: {error}"
        _lists(release, pages, {key: names[key] for key in shown}, shown)
        for path, content in assets().items():
            writer.write(path, content)
        report.pages, report.removed = pages.count, writer.sweep()
        report.written, report.kept = writer.written, writer.kept
    report.seconds = time.perf_counter() - began
    return report


def _common(release: Release) -> dict[str, Any]:
    """What every page says: version, and the day of the release."""
    return {"version": __version__, "released": release.about.get("as_of")}


def _target(release: Release, target: Row, address: str, store: Store, pages: Pages, report: Report) -> Shown:
    key = target["target_id"]
    files, addresses, missing = fetch(release.products(key), store, pages.writer)
    report.notes += [f"{address}: {name} is not in the store" for name in missing]
    pictures = views(release, target, files, pages.writer)
    overview = target_page.overview(release, target, pictures)
    observations = target_page.observations(release, key)
    detections, references = target_page.detections(release, key), target_page.references(release, target)
    pages.write(
        f"{address}/index.html",
        "target.html",
        title=target["name"],
        target=target,
        overview=overview,
        facts=target_page.facts(release, target),
        published=target_page.published(release, key),
        observations=observations,
        used=target_page.filled(observations) | target_page.filled(detections),
        numbers={source[0]: place for place, source in enumerate(references, 1)},
        views=by_observation(pictures),
        figures=[figure(chart, release, Subject(target)) for chart in charts()],
        companions=target_page.companions(release, key),
        detections=detections,
        downloads=target_page.downloads(release, key, addresses),
        provenance=target_page.provenance(release, key),
        references=references,
    )
    return Shown(overview, pictures)


def _lists(release: Release, pages: Pages, names: Mapping[str, str], shown: Mapping[str, Shown]) -> None:
    targets = sorted((row for row in release.tables["target"] if row["target_id"] in shown), key=lambda r: r["name"])
    overviews = {key: one.overview for key, one in shown.items()}
    featured = sorted(
        ((row, names[row["target_id"]], view) for row in targets for view in shown[row["target_id"]].views),
        key=lambda one: (bool(one[0].get("simulated")), -one[2].best_snr),
    )
    pages.write(
        "index.html", "home.html", title="",
        numbers=listing.numbers(release), latest=listing.latest(release, names),
        featured=_one_a_target(featured)[:4], year=datetime.now(UTC).year,
    )  # fmt: skip
    pages.write("targets/index.html", "targets.html", title="Targets", targets=targets, slugs=names,
                overviews=overviews)  # fmt: skip
    pages.writer.write("targets/index.json", listing.search_index(targets, overviews, names))
    pages.write("surveys/index.html", "surveys.html", title="Surveys", surveys=listing.surveys(release, names))
    pages.write("companions/index.html", "companions.html", title="Companions",
                companions=listing.companions(release, names))  # fmt: skip
    files = bulk(release, pages.writer)
    pages.writer.write("data/SHA256SUMS", checksums(files))
    pages.write("data/index.html", "data.html", title="Data", files=files)
    pages.write("docs/index.html", "docs.html", title="Documentation", dictionary=listing.dictionary())
    pages.write("docs/dictionary/index.html", "dictionary.html", title="Data dictionary",
                dictionary=listing.dictionary())  # fmt: skip


def _one_a_target(featured: list[tuple[Row, str, View]]) -> list[tuple[Row, str, View]]:
    best: dict[str, tuple[Row, str, View]] = {}
    for one in featured:
        best.setdefault(one[1], one)
    return list(best.values())
