"""Which frames of a sequence are fit to be used, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, star_position
from lyot.errors import BadInput
from lyot.reduce.collapse import collapse

OUTLIER = 5.0  # robust σ beyond which a frame is not one of the others
FEWEST = 0.5  # part of the frames that is kept whatever they are like
TO_SIGMA = 1.4826  # median absolute deviation of a Gaussian, to its σ

FLUX, CORRELATION = "flux", "correlation"


@dataclass(frozen=True, eq=False)
class Selection:
    """Which frames are kept.

    Parameters
    ----------
    keep : (time,), bool
    reasons : (time,) of str
        Why a frame is an outlier: "flux", "correlation", both with a space between, or nothing. A frame may have a
        reason and be kept all the same; then `note` says so.
    note : str
        One sentence for the reader.
    """

    keep: NDArray[np.bool_]
    reasons: tuple[str, ...]
    note: str

    def of(self, cube: Cube) -> Cube:
        """The cube with only the frames that are kept."""
        return cube.select(self.keep)


def select_frames(cube: Cube, inner: float, outer: float, threshold: float = OUTLIER) -> Selection:
    """Leave out frames that are not like the others, but never more than half of them.

    Between two circles about the star each frame has a flux, and a correlation with the median of all frames. A frame
    is an outlier when its flux differs from the median flux, or its correlation falls below the median, by more than
    `threshold` robust standard deviations at any wavelength. When more than half are outliers, the half of all frames
    that lies nearest to the others is kept, and the note says so.

    Parameters
    ----------
    cube : Cube
    inner, outer : float, px
        The ring of speckles: outside the mask of the coronagraph, inside the control radius.
    threshold : float

    Raises
    ------
    BadInput
        If the ring holds too few pixels to correlate.
    """
    flux, correlation = _likeness(cube, inner, outer)
    oddness = {FLUX: _deviation(flux, both_sides=True), CORRELATION: _deviation(correlation, both_sides=False)}
    reasons = tuple(
        " ".join(code for code, values in oddness.items() if values[t] > threshold) for t in range(len(cube.angles))
    )
    keep = np.array([reason == "" for reason in reasons])
    least = int(np.ceil(FEWEST * len(keep)))
    left_out = int((~keep).sum())
    note = f"{left_out} of {len(keep)} frames left out: {_counted(reasons)}." if left_out else "All frames are kept."
    if keep.sum() < least:
        worst = np.maximum(oddness[FLUX], oddness[CORRELATION])
        keep = np.zeros(len(keep), dtype=np.bool_)
        keep[np.argsort(worst, kind="stable")[:least]] = True
        note = f"{left_out} of {len(keep)} frames are outliers ({_counted(reasons)}): the best {least} are kept."
    return Selection(keep, reasons, note)


def _likeness(cube: Cube, inner: float, outer: float) -> tuple[Floats, Floats]:
    """Flux of each frame in the ring, and its correlation there with the median frame; (wave, time) both."""
    cy, cx = star_position(cube.frames.shape)
    y, x = np.ogrid[: cube.frames.shape[2], : cube.frames.shape[3]]
    distance = np.hypot(y - cy, x - cx)
    ring = (distance >= inner) & (distance <= outer) & np.isfinite(cube.frames).all(axis=(0, 1))
    if ring.sum() < 10:
        raise BadInput(f"the ring from {inner:g} to {outer:g} px holds {int(ring.sum())} good pixels, 10 are needed")
    pixels = cube.frames[:, :, ring].astype(np.float64)
    flux = pixels.mean(axis=2)
    middle = np.stack([collapse(frames[:, ring]) for frames in cube.frames]).astype(np.float64)
    there = pixels - flux[:, :, None]
    here = middle - middle.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(there, axis=2) * np.linalg.norm(here, axis=1)[:, None]
    products = np.einsum("wtp,wp->wt", there, here)
    return flux, np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def _deviation(values: Floats, *, both_sides: bool) -> Floats:
    """How far each frame is from the median over time, in robust σ, at its worst wavelength; (time,)."""
    middle = np.median(values, axis=1, keepdims=True)
    spread = TO_SIGMA * np.median(np.abs(values - middle), axis=1, keepdims=True)
    # Differences at the level of rounding are none, even among frames that are otherwise equal.
    spread = np.maximum(spread, 1e-6 * np.maximum(np.abs(middle), np.finfo(float).tiny))
    away = (values - middle) / spread
    return np.asarray((np.abs(away) if both_sides else -away).max(axis=0))


def _counted(reasons: tuple[str, ...]) -> str:
    """How often each reason was given, in words."""
    counts = {code: sum(code in reason for reason in reasons) for code in (FLUX, CORRELATION)}
    return ", ".join(f"{count} by {code}" for code, count in counts.items() if count)
