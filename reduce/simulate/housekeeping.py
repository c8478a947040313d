"""The hundreds of cards of a raw SPHERE header that describe machinery: plausible constants under the real names.

Nothing here depends on the observation. A reader of headers must cope with them all; nothing should need them.
"""

from __future__ import annotations

from collections.abc import Iterator

Value = str | float | int | bool
Card = tuple[str, Value]

ONE_BY_ONE: dict[str, Value] = {
    "AOS GARBCOL MODE": "ON",
    "AOS HOCTR MODE": "LEAKY",
    "AOS IROPTIM WEIGTMOD": "STATIC",
    "AOS OPTIMTT KALMAN": "TURB_ONLY",
    "AOS OPTMODAL GAIN": "ON",
    "AOS SLAVING MODE": "DYNAMIC",
    "AOS VISOPTIM WEIGTMAP": "STATIC",
    "DET CHOP CYCSUM": True,
    "DET CHOP CYCSYNC": False,
    "DET CHOP FREQ": 0.0,
    "DET CHOP ST": False,
    "DET CHOP TRANSTIM": 0.025,
    "DET CLDC1 CLKOFF": 1.0,
    "DET CLDC1 DCOFF": 1.0,
    "DET CLDC1 DIODE": 0.0,
    "DET CLDC1 PREAMP": 0.0,
    "DET CLDC1 STATUS": "enabled",
    "DET DID": "ESO-VLT-DIC.NGCDCS",
    "DET EXP POSTPROC": True,
    "DET EXP REV": 1,
    "DET NDITSKIP": 0,
    "DET NDSKIP": 0,
    "DET SEQ BREAK": False,
    "DET SOFW BASE": "Revision 273268",
    "DET SOFW MODE": "NORMAL",
    "INS DATE": "2000-06-16",
    "INS1 PAC SWSIM": False,
    "INS1 SWSIM": "NORMAL",
    "INS2 PAC SWSIM": True,
    "INS2 POS ENC": -31400,
    "INS2 POS POS": -15.7,
    "INS2 SHUT SWSIM": False,
    "INS2 SWSIM": "NORMAL",
    "INS4 BILZ ERROR": 0,
    "INS4 BILZ ID": "bilz",
    "INS4 BILZ INWORD": 1799,
    "INS4 BILZ OUTWORD": 110,
    "INS4 BILZ STATUS": 40964,
    "INS4 BILZ SWSIM": False,
    "INS4 LAMP2 SWSIM": True,
    "INS4 LAMPPWR2 SWSIM": True,
    "INS4 POS ENC": -20769,
    "INS4 POS POS": -20769.0,
}

#: Folder of cards → its endings and values.
GROUPED: dict[str, dict[str, Value]] = {
    "DET ACQ1": {
        "APPREV": 0,
        "CONT": False,
        "DISKMEM": False,
        "PROC": "ngciracqH2RG4 -ref 2",
        "QDUMP": False,
        "REV": 1,
        "SOFW MODE": "NORMAL",
        "WIN NX": 2048,
        "WIN NY": 2048,
        "WIN STRX": 1,
        "WIN STRY": 1,
    },
    "DET CHIP1": {
        "DATE": "2006-07-20",
        "ID": "ESO-Hawaii2RG",
        "INDEX": 1,
        "LIVE": True,
        "NAME": "Hawaii2RG",
        "NX": 2048,
        "NY": 2048,
        "PSZX": 1.0,
        "PSZY": 1.0,
        "PXSPACE": 1.8e-05,
        "RGAP": 0.0,
        "RON": 0.0,
        "TYPE": "IR",
        "X": 1,
        "XGAP": 0.0,
        "Y": 1,
        "YGAP": 0.0,
    },
    "DET DEV1": {"REV": "3.1.1", "SERNO": "FFFFFFFFFFFF", "SOFW BASE": "Revision 273109", "SOFW MODE": "NORMAL"},
    "DET FRAM": {
        "FORMAT": "cube",
        "HOST": "",
        "INITCNT": 0,
        "PATH": "",
        "REF": "",
        "SCAL": 1,
        "STRX": 1,
        "STRY": 1,
        "TYPE": "DIT",
    },
    "DET SEQ1": {
        "CONT": False,
        "CVTEXT": True,
        "INITTIME": 0.0,
        "PERIOD": 0.0,
        "RUNCTRL": True,
        "SLX ENA": False,
        "SYNCEXT": True,
        "TIMEADD": 0,
        "TIMEFAC": 40,
        "TRIGGER": False,
        "TRIGMODE": 0,
        "WIN NX": 2048,
        "WIN NY": 2048,
        "WIN STRX": 1,
        "WIN STRY": 1,
    },
}

#: Cards that only an exposure of the sky has.
ON_SKY: dict[str, Value] = {
    "ADA ABSROT END": 0.0,
    "ADA ABSROT PPOS": "POS",
    "ADA ABSROT START": 0.0,
    "ADA GUID STATUS": "ON",
    "ADA POSANG": 0.0,
    "OBS AIRM": 2.0,
    "OBS AMBI FWHM": 2.0,
    "OBS AMBI TRANS": "2CLR",
    "OBS ATM": "POOR",
    "OBS CONTAINER ID": -999,
    "OBS CONTAINER TYPE": "U",
    "OBS CONTRAST": 0.0,
    "OBS EXECTIME": 3485,
    "OBS MOON DIST": 30,
    "OBS MOON FLI": 1.0,
    "OBS OBSERVER": "UNKNOWN",
    "OBS STREHLRATIO": 0.0,
    "OBS TWILIGHT": -30,
    "OBS WATERVAPOUR": 30.0,
    "TEL AMBI IRSKY TEMP": -90.0,
    "TEL AMBI IWV END": 5.33,
    "TEL AMBI IWV START": 5.37,
    "TEL AMBI IWV30D END": 5.52,
    "TEL AMBI IWV30D START": 5.6,
    "TEL AMBI IWV30DSTD END": 0.1,
    "TEL AMBI IWV30DSTD START": 0.01,
    "TEL AMBI IWVSTD END": 0.01,
    "TEL AMBI IWVSTD START": 0.04,
    "TEL AMBI PRES END": 743.8,
    "TEL AMBI PRES START": 743.9,
    "TEL AMBI RHUM": 16.5,
    "TEL AMBI TEMP": 14.43,
    "TEL AMBI WINDDIR": 29.0,
    "TEL CHOP ST": False,
    "TEL DATE": "2000-01-01T00:00:00",
    "TEL DID": "ESO-VLT-DIC.TCS",
    "TEL DOME STATUS": "FULLY-OPEN",
    "TEL FO POS": 15.741,
    "TEL FOCU ID": "NA",
    "TEL FOCU LEN": 120.0,
    "TEL FOCU SCALE": 1.718,
    "TEL FOCU VALUE": -31.196,
    "TEL ID": "v 329893",
    "TEL MOON DEC": 16.51327,
    "TEL MOON RA": 150.650736,
    "TEL OPER": "I, Condor",
    "TEL TH M1 TEMP": 13.57,
    "TEL TRAK STATUS": "NORMAL",
}

CLOCKS, VOLTAGES = range(1, 19), range(1, 21)
NAMELESS_SENSORS = (424,)
NAMELESS_THERMOMETERS = (102, 103, 104, 204, 205, 206, 429, *range(434, 440), 452, 453, 454)


def machinery() -> Iterator[Card]:
    """Cards of the detector electronics, wheels and sensors, the same in every file."""
    yield from ONE_BY_ONE.items()
    for folder, cards in GROUPED.items():
        yield from ((f"{folder} {name}", value) for name, value in cards.items())
    yield from _electronics()
    yield from _sensors()


def _electronics() -> Iterator[Card]:
    for n in CLOCKS:
        for level, volts in (("HI", 3.3), ("LO", 0.0)):
            yield f"DET CLDC1 CLK{level}{n}", volts
            yield f"DET CLDC1 CLK{level}NM{n}", f"clk{n}{level.capitalize()}"
            yield f"DET CLDC1 CLK{level}T{n}", round(volts + 0.003 * n, 3)
    for n in VOLTAGES:
        yield f"DET CLDC1 DC{n}", 3.3
        yield f"DET CLDC1 DCNM{n}", f"DC{n}"
        yield f"DET CLDC1 DCT{n}", round(3.28 + 0.002 * n, 3)
    for n in (1, 2):
        yield from ((f"DET ADC{n} {name}", False) for name in ("CLAMP", "PPENA", "PPFOWLER", "PPINVERT"))
        yield from ((f"DET ADC{n} {name}", 0) for name in ("DELAY", "FILTER", "PPNX", "PPNY"))
        yield from ((f"DET ADC{n} {name}", value) for name, value in (("OFFSET", 2.0), ("TEMP", 0.0)))
        yield from ((f"DET ADC{n} {name}", 1) for name in ("PPNINT", "PPNSAMP"))
        yield from ((f"DET DEV1 BOARD{n} {name}", "000010805027") for name in ("BCKPL", "SERNO", "TRANS"))
        yield f"DET DEV1 BOARD{n} REV", "5.5.1"
        yield f"DET DEV1 BOARD{n} TYPE", "FEB"
        yield f"DET DEV1 BOARD{n} VERSION", 5


def _sensors() -> Iterator[Card]:
    counted = {
        "INS1 SENS": range(101, 104),
        "INS2 SENS": range(201, 204),
        "INS4 SENS": (*range(401, 420), *range(424, 429)),
    }
    for family, numbers in counted.items():
        for n in numbers:
            yield from _sensor(f"{family}{n}", n in (101, 201, *NAMELESS_SENSORS), 0.1)
    warm = {"INS1 TEMP": range(101, 106), "INS2 TEMP": range(201, 207)}
    for family, numbers in {**warm, "INS4 TEMP": [n for n in range(401, 456) if n != 427]}.items():
        for n in numbers:
            yield from _sensor(f"{family}{n}", n in NAMELESS_THERMOMETERS, 16.5)
    for instrument, numbers in ((1, (1,)), (2, (1, 2)), (4, (*range(1, 7), *range(9, 13)))):
        for n in numbers:
            yield f"INS{instrument} SENSOR{n} ID", f"sn{n}"
            yield f"INS{instrument} SENSOR{n} NAME", f"Sensor device {n}"
    for n in (1, 2, 3):
        yield f"INS4 TILT{n} ENC", 447464
        yield f"INS4 TILT{n} FRML", "ENC=OFFSET+RESOL*asin(2*POS-(MAX+MIN))"
        yield f"INS4 TILT{n} OFFSET", 16325
        yield from ((f"INS4 TILT{n} {name}", v) for name, v in (("POS", 2.0), ("POSMAX", 153.4), ("POSMIN", -153.4)))
        yield f"INS4 TILT{n} RESOL", -100.0


def _sensor(name: str, nameless: bool, value: float) -> Iterator[Card]:
    if not nameless:
        yield f"{name} ID", "T"
        yield f"{name} NAME", "sensor"
    yield f"{name} VAL", value
