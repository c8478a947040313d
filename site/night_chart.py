"""Drawings of one night: when each star is up, when to point at it, and how the field turns meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from lyot.catalog.observing import Entry, NightPlan
from lyot.site.scale import Scale, spread, tick_text

WIDTH, LEFT, RIGHT, TOP, LINE = 900.0, 190.0, 12.0, 34.0, 22.0
MOST_LETTERS = 24
SMALL_WIDTH, SMALL_HEIGHT = 260.0, 150.0


def timeline(night: NightPlan, entries: Sequence[Entry]) -> str:
    """The night as an SVG: a row a star, thin while it is up, thick in its window, a tick at its transit."""
    if not night.dusk or not entries:
        return ""
    begin, end = seconds(night.dusk), seconds(night.dawn)
    scale = Scale(begin, end, LEFT, WIDTH - RIGHT)
    height = TOP + LINE * len(entries) + 8
    parts = [
        f'<svg class="chart timeline" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="When the stars of this night are up and when to point at them; the table says the same">',
        *_hours(scale, height),
    ]
    for place, entry in enumerate(entries):
        parts.append(_line(scale, TOP + LINE * (place + 0.5), entry))
    return "".join([*parts, "</svg>"])


def turning(entry: Entry) -> str:
    """How the parallactic angle goes over the window, as a small SVG."""
    begin, end = seconds(entry.window_begin), seconds(entry.window_end)
    low, high = spread(entry.parallactic_angles)
    x = Scale(begin, end, 46.0, SMALL_WIDTH - 12)
    y = Scale(low, high, SMALL_HEIGHT - 26, 10.0)
    count = len(entry.parallactic_angles)
    places = [
        f"{x(begin + (end - begin) * k / (count - 1)):.1f} {y(angle):.1f}"
        for k, angle in enumerate(entry.parallactic_angles)
    ]
    ticks = y.ticks(4)
    first, last = entry.parallactic_angles[0], entry.parallactic_angles[-1]
    parts = [
        f'<svg class="chart turning" viewBox="0 0 {SMALL_WIDTH:g} {SMALL_HEIGHT:g}" role="img" '
        f'aria-label="Parallactic angle from {first:.1f}° to {last:.1f}° over the window">',
    ]
    for tick in ticks:
        parts.append(f'<path class="grid" d="M46 {y(tick):.1f}H{SMALL_WIDTH - 12:g}"/>')
        parts.append(f'<text x="40" y="{y(tick) + 4:.1f}" text-anchor="end">{tick_text(tick, ticks)}°</text>')
    base = SMALL_HEIGHT - 8
    parts.append(f'<text x="46" y="{base:g}">{clock(entry.window_begin)}</text>')
    parts.append(f'<text x="{SMALL_WIDTH - 12:g}" y="{base:g}" text-anchor="end">{clock(entry.window_end)}</text>')
    parts.append(f'<path class="angle" d="M{"L".join(places)}"/></svg>')
    return "".join(parts)


def seconds(moment: str) -> float:
    """Seconds of an ISO instant (UTC) since 1970."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def clock(moment: str) -> str:
    """Hours and minutes (UTC) of an ISO instant, to the nearest minute; empty where there is none."""
    if not moment:
        return ""
    return (datetime.fromisoformat(moment) + timedelta(seconds=30)).strftime("%H:%M")


def _hours(scale: Scale, height: float) -> list[str]:
    """A line at each full hour, UTC."""
    parts = ['<g class="axis">']
    hour = -(-scale.low // 3600) * 3600
    while hour <= scale.high:
        x = scale(hour)
        text = datetime.fromtimestamp(hour, UTC).strftime("%Hh")
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP - 8:g}V{height:g}"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP - 14:g}" text-anchor="middle">{text}</text>')
        hour += 3600
    return [*parts, "</g>"]


def _line(scale: Scale, y: float, entry: Entry) -> str:
    """One star."""

    def place(moment: str) -> float:
        return scale(min(max(seconds(moment), scale.low), scale.high))

    label = entry.name if len(entry.name) <= MOST_LETTERS else entry.name[: MOST_LETTERS - 1] + "…"
    transit = seconds(entry.transit)
    tick = f'<path class="transit" d="M{scale(transit):.1f} {y - 9:.1f}v18"/>'
    words = f"{entry.rank}. {entry.name}: {clock(entry.window_begin)} to {clock(entry.window_end)} UTC"
    return (
        f'<g><title>{escape(words)}</title>'
        f'<text class="star-name" x="{LEFT - 10:g}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        f'<path class="up" d="M{place(entry.begin):.1f} {y:.1f}H{place(entry.end):.1f}"/>'
        f'<path class="window" d="M{place(entry.window_begin):.1f} {y:.1f}H{place(entry.window_end):.1f}"/>'
        f"{tick if scale.low <= transit <= scale.high else ''}</g>"
    )
