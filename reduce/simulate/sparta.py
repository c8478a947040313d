"""The adaptive optics during a simulated night: turbulence, Strehl ratio, and the telemetry file that tells of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.time import Time

from lyot.cube import Floats

SAMPLING = 20.0  # s between two rows
CALM = 0.005  # s, coherence time at which `HALO` of the light is in the halo
HALO = 0.10
UNIX_OF_MJD = 40587.0  # MJD of 1970-01-01


@dataclass(frozen=True, eq=False)
class Turbulence:
    """Seeing conditions on a regular grid.

    Parameters
    ----------
    times : (n,), MJD UTC
    r0 : (n,), m at 0.5 µm
    wind : (n,), m/s
    """

    times: Floats
    r0: Floats
    wind: Floats

    @property
    def tau0(self) -> Floats:
        """Coherence time, s."""
        return 0.314 * self.r0 / self.wind

    @property
    def strehl(self) -> Floats:
        """Strehl ratio at 1.6 µm: what the halo leaves."""
        return np.asarray(1.0 - np.clip(HALO * (self.tau0 / CALM) ** -1.0, 0.04, 0.35))

    def at(self, what: str, times: Floats) -> Floats:
        """A quantity (`r0`, `wind`, `tau0`, `strehl`) at some times (MJD)."""
        return np.interp(times, self.times, getattr(self, what))

    def mean(self, what: str, begin: float, end: float) -> float:
        """Mean of a quantity from `begin` to `end` (MJD)."""
        return float(self.at(what, np.linspace(begin, end, 9)).mean())


def turbulence(rng: np.random.Generator, begin: float, end: float) -> Turbulence:
    """Conditions that wander around r0 = 0.14 m and 9 m/s with a memory of ten minutes."""
    times = np.arange(begin, end, SAMPLING / 86400.0)
    memory = np.exp(-SAMPLING / 600.0)

    def wander() -> Floats:
        steps = rng.standard_normal(len(times)) * np.sqrt(1.0 - memory**2)
        walk = np.empty(len(times))
        state = rng.standard_normal()
        for i, step in enumerate(steps):
            state = memory * state + step
            walk[i] = state
        return walk

    return Turbulence(times, 0.14 * np.exp(0.12 * wander()), 9.0 * np.exp(0.15 * wander()))


def telemetry(weather: Turbulence, rng: np.random.Generator, header: fits.Header) -> fits.HDUList:
    """The file of a night, with a gap of four minutes and some rows that make no sense, as real ones have."""
    n = len(weather.times)
    gap = n // 3
    kept = np.r_[0:gap, min(gap + 12, n) : n]
    r0, wind, strehl = weather.r0[kept], weather.wind[kept], weather.strehl[kept]
    r0 *= rng.normal(1.0, 0.01, len(kept))
    strehl = strehl + rng.normal(0.0, 0.004, len(kept))
    for values, nonsense in ((r0, (0.0, 1.7)), (wind, (0.0, 180.0)), (strehl, (0.0, 1.4, np.nan))):
        where = rng.choice(len(kept), size=len(nonsense), replace=False)
        values[where] = nonsense
    unix = (weather.times[kept] - UNIX_OF_MJD) * 86400.0
    seconds = np.floor(unix)
    clock = [_column("Sec", "K", seconds), _column("USec", "K", np.round((unix - seconds) * 1e6))]
    atmosphere = [_column("R0", "E", r0), _column("WindSpeed", "E", wind), _column("StrehlRatio", "E", strehl)]
    flux = rng.normal(2.2e5, 3e3, len(kept))
    light, faint = _column("Flux_avg", "E", flux), _column("Flux_avg", "E", flux / 50)
    loop = [_column(name, "E", rng.normal(0.0, 0.05, len(kept))) for name in ("Focus_avg", "TTx_avg", "TTy_avg")]
    mirror = [_column(name, "E", rng.uniform(0.0, 0.3, len(kept))) for name in ("DMPos_avg", "ITTMPos_avg")]
    mirror += [_column(name, "E", rng.uniform(0.0, 4.0, len(kept))) for name in ("DMSatur_avg", "DMAberr_avg")]
    sensor = [_column(name, "E", rng.normal(0.0, 0.1, len(kept))) for name in ("DTTPPos_avg", "DTTPRes_avg")]
    pixels = rng.poisson(200.0, (6, 32 * 32)).astype(np.float32)
    few = slice(0, 6)
    image = [_column("Sec", "K", seconds[few]), _column("USec", "K", np.zeros(6))]
    return fits.HDUList(
        [
            fits.PrimaryHDU(header=header),
            fits.BinTableHDU.from_columns(clock + atmosphere, name="AtmPerfParams"),
            fits.BinTableHDU.from_columns([*clock, *loop, *mirror, light], name="VisLoopParams"),
            fits.BinTableHDU.from_columns([*clock, *sensor, faint], name="IRLoopParams"),
            fits.BinTableHDU.from_columns(
                [*image, fits.Column("Pixels", "1024E", array=pixels, dim="(32,32)")], name="IRPixelAvgFrame"
            ),
        ]
    )


def _column(name: str, form: str, values: Floats) -> fits.Column:
    return fits.Column(name, form, array=np.asarray(values))


def iso(mjd: float) -> str:
    """A time as ESO headers write it, to a tenth of a millisecond."""
    return str(Time(mjd, format="mjd", scale="utc", precision=4).isot)
