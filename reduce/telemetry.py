"""SPARTA: what the adaptive optics says of the atmosphere, and what of it belongs to each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from numpy.typing import ArrayLike, NDArray

from lyot.cube import Floats
from lyot.errors import Unprocessable

UNIX_EPOCH = 40587.0  # MJD of 1970-01-01
SEEING_WAVELENGTH = 500e-9  # m
LONGEST_GAP = 60.0  # s: farther from any measurement a frame has no value
#: Least and most that is believed, exclusive and inclusive (public SPARTA reader of J. Milli).
VALID = {"strehl": (0.05, 0.98), "r0": (0.0, 0.9), "wind": (0.0, 50.0)}


@dataclass(frozen=True, eq=False)
class Telemetry:
    """Atmosphere against time; NaN where a value is not to be believed.

    Parameters
    ----------
    times : (n,), MJD (UTC), in order
    r0 : (n,), m, at 500 nm along the line of sight
    wind : (n,), m/s
    strehl : (n,), at 1.6 µm
    """

    times: Floats
    r0: Floats
    wind: Floats
    strehl: Floats

    @property
    def seeing(self) -> Floats:
        """λ / r0 at 500 nm along the line of sight, arcsec."""
        return np.asarray(np.degrees(SEEING_WAVELENGTH / self.r0) * 3600.0)

    @property
    def coherence_time(self) -> Floats:
        """0.314 r0 / v, ms."""
        return np.asarray(0.314 * self.r0 / self.wind * 1e3)


def read_telemetry(paths: Sequence[str]) -> Telemetry:
    """The atmosphere of some SPARTA files, together; empty tables add nothing.

    Raises
    ------
    Unprocessable
        If no file has a table `AtmPerfParams`.
    """
    tables = []
    for path in paths:
        with fits.open(path, memmap=False) as hdus:
            found = [hdu for hdu in hdus if hdu.name.upper() == "ATMPERFPARAMS"] or [
                hdu for hdu in hdus[1:2] if isinstance(hdu, fits.BinTableHDU)
            ]
            for hdu in found:
                if hdu.data is not None:
                    tables.append({name.upper(): np.array(hdu.data[name], float) for name in hdu.data.names})
    if not tables:
        raise Unprocessable(f"no table AtmPerfParams in {', '.join(paths) or 'no file'}")

    def column(name: str) -> Floats:
        return np.concatenate([table.get(name, np.full(len(table["SEC"]), np.nan)) for table in tables])

    times = UNIX_EPOCH + (column("SEC") + column("USEC") * 1e-6) / 86400.0
    order = np.argsort(times, kind="stable")
    return Telemetry(
        times[order],
        believed("r0", column("R0"))[order],
        believed("wind", column("WINDSPEED"))[order],
        believed("strehl", column("STREHLRATIO"))[order],
    )


def at_zenith(seeing: ArrayLike, coherence_time: ArrayLike, airmass: ArrayLike) -> tuple[Floats, Floats]:
    """Seeing and coherence time along the line of sight as they would be at the zenith.

    r₀ goes as the airmass to the power −3/5, coherence time as r₀, seeing as its inverse (Roddier 1981, Progress in
    Optics 19, 281).
    """
    more = np.asarray(airmass, float) ** 0.6
    return np.asarray(seeing) / more, np.asarray(coherence_time) * more


def believed(name: str, values: Floats) -> Floats:
    """The values within what is valid, the rest NaN."""
    least, most = VALID[name]
    return np.where((values > least) & (values <= most), values, np.nan)


def at_frames(times: ArrayLike, values: Floats, frames: ArrayLike, exposure: float) -> Floats:
    """A quantity for each frame: its mean over the exposure, else between its neighbours within 60 s, else NaN.

    Parameters
    ----------
    times, values : (n,), MJD (UTC) in order, and any unit; NaN counts as not measured
    frames : (frame,), MJD (UTC), mid-exposure
    exposure : s
    """
    at = np.asarray(times, float)
    known = np.isfinite(values)
    at, measured = at[known], np.asarray(values, float)[known]
    middle = np.asarray(frames, float)
    if not len(at):
        return np.full(len(middle), np.nan)
    half = exposure / 2 / 86400.0
    first, last = np.searchsorted(at, middle - half), np.searchsorted(at, middle + half, side="right")
    sums = np.concatenate([[0.0], np.cumsum(measured)])
    inside = last > first
    mean = (sums[last] - sums[first]) / np.maximum(last - first, 1)
    right = np.clip(np.searchsorted(at, middle), 0, len(at) - 1)
    left = np.clip(right - 1, 0, len(at) - 1)
    near = np.minimum(np.abs(at[left] - middle), np.abs(at[right] - middle)) * 86400.0 <= LONGEST_GAP
    between = np.where(near, np.interp(middle, at, measured), np.nan)
    return np.asarray(np.where(inside, mean, between))


def good_frames(strehl: Floats, coherence_time: Floats, least_kept: float = 0.5) -> tuple[NDArray[np.bool_], list[str]]:
    """Which frames to keep by the adaptive optics, and why the others not; at least `least_kept` of them stay.

    A frame goes when its Strehl ratio or coherence time is below the median by three robust scatters; what was not
    measured stays.
    """
    reasons = [""] * len(strehl)
    badness = np.zeros(len(strehl))
    for name, values in (("low Strehl ratio", strehl), ("short coherence time", coherence_time)):
        if not np.isfinite(values).any():
            continue
        middle = np.nanmedian(values)
        scatter = 1.4826 * np.nanmedian(np.abs(values - middle))
        below = np.nan_to_num((middle - values) / max(float(scatter), 1e-9))
        for n in np.flatnonzero(below > 3.0):
            reasons[n] = reasons[n] or name
        badness = np.maximum(badness, below)
    bad = badness > 3.0
    most = int((1.0 - least_kept) * len(strehl))
    if bad.sum() > most:
        worst = np.argsort(-badness, kind="stable")[:most]
        bad = np.isin(np.arange(len(strehl)), worst)
        reasons = [reason if flag else "" for reason, flag in zip(reasons, bad, strict=True)]
    return ~bad, reasons
