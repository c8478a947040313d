"""Neutral densities as channels of the IFS see them: each channel collects light of a stretch of the spectrum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lyot.cube import Floats
from lyot.instruments.sphere_frames import IFS_RANGE, transmission_at
from lyot.reduce.classify import RawFile
from lyot.reduce.flux import density_error
from lyot.reduce.ifs.traces import SPOT_SIGMA
from lyot.reduce.night import Night

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


def transmission_of(night: Night, file: RawFile) -> Floats:
    """Part of the light that the neutral density in front of a file lets through into each channel, (wave,)."""
    master = night.master("wavelength")
    nanometres = master.quality["dispersion"] if master is not None else 0.0  # a row
    width = max(CHANNEL_SIGMA * nanometres * 1e-3, 1e-4)
    return channel_transmission(file.density, night.wavelengths, IFS_RANGE[night.dataset.filter], width)


def through(night: Night, file: RawFile) -> Floats:
    """Transmission of the science frames' density over that of a file's, (wave,)."""
    return transmission_of(night, night.dataset.science[0]) / transmission_of(night, file)


def density_errors(night: Night) -> Floats:
    """Relative error of the star's flux for that of the neutral densities, (wave,).

    Beside the error of their curves that of the wavelengths at which these are read: near 1 µm a density falls by up
    to 2 % a nanometre.
    """
    wrong, _ = night.cards.get("LYOT WAVE LASERS", night.cards.get("LYOT WAVE RMS", (0.0, "")))  # nm
    moved = replace(night, wavelengths=night.wavelengths + float(wrong) * 1e-3)
    changes = [through(moved, file) / through(night, file) - 1.0 for file in night.flux.files]
    slope = np.abs(np.reshape(changes, (-1, len(night.wavelengths)))).max(axis=0, initial=0.0)
    return np.hypot(density_error(night), slope)
