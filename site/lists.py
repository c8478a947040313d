"""The pages that are not of one target: home, lists, surveys, nights, instruments, data, documentation, feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from lyot.catalog.queries import QUERIES
from lyot.site import feeds, groups, listing, manual, skymap, statistics
from lyot.site.bulk import files_csv
from lyot.site.collected import collected
from lyot.site.index import search_index
from lyot.site.pages import Pages
from lyot.site.quality import quality
from lyot.site.reading import Reading

A_PAGE = 200  # rows of a list


def _home(read: Reading, pages: Pages) -> None:
    featured = sorted(
        (one for one in read.stars if one["best"]), key=lambda one: (one["best"]["simulated"], -one["best"]["snr"])
    )
    pages.write(
        "index.html", "home.html", title="",
        numbers=listing.numbers(read.release), latest=listing.latest(read.release, read.folders), featured=featured[:4],
        as_of=read.about.get("as_of"),
    )  # fmt: skip


def _targets(read: Reading, pages: Pages) -> None:
    """The list of targets, the map of them and the index that makes the list a search."""
    stars = read.stars
    places = ((one["ra"], one["dec"]) for one in stars)
    _paged(pages, "targets", "targets.html", map(_with_names, stars), len(stars), title="Targets", sky=_sky(places))
    pages.writer.write("targets/index.json", search_index(stars))


def _companions(read: Reading, pages: Pages) -> None:
    """The list of companions; a page of their own has only those that are linked."""
    paged = {key: folder for one in read.stars for key, _, folder in one["companions"] if folder}
    found = listing.companions(read.release, read.folders)
    rows = ({**one, "page": paged.get(one["companion_id"])} for one in found)
    count = read.release.count("companion")
    _paged(pages, "companions", "companions.html", rows, count, title="Companions")


def _with_names(one: dict[str, Any]) -> dict[str, Any]:
    """A target as the list shows it, with some of its aliases and the companions that have a page."""
    paged = [(name, page) for _, name, page in one["companions"] if page]
    return {**one, "short": _short(one["aliases"]), "paged": paged}


def _short(aliases: Sequence[str]) -> list[str]:
    return sorted(aliases, key=lambda alias: (alias.startswith("Gaia "), len(alias)))[:3]


def _paged(
    pages: Pages, folder: str, template: str, rows: Iterable[dict[str, Any]], total: int, **context: Any
) -> None:
    """A long list of `total` rows as several pages: `<folder>/`, `<folder>/page/2/` and so on."""
    left, last = iter(rows), max(1, -(-total // A_PAGE))
    for number in range(1, last + 1):
        path = f"{folder}/index.html" if number == 1 else f"{folder}/page/{number}/index.html"
        some = list(islice(left, A_PAGE))
        pages.write(path, template, rows=some, total=total, number=number, last=last, folder=folder, **context)


def _surveys(read: Reading, pages: Pages) -> None:
    surveys = groups.surveys(read.release, read.folders)
    tallies = statistics.by_survey(read.stars)
    numbers = {one["key"]: statistics.reached(tallies[one["name"]]) for one in surveys}
    alone = sum(one["state"][0] == "listed" for one in read.stars)
    pages.write("surveys/index.html", "surveys.html", title="Surveys", groups=surveys, numbers=numbers,
                collected=collected(read.release), alone=alone)  # fmt: skip
    for one in surveys:
        pages.write(f"surveys/{one['slug']}/index.html", "survey.html", title=one["name"], survey=one,
                    numbers=numbers[one["key"]],
                    charts=statistics.of_survey(read.release, one["key"]), sky=_sky(one["places"]))  # fmt: skip


def _instruments(read: Reading, pages: Pages) -> None:
    instruments = groups.instruments(read.release, read.folders)
    pages.write("instruments/index.html", "instruments.html", title="Instruments", groups=instruments)
    for one in instruments:
        pages.write(f"instruments/{one['slug']}/index.html", "instrument.html", title=one["name"], instrument=one,
                    charts=statistics.of_instrument(read.release, one["key"]))  # fmt: skip


def _nights(read: Reading, pages: Pages) -> None:
    nights = []
    for night in groups.nights(read.release, read.folders):
        nights.append({name: night[name] for name in ("date", "observations", "instruments")})
        pages.write(f"nights/{night['date']}/index.html", "night.html", title=f"Night of {night['date']}", night=night)
    years = [(year, list(some)) for year, some in groupby(nights, key=lambda night: night["date"][:4])]
    pages.write("nights/index.html", "nights.html", title="Nights", years=years[::-1])


def _quality(read: Reading, pages: Pages) -> None:
    pages.write("quality/index.html", "quality.html", title="Data quality", tables=quality(read.release))


def _statistics(read: Reading, pages: Pages) -> None:
    pages.write("statistics/index.html", "statistics.html", title="Statistics", numbers=listing.numbers(read.release),
                charts=statistics.of_all(read.release), counts=statistics.counts(read.stars),
                states=statistics.STATES)  # fmt: skip


def _documentation(read: Reading, pages: Pages) -> None:
    """What says the same of every release, but for its year."""
    pages.write("data/cart/index.html", "cart.html", title="Download script")
    pages.write("sql/index.html", "sql.html", title="SQL in the browser", queries=QUERIES, there=read.has_sqlite,
                dictionary=listing.dictionary())  # fmt: skip
    pages.write("docs/dictionary/index.html", "dictionary.html", title="Data dictionary",
                dictionary=listing.dictionary())  # fmt: skip
    manual.write_manual(pages, _year(read))


def _news(read: Reading, pages: Pages) -> None:
    found = feeds.feed(read.release, read.folders, read.about.get("as_of"), pages.base_url)
    pages.writer.write("feed.xml", found)


def _files(read: Reading, pages: Pages) -> None:
    pages.writer.write("data/files.csv", files_csv(read.release))


def _references(read: Reading, pages: Pages) -> None:
    pages.writer.write("data/lyot.bib", feeds.bibtex(read.release, _year(read), pages.base_url))


#: The parts that list or explain.
LISTS: Mapping[str, Callable[[Reading, Pages], None]] = {
    "home": _home, "targets": _targets, "companions": _companions, "surveys": _surveys, "instruments": _instruments,
    "nights": _nights, "quality": _quality, "statistics": _statistics, "documentation": _documentation,
    "news": _news, "files": _files, "references": _references,
}  # fmt: skip


def data(read: Reading, pages: Pages) -> None:
    """The page of the files of whole tables."""
    as_of, made = read.about.get("as_of"), read.data
    pages.write("data/index.html", "data.html", title="Data", formats=made.formats, files=made.files, as_of=as_of,
                described=feeds.dataset(made.files, as_of, pages.base_url))  # fmt: skip


def sitemap(read: Reading, pages: Pages) -> None:
    """Addresses of all pages, where the site has one; a file of a sitemap holds at most fifty thousand."""
    if not pages.base_url:
        return
    for path, text in feeds.sitemap(read.addresses, pages.base_url):
        pages.writer.write(path, text)
    pages.writer.write("robots.txt", f"User-agent: *\nAllow: /\nSitemap: {pages.base_url}/sitemap.xml\n")


def _year(read: Reading) -> str:
    """The year of the release; empty when it does not say."""
    return str(read.about.get("as_of") or "")[:4]


def _sky(places: Iterable[tuple[float | None, float | None]]) -> dict[str, str]:
    """Paths of the map of the sky with stars at those of these places (ra, dec; deg) that are known."""
    return {
        "stars": skymap.stars((ra, dec) for ra, dec in places if ra is not None and dec is not None),
        "grid": skymap.grid(),
        "outline": skymap.outline(),
        "galaxy": skymap.galactic_plane(),
    }
