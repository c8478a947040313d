"""Neutral densities as channels of the IFS see them: each channel collects light of a stretch of the spectrum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lyot.cube import Floats
from lyot.instruments.sphere_frames import IFS_RANGE, transmission_at
from lyot.reduce.classify import RawFile
from lyot.reduce.flux import density_error
from lyot.reduce.ifs.lasers import channel_widths
from lyot.reduce.night import Night

SAMPLES = 1000  # over the band
SHARP = 1e-4  # µm, σ of a channel when nothing tells it


def channel_transmission(density: str, wavelengths: Floats, band: tuple[float, float], widths: Floats) -> Floats:
    """Part of the light that a neutral density lets through into each channel, (wave,).

    Densities fall by a tenth over the width of a channel, and at the ends of the band half of a channel sees nothing.

    Parameters
    ----------
    density : name of the neutral density
    wavelengths : (wave,), µm, middles of the channels
    band : µm, between which there is light
    widths : (wave,), µm, σ of the channels

    Raises
    ------
    NotFound
        If the density is unknown.
    """
    fine = np.linspace(*band, SAMPLES)
    share = np.exp(-0.5 * ((fine - np.asarray(wavelengths)[:, None]) / np.asarray(widths)[:, None]) ** 2)
    found: Floats = share @ transmission_at(density, fine) / share.sum(axis=1)
    return found


def transmission_of(night: Night, file: RawFile) -> Floats:
    """Part of the light that the neutral density in front of a file lets through into each channel, (wave,)."""
    master, mode = night.master("wavelength"), night.dataset.filter
    widths = np.full(len(night.wavelengths), SHARP)
    if master is not None:
        widths = channel_widths(master.planes["LASER"], mode, master.planes["LINES"], night.wavelengths)
    return channel_transmission(file.density, night.wavelengths, IFS_RANGE[mode], widths)


def through(night: Night, file: RawFile) -> Floats:
    """Transmission of the science frames' density over that of a file's, (wave,)."""
    return transmission_of(night, night.dataset.science[0]) / transmission_of(night, file)


def density_errors(night: Night) -> Floats:
    """Relative error of the star's flux for that of the neutral densities, (wave,).

    Beside the error of their curves that of the wavelengths at which these are read, which is the most of what lasers
    and spots disagree by: near 1 µm a density falls by up to 2 % a nanometre.
    """
    told = [night.cards.get(f"LYOT WAVE {name}", (0.0, ""))[0] for name in ("RMS", "LASERS", "SHIFT")]  # nm
    moved = replace(night, wavelengths=night.wavelengths + float(max(told)) * 1e-3)
    changes = [through(moved, file) / through(night, file) - 1.0 for file in night.flux.files]
    slope = np.abs(np.reshape(changes, (-1, len(night.wavelengths)))).max(axis=0, initial=0.0)
    return np.hypot(density_error(night), slope)
