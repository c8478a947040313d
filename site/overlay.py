"""What is drawn over a picture: scale bar, North and East, the star, the mask, the detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lyot.site.images import SIDE, Picture
from lyot.site.markup import escape
from lyot.site.paths import star_path
from lyot.site.release import Row
from lyot.site.scale import round_step
from lyot.site.words import number


@dataclass(frozen=True)
class Sky:
    """How a picture lies on the sky: `pixel_scale` mas/px, `parallax` mas (for lengths in AU), `mask` px."""

    pixel_scale: float | None
    parallax: float | None = None
    mask: float = 0.0


def overlay(picture: Picture, sky: Sky, detections: Sequence[Row], says: str) -> str:
    """An SVG that lies over `picture`, North up and East left; `says` describes the picture in a sentence."""
    zoom = SIDE / max(picture.width, picture.height)
    width, height = picture.width * zoom, picture.height * zoom
    star_x, star_y = (picture.star[0] + 0.5) * zoom, height - (picture.star[1] + 0.5) * zoom
    parts = [
        f'<svg class="overlay" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(says)}">',
        f'<path class="star" d="{star_path(star_x, star_y, 7)}"/>',
    ]
    if sky.mask > 0:
        parts.append(f'<circle class="mask" cx="{star_x:.1f}" cy="{star_y:.1f}" r="{sky.mask * zoom:.1f}"/>')
    if sky.pixel_scale:
        per_mas = zoom / sky.pixel_scale
        parts += [_circle(row, star_x, star_y, per_mas) for row in detections]
        parts.append(_bar(width, height, per_mas, sky.parallax))
    parts.append(_compass(width, height))
    return "".join([*parts, "</svg>"])


def _circle(row: Row, star_x: float, star_y: float, per_mas: float) -> str:
    """A detection: offsets to the East go left, to the North up."""
    if row.get("dra") is None or row.get("ddec") is None:
        return ""
    x, y = star_x - row["dra"] * per_mas, star_y - row["ddec"] * per_mas
    label = escape(str(row.get("letter") or ""))
    snr = f", S/N {number(row.get('snr'), 3)}" if row.get("snr") else ""
    title = escape(f"{row.get('label') or 'source'}{snr}")
    return (
        f'<g class="detection"><title>{title}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="15"/>'
        f'<text x="{x + 18:.1f}" y="{y - 8:.1f}">{label}</text></g>'
    )


def _bar(width: float, height: float, per_mas: float, parallax: float | None) -> str:
    """A scale bar of a round angle, about a fifth of the width, with its length at the star's distance."""
    mas = round_step(width / per_mas / 6.0)
    length = mas * per_mas
    angle = f"{number(mas / 1000.0, 3)}″" if mas >= 100 else f"{number(mas, 3)} mas"
    text = f"{angle} · {number(mas / parallax, 2)} au" if parallax and parallax > 0 else angle
    x, y = 18.0, height - 20.0
    return (
        f'<g class="scale"><path d="M{x:g} {y - 4:.1f}v8m0 -4h{length:.1f}m0 -4v8"/>'
        f'<text x="{x:g}" y="{y - 11:.1f}">{text}</text></g>'
    )


def _compass(width: float, height: float) -> str:
    """Arrows to the North (up) and to the East (left)."""
    x, y = width - 22.0, height - 20.0
    return (
        f'<g class="compass"><path d="M{x:g} {y:g}v-38m-4 7l4 -7l4 7M{x:g} {y:g}h-38m7 -4l-7 4l7 4"/>'
        f'<text x="{x:g}" y="{y - 44:g}" text-anchor="middle">N</text>'
        f'<text x="{x - 46:g}" y="{y + 5:g}" text-anchor="middle">E</text></g>'
    )
