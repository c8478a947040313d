"""A finding chart: the star, what is known near it, North, East and a scale, as an SVG file that stands alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lyot.site.paths import star_path
from lyot.site.scale import round_step
from lyot.site.words import day, number

Row = Mapping[str, Any]

SIDE = 360.0
LEAST = 600.0  # mas from the star to the border, at least
RING = 500.0  # mas: where depths are given
INK, SOFT, PAPER, MARK = "#171b24", "#545b69", "#ffffff", "#9c4410"
#: Colours of a dark page; a picture in a page follows the reader's wish, and paper stays white.
DARK = (
    "@media (prefers-color-scheme:dark){.p{fill:#141a24}.i{fill:#e8e6e1}.s{fill:#a2a9b6}"
    ".l{stroke:#a2a9b6}.m{stroke:#f2a65e}.h{stroke:#141a24}}"
)


def finding_chart(name: str, known: Sequence[Row], star: Row, ring: float = RING) -> str:
    """The chart of one star, North up and East left.

    Parameters
    ----------
    name : of the star
    known : rows with `name`, `status`, `dra`, `ddec` (mas East and North of the star), `mjd`
        Where each object was seen last.
    star : row of the target
        With `pmra`, `pmdec` (mas/yr) an arrow shows how far it moves in a year.
    ring : mas
    """
    reach = 1.25 * max([LEAST, *(math.hypot(row["dra"], row["ddec"]) for row in known)])
    per_mas = SIDE / 2 / reach
    middle = SIDE / 2
    seen = "; ".join(_says(row) for row in known) or "nothing is known near it"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE:g} {SIDE:g}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="15">',
        f"<title>{_text(f'Finding chart of {name}: {seen}')}</title><style>{DARK}</style>",
        f'<rect class="p" width="{SIDE:g}" height="{SIDE:g}" fill="{PAPER}"/>',
        f'<circle class="l" cx="{middle:g}" cy="{middle:g}" r="{ring * per_mas:.1f}" fill="none" stroke="{SOFT}" '
        f'stroke-dasharray="3 4"/>',
        *_motion(star, middle, per_mas),
        *(_object(row, middle, per_mas) for row in known),
        f'<path class="i" d="{star_path(middle, middle, 8)}" fill="{INK}"/>',
        f'<text class="i" x="12" y="22" font-weight="600" fill="{INK}">{_text(name)}</text>',
        *_scale(per_mas),
        *_compass(),
    ]
    return "".join([*parts, "</svg>\n"])


def _object(row: Row, middle: float, per_mas: float) -> str:
    """A known object, with its name: East is left, North is up."""
    x, y = middle - row["dra"] * per_mas, middle - row["ddec"] * per_mas
    anchor, aside = ("end", -10.0) if x > 0.7 * SIDE else ("start", 10.0)
    return (
        f'<g class="object"><title>{_text(_says(row))}</title>'
        f'<circle class="m" cx="{x:.1f}" cy="{y:.1f}" r="6" fill="none" stroke="{MARK}" stroke-width="2"/>'
        f'<text class="i h" x="{x + aside:.1f}" y="{y - 7:.1f}" text-anchor="{anchor}" fill="{INK}" stroke="{PAPER}" '
        f'stroke-width="3" paint-order="stroke">{_text(str(row["name"]))}</text></g>'
    )


def _says(row: Row) -> str:
    """An object in words."""
    angle = math.degrees(math.atan2(row["dra"], row["ddec"])) % 360
    when = f" on {day(row['mjd'])}" if row.get("mjd") else ""
    status = f", {str(row['status']).lower()}" if row.get("status") else ""
    return f"{row['name']} at {number(math.hypot(row['dra'], row['ddec']), 4)} mas, {angle:.1f}°{when}{status}"


def _motion(star: Row, middle: float, per_mas: float) -> list[str]:
    """An arrow as long as the star moves in a year; what is behind it goes the other way."""
    east, north = star.get("pmra"), star.get("pmdec")
    if east is None or north is None or not 14 <= math.hypot(east, north) * per_mas <= 0.45 * SIDE:
        return []
    x, y = middle - east * per_mas, middle - north * per_mas
    angle = math.atan2(y - middle, x - middle)
    barbs = "".join(
        f"M{x:.1f} {y:.1f}L{x - 7 * math.cos(angle + side):.1f} {y - 7 * math.sin(angle + side):.1f}"
        for side in (-0.5, 0.5)
    )
    says = f"moves by {number(math.hypot(east, north), 3)} mas in a year"
    return [
        f'<path class="l" d="M{middle:g} {middle:g}L{x:.1f} {y:.1f}{barbs}" fill="none" stroke="{SOFT}" '
        f'stroke-width="1.5"><title>{says}</title></path>'
    ]


def _scale(per_mas: float) -> list[str]:
    """A bar of a round angle."""
    mas = round_step(SIDE / per_mas / 6)
    text = f"{number(mas / 1000, 3)}″" if mas >= 100 else f"{number(mas, 3)} mas"
    y = SIDE - 18
    return [
        f'<path class="l" d="M14 {y - 4:g}v8m0 -4h{mas * per_mas:.1f}m0 -4v8" fill="none" stroke="{SOFT}" '
        f'stroke-width="1.5"/><text class="s" x="14" y="{y - 10:g}" fill="{SOFT}">{text}</text>'
    ]


def _compass() -> list[str]:
    """Arrows to the North (up) and to the East (left)."""
    x, y = SIDE - 20, SIDE - 18
    return [
        f'<path class="l" d="M{x:g} {y:g}v-34m-4 7l4 -7l4 7M{x:g} {y:g}h-34m7 -4l-7 4l7 4" fill="none" '
        f'stroke="{SOFT}" stroke-width="1.5"/>'
        f'<text class="s" x="{x:g}" y="{y - 40:g}" text-anchor="middle" fill="{SOFT}">N</text>'
        f'<text class="s" x="{x - 44:g}" y="{y + 5:g}" text-anchor="middle" fill="{SOFT}">E</text>'
    ]


def _text(words: str) -> str:
    """Words as text of an XML file, which knows no control characters."""
    return escape("".join(c if c.isprintable() or c == " " else "�" for c in words))
