"""Values of a star: those that the catalogue prefers, and all that were published; and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from lyot.catalog.table import tables
from lyot.site.release import Release, Row
from lyot.site.words import declination, number, right_ascension, with_error

KINEMATICS = ("parallax", "pmra", "pmdec", "radial_velocity", "age", "mass")


def facts(release: Release, target: Row) -> list[dict[str, Any]]:
    """Astrometry, photometry and what is known of the star: name, value with its error, unit and source of each."""
    source = reference_of(release, target)
    found: list[dict[str, Any]] = []
    chosen = _preferred(release, target)

    def say(name: str, value: str, unit: str, where: tuple[str, str] = source) -> None:
        found.append({"name": name, "value": value, "unit": unit, "source": where})

    if target.get("ra") is not None:
        epoch = f"ICRS, epoch {number(target.get('ref_epoch'), 6)}" if target.get("ref_epoch") else "ICRS"
        say("Right ascension", right_ascension(target["ra"]), epoch)
        say("Declination", declination(target.get("dec")), epoch)
    for name, heading, unit, band in _quantities():
        value = target.get(name)
        if value is None:
            continue
        text = value if isinstance(value, str) else with_error(value, target.get(f"{name}_error"))
        best = chosen.get(("apparent_mag" if band else name, band))
        where = reference_of(release, best) if best else source
        say(heading, text, unit, where)
        if name == "parallax" and value > 0:
            error = target.get("parallax_error")
            distance = with_error(1000.0 / value, 1000.0 * error / value**2 if error else None)
            say("Distance (1 / parallax)", distance, "pc", where)
    return found


@cache
def _quantities() -> tuple[tuple[str, str, str, str], ...]:
    """Columns of a star that its page shows: name, heading, unit, and band of what is a magnitude."""
    columns = {column.name: column for column in tables()["target"].columns}
    magnitudes = [name for name in columns if name.startswith("mag_") and not name.endswith("_error")]
    names = (*KINEMATICS, "spectral_type", "moving_group", *magnitudes)
    return tuple(
        (name, f"{_band(name)} magnitude" if _band(name) else columns[name].doc.split(",")[0],
         unit_text(columns[name].unit), _band(name))
        for name in names
    )  # fmt: skip


def _band(name: str) -> str:
    """Photometric band of a column, as `L'` of `mag_lp`; empty when it is no magnitude."""
    return name.removeprefix("mag_").upper().replace("LP", "L'") if name.startswith("mag_") else ""


def _preferred(release: Release, target: Row) -> dict[tuple[str, str], Row]:
    """The published values of the star that the catalogue prefers, by quantity and band."""
    found: dict[tuple[str, str], Row] = {}
    for row in release.of_target("measurement", target["target_id"]):
        if row["preferred"] and not row["companion_id"]:
            found.setdefault((row["quantity"], row["band"] or ""), row)
    return found


def published(release: Release, target_id: str) -> list[dict[str, Any]]:
    """Every published value of a target and its companions, with its reference."""
    names = {row["companion_id"]: row["name"] for row in release.of_target("companion", target_id)}
    found = []
    for row in release.of_target("measurement", target_id):
        found.append(
            {
                "companion_id": row["companion_id"],
                "of": names.get(row["companion_id"], row["companion_id"]) or "star",
                "quantity": (row["quantity"] or "").replace("_", " "),
                "band": row["band"] or "",
                "value": (row["limit"] or "") + with_error(row["value"], row["error_minus"], row["error_plus"]),
                "unit": unit_text(row["unit"] or ""),
                "preferred": bool(row["preferred"]),
                "reason": row["preferred_reason"] or "",
                "source": reference_of(release, row),
            }
        )
    return found


def unit_text(unit: str) -> str:
    """A unit as people write it."""
    known = {"'Mjup'": "M_Jup", "solMass": "M☉", "AU": "au", "um": "µm", "arcsec": "″"}
    return known.get(unit, unit)


def reference_of(release: Release, row: Row) -> tuple[str, str]:
    """Citation and address of the reference of a row."""
    return release.source(row.get("reference_id"))


def cited(release: Release, target: Row) -> list[Row]:
    """Rows of `reference` of everything that the page of a target rests on, each once."""
    rows = [target]
    for table in ("observation", "reduction", "detection", "companion", "measurement"):
        rows += release.of_target(table, target["target_id"])
    keys = {row["reference_id"] for row in rows if row.get("reference_id")}
    return [release.references.get(key, {"reference_id": key, "citation": key}) for key in sorted(keys)]


def references(release: Release, rests: Sequence[Row]) -> list[tuple[str, str]]:
    """Citations and addresses of the rows of `reference` that a page rests on."""
    return sorted(reference_of(release, row) for row in rests)
