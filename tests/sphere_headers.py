"""Raw SPHERE headers made up for tests, of every type."""

from astropy.io import fits


def raw_header(kind: str = "OBJECT", arm: str = "IRDIS", **cards: object) -> fits.Header:
    """A header with the cards that every raw file has; `cards` by name with underscores for blanks."""
    header = fits.Header()
    header["INSTRUME"] = "SPHERE"
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"], header["NAXIS3"] = 3, 2048, 1024, 4
    header["DATE-OBS"] = "2016-09-16T03:00:00.000"
    given = {
        "SEQ ARM": arm,
        "DPR CATG": "SCIENCE" if kind.startswith(("OBJECT", "SKY")) else "CALIB",
        "DPR TYPE": kind,
        "DPR TECH": "IFU" if arm == "IFS" else "IMAGE,DUAL",
        "DET SEQ1 DIT": 16.0,
        "DET NDIT": 4,
        "DET READ CURNAME": "Nondest",
        "INS COMB IFLT": "DB_H23",
        "INS COMB ICOR": "N_ALC_YJH_S",
        "INS2 COMB IFS": "OBS_YJ",
        "INS2 OPTI2 ID": "PRIS_YJ",
        "INS4 FILT2 NAME": "OPEN",
        "INS4 COMB ROT": "PUPIL",
        "OBS ID": 1000,
        "OBS TARG NAME": "beta Pic",
        "OBS PROG ID": "097.C-0001(A)",
        "AOS HOLOOP STATE": "CLOSED_LOOP",
        "AOS TTLOOP STATE": "CLOSED_LOOP",
    }
    given.update({name.replace("_", " "): value for name, value in cards.items()})
    for name, value in given.items():
        if value is None:
            continue
        plain = name in ("INSTRUME", "DATE-OBS", "NAXIS3", "DATE OBS")
        header[name.replace("DATE OBS", "DATE-OBS") if plain else f"HIERARCH ESO {name}"] = value
    return header
