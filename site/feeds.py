"""What machines follow: an Atom feed, a sitemap, the release as a Dataset of schema.org, references as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote

from lyot import __version__
from lyot.site.bulk import File
from lyot.site.figures import encoded, inert
from lyot.site.release import Release
from lyot.site.words import day, instrument

A_SITEMAP = 50_000  # addresses of one file, at most, by the protocol
NEWEST = 50
NEWS = """\
SELECT 'reduction' AS what, r.reduction_id AS id, r.target_id, t.name, r.date AS date, r.simulated,
       coalesce(r.recipe, '') || ' ' || coalesce(r.parameters, '') AS how, o.instrument, o.date AS observed
FROM reduction r JOIN target t ON t.target_id = r.target_id
LEFT JOIN observation o ON o.observation_id = r.observation_id
WHERE r.date IS NOT NULL AND r.product_key IS NOT NULL
UNION ALL
SELECT 'verdict', v.companion_id, v.target_id, c.name, v.date, v.simulated, v.status, v.author, v.reason
FROM verdict v JOIN companion c ON c.companion_id = v.companion_id
WHERE v.origin = 'human' AND v.date IS NOT NULL
ORDER BY 5 DESC, 2
LIMIT ?"""
#: Media types of the files of a release.
MEDIA = {
    ".db": "application/vnd.sqlite3", ".parquet": "application/vnd.apache.parquet", ".csv.gz": "text/csv",
    ".vot.gz": "application/x-votable+xml",
}  # fmt: skip
#: What XML cannot hold at all.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def text(value: object) -> str:
    """A value as text of an XML document."""
    return escape(CONTROLS.sub(" ", str(value)))


def feed(release: Release, folders: Mapping[str, str], as_of: str | None, base_url: str) -> str:
    """Reductions and human verdicts, newest first, as an Atom feed (RFC 4287)."""
    rows = release.query(NEWS, NEWEST)
    base = base_url or "http://127.0.0.1:8001"
    entries = "".join(_entry(row, folders, base) for row in rows)
    updated = _instant(rows[0]["date"] if rows else as_of)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>Lyot: what is new</title><id>{text(base)}/feed.xml</id>"
        f'<link rel="self" href="{text(base)}/feed.xml"/><link href="{text(base)}/"/>'
        f"<updated>{updated}</updated><author><name>Lyot</name></author>"
        f'<generator version="{__version__}">Lyot</generator>\n{entries}</feed>\n'
    )


def _entry(row: dict[str, Any], folders: Mapping[str, str], base: str) -> str:
    folder = folders.get(row["target_id"])
    address = f"{base}/targets/{folder}/" if folder else f"{base}/"
    name = f"{row['name']} (simulated)" if row["simulated"] else row["name"]
    if row["what"] == "reduction":
        title = f"{name}: {row['how'].strip() or 'reduction'}"
        says = f"{instrument(row['instrument'])} observation of {(row['observed'] or '')[:10]}".strip()
    else:
        title = f"{name}: {row['how'].lower()}, says {row['instrument'] or 'a person'}"
        says = row["observed"] or ""
    made = _instant(row["date"])
    key = f"{base}/#{row['what']}/{quote(row['id'], safe='')}/{made}"
    return (
        f'<entry><title>{text(title)}</title><id>{text(key)}</id><link href="{text(address)}"/>'
        f"<updated>{made}</updated><summary>{text(says)}</summary></entry>\n"
    )


def _instant(date: str | None) -> str:
    """An ISO day or instant as Atom wants it: with seconds and a zone."""
    if not date or not re.match(r"\d{4}-\d\d-\d\d", date):
        return f"{day(0.0)}T00:00:00Z"
    found = re.match(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d))?", date)
    return f"{found[1]}T{found[2] or '00:00:00'}Z" if found else date


def dataset(files: Sequence[File], as_of: str | None, base_url: str) -> str:
    """The release as a schema.org Dataset with its files, JSON that may stand inside the page of the data."""
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": "Lyot: high-contrast imaging of exoplanets",
        "description": "Observations, reductions, detections, detection limits, companions and verdicts of "
        "high-contrast imaging, every value with its error and its reference.",
        "keywords": ["high-contrast imaging", "direct imaging", "exoplanets", "brown dwarfs", "astrometry"],
        "isAccessibleForFree": True,
        "version": __version__,
        "creator": {"@type": "Organization", "name": "The Lyot developers"},
        "includedInDataCatalog": {"@type": "DataCatalog", "name": "Lyot"},
        "distribution": [_distribution(file, base_url) for file in files],
    }
    if as_of:
        said["dateModified"] = as_of
    if base_url:
        said["url"] = f"{base_url}/data/"
    return inert(encoded(said))


def _distribution(file: File, base_url: str) -> dict[str, str]:
    """A file of the release; its address is seen from `data/` when the site has none of its own yet."""
    return {
        "@type": "DataDownload",
        "name": file.address.rpartition("/")[2],
        "description": file.doc,
        "encodingFormat": next(media for ending, media in MEDIA.items() if file.address.endswith(ending)),
        "contentUrl": f"{base_url}/{file.address}" if base_url else file.address.removeprefix("data/"),
        "contentSize": f"{file.size} B",
        "sha256": file.sha256,
    }


def sitemap(paths: Sequence[str], base_url: str) -> Iterator[tuple[str, str]]:
    """Files of the sitemap with their paths: one, or several and an index of them."""
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    parts = [paths[first : first + A_SITEMAP] for first in range(0, len(paths), A_SITEMAP)]
    for number, part in enumerate(parts):
        urls = "".join(
            f"<url><loc>{text(base_url)}/{quote(path.removesuffix('index.html'))}</loc></url>\n" for path in part
        )
        name = "sitemap.xml" if len(parts) == 1 else f"sitemap-{number + 1}.xml"
        yield name, f"{head}<urlset {space}>\n{urls}</urlset>\n"
    if len(parts) > 1:
        listed = "".join(
            f"<sitemap><loc>{text(base_url)}/sitemap-{number + 1}.xml</loc></sitemap>" for number in range(len(parts))
        )
        yield "sitemap.xml", f"{head}<sitemapindex {space}>{listed}</sitemapindex>\n"


def bibtex(release: Release, year: str, base_url: str) -> str:
    """Lyot, with the year of the release, and every reference."""
    found = [lyot_entry(base_url, year)]
    found += [entry(row) for _, row in sorted(release.references.items())]
    return "\n".join(found)


def lyot_entry(base_url: str, year: str) -> str:
    """How one cites the archive."""
    lines = [
        "title = {Lyot: an open data centre for high-contrast imaging of exoplanets}",
        "author = {{The Lyot developers}}",
        *([f"year = {{{year}}}"] if year else []),
        f"version = {{{__version__}}}",
        *([f"url = {{{base_url}/}}"] if base_url else []),
    ]
    return "@misc{lyot,\n  " + ",\n  ".join(lines) + "\n}\n"


def entry(row: dict[str, Any]) -> str:
    """A row of `reference` as BibTeX: what is known is the citation as one writes it, and where it is."""
    return _bibtex(str(row["reference_id"]), str(row["citation"]), row.get("year"), str(row.get("url") or ""))


@lru_cache(10_000)
def _bibtex(reference_id: str, citation: str, year: int | None, url: str) -> str:
    key = re.sub(r"[^A-Za-z0-9:.+-]+", "-", reference_id).strip("-") or "reference"
    lines = [f"note = {{{_tex(citation)}}}"]
    if year:
        lines.append(f"year = {{{year}}}")
    if url.startswith(("https://", "http://")):
        lines.append(f"url = {{{quote(url, safe=':/?#[]@!$&()*+,;=%~.-_')}}}")
    return f"@misc{{{key},\n  " + ",\n  ".join(lines) + "\n}\n"


def _tex(value: str) -> str:
    """Text without what TeX reads as its own."""
    special = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {character: f"\\{character}" for character in "#$%&_"}
    return "".join(special.get(character, character) for character in CONTROLS.sub(" ", value))
