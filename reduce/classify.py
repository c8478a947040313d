"""What a raw SPHERE file is, from its header."""

from __future__ import annotations

from typing import Literal

from astropy.io import fits
from pydantic import Field

from lyot.declaration import Declaration
from lyot.instruments.sphere_frames import DUAL_BANDS, IFS_LAMPS
from lyot.reduce.cards import Cards

Arm = Literal["irdis", "ifs", "zimpol", "sparta", ""]

#: `DPR TYPE` → role, where the type alone says it. The flats of the IFS are told apart by their technique.
ROLES = {
    "DARK": "dark",
    "DARK,BACKGROUND": "background",
    "FLAT,LAMP": "flat",
    "FLAT,LAMP,RONGAIN": "gain",
    "FLAT,POL100": "modulation",
    "LAMP,DISTORT": "distortion",
    "SPECPOS,LAMP": "spectra",
    "WAVE,LAMP": "wavelength",
    "OBJECT": "science",
    "OBJECT,CENTER": "centre",
    "OBJECT,FLUX": "flux",
    "SKY": "sky",
    "BIAS": "bias",
    "OBJECT,AO": "telemetry",
}
ON_SKY = ("science", "centre", "flux", "sky")


class RawFile(Declaration):
    """What is known of one raw file. An empty `role` is unknown, and `why` says so."""

    path: str
    sha256: str = ""
    arm: Arm = ""
    role: str = ""
    why: str = ""
    technique: str = ""
    start: float | None = Field(None, description="MJD (UTC) of the first exposure")
    exposure: float | None = Field(None, description="s, of one exposure")
    planned: int = Field(0, description="exposures asked for")
    frames: int = Field(0, description="exposures in the file")
    filter: str = Field("", description="IRDIS: filter combination; IFS: YJ or YJH; ZIMPOL: that of camera 1")
    lamp: str = Field("", description="IFS flats: lamp, without the mode")
    density: str = Field("OPEN", description="neutral density in the common path")
    coronagraph: str = ""
    readout: str = ""
    tracking: str = ""
    dither: tuple[float, float] = Field((0.0, 0.0), description="(x, y), px")
    waffle: str = ""
    block: str = Field("", description="observation block")
    target: str = ""
    programme: str = ""
    loops: bool = Field(True, description="the adaptive optics' loops were closed, or were not needed")
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def night(self) -> str:
        """Date (ISO) at the beginning of the night: nights run from noon to noon, UTC."""
        return night_of(self.start) if self.start is not None else ""


def night_of(mjd: float) -> str:
    """Date (ISO) on which the night of a moment (MJD, UTC) began."""
    from astropy.time import Time

    return str(Time(mjd - 0.5, format="mjd", scale="utc").iso[:10])


def classify(header: fits.Header, path: str = "", sha256: str = "") -> RawFile:
    """What a file is, from its header alone; nothing is refused, what is unknown says why."""
    cards = Cards(header, path or "the header")
    arm = _arm(cards)
    kind = cards.text("DPR TYPE").upper().replace(" ", "")
    technique = cards.text("DPR TECH").upper().replace(" ", "")
    role, why = _role(cards, arm, kind, technique)
    return RawFile(
        path=path,
        sha256=sha256,
        arm=arm,
        role=role,
        why=why,
        technique=technique,
        start=cards.moment("DATE-OBS", "MJD-OBS"),
        exposure=cards.number("DET SEQ1 DIT", "DET DIT1", "DET SEQ1 REALDIT", "EXPTIME"),
        planned=int(cards.number("DET NDIT") or 0),
        frames=_frames(cards),
        filter=_filter(cards, arm),
        lamp=_lamp(cards) if arm == "ifs" else "",
        density=cards.text("INS4 FILT2 NAME", default="OPEN"),
        coronagraph=cards.text("INS COMB ICOR"),
        readout=cards.text("DET READ CURNAME"),
        tracking=cards.text("INS4 COMB ROT").upper(),
        dither=_dither(cards, arm),
        waffle=cards.text("OCS WAFFLE ORIENT"),
        block=cards.text("OBS ID"),
        target=cards.text("OBS TARG NAME", "OBJECT"),
        programme=cards.text("OBS PROG ID"),
        loops=_loops(cards) if role in ON_SKY else True,
        notes=tuple(cards.broken),
    )


def _arm(cards: Cards) -> Arm:
    """Which part of the instrument took the file. SPARTA's files do not say: their type does."""
    if cards.text("DPR TYPE").upper().replace(" ", "") == "OBJECT,AO":
        return "sparta"
    for name in ("SEQ ARM", "DET ID", "DET NAME"):
        said = cards.text(name).lower()
        for arm in ("irdis", "ifs", "zimpol"):
            if said.startswith(arm):
                return arm
    return ""


def _role(cards: Cards, arm: str, kind: str, technique: str) -> tuple[str, str]:
    """Role of the file, or why it has none."""
    instrument = cards.text("INSTRUME").upper()
    if instrument and instrument != "SPHERE":
        return "", f"taken with {instrument}, not SPHERE"
    category = cards.text("DPR CATG").upper()
    if category in ("ACQUISITION", "TECHNICAL", "TEST"):
        return "", f"a file of category {category} is no science and calibrates nothing"
    if cards.text("OBS PROG ID").lower() == "maintenance":
        return "", "taken for maintenance"
    if not kind:
        return "", "it does not say what it is: no card DPR TYPE"
    if not arm:
        return "", "it does not say which arm of SPHERE took it: no card SEQ ARM, DET ID or DET NAME"
    if kind == "FLAT,LAMP" and arm == "ifs":
        return ("lenslet flat" if "IFU" in technique else "flat"), ""
    if kind in ROLES:
        return ROLES[kind], ""
    if "ASTROMETRY" in kind:
        return "astrometry", ""
    if kind.startswith(("STD", "OBJECT,STD")):
        return "standard", ""
    return "", f"unknown type {kind}"


def _frames(cards: Cards) -> int:
    """Exposures that the file holds; it may be fewer than were asked for."""
    axes = int(cards.number("NAXIS") or 0)
    if axes == 0:
        return int(cards.number("DET NDIT") or 0)
    return int(cards.number("NAXIS3") or 1) if axes >= 3 else 1


def _filter(cards: Cards, arm: str) -> str:
    if arm == "irdis":
        name = cards.text("INS COMB IFLT")
        return name.replace("DB_ND", "DB_") if name.replace("DB_ND", "DB_") in DUAL_BANDS else name
    if arm == "ifs":
        prism = cards.text("INS2 OPTI2 ID", "INS2 OPTI2 NAME").upper()
        if prism:
            return "YJH" if prism.endswith("YJH") else "YJ"
        setup = cards.text("INS2 COMB IFS").upper()
        return "YJH" if setup in ("OBS_H", "OBS_YJH") or setup.endswith("_YJH") else "YJ" if setup else ""
    return cards.text("INS3 OPTI5 NAME", "INS3 OPTI2 NAME") if arm == "zimpol" else ""


def _lamp(cards: Cards) -> str:
    setup = cards.text("INS2 COMB IFS").upper()
    return next((lamp for lamp in IFS_LAMPS if setup.startswith(lamp)), "")


def _dither(cards: Cards, arm: str) -> tuple[float, float]:
    number = {"irdis": 1, "ifs": 2}.get(arm)
    if number is None:
        return (0.0, 0.0)
    x, y = (cards.number(f"INS{number} DITH POS{axis}") or 0.0 for axis in "XY")
    return (x, y)


def _loops(cards: Cards) -> bool:
    """False when the high-order or the tip-tilt loop is said to be open; a file that does not say is believed."""
    said = [cards.text(f"AOS {loop} STATE").upper() for loop in ("HOLOOP", "TTLOOP")]
    return all(not state or state.startswith("CLOSED") for state in said)
