"""HCI-FITS, the exchange format of high-contrast images (Choquet et al. 2014).

One file is one reduction: a primary unit without data, then `DATA_INFORMATION` (one row per image), `REDUCED_DATA`,
`SNR_MAP`, `SENSITIVITY_MAP` (images (n, y, x)), `DETECTION_LIMIT` (one row per image, vectors over separation) and
`SOURCE_DETECTION` (one row per candidate, vectors over images). After them come units of our own, which other readers
skip: `DETECTION_LIMIT` once more, as versions 2 and up, for other definitions of the noise; `CORRECTED_DATA`;
`STACKED_DATA`; and `RECORD`, the JSON that replays the reduction. No other module knows the format.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.time import Time
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from lyot.catalog.hciformat import (
    CANDIDATE,
    IMAGE_NUMBER,
    INFORMATION,
    LIMITS,
    MIDPOINT_DATE,
    MIDPOINT_TIME,
    OTHER_SPELLINGS,
    SOURCES,
    Card,
    Field,
    HciFits,
    Images,
    Limits,
    to_disk,
    to_ours,
)
from lyot.errors import BadInput

#: Beginnings of keywords that are the format's own business.
STRUCTURE = (
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "EXT", "NEXTEND", "FILETYPE", "FRAM", "CANDNUM",
    "CHECKSUM", "DATASUM", "COMMENT", "HISTORY",
)


def write(hci: HciFits) -> bytes:
    """The bytes of an HCI-FITS file.

    Raises
    ------
    BadInput
        If a card is one that the format writes itself.
    """
    hdus = [_information(hci), fits.ImageHDU(hci.images, name="REDUCED_DATA")]
    hdus[1].header.update({"BUNIT": "ct", **hci.image_cards})
    hdus.append(_map(hci.snr, hci, "SNR_MAP", {"SPATSCAL": "Resel"}))
    sigma = hci.limits[0].sigma if hci.limits else np.nan
    noise = _noise_cards(hci.limits[0].noise, sigma) if hci.limits else {}
    hdus.append(_map(hci.sensitivity, hci, "SENSITIVITY_MAP", noise))
    limits = [_limits(one, version + 1) for version, one in enumerate(hci.limits)] or [_no_limits()]
    hdus += [limits[0], _sources(hci), *limits[1:]]
    for name, extra in (("CORRECTED_DATA", hci.corrected), ("STACKED_DATA", hci.stacked)):
        if extra is not None:
            hdus.append(fits.ImageHDU(extra, name=name))
            hdus[-1].header["BUNIT"] = hci.image_cards.get("BUNIT", "ct")
    if hci.record is not None:
        text = json.dumps(hci.record, sort_keys=True)  # ASCII, as a FITS table needs
        column = fits.Column("RECORD", f"{len(text)}A", array=[text])
        hdus.append(fits.BinTableHDU.from_columns([column], name="RECORD"))
    buffer = io.BytesIO()
    fits.HDUList([_primary(hci, hdus), *hdus]).writeto(buffer, output_verify="exception")
    return buffer.getvalue()


def _primary(hci: HciFits, hdus: list[Any]) -> fits.PrimaryHDU:
    primary = fits.PrimaryHDU()
    cards = primary.header
    cards["FILETYPE"] = ("HLSP", "type of data found in data file")
    cards["NEXTEND"] = (len(hdus), "number of standard extensions")
    for number, hdu in enumerate(hdus[:9], 1):  # a keyword has room for one digit
        cards[f"EXT{number}NAME"] = (hdu.name, f"name of extension {number}")
        cards[f"EXT{number}TYPE"] = (hdu.header["XTENSION"].strip(), f"type of extension {number}")
    cards["FRAMFORM"] = ("2D Single Image", "structure of each frame")
    cards["FRAMENUM"] = (len(hci.images), "number of frames in the data set")
    for number, label in enumerate(hci.labels, 1):
        cards[f"FRAME{number}"] = (label, f"description of frame {number}")
    cards["CANDNUM"] = (hci.candidates, "number of point sources detected")
    for keyword, value in hci.cards.items():
        if keyword.startswith(STRUCTURE):
            raise BadInput(f"the card {keyword} of HCI-FITS is written by the format itself")
        cards[keyword] = value
    return primary


def _information(hci: HciFits) -> fits.BinTableHDU:
    count = len(hci.images)
    columns = [fits.Column(IMAGE_NUMBER, "J", array=np.arange(1, count + 1))]
    for column in INFORMATION:
        values = hci.information.get(column.name)
        if column.name == "midpoint":
            values = _words_of_time(values, date=column.spelling == MIDPOINT_DATE)
        elif values is not None and column.form == "D":
            values = np.asarray(values, float) * to_disk(column)
        empty = {"D": np.full(count, np.nan), "K": np.zeros(count, int)}.get(column.form, np.full(count, ""))
        columns.append(_column(column, column.form, empty if values is None else values))
    return fits.BinTableHDU.from_columns(columns, name="DATA_INFORMATION")


def _column(column: Field, form: str, values: NDArray[Any]) -> fits.Column:
    return fits.Column(column.spelling, form, unit=column.unit or None, array=values)


def _words_of_time(mjd: NDArray[Any] | None, *, date: bool) -> NDArray[Any] | None:
    """Day or time of day of MJD (UTC), in words; empty where unknown."""
    if mjd is None:
        return None
    words = [Time(day, format="mjd", scale="utc").isot.split("T") if np.isfinite(day) else ("", "") for day in mjd]
    return np.array([day if date else time for day, time in words])


def _map(values: Images | None, hci: HciFits, name: str, cards: Mapping[str, Card]) -> fits.ImageHDU:
    """A map as the format wants it; all NaN when it was not made."""
    hdu = fits.ImageHDU(np.full_like(hci.images, np.nan) if values is None else values, name=name)
    hdu.header.update(cards)
    return hdu


def _noise_cards(noise: str, sigma: float) -> dict[str, Card]:
    return {"NOISEMET": noise, "SPATSCAL": "Resel", "NSIGMA": sigma}


def _limits(limits: Limits, version: int) -> fits.BinTableHDU:
    columns = []
    for column in LIMITS:
        values = getattr(limits, column.name)
        if values is not None:
            columns.append(_column(column, f"{values.shape[1]}D", values * to_disk(column)))
    hdu = fits.BinTableHDU.from_columns(columns, name="DETECTION_LIMIT", ver=version)
    hdu.header.update(_noise_cards(limits.noise, limits.sigma))
    return hdu


def _no_limits() -> fits.BinTableHDU:
    columns = [_column(column, "1D", np.zeros((0, 1))) for column in LIMITS[:2]]
    return fits.BinTableHDU.from_columns(columns, name="DETECTION_LIMIT")


def _sources(hci: HciFits) -> fits.BinTableHDU:
    shape = (hci.candidates, len(hci.images))
    columns = [fits.Column(CANDIDATE, "J", array=hci.sources.get("number", np.zeros(0, int)))]
    for column in SOURCES:
        values = np.asarray(hci.sources.get(column.name, np.full(shape, np.nan)), float) * to_disk(column)
        columns.append(_column(column, f"{shape[1]}D", values))
    return fits.BinTableHDU.from_columns(columns, name="SOURCE_DETECTION")


def read(data: bytes) -> HciFits:
    """The reduction that an HCI-FITS file holds, ours or anybody's.

    Raises
    ------
    BadInput
        If it is no HCI-FITS file, or writes a unit that is not known.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyUserWarning)  # all that astropy says of a file that is cut short
            with fits.open(io.BytesIO(data), memmap=False) as hdus:
                return _read(hdus)
    except (OSError, AstropyUserWarning) as error:
        raise BadInput(f"no whole FITS file: {error}") from None
    except KeyError as error:
        raise BadInput(f"no HCI-FITS file: {error.args[0]}") from None


def _read(hdus: fits.HDUList) -> HciFits:
    primary, reduced = hdus[0].header, hdus["REDUCED_DATA"]
    images = _images(reduced)
    assert images is not None  # a KeyError came before
    if images.ndim == 2:
        images = images[None]
    return HciFits(
        images=images,
        information=_read_information(hdus["DATA_INFORMATION"], len(images)),
        labels=tuple(str(primary[f"FRAME{n}"]) for n in range(1, len(images) + 1) if f"FRAME{n}" in primary),
        sources=_read_sources(hdus["SOURCE_DETECTION"], len(images)) if "SOURCE_DETECTION" in hdus else {},
        limits=tuple(_read_limits(hdu) for hdu in hdus if hdu.name == "DETECTION_LIMIT" and len(hdu.data)),
        snr=_optional(hdus, "SNR_MAP"),
        sensitivity=_optional(hdus, "SENSITIVITY_MAP"),
        cards=_cards(primary),
        image_cards=_cards(reduced.header),
        corrected=_optional(hdus, "CORRECTED_DATA"),
        stacked=_optional(hdus, "STACKED_DATA"),
        record=json.loads(str(hdus["RECORD"].data["RECORD"][0])) if "RECORD" in hdus else None,
    )


def _images(hdu: Any) -> Images | None:
    return None if hdu.data is None else np.ascontiguousarray(hdu.data, dtype=np.float32)


def _optional(hdus: fits.HDUList, name: str) -> Images | None:
    """A map, or None when the file has none or one that says nothing."""
    images = _images(hdus[name]) if name in hdus else None
    return None if images is None or np.isnan(images).all() else images


def _cards(header: fits.Header) -> dict[str, Card]:
    return {
        key: value
        for key, value in header.items()
        if key and not key.startswith(STRUCTURE) and not isinstance(value, fits.card.Undefined)
    }


def _values(hdu: Any, column: Field, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """A column in our unit, or None when the table has none or it says nothing."""
    spellings = {OTHER_SPELLINGS.get(name, name): name for name in hdu.columns.names}
    if column.spelling not in spellings:
        return None
    name = spellings[column.spelling]
    values = np.asarray(hdu.data[name])
    if column.form.endswith("A"):
        words = np.array([str(word).strip() for word in values.ravel()])
        return words if any(words) else None
    factor = to_ours(column, hdu.columns[name].unit or "")
    if column.form == "K":
        return values.astype(np.int64) if values.any() else None
    numbers = np.asarray(values, np.float64).reshape(shape) * factor
    return None if numbers.size and np.isnan(numbers).all() else numbers


def _read_information(hdu: Any, count: int) -> dict[str, NDArray[Any]]:
    found = {column.spelling: _values(hdu, column, (count,)) for column in INFORMATION}
    days, times = found.pop(MIDPOINT_DATE), found.pop(MIDPOINT_TIME)
    names = {column.spelling: column.name for column in INFORMATION}
    information = {names[spelling]: values for spelling, values in found.items() if values is not None}
    if days is not None and times is not None:
        information["midpoint"] = np.array(
            [Time(f"{day}T{time}", scale="utc").mjd if day else np.nan for day, time in zip(days, times, strict=True)]
        )
    return information


def _read_limits(hdu: Any) -> Limits:
    shape = (len(hdu.data), -1)
    separation, contrast, throughput = (_values(hdu, column, shape) for column in LIMITS)
    if separation is None or contrast is None:
        raise BadInput("DETECTION_LIMIT of an HCI-FITS file lacks a radius or a limit")
    noise, sigma = hdu.header.get("NOISEMET", ""), hdu.header.get("NSIGMA", np.nan)
    return Limits(str(noise), float(sigma), separation, contrast, throughput)


def _read_sources(hdu: Any, count: int) -> dict[str, NDArray[Any]]:
    numbers = np.asarray(hdu.data[CANDIDATE], np.int64)
    sources: dict[str, NDArray[Any]] = {"number": numbers}
    for column in SOURCES:
        values = _values(hdu, column, (len(numbers), count))
        if values is not None:
            sources[column.name] = values
    return sources
