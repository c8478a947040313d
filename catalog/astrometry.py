"""Separation and position angle against offsets East and North, with their errors and correlation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lyot.errors import BadInput


def offsets(separation: float, position_angle: float) -> tuple[float, float]:
    """Offsets (East, North) in the unit of `separation` of a source at `position_angle` (deg East of North)."""
    angle = math.radians(position_angle)
    return separation * math.sin(angle), separation * math.cos(angle)


def polar(dra: float, ddec: float) -> tuple[float, float]:
    """Separation, in the unit of the offsets, and position angle (0–360 deg East of North)."""
    return math.hypot(dra, ddec), math.degrees(math.atan2(dra, ddec)) % 360.0


def offset_errors(
    separation: float, position_angle: float, separation_error: float, position_angle_error: float
) -> tuple[float, float, float]:
    """Errors of the offsets (East, North) and their correlation, to first order, from independent polar errors."""
    angle = math.radians(position_angle)
    radial, tangential = separation_error**2, (separation * math.radians(position_angle_error)) ** 2
    east = radial * math.sin(angle) ** 2 + tangential * math.cos(angle) ** 2
    north = radial * math.cos(angle) ** 2 + tangential * math.sin(angle) ** 2
    both = (radial - tangential) * math.sin(angle) * math.cos(angle)
    scale = math.sqrt(east * north)
    return math.sqrt(east), math.sqrt(north), both / scale if scale > 0 else 0.0


def polar_errors(
    dra: float, ddec: float, dra_error: float, ddec_error: float, correlation: float
) -> tuple[float, float]:
    """Errors of separation (unit of the offsets) and position angle (deg), to first order."""
    separation = math.hypot(dra, ddec)
    sine, cosine = dra / separation, ddec / separation
    east, north, both = dra_error**2, ddec_error**2, correlation * dra_error * ddec_error
    radial = east * sine**2 + north * cosine**2 + 2 * both * sine * cosine
    tangential = east * cosine**2 + north * sine**2 - 2 * both * sine * cosine
    return math.sqrt(max(radial, 0.0)), math.degrees(math.sqrt(max(tangential, 0.0)) / separation)


def complete(row: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """A detection with both forms of its position; the form that was given stays as it was given.

    Raises
    ------
    BadInput
        If half a position is given, the star's own place, or two forms that are two places.
    """
    polar_given, flat_given = ("separation" in row, "position_angle" in row), ("dra" in row, "ddec" in row)
    for given, names in ((polar_given, ("separation", "position_angle")), (flat_given, ("dra", "ddec"))):
        if any(given) and not all(given):
            missing = names[given.index(False)]
            raise BadInput(f"{path}: {missing} is missing", hint=f"{' and '.join(names)} belong together")
    if all(polar_given) and all(flat_given):
        _agree(row, path)
        return _with_both_errors(row)
    if not any((*polar_given, *flat_given)):
        return dict(row)
    return _with_offsets(row) if all(polar_given) else _with_polar(row, path)


def _agree(row: Mapping[str, Any], path: str) -> None:
    """Both forms of a position are one place, as far as they are rounded: what a release is checked for, too."""
    separation, angle = float(row["separation"]), float(row["position_angle"])
    other, direction = polar(float(row["dra"]), float(row["ddec"]))
    turn = abs((direction - angle + 180.0) % 360.0 - 180.0)
    if abs(other - separation) > max(1.0, separation / 100) or turn > 2.0:
        raise BadInput(
            f"{path}: dra and ddec are at {other:.1f} mas and {direction:.1f}°, "
            f"separation and position_angle say {separation:.1f} mas and {angle:.1f}°",
            hint="East is positive, angles grow from North through East; is a sign or a unit wrong?",
        )


def _with_both_errors(row: Mapping[str, Any]) -> dict[str, Any]:
    """A detection with both forms of its position: the form that has no errors takes those of the other."""
    polar_known = {"separation_error", "position_angle_error"} <= row.keys()
    flat_known = {"dra_error", "ddec_error"} <= row.keys()
    if polar_known == flat_known:
        return dict(row)
    errors = _with_offsets(row) if polar_known else _with_polar(row, "")
    return {**errors, **row}


def _with_offsets(row: Mapping[str, Any]) -> dict[str, Any]:
    done = dict(row)
    place = float(row["separation"]), float(row["position_angle"])
    done["dra"], done["ddec"] = offsets(*place)
    if "separation_error" in row and "position_angle_error" in row:
        errors = offset_errors(*place, float(row["separation_error"]), float(row["position_angle_error"]))
        done["dra_error"], done["ddec_error"], done["dra_ddec_correlation"] = errors
    return done


def _with_polar(row: Mapping[str, Any], path: str) -> dict[str, Any]:
    done = dict(row)
    place = float(row["dra"]), float(row["ddec"])
    done["separation"], done["position_angle"] = polar(*place)
    if done["separation"] == 0:
        raise BadInput(f"{path}: dra and ddec are both zero: the star itself")
    if "dra_error" in row and "ddec_error" in row:
        correlation = float(row.get("dra_ddec_correlation", 0.0))
        errors = polar_errors(*place, float(row["dra_error"]), float(row["ddec_error"]), correlation)
        done["separation_error"], done["position_angle_error"] = errors
    return done
