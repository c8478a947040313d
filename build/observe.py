"""The observing catalogue of a run: stars from a release or a list, planned, and written as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lyot.build import target_list
from lyot.catalog.constraints import Constraints, nights_of
from lyot.catalog.history import histories
from lyot.catalog.observing import ObservingCatalogue, plan
from lyot.errors import BadInput, NotFound
from lyot.instrument import Site, instruments
from lyot.instruments import sites
from lyot.product import slug

OWN = ("date", "rank", "name", "target_id")
TIMES = ("rise", "transit", "set", "begin", "end", "window_begin", "window_end")
VALUES = ("field_rotation", "airmass_least", "airmass_most", "zenith_distance", "moon_distance")
PAST = ("observations", "last_observed", "depth_at_500mas", "depth_of", "decides")
COLUMNS = (*OWN, *TIMES, *VALUES, "moon_illumination", *PAST, "reason", "merits")


def observe(
    constraints: Constraints,
    release: Path | None = None,
    *,
    query: str | None = None,
    survey: str | None = None,
    targets: Path | None = None,
) -> ObservingCatalogue:
    """Plan the nights of a run.

    Parameters
    ----------
    constraints : Constraints
    release : folder of a release, as `out/public`
        Where the stars and what was observed of them come from; not needed for a CSV of targets with positions.
    query : SQL, optional
        A SELECT on the release that gives `target_id` or `name`, and may give `priority` and positions.
    survey : name or id, optional
        The stars that this survey observed.
    targets : CSV file, optional
        Without these three, every star of the release.

    Raises
    ------
    BadInput
        If more than one list is given, or it cannot be read.
    NotFound
        If there is no release where one is needed.
    """
    if sum(one is not None for one in (query, survey, targets)) > 1:
        raise BadInput("a query, a survey and a file of targets exclude one another", hint="give one of them")
    if release is None and targets is None:
        raise NotFound("no release and no file of targets: there is no star to plan for")
    with ExitStack() as stack:
        there = release is not None and (targets is None or (release / "lyot.db").is_file())
        connection = stack.enter_context(target_list.opened(release)) if there and release is not None else None
        if targets is not None:
            rows = target_list.of_file(targets, connection)
        elif connection is not None and query is not None:
            rows = target_list.of_query(connection, query)
        elif connection is not None and survey is not None:
            rows = target_list.of_survey(connection, survey)
        else:
            rows = target_list.everything(connection) if connection is not None else []
        known = target_list.history_tables(connection, [row["target_id"] for row in rows]) if connection else {}
    return plan(rows, histories(known) if known else {}, constraints)


def constraints_of(site: str, nights: str, **asked: Any) -> Constraints:
    """Constraints from words.

    Parameters
    ----------
    site : str
        A site (`Paranal`), an instrument (`sphere-irdis`), or `latitude,longitude[,elevation]` (deg, East, m).
    nights : str
        As `2026-03-01`, `2026-03-01/2026-03-09`, `2026A` or `P117`: evenings at the site.
    asked : other fields of `Constraints`
        Those that are None keep their default.

    Raises
    ------
    BadInput
        If a value is out of its range; the message names it.
    """
    first, last = nights_of(nights)
    said = {name: value for name, value in asked.items() if value is not None}
    return Constraints(site=site_of(site), first=first, last=last, **said)


def site_of(words: str) -> Site:
    """A site by its name, by an instrument that stands there, or by its coordinates.

    Raises
    ------
    NotFound
        If no site is known by that name; the message lists those that are.
    """
    parts = words.split(",")
    if len(parts) in (2, 3):
        try:
            latitude, longitude, elevation = (float(part) for part in (*parts, "0")[:3])
        except ValueError:
            raise BadInput(f"{words!r} is no site", hint="latitude,longitude,elevation: deg, deg East, m") from None
        if abs(latitude) > 90 or abs(longitude) > 360:
            raise BadInput(f"{words!r} is no place on the Earth")
        east = (longitude + 180) % 360 - 180  # the date of an evening changes at 180°
        return Site(name=words.strip(), latitude=latitude, longitude=east, elevation=elevation)
    places = [value for value in vars(sites).values() if isinstance(value, Site)]
    known = {slug(one.name): one for one in places} | {slug(one.name): one.site for one in instruments().values()}
    if slug(words) not in known:
        raise NotFound(
            f"no site is known as {words!r}; there are {', '.join(one.name for one in places)}",
            hint="the name of an instrument or latitude,longitude,elevation will do as well",
        )
    return known[slug(words)]


def write(made: ObservingCatalogue, folder: Path | str) -> tuple[Path, Path]:
    """Write `observing.csv` (a row a star and night) and `observing.json` (everything) into `folder`; their paths."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    table, document = place / "observing.csv", place / "observing.json"
    table.write_text(as_csv(made), encoding="utf-8")
    document.write_text(json.dumps(as_document(made), ensure_ascii=False, allow_nan=False), encoding="utf-8")
    return table, document


def as_csv(made: ObservingCatalogue) -> str:
    """A row a star and night, with a heading; times ISO (UTC), angles deg, depth mag."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows(made))
    return text.getvalue()


def _rows(made: ObservingCatalogue) -> Iterable[dict[str, Any]]:
    past = {one.target_id: one.history for one in made.targets}
    for night in made.nights:
        for entry in night.entries:
            history = past[entry.target_id]
            yield {
                **{name: getattr(entry, name) for name in (*OWN[1:], *TIMES, *VALUES, "reason", "merits")},
                "date": night.date,
                "moon_illumination": night.moon_illumination,
                "observations": history.observations,
                "last_observed": history.last,
                "depth_at_500mas": None if history.depth is None else round(history.depth, 2),
                "depth_of": history.depth_of,
                "decides": "; ".join(entry.decides),
            }


def as_document(made: ObservingCatalogue) -> dict[str, Any]:
    """Everything, as a JSON object: constraints, nights with their stars, stars with their history."""
    return {
        "constraints": made.constraints.model_dump(),
        "conventions": "Times UTC; nights by the date of their evening at the site; airmass the secant of the true "
                       "zenith distance, without refraction; parallactic angles from the pole of date; angles in deg.",
        "nights": [{**vars(night), "entries": [vars(entry) for entry in night.entries]} for night in made.nights],
        "targets": [
            {
                **{name: value for name, value in vars(one).items() if name not in ("row", "history")},
                "ra": one.row.get("ra"),
                "dec": one.row.get("dec"),
                "observations": one.history.observations,
                "last_observed": one.history.last,
                "depth_at_500mas": one.history.depth,
                "depth_of": one.history.depth_of,
                "pending": [vars(pending) for pending in one.history.pending],
            }
            for one in made.targets
        ],
    }  # fmt: skip
