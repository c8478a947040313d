"""Raw files that belong together: one star, one set-up, one observation block."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from lyot.declaration import Declaration
from lyot.product import slug
from lyot.reduce.classify import ON_SKY, RawFile


class DataSet(Declaration):
    """Frames of one star in one set-up.

    Its science frames share observation block, filter, coronagraph, tracking and exposure time. Its centre, flux and
    sky frames are those of the same block and filter.
    """

    name: str
    arm: str
    filter: str
    target: str
    night: str
    science: tuple[RawFile, ...]
    centre: tuple[RawFile, ...] = ()
    flux: tuple[RawFile, ...] = ()
    sky: tuple[RawFile, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[RawFile, ...]:
        """Every file of it."""
        return (*self.science, *self.centre, *self.flux, *self.sky)

    @property
    def middle(self) -> float:
        """MJD (UTC) of the middle of the science files."""
        starts = [one.start for one in self.science if one.start is not None]
        return sum(starts) / len(starts)


class Grouped(Declaration):
    """Data sets, the files that may calibrate them, and every other file with the reason why it is in neither."""

    datasets: tuple[DataSet, ...]
    calibrations: tuple[RawFile, ...]
    telemetry: tuple[RawFile, ...]
    left_over: tuple[tuple[RawFile, str], ...]


def group(files: Iterable[RawFile]) -> Grouped:
    """Sort raw files into data sets, calibrations, telemetry and what is left over; every file ends in one of them.

    Two files of the same content count once.
    """
    once, left_over = _without_copies(files)
    on_sky: list[RawFile] = []
    calibrations: list[RawFile] = []
    telemetry: list[RawFile] = []
    for one in sorted(once, key=lambda file: (file.start or 0.0, file.path)):
        reason = _unusable(one)
        if reason:
            left_over.append((one, reason))
        elif one.arm == "sparta":
            telemetry.append(one)
        elif one.role in ON_SKY:
            on_sky.append(one)
        else:
            calibrations.append(one)
    datasets, orphans = _datasets(on_sky)
    return Grouped(
        datasets=tuple(datasets),
        calibrations=(*calibrations, *(one for one, _ in orphans if one.role == "sky")),
        telemetry=tuple(telemetry),
        left_over=tuple(left_over + [(one, why) for one, why in orphans if one.role != "sky"]),
    )


def _without_copies(files: Iterable[RawFile]) -> tuple[list[RawFile], list[tuple[RawFile, str]]]:
    seen: dict[str, RawFile] = {}
    copies: list[tuple[RawFile, str]] = []
    for one in files:
        first = seen.setdefault(one.sha256 or one.path, one)
        if first is not one:
            copies.append((one, f"the same as {first.path}"))
    return list(seen.values()), copies


def _unusable(one: RawFile) -> str:
    """Why a file can be used for nothing; empty when it can."""
    if not one.role:
        return one.why
    if one.start is None:
        return "; ".join(("it does not say when it was taken", *one.notes))
    if one.arm != "sparta" and one.exposure is None:
        return "; ".join(("it does not say how long it was exposed", *one.notes))
    if one.arm != "sparta" and one.frames < 1:
        return "it holds no frames"
    return ""


def _datasets(files: list[RawFile]) -> tuple[list[DataSet], list[tuple[RawFile, str]]]:
    setups: dict[tuple[str, ...], list[RawFile]] = defaultdict(list)
    for one in files:
        if one.role == "science":
            exposure = f"{one.exposure:.2f}"
            setups[(*_block(one), one.coronagraph, one.tracking, exposure)].append(one)
    beside: dict[tuple[str, ...], list[RawFile]] = defaultdict(list)
    for one in files:
        if one.role != "science":
            beside[_block(one)].append(one)
    found = [_dataset(science, beside[_block(science[0])]) for science in setups.values()]
    blocks = {_block(science[0]) for science in setups.values()}
    orphans = [
        (one, f"no science frames of block {one.block or '(none)'} in filter {one.filter or '(none)'} go with it")
        for block, others in beside.items()
        if block not in blocks
        for one in others
    ]
    return _named_apart(found), orphans


def _block(one: RawFile) -> tuple[str, ...]:
    """What ties frames together; without an observation block, the night and the target do."""
    return (one.arm, one.block or f"{one.night} {one.target}", one.filter)


def _dataset(science: list[RawFile], beside: list[RawFile]) -> DataSet:
    first = science[0]
    notes = [f"{one.path}: the loops of the adaptive optics were open, its frames are flagged"
             for one in science if not one.loops]
    short = [f"{one.path}: {one.frames} of {one.planned} exposures" for one in science if 0 < one.frames < one.planned]
    return DataSet(
        name="/".join(
            [f"sphere-{first.arm}", slug(first.target or "unknown"), first.night, slug(first.filter or "unknown")]
        ),
        arm=first.arm,
        filter=first.filter,
        target=first.target or "unknown",
        night=first.night,
        science=tuple(science),
        centre=tuple(one for one in beside if one.role == "centre" and one.coronagraph == first.coronagraph),
        flux=tuple(one for one in beside if one.role == "flux"),
        sky=tuple(one for one in beside if one.role == "sky"),
        notes=tuple(notes + short),
    )


def _named_apart(found: list[DataSet]) -> list[DataSet]:
    """Data sets of one name are told apart by coronagraph, tracking and exposure, then by block."""
    named: list[DataSet] = []
    for one in found:
        twins = [other for other in found if other.name == one.name]
        if len(twins) > 1:
            first = one.science[0]
            setup = f"{first.coronagraph}-{first.tracking}-{first.exposure:g}s-{first.block or twins.index(one)}"
            named.append(one.model_copy(update={"name": f"{one.name}-{slug(re.sub('_', '-', setup))}"}))
        else:
            named.append(one)
    return named
