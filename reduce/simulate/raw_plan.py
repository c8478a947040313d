"""What is exposed when: the templates of a night and of the calibrations of the next morning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lyot.errors import BadInput
from lyot.reduce.simulate.raw_scene import Night

OVERHEAD = {"irdis": 0.938, "ifs": 1.906}  # s per frame beside the integration
FILE_END = 0.6  # s from the last read to the time stamp of the file
BETWEEN_FILES = 1.8  # s
DELAY = 0.2  # s from the start of a frame to that of its integration: DET DITDELAY
MORNING = 6.5 / 24.0  # days from the end of the observations to the first calibration
SECOND = 1.0 / 86400.0
SETUP = 600.0 * SECOND  # from the start of an observing block to its first exposure
ALC = "N_ALC_YJH_S"
DITHERS = ((-1.0, 1.0), (-2.0, -2.0), (1.0, -1.0), (2.0, 2.0), (0.0, 1.0))  # px, as real templates do
CENTER_DITHER = (1.0, -2.0)
IRDIS_LAMP_DITS = (1.0, 2.0, 4.0)
LAMP = 2500.0  # ADU/s on IRDIS
SYNCHRONISED = 57581.0  # MJD of 2016-07-12: before, the derotator's clock was wrong
WAVE_DIT = 1.650726  # s, the time of every calibration of the IFS


@dataclass(frozen=True)
class Exposure:
    """One raw file to be: what its header says, and what the light does where an error was planted.

    Parameters
    ----------
    kind, category, technique : DPR TYPE, CATG, TECH
    start : float, MJD UTC
    dit : float, s
    nd : name of the neutral density
    dither : (x, y), px on IRDIS
    lamp : name of the IFS calibration (`INS2 COMB IFS` without the prism), or "" on the sky
    light_dit, light_nd, light_dither : what is true, when the header lies
    begun : float, MJD UTC of the start of the observing block
    """

    kind: str
    category: str
    technique: str
    start: float
    dit: float
    ndit: int
    nd: str = "OPEN"
    dither: tuple[float, float] = (0.0, 0.0)
    coronagraph: str = ALC
    lamp: str = ""
    light_dit: float | None = None
    light_nd: str | None = None
    light_dither: tuple[float, float] | None = None
    closed: bool = True
    lost: int = 0
    number: int = 1
    begun: float = 0.0

    @property
    def on_sky(self) -> bool:
        """Whether the telescope looks at the sky."""
        return self.category == "SCIENCE"

    @property
    def clock_error(self) -> float:
        """Angle (deg) by which the field is turned too far, because the derotator's clock was wrong."""
        return 0.09 * (1 + self.number % 4) if self.on_sky and self.start < SYNCHRONISED else 0.0

    def period(self, arm: str) -> float:
        """Days from one frame to the next."""
        return (self.dit + OVERHEAD[arm]) * SECOND

    def end(self, arm: str) -> float:
        """MJD UTC of the time stamp of the file."""
        return self.start + self.ndit * self.period(arm) + FILE_END * SECOND

    def window(self, arm: str, frame: int) -> tuple[float, float]:
        """Begin and end of an integration, MJD UTC."""
        begin = self.start + frame * self.period(arm) + DELAY * SECOND
        return begin, begin + self.dit * SECOND


def plan(night: Night, transit: float) -> tuple[Exposure, ...]:
    """Every exposure in the order of time; the star crosses the meridian (`transit`, MJD) half-way."""
    science = list(_science(night, transit))
    calibrations = list(_calibrations(night, science[-1].end(night.arm) + MORNING)) if night.calibrations else []
    planned = [_plant(exposure, night) for exposure in (*science, *calibrations)]
    kept = [exposure for exposure in planned if not _missing(exposure, night.faults)]
    if not any(exposure.kind == "OBJECT" for exposure in kept):
        raise BadInput("the night has no science exposure", hint="ask for at least one science file")
    begun = {sky: min((e.start for e in kept if e.on_sky == sky), default=0.0) - SETUP for sky in (True, False)}
    return tuple(replace(e, number=i + 1, begun=begun[e.on_sky]) for i, e in enumerate(kept))


def _science(night: Night, transit: float) -> Iterator[Exposure]:
    arm = night.arm
    technique = {"ifs": "IFU"}.get(arm, "IMAGE,DUAL" if night.band.startswith("DB") else "IMAGE,CLASSICAL")
    coronagraphic = technique if arm == "ifs" else f"{technique},CORONOGRAPHY"
    template = Exposure("OBJECT", "SCIENCE", coronagraphic, 0.0, night.dit, night.ndit)
    length = template.end(arm) + BETWEEN_FILES * SECOND
    step = max(night.spacing * 60 * SECOND, length)
    begin = transit - 0.5 * (step * (night.nscience - 1) + length)
    flux = replace(template, kind="OBJECT,FLUX", dit=night.flux_dit, ndit=min(4, night.ndit), nd="ND_2.0")
    center = replace(template, kind="OBJECT,CENTER", ndit=min(2, night.ndit), dither=CENTER_DITHER)
    gap = 20.0 * SECOND
    center_start = begin - center.end(arm) - gap
    yield replace(flux, start=center_start - flux.end(arm) - gap)
    yield replace(center, start=center_start)
    for i in range(night.nscience):
        yield replace(template, start=begin + i * step, dither=DITHERS[i % len(DITHERS)], number=i)
    after = begin + (night.nscience - 1) * step + length + gap
    yield replace(flux, start=after)
    yield replace(template, kind="SKY", ndit=min(2, night.ndit), start=after + flux.end(arm) + 60 * SECOND)


def _calibrations(night: Night, start: float) -> Iterator[Exposure]:
    clock = start
    makers = _ifs_calibrations if night.arm == "ifs" else _irdis_calibrations
    for exposure in makers(night):
        yield replace(exposure, start=clock)
        clock += exposure.end(night.arm) + 30 * SECOND  # its own start is 0


def _dark(dit: float, ndit: int, background: bool) -> Exposure:
    kind, coronagraph = ("DARK,BACKGROUND", "N_NS_CLEAR") if background else ("DARK", "N_NS_OPAQUE")
    return Exposure(kind, "CALIB", "IMAGE", 0.0, dit, ndit, coronagraph=coronagraph)


def _irdis_calibrations(night: Night) -> Iterator[Exposure]:
    yield _dark(night.dit, 3, background=True)
    yield _dark(night.dit, 3, background=False)
    yield _dark(night.flux_dit, 3, background=True)
    flat = Exposure("FLAT,LAMP", "CALIB", "IMAGE", 0.0, 1.0, 2, coronagraph="N_NS_CLEAR", lamp="FLAT")
    for dit in IRDIS_LAMP_DITS:
        yield _dark(dit, 2, background=True)
        yield replace(flat, dit=dit)


def _ifs_calibrations(night: Night) -> Iterator[Exposure]:
    yield _dark(night.dit, 3, background=True)
    yield _dark(night.flux_dit, 2, background=True)
    yield _dark(WAVE_DIT, 3, background=False)
    lamp = Exposure("", "CALIB", "IFU", 0.0, WAVE_DIT, 2, coronagraph="N_NS_OPAQUE", nd="ND_1.0")
    yield replace(lamp, kind="SPECPOS,LAMP", lamp="SPECPOS")
    yield replace(lamp, kind="WAVE,LAMP", lamp="WAVE")
    yield replace(lamp, kind="FLAT,LAMP", lamp="IFU")
    colours = ["CAL_BB_2", "CAL_NB1_1", "CAL_NB2_1", "CAL_NB3_1"] + ["CAL_NB4_2"] * (night.band == "YJH")
    for colour in colours:
        for dit in (WAVE_DIT, 3 * WAVE_DIT):
            yield replace(lamp, kind="FLAT,LAMP", technique="IMAGE", lamp=colour, dit=dit, ndit=1)


def _plant(exposure: Exposure, night: Night) -> Exposure:
    """The same exposure with the errors that were asked for."""
    faults, science_dit = night.faults, night.dit
    if "wrong_dark" in faults and exposure.kind.startswith("DARK") and exposure.dit == science_dit:
        exposure = replace(exposure, light_dit=3.0 * exposure.dit)
    if "wrong_nd" in faults and exposure.kind == "OBJECT,FLUX":
        exposure = replace(exposure, nd="ND_1.0", light_nd="ND_2.0")
    if "saturated_flux" in faults and exposure.kind == "OBJECT,FLUX":
        exposure = replace(exposure, nd="OPEN")
    if "swapped_dither" in faults and exposure.kind == "OBJECT,CENTER":
        exposure = replace(exposure, light_dither=exposure.dither, dither=exposure.dither[::-1])
    if "open_loop" in faults and exposure.kind == "OBJECT" and exposure.number == 0:
        exposure = replace(exposure, closed=False)
    if "truncated_cube" in faults and exposure.kind == "OBJECT" and exposure.number == night.nscience - 1:
        exposure = replace(exposure, lost=max(1, exposure.ndit // 4))
    return exposure


def _missing(exposure: Exposure, faults: tuple[str, ...]) -> bool:
    gone = {
        "missing_dark": exposure.kind.startswith("DARK"),
        "missing_flat": exposure.kind == "FLAT,LAMP",
        "missing_center": exposure.kind == "OBJECT,CENTER",
        "missing_sky": exposure.kind == "SKY",
        "missing_flux": exposure.kind == "OBJECT,FLUX",
    }
    return any(gone.get(fault, False) for fault in faults)
