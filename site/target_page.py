"""What a target's page says, gathered from the release."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lyot.catalog.table import tables
from lyot.site.gallery import View
from lyot.site.release import Release, Row
from lyot.site.words import count, day, declination, number, right_ascension, with_error

KINEMATICS = ("parallax", "pmra", "pmdec", "radial_velocity", "age", "mass")
STATUS_RANK = ("COMPANION", "AMBIGUOUS", "CANDIDATE", "BACKGROUND", "UNDEFINED")


@dataclass(frozen=True)
class Fact:
    """One value of the star as the page shows it."""

    name: str
    value: str
    unit: str
    source: str
    url: str = ""
    preferred: bool = True


def facts(release: Release, target: Row) -> list[Fact]:
    """Astrometry, photometry and what is known of the star, each with its error and reference."""
    columns = {column.name: column for column in tables()["target"].columns}
    source, url = reference_of(release, target)
    found = []
    if target.get("ra") is not None:
        epoch = f"ICRS, epoch {number(target.get('ref_epoch'), 6)}" if target.get("ref_epoch") else "ICRS"
        found += [
            Fact("Right ascension", right_ascension(target["ra"]), epoch, source, url),
            Fact("Declination", declination(target.get("dec")), epoch, source, url),
        ]
    magnitudes = [name for name in columns if name.startswith("mag_") and not name.endswith("_error")]
    for name in (*KINEMATICS, "spectral_type", "moving_group", *magnitudes):
        value = target.get(name)
        if value is None:
            continue
        band = _band(name)
        text = value if isinstance(value, str) else with_error(value, target.get(f"{name}_error"))
        chosen = _published(release, target, "apparent_mag" if band else name, band)
        where = reference_of(release, chosen) if chosen else (source, url)
        heading = f"{band} magnitude" if band else columns[name].doc.split(",")[0]
        found.append(Fact(heading, text, unit_text(columns[name].unit), *where))
        if name == "parallax" and value > 0:
            error = target.get("parallax_error")
            distance = with_error(1000.0 / value, 1000.0 * error / value**2 if error else None)
            found.append(Fact("Distance (1 / parallax)", distance, "pc", *where))
    return found


def _band(name: str) -> str:
    """Photometric band of a column, as `L'` of `mag_lp`; empty when it is no magnitude."""
    return name.removeprefix("mag_").upper().replace("LP", "L'") if name.startswith("mag_") else ""


def _published(release: Release, target: Row, quantity: str, band: str) -> Row | None:
    """The published value of the star that the catalogue prefers, if it is among the measurements."""
    for row in release.of_target("measurement", target["target_id"]):
        same = row["quantity"] == quantity and (row["band"] or "") == band
        if same and not row["companion_id"] and row["preferred"]:
            return row
    return None


def published(release: Release, target_id: str) -> list[dict[str, Any]]:
    """Every published value of a target and its companions, with its reference."""
    names = {row["companion_id"]: row["name"] for row in release.of_target("companion", target_id)}
    found = []
    for row in release.of_target("measurement", target_id):
        source, url = reference_of(release, row)
        found.append(
            {
                "of": names.get(row["companion_id"], row["companion_id"]) or "star",
                "quantity": (row["quantity"] or "").replace("_", " "),
                "band": row["band"] or "",
                "value": (row["limit"] or "") + with_error(row["value"], row["error_minus"], row["error_plus"]),
                "unit": unit_text(row["unit"] or ""),
                "preferred": bool(row["preferred"]),
                "reason": row["preferred_reason"] or "",
                "source": source,
                "url": url,
            }
        )
    return found


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
        settings = "".join(f" --set {part.strip()}" for part in (row["parameters"] or "").split(",") if "=" in part)
        dataset = product.get("dataset", row["observation_id"])
        found.append(
            {
                **row,
                "record": pretty(row["record"]),
                "inputs": ", ".join(_strings(product.get("inputs"))),
                "replay": f"lyot reduce {dataset} --recipe {row['recipe']}{settings}",
            }
        )
    return found


def overview(release: Release, target: Row, views: Sequence[View]) -> dict[str, Any]:
    """Numbers and state of a target: what the search lists and the top of its page says."""
    key = target["target_id"]
    observed = release.of_target("observation", key)
    found = {(row["reduction_id"], row["number"]) for row in release.of_target("detection", key)}
    statuses = Counter(row["status"] for row in release.of_target("companion", key) if row["status"])
    if not statuses:
        statuses = Counter(row["status"] for row in release.of_target("detection", key) if row["status"])
    aliases = [row["alias"] for row in release.of_target("target_alias", key) if row["alias"] != target["name"]]
    surveys = {row["survey_id"]: row["name"] for row in release.tables["survey"]}
    return {
        "state": state(release, key, bool(views)),
        "observations": len(observed),
        "detections": len(found),
        "reductions": len(release.of_target("reduction", key)),
        "companions": len(release.of_target("companion", key)),
        "instruments": sorted({row["instrument"] for row in observed if row["instrument"]}),
        "setups": sorted({row["setup"] or row["filter"] for row in observed if row["setup"] or row["filter"]}),
        "surveys": sorted({surveys.get(row["survey_id"], row["survey_id"]) for row in observed if row["survey_id"]}),
        "statuses": sorted(statuses, key=rank),
        "aliases": aliases,
        "short": sorted(aliases, key=lambda alias: (alias.startswith("Gaia "), len(alias)))[:3],
        "simulated": bool(target.get("simulated")),
        "distance": 1000.0 / target["parallax"] if (target.get("parallax") or 0) > 0 else None,
        "magnitude": target.get("mag_h"),
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


def reference_of(release: Release, row: Row) -> tuple[str, str]:
    """Citation and address of the reference of a row."""
    key = row.get("reference_id")
    url = str(release.references.get(key or "", {}).get("url") or "")
    return release.citation(key), url if url.startswith(("https://", "http://")) else ""


def rank(status: str | None) -> int:
    """Where a status stands in a list."""
    return STATUS_RANK.index(status) if status in STATUS_RANK else len(STATUS_RANK)


def unit_text(unit: str) -> str:
    """A unit as people write it."""
    known = {"'Mjup'": "M_Jup", "solMass": "M☉", "AU": "au", "um": "µm", "arcsec": "″"}
    return known.get(unit, unit)


def pretty(text: str) -> str:
    """JSON with indents, or the text as it is when it is none."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _strings(text: str | None) -> list[str]:
    try:
        values = json.loads(text or "[]")
    except ValueError:
        return []
    return [str(value) for value in values] if isinstance(values, list) else []


def references(release: Release, target: Row) -> list[tuple[str, str]]:
    """Citations and addresses of everything that the page of a target rests on, each once."""
    used: dict[str, tuple[str, str]] = {}
    rows = [target]
    for table in ("observation", "reduction", "detection", "companion", "measurement"):
        rows += release.of_target(table, target["target_id"])
    for row in rows:
        if row.get("reference_id"):
            used.setdefault(row["reference_id"], reference_of(release, row))
    return sorted(used.values())


def filled(rows: Sequence[Row]) -> set[str]:
    """Columns in which any row says something: a page leaves the others out."""
    return {name for row in rows for name, value in row.items() if value not in (None, "", ("", ""))}


def plural(number_of: int, noun: str) -> str:
    """`1 epoch`, `2 epochs`."""
    return f"{count(number_of)} {noun}" if number_of == 1 else f"{count(number_of)} {noun}s"
