"""The tables of a target's page and of a night's, column by column."""

from __future__ import annotations

from collections.abc import Sequence

from lyot.site.markup import escape
from lyot.site.tabular import Column, Row, badge, cited, figure, integer, linked, measured, standing, table, text
from lyot.site.words import instrument, plural

REFERENCE = Column('<abbr title="Reference">Ref.</abbr>', cited, mark="n")
INSTRUMENT = Column("Instrument", lambda row: escape(instrument(row["instrument"])))
SETUP = (text("Set-up", "setup"), text("Filter", "filter"), text("Coronagraph", "coronagraph"))
EXPOSURE = (
    integer("Frames", "frames"), figure("Exposure (s)", "exposure_time"), figure("Rotation (°)", "field_rotation", 3),
    figure("Seeing (″)", "seeing", 2), figure("τ0 (ms)", "coherence_time", 2), figure("Strehl", "strehl", 2),
)  # fmt: skip

OBSERVATIONS = (
    Column("Date", lambda o: (o["date"] or "")[:10] + badge(o["simulated"]), mark="w", heads=True),
    INSTRUMENT,
    *SETUP,
    *EXPOSURE,
    measured("Pixel (mas)", "pixel_scale"),
    text("Programme", "programme"),
    REFERENCE,
)

DETECTIONS = (
    Column("Date", lambda d: escape(d["date"][:10]), mark="w", heads=True),
    Column("Object", lambda d: escape(d["companion"]) + badge(d["simulated"]), mark="w"),
    Column("Status", lambda d: standing(d["status"])),
    Column("Instrument", lambda d: escape(f"{instrument(d['instrument'])} {d['filter'] or ''}".rstrip())),
    text("Made by", "made"),
    measured("Separation (mas)", "separation", needed=False),
    measured("Position angle (°)", "position_angle", needed=False),
    measured("Δmag", "delta_mag"),
    figure("S/N", "snr", 3),
    measured("East (mas)", "dra"),
    measured("North (mas)", "ddec"),
    REFERENCE,
)

NIGHT = (
    Column("Target", lambda o: _star(o) + badge(o["simulated"]), heads=True),
    text("Begun (UTC)", "begun", mark="w"),
    INSTRUMENT,
    *SETUP,
    *EXPOSURE,
    Column("Reductions", lambda o: str(o["reductions"]), mark="n"),
)

PREFERRED = (
    Column("Quantity", lambda fact: escape(fact["name"]), heads=True),
    Column("Value", lambda fact: escape(fact["value"]), mark="n"),
    Column("Unit", lambda fact: escape(fact["unit"])),
    REFERENCE,
)
PUBLISHED = (
    Column("Of", lambda p: escape(p["of"]), heads=True),
    text("Quantity", "quantity", needed=False),
    text("Band", "band", needed=False),
    Column("Value", lambda p: escape(p["value"]), mark="n"),
    text("Unit", "unit", needed=False),
    Column("Preferred", lambda p: f'<span title="{escape(p["reason"])}">yes</span>' if p["preferred"] else ""),
)


def _star(row: Row) -> str:
    name = escape(row["name"] or row["target_id"] or "")
    return f'<a href="../../targets/{row["slug"]}/">{name}</a>' if row["slug"] else name


def _source(row: Row) -> str:
    citation, address = row["source"]
    return linked(address, citation, away=True)


def of_observations(rows: Sequence[Row]) -> str:
    """Observations of a target, or nothing."""
    return table(f"{plural(len(rows), 'observation')} by date", OBSERVATIONS, rows) if rows else ""


def of_detections(rows: Sequence[Row], *, named: bool = True) -> str:
    """Detections near a target, `named` by what they are of, or nothing."""
    columns = DETECTIONS if named else tuple(one for one in DETECTIONS if one.heading not in ("Object", "Status"))
    return table(f"{plural(len(rows), 'detection')} by date", columns, rows) if rows else ""


def of_night(rows: Sequence[Row]) -> str:
    """Observations of a night, seen from its page."""
    return table("Observations in order", NIGHT, [{**row, "begun": (row["date"] or "")[11:19]} for row in rows])


def of_star(name: str, rows: Sequence[Row]) -> str:
    """Values preferred for a star."""
    return table(f"Values preferred for {name}", PREFERRED, rows)


def of_values(whose: str, rows: Sequence[Row], *, apart: bool = False) -> str:
    """Every published value; on a page `apart` each with its reference in words, else with its number."""
    caption = f"Every published value of {whose}; the preferred ones are marked"
    reference = Column("Reference", _source) if apart else REFERENCE
    return table(caption, (*PUBLISHED, reference), rows)
