"""What a target's page says, gathered from the release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from markupsafe import Markup

from lyot.site.feeds import entry
from lyot.site.figures import encoded, inert
from lyot.site.gallery import View
from lyot.site.release import Release, Row
from lyot.site.target_tables import of_detections, of_observations, of_star, of_values
from lyot.site.values import cited, facts, published, reference_of, references
from lyot.site.words import day, instrument, rank

KEPT = 1000  # records that were read: most reductions of a release have those of others
MOST_VALUES = 40  # published values that stand on the page itself; more have one of their own


def context(release: Release, target: Row, overview: Row, files: Mapping[str, str]) -> dict[str, Any]:
    """All that the template of a target's page says, but for pictures and charts.

    Parameters
    ----------
    files : address in the site of each released file, by product key
    """
    key, name = target["target_id"], target["name"]
    rests = cited(release, target)
    listed, paged = references(release, rests), {key: folder for key, _, folder in overview["companions"]}
    values, whose = numbered(published(release, key), listed), f"{name} and its companions"
    return {
        "target": target,
        "overview": overview,
        "star_table": of_star(name, numbered(facts(release, target), listed)),
        "values": len(values),
        "values_apart": of_values(whose, values, apart=True) if len(values) > MOST_VALUES else "",
        "values_table": of_values(whose, values) if 0 < len(values) <= MOST_VALUES else "",
        "observation_table": of_observations(numbered(observations(release, key), listed)),
        "detection_table": of_detections(numbered(detections(release, key), listed)),
        "companions": [
            {**one, "page": paged.get(one["companion_id"])} for one in numbered(companions(release, key), listed)
        ],
        "downloads": downloads(release, key, files),
        "provenance": provenance(release, key),
        "references": listed,
        "bibtex": "\n".join(map(entry, rests)),
        "quoted_id": key.replace("'", "''"),
        "described": _described(target, overview, listed),
    }


def numbered(rows: list[dict[str, Any]], listed: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The rows, each with the number (`cited`) of its source in the list of references of its page."""
    numbers = _numbers(tuple(listed))
    for row in rows:
        row["cited"] = numbers.get(row["source"][0])
    return rows


@lru_cache(4)  # the tables of a page have one list
def _numbers(listed: tuple[tuple[str, str], ...]) -> dict[str, int]:
    return {citation: place for place, (citation, _) in enumerate(listed, 1)}


def described(
    name: str, description: str, about: Mapping[str, Any], keywords: Sequence[str],
    listed: Sequence[tuple[str, str]], days: tuple[str, str] | None = None,
) -> str:  # fmt: skip
    """A page as a schema.org Dataset, JSON that may stand inside an HTML element; `days` are the first and the last."""
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": name,
        "description": description,
        "keywords": ["high-contrast imaging", "exoplanets", *keywords],
        "isAccessibleForFree": True,
        "about": {"@type": "Thing", **about},
        "includedInDataCatalog": {"@type": "DataCatalog", "name": "Lyot"},
    }
    if days:
        said["temporalCoverage"] = "/".join(days)
    if listed:
        said["citation"] = [citation for citation, _ in listed]
    return inert(encoded(said))


def _described(target: Row, overview: Row, listed: Sequence[tuple[str, str]]) -> str:
    name = target["name"]
    return described(
        f"High-contrast imaging of {name}",
        f"Observations, detections, companions and detection limits near the star {name}.",
        {"name": name, "alternateName": overview["aliases"]},
        [name, *map(instrument, overview["instruments"])],
        listed,
        (overview["first"], overview["last"]) if overview["first"] else None,
    )


def observations(release: Release, target_id: str) -> list[dict[str, Any]]:
    """Observations of a target by date."""
    found = [{**row, "source": reference_of(release, row)} for row in release.of_target("observation", target_id)]
    return sorted(found, key=lambda row: row["date"] or "")


def companions(release: Release, target_id: str) -> list[dict[str, Any]]:
    """Physical objects near a star with the verdicts on them, human ones first."""
    found = []
    for row in release.of_target("companion", target_id):
        verdicts = sorted(
            (v for v in release.of_target("verdict", target_id) if v["companion_id"] == row["companion_id"]),
            key=lambda verdict: verdict["origin"] != "human",
        )
        found.append({**row, "verdicts": verdicts, "source": reference_of(release, row)})
    return sorted(found, key=lambda one: (rank(one["status"]), one["name"]))


def detections(release: Release, target_id: str) -> list[dict[str, Any]]:
    """Point sources of a target by date, each with the name of what it belongs to."""
    names = {row["companion_id"]: row["name"] for row in release.of_target("companion", target_id)}
    reductions = {row["reduction_id"]: row for row in release.of_target("reduction", target_id)}
    observations = {row["observation_id"]: row for row in release.of_target("observation", target_id)}
    found = []
    for row in release.of_target("detection", target_id):
        reduction = reductions.get(row["reduction_id"], {})
        observation = observations.get(row["observation_id"], {})
        found.append(
            {
                **row,
                "companion": names.get(row["companion_id"], row["companion_id"]) or "",
                "date": day(row["mjd"]) or observation.get("date") or "",
                "instrument": observation.get("instrument") or "",
                "made": " ".join(p for p in (reduction.get("recipe"), reduction.get("parameters")) if p),
                "source": reference_of(release, row),
            }
        )
    return sorted(found, key=lambda one: (one["mjd"] or 0.0, one["made"], one["number"] or 0))


def downloads(release: Release, target_id: str, files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Released files of a target with their addresses, sizes and checksums; `files` maps product keys to addresses."""
    return [
        {**row, "address": files[row["product_key"]]}
        for row in release.products(target_id)
        if row["product_key"] in files
    ]


def provenance(release: Release, target_id: str) -> list[dict[str, Any]]:
    """What made each reduction, and how to replay it."""
    products = {row["product_key"]: row for row in release.products(target_id)}
    found = []
    for row in release.of_target("reduction", target_id):
        product = products.get(row["product_key"], {})
        if not row["record"]:
            continue
        settings = "".join(f" --set {part}" for part in _settings(row["record"], row["parameters"] or ""))
        dataset = product.get("dataset", row["observation_id"])
        inputs = _strings(product.get("inputs"))
        made = f"{row['software'] or ''} {row['version'] or ''}"
        when, of = (f", {row['date'][:10]}" if row["date"] else ""), (f", from {', '.join(inputs)}" if inputs else "")
        found.append(
            {
                "name": f"{row['recipe'] or row['algorithm'] or row['reduction_id']} {row['parameters'] or ''}",
                "simulated": row["simulated"],
                "made": f"{made}{when}{of}",
                "replay": f"lyot reduce {dataset} --recipe {row['recipe']}{settings}",
                "record": _shown(row["record"]),
            }
        )
    return found


@lru_cache(KEPT)
def _shown(record: str) -> Markup:
    """A record as it stands in a <pre>, where quotes are plain."""
    return Markup(escape(pretty(record), quote=False))


@lru_cache(KEPT)
def _settings(record: str, parameters: str) -> tuple[str, ...]:
    """What is to be set to make a reduction again, as `ncomp=5`."""
    said = json.loads(record)
    usual = {"strategy": "adi", "collapse": "median", "mask_radius": 0.0}
    outer = [f"{name}={said[name]}" for name, value in usual.items() if said.get(name, value) != value]
    # `ncomp=auto (7)` says what was chosen, too
    named = [part.split("(")[0].strip() for part in parameters.split(",") if "=" in part]
    return (*named, *(one for one in outer if one.split("=")[0] not in {part.split("=")[0] for part in named}))


def overview(
    release: Release, target: Row, views: Sequence[View], slug: str, pages: Mapping[str, str]
) -> dict[str, Any]:
    """Numbers and state of a target: what the search lists and the top of its page says. All of it goes into JSON.

    `pages` are the folders of companions that have a page, by their id.
    """
    key = target["target_id"]
    observed = release.of_target("observation", key)
    found = {(row["reduction_id"], row["number"]) for row in release.of_target("detection", key)}
    statuses = {row["status"] for row in release.of_target("companion", key) if row["status"]} or {
        row["status"] for row in release.of_target("detection", key) if row["status"]
    }
    aliases = [row["alias"] for row in release.of_target("target_alias", key) if row["alias"] != target["name"]]
    surveys = release.surveys
    days = sorted(row["date"][:10] for row in observed if row["date"])
    return {
        "slug": slug,
        "name": target["name"],
        "aliases": aliases,
        "simulated": bool(target.get("simulated")),
        "state": state(release, key, bool(views)),
        "observations": len(observed),
        "detections": len(found),
        "companions": [
            (row["companion_id"], row["name"], pages.get(row["companion_id"], ""))
            for row in release.of_target("companion", key)
        ],
        "instruments": sorted({row["instrument"] for row in observed if row["instrument"]}),
        "setups": sorted({row["setup"] or row["filter"] for row in observed if row["setup"] or row["filter"]}),
        "strategies": sorted({r["strategy"] for r in release.of_target("reduction", key) if r["strategy"]}),
        "surveys": sorted(
            {surveys.get(row["survey_id"], {}).get("name") or row["survey_id"] for row in observed if row["survey_id"]}
        ),
        "statuses": sorted(statuses, key=rank),
        "first": days[0] if days else None,
        "last": days[-1] if days else None,
        "ra": target.get("ra"),
        "dec": target.get("dec"),
        "distance": 1000.0 / target["parallax"] if (target.get("parallax") or 0) > 0 else None,
        "magnitude": target.get("mag_h"),
        "age": target.get("age"),
        "mass": target.get("mass"),
        "best": _best(views),
    }


def _best(views: Sequence[View]) -> dict[str, Any] | None:
    """The picture that shows most, as other pages show it."""
    if not views:
        return None
    view = max(views, key=lambda one: one.best_snr)
    shown = view.pictures[0]
    return {
        "snr": view.best_snr,
        "address": shown.address,
        "overlay": shown.overlay,
        "width": shown.width,
        "height": shown.height,
        "caption": view.caption,
        "simulated": bool(view.reduction.get("simulated")),
        "instrument": view.observation.get("instrument") or "",
        "filter": view.observation.get("filter") or "",
        "date": (view.observation.get("date") or "")[:10],
    }


def state(release: Release, target_id: str, has_images: bool) -> tuple[str, str]:
    """How far a target has come: a word for the style sheet and a sentence."""
    if has_images:
        return "images", "Reduced images are released"
    if release.of_target("detection", target_id):
        return "published", "Published measurements, no image here"
    if release.of_target("observation", target_id):
        return "observed", "Observed, nothing reduced yet"
    return "listed", "Listed, no observation here"


def pretty(text: str) -> str:
    """JSON with indents, or the text as it is when it is none."""
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except ValueError:
        return text


def _strings(text: str | None) -> list[str]:
    try:
        values = json.loads(text or "[]")
    except ValueError:
        return []
    return [str(value) for value in values] if isinstance(values, list) else []
