"""What a recipe makes of a cube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lyot.cube import Floats, Images


@dataclass(frozen=True)
class Source:
    """A point source in one image, as measured; positions relative to the star, errors 1σ.

    `separation` mas, `position_angle` deg East of North, `dra` and `ddec` mas (East and North positive),
    `contrast` companion / star (None without a star flux), `snr` Mawet et al. 2014.
    """

    number: int
    wave: int
    separation: float
    separation_error: float
    position_angle: float
    position_angle_error: float
    dra: float
    dra_error: float
    ddec: float
    ddec_error: float
    dra_ddec_correlation: float
    snr: float
    false_alarm_probability: float
    contrast: float | None = None
    contrast_error: float | None = None


@dataclass(frozen=True)
class Limit:
    """5σ limits (or as `sigma` says) against separation, at one wavelength, by one definition of the noise.

    `separation` mas, `contrast` companion / star, `throughput` part of a source's flux that the recipe keeps.
    """

    wave: int
    noise: str  # "mawet" or "annulus"
    sigma: float
    separation: Floats
    contrast: Floats
    throughput: Floats


@dataclass(frozen=True)
class Reduction:
    """Images, maps, limits and sources of one recipe on one cube, and the record that replays it.

    Parameters
    ----------
    image : (wave, y, x), counts
        Starlight-subtracted frames, North up, combined over time. NaN where nothing was seen.
    residuals : (wave, time, y, x), counts
        Starlight-subtracted frames before derotation; those that the recipe left out are not among them.
    record : JSON object
        Replays the recipe.
    corrected : (wave, y, x), counts, optional
        `image` divided by the throughput at each separation.
    stacked : (y, x), optional
        `image` combined over wavelength.
    snr : (wave, y, x), optional
        S/N maps (Mawet et al. 2014).
    limits, sources : what `lyot.reduce.analyse` measured
    frames_used : int
    settled : JSON object
        What the recipe left for the cube to decide and what came of it: `select` (reasons by number of the frame left
        out), `components` (the number chosen, and the S/N of simulated companions by number).
    notes : sentences about what the reader should know (few frames, little rotation, no star flux…)
    """

    image: Images
    residuals: Images
    record: Mapping[str, Any]
    frames_used: int
    corrected: Images | None = None
    stacked: Images | None = None
    snr: Images | None = None
    limits: tuple[Limit, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    settled: Mapping[str, Any] = field(default_factory=dict)
