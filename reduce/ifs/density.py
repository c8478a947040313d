"""Neutral densities as channels of the IFS see them: each channel collects light of a stretch of the spectrum."""

from __future__ import annotations

import numpy as np

from lyot.cube import Floats
from lyot.instruments.sphere_frames import transmission_at
from lyot.reduce.ifs.traces import SPOT_SIGMA

#: σ of a channel, px along the dispersion: a line's own width and the interpolation between two rows (variance 1/6).
CHANNEL_SIGMA = (SPOT_SIGMA**2 + 1.0 / 6.0) ** 0.5
SAMPLES = 1000  # over the band


def channel_transmission(density: str, wavelengths: Floats, band: tuple[float, float], width: float) -> Floats:
    """Part of the light that a neutral density lets through into each channel, (wave,).

    Densities fall by a tenth over the width of a channel, and at the ends of the band half of a channel sees nothing.

    Parameters
    ----------
    density : name of the neutral density
    wavelengths : (wave,), µm, middles of the channels
    band : µm, between which there is light
    width : σ of a channel, µm

    Raises
    ------
    NotFound
        If the density is unknown.
    """
    fine = np.linspace(*band, SAMPLES)
    share = np.exp(-0.5 * ((fine - np.asarray(wavelengths)[:, None]) / width) ** 2)
    found: Floats = share @ transmission_at(density, fine) / share.sum(axis=1)
    return found
