"""Frames without gaps, with the star where every image of ours has it."""

from __future__ import annotations

import warnings

import numpy as np

from lyot.cube import Images, star_position
from lyot.errors import BadInput
from lyot.reduce.register import recentre

SMALLEST = 21  # px: frames narrower than this hold no annulus to measure noise in
ROUNDS = 3  # a hole that neighbours cannot fill in so many rounds is an area that was not seen


def without_gaps(frames: Images) -> Images:
    """Fill pixels that are no number: from the same pixel at other times, else from its neighbours.

    Parameters
    ----------
    frames : (wave, time, y, x), counts

    Returns
    -------
    (wave, time, y, x); what lies deep inside an area that was never seen stays NaN
    """
    gaps = ~np.isfinite(frames)
    if not gaps.any():
        return frames
    known = np.where(gaps, np.float32(np.nan), frames)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice|Mean of empty slice", RuntimeWarning)
        filled = np.where(gaps, np.nanmedian(known, axis=1, keepdims=True), frames)
        for _ in range(ROUNDS):
            holes = np.isnan(filled)
            if not holes.any():
                break
            filled = np.where(holes, np.nanmean(_neighbours(filled), axis=0), filled)
    return np.asarray(filled, dtype=np.float32)


def _neighbours(frames: Images) -> Images:
    """The eight neighbours of every pixel, (8, …, y, x); NaN beyond the edge."""
    ny, nx = frames.shape[-2:]
    padded = np.pad(frames, [(0, 0)] * (frames.ndim - 2) + [(1, 1), (1, 1)], constant_values=np.nan)
    around = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return np.stack([padded[..., y : y + ny, x : x + nx] for y, x in around])


def centred(frames: Images, centre: tuple[float, float] | None, name: str) -> Images:
    """Cut the largest frames that have the star in the middle and hold no area that was never seen.

    Parameters
    ----------
    frames : (wave, time, y, x), counts
    centre : (y, x), px from 0, optional
        Where the star is; in the middle, (ny // 2, nx // 2), when not given.
    name : str
        Of the file, for messages.

    Returns
    -------
    (wave, time, y, x) with the star at (ny // 2, nx // 2); the frames as they are when it is there already

    Raises
    ------
    BadInput
        If the star is outside the frames, or little would be left around it.
    """
    try:
        moved = frames if centre is None else recentre(frames, centre)
    except BadInput as error:
        raise BadInput(f"{name}: {error.message}", hint=error.hint) from None
    unseen = np.isnan(moved).any(axis=(0, 1))
    if unseen.any():
        row, column = star_position(moved.shape)
        rows, columns = np.nonzero(unseen)
        nearest = int(np.maximum(abs(rows - row), abs(columns - column)).min())
        half = max(0, min(nearest - 1, *((side - 1) // 2 for side in moved.shape[-2:])))
        moved = moved[..., row - half : row + half + 1, column - half : column + half + 1]
    ny, nx = moved.shape[-2:]
    if min(ny, nx) < SMALLEST:
        raise BadInput(f"{name} leaves {ny} × {nx} px around the star, {SMALLEST} × {SMALLEST} are needed")
    return np.ascontiguousarray(moved)


def peak_in_the_middle(psf: Images, name: str) -> Images:
    """Cut each PSF to the largest odd square that has its brightest pixel in the middle.

    Parameters
    ----------
    psf : (wave, y, x)
        All wavelengths are cut alike, around the peak of their sum.

    Raises
    ------
    BadInput
        If the peak is within 3 px of an edge, so that no PSF would be left.
    """
    ny, nx = psf.shape[-2:]
    row, column = np.unravel_index(int(psf.sum(axis=0).argmax()), (ny, nx))
    half = int(min(row, ny - 1 - row, column, nx - 1 - column))
    if half < 3:
        raise BadInput(
            f"{name} has its brightest pixel at (y, x) = ({row}, {column}), at the edge of its {ny} × {nx} px",
            hint="the star must be inside",
        )
    return np.asarray(psf[:, row - half : row + half + 1, column - half : column + half + 1])
