"""Which calibrations a data set uses: the nearest in time whose cards match, how good that is, and what is missing.

Levels: 0, all keys within 12 h (the rule of Delorme et al. 2017); 1, within 48 h; 2, within 7 days; 3, within 30 days;
4, a key was relaxed, or it is older still. Only the first is published; the others are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lyot.declaration import Declaration
from lyot.instruments.sphere_frames import IFS_CALIBRATION_DIT, IFS_LAMPS
from lyot.reduce.classify import RawFile
from lyot.reduce.group import DataSet

HOURS = (12.0, 48.0, 168.0, 720.0)
RELAXED = 4
SAME_SET = 3.0  # hours between files of one calibration set

Test = Callable[[RawFile], bool]


class Association(Declaration):
    """The files chosen for one need of a data set."""

    need: str
    role: str
    files: tuple[RawFile, ...]
    level: int
    hours: float
    why: str

    @property
    def found(self) -> bool:
        """Is there anything?"""
        return bool(self.files)


class Need(Declaration):
    """Something a data set wants: the roles that serve, best first, and what must match."""

    name: str
    roles: tuple[str, ...]
    arm: str
    filter: str | None = None
    exposure: float | None = None
    readout: str | None = None
    density: str | None = None
    lamp: str | None = None
    exposures_wanted: int = 1
    at: float
    instead: str = ""

    def matches(self, one: RawFile) -> bool:
        """Do all cards of this file that matter for its role match?"""
        return all(test(one) for test in self._tests(one.role))

    def nearly(self, one: RawFile) -> bool:
        """Does it match when filter and density of a background, or the read-out mode, are let go?"""
        return one.role in self.roles and one.arm == self.arm and self._exposed_alike(one) and (
            self.lamp is None or one.lamp == self.lamp
        ) and (self._sees_no_light(one.role) or self._same_filter(one))

    def _tests(self, role: str) -> list[Test]:
        tests: list[Test] = [
            lambda one: one.role in self.roles and one.arm == self.arm,
            self._exposed_alike,
            lambda one: self.readout is None or not one.readout or one.readout == self.readout,
            lambda one: self.lamp is None or one.lamp == self.lamp,
        ]
        if role == "sky" or not self._sees_no_light(role):
            tests.append(self._same_filter)
        if role == "sky" or not self._sees_no_light(role):
            tests.append(lambda one: self.density is None or one.density == self.density)
        return tests

    def _sees_no_light(self, role: str) -> bool:
        """A dark sees none; a background sees the warm instrument, which matters in K only."""
        thermal = self.filter is not None and "K" in self.filter.upper().rsplit("_", 1)[-1]
        return role == "dark" or (role == "background" and not (thermal and self.arm == "irdis"))

    def _exposed_alike(self, one: RawFile) -> bool:
        return self.exposure is None or (one.exposure is not None and abs(one.exposure - self.exposure) < 0.0101)

    def _same_filter(self, one: RawFile) -> bool:
        return self.filter is None or one.filter == self.filter


def needs(dataset: DataSet) -> list[Need]:
    """What a data set wants, in the order of use."""
    at = dataset.middle
    arm, band = dataset.arm, dataset.filter
    frames = (*dataset.science, *dataset.centre, *dataset.flux)
    wanted = [
        Need(
            name=f"background {exposure:g} s {density}", roles=("sky", "background", "dark"), arm=arm, filter=band,
            exposure=exposure, readout=readout or None, density=density, at=at,
            instead="none is subtracted; the median of each frame is taken for it",
        )
        for exposure, density, readout in sorted({(one.exposure or 0.0, one.density, one.readout) for one in frames})
    ]
    if arm == "irdis":
        return [
            *wanted,
            Need(name="flat", roles=("flat",), arm=arm, filter=band, exposures_wanted=2, at=at,
                 instead="every pixel is taken to be equally sensitive"),
        ]
    lamps = [lamp for lamp in IFS_LAMPS if band == "YJH" or lamp != "CAL_NB4_2"]
    return [
        *wanted,
        Need(name="lamp dark", roles=("dark", "background"), arm=arm, exposure=IFS_CALIBRATION_DIT, at=at,
             instead="the lamp calibrations keep their offset, taken from their own edges"),
        *(Need(name=f"flat {lamp}", roles=("flat",), arm=arm, filter=band, lamp=lamp, exposures_wanted=2, at=at,
               instead="every pixel is taken to be equally sensitive to this colour") for lamp in lamps),
        Need(name="spectra", roles=("spectra",), arm=arm, filter=band, at=at,
             instead="the traces are taken from the lasers alone"),
        Need(name="wavelength", roles=("wavelength",), arm=arm, filter=band, at=at,
             instead="none: without the lasers nothing says which wavelength is where"),
        Need(name="lenslet flat", roles=("lenslet flat",), arm=arm, filter=band, at=at,
             instead="every lenslet is taken to be equally bright"),
    ]


def associate(dataset: DataSet, calibrations: Iterable[RawFile]) -> list[Association]:
    """Choose for each need of a data set; a need without any file is an association without files."""
    candidates = [*dataset.sky, *calibrations]
    return [choose(need, candidates) for need in needs(dataset)]


def choose(need: Need, candidates: Sequence[RawFile]) -> Association:
    """The set of files nearest in time that serves a need best: by level, then by role, then by time."""
    best: tuple[tuple[float, ...], Association] | None = None
    for relaxed, test in ((False, need.matches), (True, need.nearly)):
        for rank, role in enumerate(need.roles):
            fitting = [one for one in candidates if one.role == role and one.start is not None and test(one)]
            if not fitting:
                continue
            made = _set(need, role, fitting, relaxed)
            order = (float(made.level), float(rank), made.hours)
            if best is None or order < best[0]:
                best = (order, made)
    if best is not None:
        return best[1]
    why = _missing(need, candidates)
    return Association(need=need.name, role=need.roles[0], files=(), level=RELAXED, hours=0.0, why=why)


def _set(need: Need, role: str, fitting: list[RawFile], relaxed: bool) -> Association:
    """The file nearest in time and those taken with it; wider apart when several exposures are wanted."""
    nearest = min(fitting, key=lambda one: abs((one.start or 0.0) - need.at))
    files = [one for one in fitting if _apart(one, nearest) <= SAME_SET]
    exposures = {round(one.exposure or 0.0, 2) for one in files}
    if len(exposures) < need.exposures_wanted:
        files = [one for one in fitting if one.night == nearest.night]
        exposures = {round(one.exposure or 0.0, 2) for one in files}
    hours = abs((nearest.start or 0.0) - need.at) * 24.0
    level = RELAXED if relaxed else next((n for n, most in enumerate(HOURS) if hours <= most), RELAXED)
    why = "nearest in time" + (", a key relaxed" if relaxed else "")
    if len(exposures) < need.exposures_wanted:
        why += f"; {len(exposures)} exposure time, {need.exposures_wanted} wanted"
    return Association(need=need.name, role=role, files=tuple(files), level=level, hours=hours, why=why)


def _apart(one: RawFile, other: RawFile) -> float:
    return abs((one.start or 0.0) - (other.start or 0.0)) * 24.0


def _missing(need: Need, candidates: Sequence[RawFile]) -> str:
    """Why nothing was found, and what is done instead."""
    roles = " or ".join(need.roles)
    alike = [one for one in candidates if one.role in need.roles and one.arm == need.arm and one.exposure is not None]
    there = sorted({f"{one.exposure:g} s {one.filter} {one.lamp}".strip() for one in alike})
    found = f"of {roles} there is only {', '.join(there)}" if there else f"no {roles}"
    return f"{found}; instead: {need.instead}"
