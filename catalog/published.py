"""The project's own facts: published values, typed in with their references, as one document for `exchange`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from lyot.product import slug
from lyot.sky import DAY_ERROR

Row = dict[str, Any]

RELEASED = "2025-01-01"  # they are published; the day from which Lyot shows them
FIELD = "sanghi-2023"  # where the field dwarfs were compiled
BANDS = ("B", "V", "R", "I", "J", "H", "K", "L'")  # of stars, in `target`
MEAN_MOTION = (
    "mean motion between Hipparcos and Gaia: over 25 years a companion pulls its host to and fro, the mean stays"
)


def facts(name: str) -> list[dict[str, str]]:
    """Rows of one of the files of `catalog/facts`, as text; empty means unknown."""
    text = files("lyot.catalog").joinpath("facts", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def published_document() -> dict[str, Any]:
    """All of the facts, as a document of `exchange`."""
    stars, companions = facts("host_stars"), facts("companions")
    photometry, astrometry = facts("photometry"), facts("relative_astrometry")
    return {
        "about": "Published values, typed in with their references.",
        "release_date": RELEASED,
        "references": [_said(row) for row in facts("references")],
        "field_dwarfs": [_said(row) | {"reference_id": FIELD} for row in facts("field_dwarfs")],
        "targets": [_target(star, companions, photometry) for star in stars],
        "companions": [
            *(_companion(row, photometry) for row in companions),
            *_only_positions(astrometry, {row["companion"] for row in companions}),
        ],
        "observations": _observations(astrometry),
    }


def _said(row: Mapping[str, str]) -> Row:
    return {name: value for name, value in row.items() if value}


def _value(quantity: str, value: str, minus: str, plus: str, unit: str, reference: str, **more: Any) -> list[Row]:
    """A measurement, or none where there is no value."""
    if not value:
        return []
    said = {"quantity": quantity, "value": value, "error_minus": minus, "error_plus": plus, "unit": unit}
    return [_said(said) | {"reference_id": reference, "preferred": True} | more]


# ---- stars ---------------------------------------------------------------------------------------------------------


def _target(star: Mapping[str, str], companions: list[dict[str, str]], photometry: list[dict[str, str]]) -> Row:
    name = star["name"]
    own = [row for row in companions if row["host"] == name]
    magnitudes = [row for row in photometry if row["object"] == name]
    target = {
        "name": name,
        "aliases": _aliases(star),
        "reference_id": star["position_reference"] or star["reference"],
        **_said({n: star[n] for n in ("ra", "dec", "ref_epoch", "parallax", "parallax_error", "spectral_type")}),
        **_said(_motion(star)),
    }
    if own:
        age, low, high = own[0]["age"], own[0]["age_minus"], own[0]["age_plus"]
        target |= _said({"mass": own[0]["host_mass"], "mass_error": own[0]["host_mass_plus"], "age": age})
        if age and low and high:
            target |= {"age_min": float(age) - float(low), "age_max": float(age) + float(high)}
    for row in magnitudes:
        band = row["band"].lower().replace("'", "p")
        target |= _said({f"mag_{band}": row["magnitude"], f"mag_{band}_error": row["magnitude_error"]})
    target["measurements"] = _of_star(star, own[0] if own else None, magnitudes)
    return target


def _aliases(star: Mapping[str, str]) -> list[str]:
    names = [star["name"], *(alias.strip() for alias in star["aliases"].split(";") if alias.strip())]
    if star["hip"]:
        names.append(f"HIP {star['hip']}")
    names.append(f"Gaia DR3 {star['gaia_dr3']}")
    return list(dict.fromkeys(names))


def _motion(star: Mapping[str, str]) -> dict[str, str]:
    """Proper motion that the catalogue uses: the Hipparcos–Gaia mean where it is known."""
    which = "mean" if star["pmra_mean"] else "gaia"
    return {
        f"{name}{ending}": star[f"{name}_{which}{ending}"] for name in ("pmra", "pmdec") for ending in ("", "_error")
    }


def _of_star(
    star: Mapping[str, str], companion: Mapping[str, str] | None, magnitudes: list[dict[str, str]]
) -> list[Row]:
    reference, error = star["reference"], star["parallax_error"]
    rows = _value("parallax", star["parallax"], error, error, "mas", reference)
    for which, number in (("mean", 0), ("gaia", 1)):
        preferred = which == "mean" or not star["pmra_mean"]
        why = MEAN_MOTION if which == "mean" else "the only one known" if preferred else ""
        for name in ("pmra", "pmdec"):
            error = star[f"{name}_{which}_error"]
            rows += _value(
                name, star[f"{name}_{which}"], error, error, "mas/yr", reference,
                number=number, preferred=preferred, **_said({"preferred_reason": why}),
            )  # fmt: skip
    for row in magnitudes:
        rows += _magnitude(row)
    if companion:
        c = companion
        rows += _value("age", c["age"], c["age_minus"], c["age_plus"], "Myr", c["reference"])
        rows += _value("mass", c["host_mass"], c["host_mass_minus"], c["host_mass_plus"], "solMass", c["reference"])
    return rows


def _magnitude(row: Mapping[str, str]) -> list[Row]:
    """A magnitude; of several in one filter the most precise is preferred elsewhere, the first is here."""
    error, number = row["magnitude_error"], int(row["number"])
    return _value(
        "apparent_mag", row["magnitude"], error, error, "mag", row["reference"],
        band=row["band"], number=number, preferred=number == 0,
    )  # fmt: skip


# ---- companions ----------------------------------------------------------------------------------------------------


def _companion(row: Mapping[str, str], photometry: list[dict[str, str]]) -> Row:
    reference = row["reference"]
    measurements = _value("mass", row["mass"], row["mass_minus"], row["mass_plus"], "Mjup", reference)
    measurements += _value(
        "semi_major_axis", row["semi_major_axis"], row["semi_major_axis_minus"], row["semi_major_axis_plus"], "AU",
        reference,
    )  # fmt: skip
    for magnitude in photometry:
        if magnitude["object"] == row["companion"]:
            measurements += _magnitude(magnitude)
    values = {
        "mass": row["mass"],
        "mass_error": _larger(row["mass_minus"], row["mass_plus"]),
        "semi_major_axis": row["semi_major_axis"],
        "semi_major_axis_error": _larger(row["semi_major_axis_minus"], row["semi_major_axis_plus"]),
    }
    return {
        "name": row["companion"], "target_id": slug(row["host"]), "reference_id": reference,
        **_said(values), "measurements": measurements,
    }  # fmt: skip


def _larger(minus: str, plus: str) -> str:
    """One error for two unequal ones: the larger, never too sure."""
    return max(minus, plus, key=lambda text: float(text or 0.0))


def _only_positions(astrometry: list[dict[str, str]], known: set[str]) -> list[Row]:
    """Objects of which nothing but positions is in the facts."""
    hosts = {row["companion"]: row for row in astrometry if row["companion"] not in known}
    return [
        {"name": name, "target_id": slug(row["host"]), "reference_id": row["reference"]} for name, row in hosts.items()
    ]


# ---- positions -----------------------------------------------------------------------------------------------------


def _observations(astrometry: list[dict[str, str]]) -> list[Row]:
    """One observation per star, instrument and time; positions of one object at once are of several reductions."""
    observations: dict[str, Row] = {}
    for row in astrometry:
        identifier = f"literature/{slug(row['host'])}/{row['instrument'] or 'unknown'}-{row['mjd']}"
        observation = observations.setdefault(
            identifier,
            {
                "observation_id": identifier, "target_name": row["host"], "mjd": row["mjd"],
                "reference_id": row["reference"], "reductions": [],
                **_said({"instrument": row["instrument"]}),
                **({"mjd_error": DAY_ERROR} if float(row["mjd"]).is_integer() else {}),  # a day, not an instant
            },
        )  # fmt: skip
        _add(observation["reductions"], _position(row))
    return list(observations.values())


def _add(reductions: list[Row], detection: Row) -> None:
    """Put a detection into the first reduction that does not have its object yet."""
    for reduction in reductions:
        if all(other["companion_id"] != detection["companion_id"] for other in reduction["detections"]):
            reduction["detections"].append(detection)
            return
    reductions.append({"software": "literature", "algorithm": "published position", "detections": [detection]})


def _position(row: Mapping[str, str]) -> Row:
    names = ("separation", "position_angle", "dra", "ddec")
    measured = {f"{name}{ending}": row[f"{name}{ending}"] for name in names for ending in ("", "_error")}
    return {
        "companion_id": slug(row["companion"]),
        "reference_id": row["reference"],
        **_said(measured | {"dra_ddec_correlation": row["correlation"]}),
    }
