"""The reference that `lyot.reduce.derotate` is held against: the same shears, done exactly in Fourier space."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lyot.cube import Floats, Images, star_position
from lyot.reduce.derotate import checked_frames


def derotate_fft(frames: ArrayLike, angles: ArrayLike) -> Images:
    """The same as `derotate`, its shears done exactly in Fourier space: the reference, forty times slower.

    Parameters
    ----------
    frames : (time, y, x)
        Without NaN.
    angles : (time,), deg

    Returns
    -------
    (time, y, x), float32
        Light that would come from outside the frame is 0, not NaN.
    """
    source, turns = checked_frames(frames, angles)
    return np.stack([_turned_by_fft(frame, angle) for frame, angle in zip(source, turns, strict=True)])


def _turned_by_fft(frame: Images, angle: float) -> Images:
    quarters = round(angle / 90.0)
    ny, nx = frame.shape
    side = 2 * (max(ny, nx) // 2 + max(ny, nx))  # twice the frame: nothing that wraps round comes back in
    star = side // 2
    cy, cx = star_position(frame.shape)
    padded = np.zeros((side + 1, side + 1))  # odd, so that a quarter turn keeps the star where it is
    padded[star - cy : star - cy + ny, star - cx : star - cx + nx] = frame
    padded = np.rot90(padded, -quarters)  # rows count upwards: numpy's clockwise is the sky's counter-clockwise
    phi = np.radians(angle - 90.0 * quarters)
    offset = np.arange(side + 1) - star
    for axis, slope in ((1, np.tan(phi / 2)), (0, -np.sin(phi)), (1, np.tan(phi / 2))):
        padded = _sheared(padded, slope * offset, axis)
    return padded[star - cy : star - cy + ny, star - cx : star - cx + nx].astype(np.float32)


def _sheared(image: Floats, shift: Floats, axis: int) -> Floats:
    """Row (axis 1) or column (axis 0) `i` of the answer at u is that of `image` at u + shift[i]."""
    frequency = np.fft.rfftfreq(image.shape[axis])
    ramp = np.exp(2j * np.pi * np.outer(shift, frequency))
    spectrum = np.fft.rfft(image, axis=axis) * (ramp if axis == 1 else ramp.T)
    return np.fft.irfft(spectrum, n=image.shape[axis], axis=axis)
