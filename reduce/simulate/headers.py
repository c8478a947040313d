"""The header of a raw SPHERE file: what is observed, how, when and where, under the keywords that ESO uses.

The right ascension and declination of the derotator are those of the equinox of date, as its tracking software has
them; `DROT2 BEGIN` is logged late in the exposure, and was renamed `START` in June 2021; both as real headers show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.time import Time

from lyot.reduce.simulate.housekeeping import ON_SKY, Value
from lyot.reduce.simulate.raw_file import header_text, machinery_text
from lyot.reduce.simulate.raw_plan import OVERHEAD, SECOND, SYNCHRONISED, Exposure
from lyot.reduce.simulate.raw_scene import IFS_SCALE, Night
from lyot.reduce.simulate.raw_sky import ELEVATION, LATITUDE, LONGITUDE, Pointing, Star, offline
from lyot.reduce.simulate.raw_wheels import wheels
from lyot.reduce.simulate.sparta import Turbulence, iso

LATE = 0.77  # share of the exposure after which the derotator's first angle is logged
RENAMED = 59366.0  # MJD of 2021-06-01: BEGIN becomes START
OB_ID = 2_400_000  # to which the day is added: the two arms of a night share their block, two nights do not
CALIBRATION_OB_ID = 200313600
COMMENTS = {
    "DET SEQ1 DIT": "[s] Integration time",
    "DET NDIT": "Number of Sub-Integrations",
    "DPR TYPE": "Observation type",
    "MJD-OBS": "Start of observation",
    "PIXSCAL": "[mas/pixel] pixel scale",
    "SEQ ARM": "Name of the sub-system.",
    "TEL PARANG START": "[deg] Parallactic angle at start",
    "TEL PARANG END": "[deg] Parallactic angle at end",
}
PROGRAMME = "0103.C-9999(A)"
CALIBRATION_PROGRAMME = "60.A-9255(A)"


@dataclass(frozen=True)
class Moment:
    """The sky at the beginning and the end of a file, and the weather."""

    pointing: Pointing
    weather: Turbulence


def header(exposure: Exposure, night: Night, moment: Moment | None) -> str:
    """All cards of one file but those of the array itself, in the text of FITS.

    Parameters
    ----------
    exposure : Exposure
    night : Night
    moment : Moment, optional
        With two points, the begin and the end; needed on the sky.
    """
    cards: dict[str, Value] = {}
    cards |= _general(exposure, night)
    cards |= _coordinates_of_pixels()
    cards |= _detector(exposure, night)
    cards |= _nature(exposure, night)
    cards |= wheels(exposure, night)
    cards |= _tracking(exposure, night, moment)
    if exposure.on_sky and moment is not None:
        cards |= ON_SKY | _sky(exposure, night, moment) | _weather(exposure, night, moment)
    cards |= {"PIXSCAL": 12.25 if night.arm == "irdis" else IFS_SCALE, "ARCFILE": archive_name(exposure)}
    return header_text(cards, COMMENTS) + machinery_text()


def archive_name(exposure: Exposure) -> str:
    """The name under which the archive keeps the file."""
    return f"SPHER.{iso(exposure.start)[:23]}.fits"


def sexagesimal(value: float, digits: int = 5) -> float:
    """Degrees or hours as the number DDMMSS.s, the sign kept; −0.5 becomes −3000."""
    total = round(abs(value) * 3600.0, digits)
    whole, seconds = divmod(total, 60.0)
    degrees, minutes = divmod(int(whole), 60)
    return float(np.copysign(round(degrees * 1e4 + minutes * 100 + seconds, digits), value))


def j2000(star: Star) -> tuple[float, float]:
    """Right ascension and declination (deg) for the epoch 2000.0, as an observing block has them."""
    with offline():
        then = star.at(Time(2000.0, format="jyear", scale="tcb"))
    return float(then.ra.deg), float(then.dec.deg)


def _general(exposure: Exposure, night: Night) -> dict[str, Value]:
    arm = night.arm.upper()
    cards: dict[str, Value] = {
        "ORIGIN": "ESO-PARANAL",
        "DATE": iso(exposure.end(night.arm)),
        "TELESCOP": "ESO-VLT-U3",
        "INSTRUME": "SPHERE",
        "OBJECT": night.star.name if exposure.kind.startswith("OBJECT") else exposure.kind,
        "EXPTIME": exposure.dit,
        "MJD-OBS": round(exposure.start, 8),
        "DATE-OBS": iso(exposure.start),
        "ORIGFILE": f"SPHERE_{arm}_{'OBS' if exposure.on_sky else 'CAL'}_{exposure.number:04d}.fits",
        "BUNIT": "adu",
        "PI-COI": "UNKNOWN" if exposure.on_sky else "Observatory, Paranal  SPHERE Calibrations",
    }
    if exposure.on_sky:
        cards["OBSERVER"] = "UNKNOWN"
    return cards


def _coordinates_of_pixels() -> dict[str, Value]:
    cards: dict[str, Value] = {f"CTYPE{i}": "PIXEL" for i in (1, 2, 3)}
    cards |= {f"CRVAL{i}": 1.0 for i in (1, 2, 3)}
    cards |= {f"CRPIX{i}": 0.5 if i < 3 else 1.0 for i in (1, 2, 3)}
    return cards | {f"CD{i}_{j}": float(i == j) for i in (1, 2, 3) for j in (1, 2, 3)}


def _detector(exposure: Exposure, night: Night) -> dict[str, Value]:
    arm, dit = night.arm.upper(), exposure.dit
    return {
        "DET ACQ1 QUEUE": exposure.ndit,
        "DET CHIP1 GAIN": 1.8 if arm == "IFS" else 1.75,
        "DET CHOP TIM": dit if exposure.on_sky else 0.0,
        "DET DETCFG": f"{arm.lower()}.dcf",
        "DET DITDELAY": 0.2,
        "DET EXP ID": 30 + exposure.number,
        "DET FRAM NO": exposure.ndit,
        "DET FRAM UTC": iso(exposure.end(night.arm)),
        "DET ID": arm,
        "DET NAME": arm,
        "DET NDIT": exposure.ndit,
        "DET NDSAMPLES": max(2, round(dit / 1.65)),
        "DET READ CURID": 4,
        "DET READ CURNAME": "Nondest",
        "DET SEQ UTC": iso(exposure.start),
        "DET SEQ1 DIT": dit,
        "DET SEQ1 EXPTIME": round(exposure.ndit * (dit + OVERHEAD[night.arm]), 7),
        "DET SEQ1 MINDIT": min(dit, 0.837464 if arm == "IRDIS" else 1.650726),
        "DET SEQ1 REALDIT": round(dit * 0.9997, 7),
        "DET SYSCFG": "ifdir.cfg",
    }


def _nature(exposure: Exposure, night: Night) -> dict[str, Value]:
    sky = exposure.on_sky
    cards: dict[str, Value] = {
        "DPR CATG": exposure.category,
        "DPR TECH": exposure.technique,
        "DPR TYPE": exposure.kind,
        "SEQ ARM": night.arm.upper(),
        "SEQ CORO CPI_ND": "ND_1.0",
        "SEQ CORO DATE": iso(exposure.start - 0.6)[:19],
        "SEQ CORO XC": 474.864,
        "SEQ CORO YC": 531.213,
        "OBS DID": "ESO-VLT-DIC.OBS-2.1",
        "OBS GRP": "0",
        "OBS ID": OB_ID + int(exposure.start) if sky else CALIBRATION_OB_ID,
        "OBS NAME": f"{night.star.name}_{night.arm}" if sky else "Calibration",
        "OBS NTPL": 2,
        "OBS PI-COI ID": 54450,
        "OBS PI-COI NAME": "UNKNOWN",
        "OBS PROG ID": PROGRAMME if sky else CALIBRATION_PROGRAMME,
        "OBS START": iso(exposure.begun)[:19],
        "OBS TPLNO": 2,
        "OCS DET1 IMGNAME": f"SPHERE_{night.arm.upper()}_{'OBS' if sky else 'CAL'}",
        "TPL DID": "ESO-VLT-DIC.TPL-1.9",
        "TPL EXPNO": exposure.number,
        "TPL ID": f"SPHERE_{night.arm}_{'obs' if sky else 'cal'}",
        "TPL NAME": f"{night.arm.upper()} {'observations' if sky else 'calibration'}",
        "TPL NEXP": max(24, exposure.number),
        "TPL PRESEQ": f"SPHERE_{night.arm}_obs.seq",
        "TPL START": iso(exposure.begun + 240 * SECOND)[:19],
        "TPL VERSION": "$Revision: 298438 $",
    }
    if sky:
        orient: dict[str, Value] = {"OCS WAFFLE AMPL": 0.05, "OCS WAFFLE ORIENT": "x", "OCS OBSTYPE LIST": "F C O F S"}
        cards |= orient | {"OBS TARG NAME": night.star.name}
    return cards


def _tracking(exposure: Exposure, night: Night, moment: Moment | None) -> dict[str, Value]:
    """Derotator, dispersion correctors, half-wave plates: under pupil tracking the derotator follows the altitude."""
    angle = 0.0
    if moment is None or not exposure.on_sky:
        begin, end, mode = -0.0001, -0.0001, "STAT"
        place: dict[str, Value] = {"RA": 232233.588551, "DEC": -235526.20652}
    else:
        first, last = moment.pointing.altitude
        early = exposure.start < SYNCHRONISED or exposure.kind == "OBJECT,FLUX" or exposure.number == 1
        logged = first if early else first + LATE * (last - first)
        begin, end = (180.0 + 0.5 * (altitude - exposure.clock_error) for altitude in (logged, last))
        mode = "ELEV"
        if night.tracking == "FIELD":
            mode, angle = "SKY", night.posang
            turned = 0.5 * (moment.pointing.altitude - moment.pointing.zenith_date + angle)
            begin, end = float(turned[0]) % 360.0, float(turned[1]) % 360.0
        place = {
            "RA": sexagesimal(float(moment.pointing.ra_date[0]) / 15.0, 6),
            "DEC": sexagesimal(float(moment.pointing.dec_date[0])),
        }
    word = "START" if exposure.start >= RENAMED else "BEGIN"
    cards: dict[str, Value] = {}
    for n, (first_angle, last_angle, how, asked) in enumerate(
        ((0.0, 0.0, "STAT", 0.0), (begin, end, mode, angle), (152.15, 152.15, "STAT", 0.0)), start=1
    ):
        cards |= {f"INS4 DROT{n} {name}": value for name, value in place.items()}
        cards |= {f"INS4 DROT{n} {word}": round(first_angle, 4), f"INS4 DROT{n} END": round(last_angle, 4)}
        cards |= {f"INS4 DROT{n} MODE": how, f"INS4 DROT{n} POSANG": asked}
    for n in (1, 2, 3, 4):
        cards |= {f"INS4 ADC{n} {name}": value for name, value in place.items()}
        cards |= {f"INS4 ADC{n} BEGIN": 0.002, f"INS4 ADC{n} END": 0.0025}
        cards[f"INS4 ADC{n} MODE"] = "AUTO" if exposure.on_sky else "OFF"
    return cards


def _sky(exposure: Exposure, night: Night, moment: Moment) -> dict[str, Value]:
    here, star = moment.pointing, night.star
    airmass = 1.0 / np.sin(np.radians(here.altitude))
    ra, dec = j2000(star)
    return {
        "RA": round(ra, 6),
        "DEC": round(dec, 5),
        "EQUINOX": 2000.0,
        "RADECSYS": "FK5",
        "UTC": round((exposure.start % 1.0) * 86400.0, 3),
        "LST": round(float(here.lst[0]) * 3600.0, 3),
        "ADA GUID DEC": round(dec - 0.062, 5),
        "ADA GUID RA": round(ra + 0.071, 6),
        "TEL AIRM START": round(float(airmass[0]), 3),
        "TEL AIRM END": round(float(airmass[1]), 3),
        "TEL ALT": round(float(here.altitude[0]), 3),
        "TEL AZ": round(float(here.azimuth[0] - 180.0) % 360.0, 3),  # counted from South through West
        "TEL GEOELEV": ELEVATION,
        "TEL GEOLAT": LATITUDE,
        "TEL GEOLON": LONGITUDE,
        "TEL PARANG START": round(float(here.zenith_date[0]), 3),
        "TEL PARANG END": round(float(here.zenith_date[1]), 3),
        "TEL TARG ALPHA": sexagesimal(ra / 15.0, 3),
        "TEL TARG COORDTYPE": "M",
        "TEL TARG DELTA": sexagesimal(dec, 3),
        "TEL TARG EPOCH": 2000.0,
        "TEL TARG EPOCHSYSTEM": "J",
        "TEL TARG EQUINOX": 2000.0,
        "TEL TARG PARALLAX": round(star.parallax / 1000.0, 6),
        "TEL TARG PMA": round(star.pmra / 1000.0, 6),
        "TEL TARG PMD": round(star.pmdec / 1000.0, 6),
        "TEL TARG RADVEL": 0.0,
    }


def _weather(exposure: Exposure, night: Night, moment: Moment) -> dict[str, Value]:
    weather, begin, end = moment.weather, exposure.start, exposure.end(night.arm)
    seeing = [float(np.degrees(0.5e-6 / weather.at("r0", np.array([t]))[0]) * 3600.0) for t in (begin, end)]
    return {
        "TEL AMBI FWHM START": round(seeing[0], 2),
        "TEL AMBI FWHM END": round(seeing[1], 2),
        "TEL AMBI TAU0": round(weather.mean("tau0", begin, end), 4),
        "TEL AMBI WINDSP": round(weather.mean("wind", begin, end), 2),
        "TEL IA FWHM": round(seeing[0], 2),
        "TEL IA FWHMLIN": round(seeing[0] * 1.03, 2),
        "TEL IA FWHMLINOBS": round(seeing[0] * 1.08, 2),
    }
