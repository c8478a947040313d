"""Frames of raw files, read one at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numba
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from lyot.cube import Images
from lyot.errors import Unprocessable
from lyot.reduce.classify import RawFile

Window = tuple[slice, slice]  # rows, columns
Treatment = Callable[[Images, RawFile], Images]
BLOCK = 64  # rows of all frames that are in memory at once when they are combined


class RawFrames:
    """The frames of an open raw file, as counts, without reading them all."""

    def __init__(self, data: NDArray[np.generic], scale: float, zero: float) -> None:
        self._data = data[None] if data.ndim == 2 else data
        self._scale, self._zero = scale, zero

    def __len__(self) -> int:
        return len(self._data)

    @property
    def shape(self) -> tuple[int, int]:
        """Of one frame."""
        ny, nx = self._data.shape[-2:]
        return ny, nx

    def fields(self, number: int, windows: Sequence[Window]) -> Images:
        """Parts of one frame, all of one shape, (window, y, x) counts."""
        parts = [self._data[(number, *window)] for window in windows]
        stored = np.empty((len(parts), *parts[0].shape), np.float32)
        for field, part in zip(stored, parts, strict=True):
            field[...] = part
        return self._counts(stored)

    def rows(self, first: int, last: int) -> Images:
        """Some rows of every frame, (time, rows, x) counts."""
        return self._counts(self._data[:, first:last].astype(np.float32))

    def _counts(self, counts: Images) -> Images:
        """Stored values, already copied in the machine's byte order, as counts."""
        if self._scale != 1.0:
            counts *= np.float32(self._scale)
        if self._zero != 0.0:
            counts += np.float32(self._zero)
        return counts


@contextmanager
def raw_frames(path: str) -> Iterator[RawFrames]:
    """Open the frames of a raw file.

    Raises
    ------
    Unprocessable
        If the file cannot be read, is cut short or holds no frames.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", fits.verify.VerifyWarning)
            warnings.filterwarnings("ignore", message="non-ASCII")
            hdus = fits.open(path, memmap=True, do_not_scale_image_data=True)
    except (OSError, fits.VerifyError, fits.verify.VerifyWarning) as error:
        raise Unprocessable(f"{path} cannot be read: {error}") from None
    with hdus:
        hdu = hdus[0]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # astropy only warns of a file that is cut short
                data = hdu.data
        except (OSError, TypeError, ValueError, Warning) as error:
            raise Unprocessable(f"{path} is cut short: {error}", hint="fetch it again") from None
        if data is None or data.ndim not in (2, 3):
            raise Unprocessable(f"{path} holds no frames")
        yield RawFrames(data, float(hdu.header.get("BSCALE", 1.0)), float(hdu.header.get("BZERO", 0.0)))


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames of some raw files, cut into fields and treated one at a time as they are read.

    Iterating gives (file, number in the file, (field, y, x) counts).
    """

    files: tuple[RawFile, ...]
    windows: tuple[Window, ...]
    treatments: tuple[Treatment, ...] = ()

    def then(self, treatment: Treatment) -> Stack:
        """The same frames, with one more treatment."""
        return replace(self, treatments=(*self.treatments, treatment))

    def __len__(self) -> int:
        return sum(one.frames for one in self.files)

    def __iter__(self) -> Iterator[tuple[RawFile, int, Images]]:
        for file in self.files:
            with raw_frames(file.path) as raw:
                for number in range(min(len(raw), file.frames)):
                    yield file, number, self._treated(raw, file, number)

    def _treated(self, raw: RawFrames, file: RawFile, number: int) -> Images:
        fields = raw.fields(number, self.windows)
        for treatment in self.treatments:
            fields = treatment(fields, file)
        return fields


def clean_mean(paths: Sequence[str], sigma: float = 5.0) -> tuple[Images, Images]:
    """Mean of every frame of some files, pixel by pixel, without what is far from the median.

    The scatter that it is measured by is that of the pixel, or of most pixels where that is larger: of a few frames
    two may agree by chance.

    Parameters
    ----------
    paths : raw files of frames of one shape
    sigma : how far a value may be from the median, in units of its scatter

    Returns
    -------
    mean, scatter : (y, x), counts
        The scatter is that of single frames; 0 where there is only one.

    Raises
    ------
    Unprocessable
        If a file cannot be read or its frames have another shape.
    """
    if not paths:
        raise Unprocessable("no file to combine")
    with ExitStack() as opened:
        raws = [opened.enter_context(raw_frames(path)) for path in paths]
        shape = raws[0].shape
        for path, raw in zip(paths, raws, strict=True):
            if raw.shape != shape:
                raise Unprocessable(f"{path} has frames of {raw.shape}, those before it {shape}")
        mean, scatter = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for top in range(0, shape[0], BLOCK):
            rows = slice(top, min(top + BLOCK, shape[0]))
            stack = np.concatenate([raw.rows(rows.start, rows.stop) for raw in raws])
            usual = np.float32(np.median(stack[:, ::8, ::8].std(axis=0)))
            _combine(stack, np.float32(sigma), usual, mean[rows], scatter[rows])
    return mean, scatter


@numba.njit(nogil=True, cache=True)
def _combine(stack, sigma, usual, mean, scatter):  # type: ignore[no-untyped-def]
    """Mean and scatter of each pixel over frames, what is beyond `sigma` left out."""
    count = stack.shape[0]
    values, away = np.empty(count, np.float32), np.empty(count, np.float32)
    for y in range(stack.shape[1]):
        for x in range(stack.shape[2]):
            for n in range(count):
                values[n] = stack[n, y, x]
            middle = _median(values)
            for n in range(count):
                away[n] = abs(values[n] - middle)
            limit = sigma * max(usual, np.float32(1.4826) * _median(away))
            total, squares, used = np.float32(0.0), np.float32(0.0), 0
            for n in range(count):
                off = values[n] - middle
                if abs(off) <= limit:
                    total += off
                    squares += off * off
                    used += 1
            mean[y, x] = middle + total / used
            variance = (squares - total * total / used) / max(used - 1, 1)
            scatter[y, x] = math.sqrt(variance) if variance > 0 else 0.0


@numba.njit(nogil=True, cache=True)
def _median(values):  # type: ignore[no-untyped-def]
    """Median of a few values, which it sorts in place."""
    count = len(values)
    for n in range(1, count):
        value, k = values[n], n
        while k > 0 and values[k - 1] > value:
            values[k] = values[k - 1]
            k -= 1
        values[k] = value
    return values[count // 2] if count % 2 else np.float32(0.5) * (values[count // 2 - 1] + values[count // 2])
