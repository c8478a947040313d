"""The pages that are not of one target: home, lists, surveys, nights, instruments, data, documentation, feeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from lyot.catalog.queries import QUERIES
from lyot.site import groups, listing, manual, skymap, statistics
from lyot.site.assets import has_sqlite
from lyot.site.bulk import Bulk, files_csv
from lyot.site.feeds import bibtex, dataset, feed, sitemap
from lyot.site.index import search_index
from lyot.site.pages import Pages
from lyot.site.quality import quality
from lyot.site.release import Release
from lyot.site.target_tables import of_night

A_PAGE = 200  # rows of a list


def write_lists(
    release: Release, pages: Pages, overviews: Mapping[str, dict[str, Any]], data: Bulk, others: Sequence[str]
) -> None:
    """Every page that lists or explains.

    Parameters
    ----------
    overviews : what `target_page.overview` says of each target that has a page, by its id
    data : the files of whole tables
    others : paths of all pages that are not written here
    """
    ordered = sorted(overviews.values(), key=lambda one: (one["name"].casefold(), one["slug"]))
    folders = {key: one["slug"] for key, one in overviews.items()}
    _home(release, pages, ordered, folders)
    _search(pages, ordered)
    _companions(release, pages, ordered, folders)
    _groups(release, pages, ordered, folders)
    pages.write("data/index.html", "data.html", title="Data", formats=data.formats, files=data.files,
                as_of=release.about.get("as_of"),
                described=dataset(release, data.files, pages.base_url))  # fmt: skip
    pages.write("data/cart/index.html", "cart.html", title="Download script")
    pages.write("sql/index.html", "sql.html", title="SQL in the browser", queries=QUERIES, there=has_sqlite(),
                dictionary=listing.dictionary())  # fmt: skip
    pages.write("docs/dictionary/index.html", "dictionary.html", title="Data dictionary",
                dictionary=listing.dictionary())  # fmt: skip
    manual.write_manual(pages, year=str(release.about.get("as_of") or "")[:4])
    pages.writer.write("feed.xml", feed(release, folders, pages.base_url))
    pages.writer.write("data/files.csv", files_csv(release))
    pages.writer.write("data/lyot.bib", bibtex(release, pages.base_url))
    if pages.base_url:
        _sitemap(pages, [*pages.keys, *others])


def _home(
    release: Release, pages: Pages, overviews: Sequence[dict[str, Any]], folders: dict[str, str]
) -> None:
    featured = sorted(
        (one for one in overviews if one["best"]), key=lambda one: (one["best"]["simulated"], -one["best"]["snr"])
    )
    pages.write(
        "index.html", "home.html", title="",
        numbers=listing.numbers(release), latest=listing.latest(release, folders), featured=featured[:4],
        as_of=release.about.get("as_of"),
    )  # fmt: skip


def _search(pages: Pages, overviews: Sequence[dict[str, Any]]) -> None:
    """The list of targets, the map of them and the index that makes the list a search."""
    places = [(one["ra"], one["dec"]) for one in overviews if one["ra"] is not None and one["dec"] is not None]
    _paged(pages, "targets", "targets.html", overviews, _with_names, title="Targets", sky=_sky(places))
    pages.writer.write("targets/index.json", search_index(overviews))


def _companions(
    release: Release, pages: Pages, overviews: Sequence[dict[str, Any]], folders: dict[str, str]
) -> None:
    """The list of companions; a page of their own has only those that are linked."""
    paged = {key: folder for one in overviews for key, _, folder in one["companions"]}
    found = listing.companions(release, folders)
    _paged(pages, "companions", "companions.html", found,
           lambda one: {**one, "page": paged.get(one["companion_id"])}, title="Companions")  # fmt: skip


def _with_names(one: dict[str, Any]) -> dict[str, Any]:
    """A target as the list shows it, with some of its aliases and the companions that have a page."""
    paged = [(name, page) for _, name, page in one["companions"] if page]
    return {**one, "short": _short(one["aliases"]), "paged": paged}


def _short(aliases: Sequence[str]) -> list[str]:
    return sorted(aliases, key=lambda alias: (alias.startswith("Gaia "), len(alias)))[:3]


def _paged(
    pages: Pages, folder: str, template: str, rows: Sequence[dict[str, Any]],
    shown: Callable[[dict[str, Any]], dict[str, Any]], **context: Any,
) -> None:  # fmt: skip
    """A long list as several pages: `<folder>/`, `<folder>/page/2/` and so on, with the rows as they are `shown`."""
    last = max(1, -(-len(rows) // A_PAGE))
    for number in range(1, last + 1):
        path = f"{folder}/index.html" if number == 1 else f"{folder}/page/{number}/index.html"
        some = [shown(row) for row in rows[(number - 1) * A_PAGE : number * A_PAGE]]
        pages.write(path, template, rows=some, total=len(rows), number=number, last=last, folder=folder, **context)


def _groups(
    release: Release, pages: Pages, overviews: Sequence[dict[str, Any]], folders: dict[str, str]
) -> None:
    """Pages of surveys, instruments and nights, and the statistics of all."""
    surveys, instruments = groups.surveys(release, folders), groups.instruments(release, folders)
    pages.write("surveys/index.html", "surveys.html", title="Surveys", groups=surveys)
    for one in surveys:
        own = [star for star in overviews if one["name"] in star["surveys"]]
        pages.write(f"surveys/{one['slug']}/index.html", "survey.html", title=one["name"], survey=one,
                    numbers=statistics.reached(own), charts=statistics.of_survey(release, one["key"]),
                    sky=_sky([place for place in one["places"] if None not in place]))  # fmt: skip
    pages.write("instruments/index.html", "instruments.html", title="Instruments", groups=instruments)
    for one in instruments:
        pages.write(f"instruments/{one['slug']}/index.html", "instrument.html", title=one["name"], instrument=one,
                    charts=statistics.of_instrument(release, one["key"]))  # fmt: skip
    nights = []
    for night in groups.nights(release, folders):
        nights.append({name: night[name] for name in ("date", "observations", "instruments")})
        pages.write(f"nights/{night['date']}/index.html", "night.html", title=f"Night of {night['date']}", night=night,
                    table=of_night(night["rows"]))  # fmt: skip
    years = [(year, list(some)) for year, some in groupby(nights, key=lambda night: night["date"][:4])]
    pages.write("nights/index.html", "nights.html", title="Nights", years=years[::-1])
    pages.write("quality/index.html", "quality.html", title="Data quality", tables=quality(release))
    pages.write("statistics/index.html", "statistics.html", title="Statistics", numbers=listing.numbers(release),
                charts=statistics.of_all(release), counts=statistics.counts(overviews),
                states=statistics.STATES)  # fmt: skip


def _sky(places: Sequence[tuple[float, float]]) -> dict[str, str]:
    """Paths of the map of the sky with stars at these places (ra, dec; deg)."""
    return {
        "stars": skymap.stars(places),
        "grid": skymap.grid(),
        "outline": skymap.outline(),
        "galaxy": skymap.galactic_plane(),
    }


def _sitemap(pages: Pages, paths: Sequence[str]) -> None:
    """Addresses of all pages; a file of a sitemap holds at most fifty thousand."""
    for path, text in sitemap(paths, pages.base_url):
        pages.writer.write(path, text)
    pages.writer.write("robots.txt", f"User-agent: *\nAllow: /\nSitemap: {pages.base_url}/sitemap.xml\n")
