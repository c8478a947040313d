"""Which mask, filter, plate and lamp stands where during an exposure, under the keywords of SPHERE."""

from __future__ import annotations

from lyot.reduce.simulate.housekeeping import Value
from lyot.reduce.simulate.raw_plan import ALC, Exposure
from lyot.reduce.simulate.raw_scene import BANDS, Night

PIXEL = 18.0  # µm
LASERS = {3: "1310nm", 5: "980nm", 8: "1080nm"}  # lamps of the wavelength calibration
LONG_LASER = {4: "1550nm"}  # and of the one of YJH


def wheels(exposure: Exposure, night: Night) -> dict[str, Value]:
    """Cards of everything that moves, but the derotator."""
    cards = _common_path(exposure, night) | _irdis(exposure, night) | _ifs(exposure, night)
    return cards | (_lasers(night) if exposure.lamp == "WAVE" else {})


def mode(night: Night) -> str:
    """The mode of IRDIS: dual-band or classical imaging."""
    return "DBI" if night.band.startswith("DB") else "CI"


def _common_path(exposure: Exposure, night: Night) -> dict[str, Value]:
    """Masks, neutral densities, dichroics, and the loops of the adaptive optics."""
    sky, alc = exposure.on_sky, exposure.coronagraph == ALC
    loop = ("CLOSED_LOOP" if exposure.closed else "OPEN_LOOP") if sky else "IDLE"
    cards: dict[str, Value] = {
        "AOS HOLOOP STATE": loop,
        "AOS IRLOOP STATE": loop,
        "AOS PUPLOOP STATE": "CLOSED_LOOP" if sky else "IDLE",
        "AOS TTLOOP STATE": loop,
        "AOS IRWFS MODE": "DTTS3" if sky else "DTTS2",
        "AOS VISWFS MODE": f"GAIN_1000_FREQ_{300 if sky else 1380}Hz",
        "INS COMB ICOR": exposure.coronagraph,
        "INS COMB IFLT": night.band if night.arm == "irdis" else "DB_H23",
        "INS COMB POLA": "",
        "INS COMB VCOR": "V_NC_WF",
        "INS4 COMB CAL": "OBS" if sky else "CAL",
        "INS4 COMB CALSEL": "OPEN",
        "INS4 COMB CPI": "OPEN" if sky else "CLOSED",
        "INS4 COMB IBS": "",
        "INS4 COMB POLA_CPI": "N_I",
        "INS4 COMB ROT": night.tracking if sky else "CAL_ZENITH",
        "INS4 COMB VBS": "",
        "INS4 DID1": "SPHERE_ICS-295670",
        "INS4 DID2": "PRIMARY-FITS-1.2",
        "INS4 ID": "SPHERE/176642",
        "INS4 MODE": "IRDIFS" if night.arm == "ifs" else f"IRDIS_{mode(night)}",
        "INS4 SHUT ST": True,
        "INS4 SHUT SWSIM": False,
        "INS4 SWSIM": "NORMAL",
    }
    for n, name in ((1, "OPEN"), (2, exposure.nd), (3, "OPEN")):
        cards |= _filter(f"INS4 FILT{n}", name, "OPEN" if name == "OPEN" else f"FILT_{name}", 1 + (name != "OPEN"))
    for n in range(1, 23):
        name, kind = {10: ("APO1", "MASK"), 11: ("ALC2", "MASK"), 14: ("ST_ALC2", "MASK")}.get(n, ("OPEN", "FREE"))
        name, kind = (name, kind) if alc else ("OPEN", "FREE")
        name, kind = ("LARGE", "MASK") if n == 22 else (name, kind)
        name, kind = (("DIC_H", "DICHROIC") if night.arm == "ifs" else ("MIRR", "MIRROR")) if n == 13 else (name, kind)
        cards |= _optic(f"INS4 OPTI{n}", name, kind)
        if n in (12, 18, 20, 21):
            cards[f"INS4 OPTI{n} SWSIM"] = True
    return cards


def _filter(place: str, name: str, identity: str, number: int) -> dict[str, Value]:
    return {f"{place} ID": identity, f"{place} NAME": name, f"{place} NO": number}


def _optic(place: str, name: str, kind: str) -> dict[str, Value]:
    return {
        f"{place} ID": name if name in ("OPEN", "CLEAR") else f"{kind}_{name}",
        f"{place} NAME": name,
        f"{place} NO": 1 if name == "OPEN" else 2,
        f"{place} TYPE": kind,
    }


def _irdis(exposure: Exposure, night: Night) -> dict[str, Value]:
    common, dual = BANDS[night.band][2:] if night.arm == "irdis" else ("B_H", "D_H23")
    x, y = exposure.dither
    cards: dict[str, Value] = {
        "INS1 DID1": "IRDIS_ICS-270684",
        "INS1 DID2": "PRIMARY-FITS-1.2",
        "INS1 DITH POSX": x,
        "INS1 DITH POSY": y,
        "INS1 ID": "IRDIS/176642",
        "INS1 MODE": mode(night) if night.arm == "irdis" else "NIROBS",
        "INS1 PAC X": round(x * PIXEL - 0.083, 5),
        "INS1 PAC XTEMP": -182.04,
        "INS1 PAC Y": round(y * PIXEL + 0.031, 5),
        "INS1 PAC YTEMP": -164.01,
    }
    cards |= _filter("INS1 FILT", common, f"FILT_{common.replace('B_', 'BBF_', 1)}", 2)
    cards |= _optic("INS1 OPTI1", "ST_ALC2" if exposure.coronagraph == ALC else "OPEN", "MASK_STOP")
    return cards | _optic("INS1 OPTI2", dual, "FILT_DBF")


def _ifs(exposure: Exposure, night: Night) -> dict[str, Value]:
    prism = night.band if night.arm == "ifs" else "YJ"
    whole = exposure.lamp in ("", "WAVE", "SPECPOS", "IFU", "FLAT")
    combination = f"OBS_{'H' if prism == 'YJH' else 'YJ'}" if whole else f"{exposure.lamp}_{prism}"
    cards: dict[str, Value] = {
        "INS2 CAL": "OFF" if exposure.on_sky else "ON",
        "INS2 COMB IFS": combination,
        "INS2 DID1": "IFS_ICS-270684",
        "INS2 DID2": "PRIMARY-FITS-1.2",
        "INS2 DITH POSX": 0.0,
        "INS2 DITH POSY": 0.0,
        "INS2 ID": "IFS/176642",
        "INS2 MODE": "NIROBS",
        "INS2 PAC X": 198.292,
        "INS2 PAC Y": 5.765,
        "INS2 SHUT ST": True,
    }
    cards |= _filter("INS2 FILT", "OPEN", "OPEN", 1) | _optic("INS2 OPTI1", "OPEN", "FREE")
    cards |= _optic("INS2 OPTI2", f"PRI_{prism}", "LENS")
    return cards | {"INS2 OPTI2 ID": f"PRIS_{prism}"}


def _lasers(night: Night) -> dict[str, Value]:
    cards: dict[str, Value] = {"INS4 LASERPWR ID": "CBLA", "INS4 LASERPWR NAME": "CBLA", "INS4 LASERPWR ST": True}
    for n, name in (LASERS | (LONG_LASER if night.band == "YJH" else {})).items():
        cards |= {f"INS4 LAMP{n} ID": f"CBL{n - 2}", f"INS4 LAMP{n} NAME": f"Laser {name}", f"INS4 LAMP{n} ST": True}
        loop = f"INS4 LAMPTCL{n - 2}"
        cards |= {f"{loop} ID": f"CBT{n - 2}", f"{loop} NAME": f"CBT{n - 2}", f"{loop} ST": True}
    return cards
