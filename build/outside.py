"""FITS files that other people made: read whole, or refused in one sentence that names the file."""

from __future__ import annotations

import gzip
import hashlib
import io
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from lyot.errors import BadInput, NotFound

GZIP = b"\x1f\x8b"  # how a compressed file begins


@dataclass(frozen=True, eq=False)
class FitsFile:
    """The first data of a FITS file: an image, or a table's only column.

    Parameters
    ----------
    name : str
        The file as its owner named it, for messages.
    values : array of numbers
    header : Header
        Of the unit that holds the data.
    sha256 : str
        Of the bytes on disk.
    """

    name: str
    values: NDArray[Any]
    header: fits.Header
    sha256: str


def read_fits(path: str | Path) -> FitsFile:
    """Read the first image or one-column table of a FITS file, compressed by gzip or not.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If it is no FITS file, is cut short, or holds no numbers.
    """
    raw = _bytes(Path(path))
    if not raw.startswith((b"SIMPLE", GZIP)):
        start = raw[:20].decode("ascii", "replace")
        raise BadInput(f"{path} is no FITS file: it begins with {start!r}, where 'SIMPLE' is needed")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # astropy only warns of a file that is cut short
        try:
            values, header = _first_data(_unpacked(raw), str(path))
        except OSError as error:
            raise BadInput(f"{path} is no sound FITS file: {error}") from None
        except (EOFError, TypeError, ValueError, zlib.error):
            values = None  # astropy wanted more bytes than there are
    if values is None or any("truncated" in str(warning.message) for warning in said):
        raise BadInput(
            f"{path} is cut short: {len(raw)} bytes are fewer than its header promises", hint="fetch it again"
        )
    return FitsFile(str(path), values, header, hashlib.sha256(raw).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None


def _unpacked(raw: bytes) -> bytes:
    return gzip.decompress(raw) if raw.startswith(GZIP) else raw


def _first_data(raw: bytes, name: str) -> tuple[NDArray[Any], fits.Header]:
    with fits.open(io.BytesIO(raw), memmap=False) as hdus:
        for hdu in hdus:
            if hdu.data is None:
                continue
            values = _only_column(hdu, name) if isinstance(hdu, fits.BinTableHDU | fits.TableHDU) else hdu.data
            if values.dtype.kind not in "fiu":
                raise BadInput(f"{name} holds data of type {values.dtype}, real numbers are needed")
            return np.array(values, dtype=values.dtype.newbyteorder("=")), hdu.header.copy()
    raise BadInput(f"{name} holds no data: none of its units has an image or a table")


def _only_column(hdu: Any, name: str) -> NDArray[Any]:
    columns = hdu.columns.names
    if len(columns) != 1:
        raise BadInput(f"{name} holds a table of {len(columns)} columns ({', '.join(columns)}), one is needed")
    return np.asarray(hdu.data[columns[0]])
