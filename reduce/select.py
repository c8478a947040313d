"""Which frames of a sequence are fit to be used, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.ndimage import spline_filter1d

from lyot.cube import Cube, Floats, Images, star_position
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.collapse import collapse
from lyot.reduce.library import has_gaps, without_gaps
from lyot.reduce.psf_image import fwhm_of
from lyot.reduce.step import Step

OUTLIER = 5.0  # robust σ beyond which a frame is not one of the others
FEWEST = 0.5  # part of the frames that is kept whatever they are like
COMPARABLE = 5  # frames below which nobody can say which of them is the odd one
STILL = 0.01  # px; a star that wanders less than that from frame to frame does not wander
TO_SIGMA = 1.4826  # median absolute deviation of a Gaussian, to its σ
TO_SIGMA_OF_TWO = 0.8493  # median length of a vector of two Gaussians, to their σ: 1 / √(2 ln 2)

FLUX, CORRELATION, CENTRING = "flux", "correlation", "centring"
CODES = FLUX, CORRELATION, CENTRING


class FrameSelection(Step):
    """Leave out frames that are not like the others, before any starlight is subtracted.

    They are compared in the ring of speckles: outside the mask of the coronagraph, inside the control radius.
    """

    threshold: float = Field(OUTLIER, gt=0, description="robust σ beyond which a frame is an outlier")
    inner: float = Field(2.0, ge=0, description="FWHM, inner edge of the ring in which frames are compared")
    outer: float = Field(15.0, gt=0, description="FWHM, its outer edge, or that of the frame if it is nearer")

    def __call__(self, cube: Cube, mask_radius: float = 0.0) -> Selection:
        """The frames of a cube that are kept.

        Raises
        ------
        Unprocessable
            If nothing says how wide a speckle is, or the ring holds too few pixels.
        """
        width = max(fwhm_of(cube, wave) for wave in range(len(cube.wavelengths)))
        inner = max(self.inner * width, mask_radius)
        outer = min(self.outer * width, min(cube.frames.shape[-2:]) // 2)
        try:
            return select_frames(cube, inner, outer, self.threshold)
        except BadInput as too_small:
            raise Unprocessable(f"frames cannot be compared: {too_small.message}") from None


@dataclass(frozen=True, eq=False)
class Selection:
    """Which frames are kept.

    Parameters
    ----------
    keep : (time,), bool
    reasons : (time,) of str
        Why a frame is an outlier: "flux", "correlation", "centring", several with a space between, or nothing. A frame
        may have a reason and be kept all the same; then `note` says so.
    note : str
        One sentence for the reader.
    """

    keep: NDArray[np.bool_]
    reasons: tuple[str, ...]
    note: str

    @property
    def left_out(self) -> dict[str, str]:
        """Reason for which each frame is left out, by its number, counted from 0."""
        return {str(t): self.reasons[t] for t in np.flatnonzero(~self.keep)}

    def of(self, cube: Cube) -> Cube:
        """The cube with only the frames that are kept."""
        return cube if self.keep.all() else cube.select(self.keep)


def select_frames(cube: Cube, inner: float, outer: float, threshold: float = OUTLIER) -> Selection:
    """Leave out frames that are not like the others, but never more than half of them.

    Between two circles about the star each frame has a flux, a correlation with the median of all frames, and a place:
    by how much that median must be moved to look most like it, to first order. A frame is an outlier when its flux
    differs from the median flux, its correlation falls below the median, or its place lies off the median place, by
    more than `threshold` robust standard deviations at any wavelength. When more than half are outliers, the half of
    all frames that lies nearest to the others is kept, and the note says so. Of fewer than five frames none is odd.

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
    count = len(cube.angles)
    if count < COMPARABLE:
        note = f"All frames are kept: {count} are too few to tell which of them is unlike the others."
        return Selection(np.ones(count, dtype=np.bool_), ("",) * count, note)
    oddness = _oddness(cube, inner, outer)
    odd = oddness > threshold
    reasons = tuple(" ".join(code for code, is_odd in zip(CODES, frame, strict=True) if is_odd) for frame in odd.T)
    keep = np.asarray(~odd.any(axis=0))
    least = int(np.ceil(FEWEST * count))
    left_out = int((~keep).sum())
    note = f"{left_out} of {count} frames left out: {_counted(reasons)}." if left_out else "All frames are kept."
    if keep.sum() < least:
        keep = np.zeros(count, dtype=np.bool_)
        keep[np.argsort(oddness.max(axis=0), kind="stable")[:least]] = True
        note = f"{left_out} of {count} frames are outliers ({_counted(reasons)}): the best {least} are kept."
    return Selection(keep, reasons, note)


def _oddness(cube: Cube, inner: float, outer: float) -> Floats:
    """How far each frame is from the others in flux, correlation and place, in robust σ at its worst wavelength.

    Returns
    -------
    (3, time), as `CODES`
    """
    cy, cx = star_position(cube.frames.shape)
    y, x = np.ogrid[: cube.frames.shape[2], : cube.frames.shape[3]]
    distance = np.hypot(y - cy, x - cx)
    ring = (distance >= inner) & (distance <= outer)
    worst = np.zeros((3, len(cube.angles)))
    for frames in cube.frames:
        seen = ring & (np.isfinite(frames).mean(axis=0) > 0.5) if has_gaps(frames) else ring
        if seen.sum() < 10:
            good = int(seen.sum())
            raise BadInput(f"the ring from {inner:g} to {outer:g} px holds {good} good pixels, 10 are needed")
        flux, correlation, moves = _likeness(without_gaps(frames), seen)
        here = _deviation(flux), np.maximum(-_deviation(correlation), 0.0), _wandering(moves)
        worst = np.maximum(worst, np.abs(here))
    return worst


def _likeness(frames: Images, ring: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Flux of each frame in the ring; its correlation there with the median frame; its place relative to that.

    Returns
    -------
    flux, correlation : (time,)
    moves : (time, 2), px
        The first-order solution of frame = a · median + move · gradient + level, over a.
    """
    pixels = frames[:, ring].astype(np.float64)
    flux = pixels.mean(axis=1)
    median = collapse(frames).astype(np.float64)
    middle = median[ring]
    there, here = pixels - flux[:, None], middle - middle.mean()
    lengths = np.linalg.norm(there, axis=1) * np.linalg.norm(here)
    correlation = np.divide(there @ here, lengths, out=np.zeros(len(there)), where=lengths > 0)
    slopes = [_slope(median, axis)[ring] for axis in (0, 1)]
    terms = np.stack([here, *(slope - slope.mean() for slope in slopes)], axis=1)
    bright, *moves = np.linalg.lstsq(terms, there.T, rcond=None)[0]
    return flux, correlation, -np.divide(moves, bright, out=np.zeros((2, len(there))), where=bright != 0).T


def _slope(image: Floats, axis: int) -> Floats:
    """Derivative of an image along an axis, 1/px, by the cubic spline through its pixels."""
    smooth = spline_filter1d(np.nan_to_num(image), order=3, axis=axis)
    return np.asarray(0.5 * (np.roll(smooth, -1, axis=axis) - np.roll(smooth, 1, axis=axis)))


def _deviation(values: Floats) -> Floats:
    """By how many robust σ each value lies above the median, or, negative, below."""
    middle = np.median(values)
    spread = TO_SIGMA * np.median(np.abs(values - middle))
    # Differences at the level of rounding are none, even among frames that are otherwise equal.
    return np.asarray((values - middle) / max(spread, 1e-6 * max(abs(middle), np.finfo(float).tiny)))


def _wandering(moves: Floats) -> Floats:
    """How far each place is from the median place, in robust σ of one axis."""
    away = np.linalg.norm(moves - np.median(moves, axis=0), axis=1)
    return np.asarray(away / max(TO_SIGMA_OF_TWO * float(np.median(away)), STILL))


def _counted(reasons: tuple[str, ...]) -> str:
    """How often each reason was given, in words."""
    counts = {code: sum(code in reason for reason in reasons) for code in CODES}
    return ", ".join(f"{count} by {code}" for code, count in counts.items() if count)
