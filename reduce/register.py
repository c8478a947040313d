"""Where the star is in the frames, and frames that have it in the middle."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from lyot.cube import Images, star_position
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.shears import STEPS, sinc_weights

SMALLEST = 9  # px: frames narrower than this hold no image of anything


def recentre(frames: ArrayLike, centre: ArrayLike) -> Images:
    """Frames with the star at (ny // 2, nx // 2): the largest odd square around it, moved by less than a pixel.

    Where the star stands on a pixel nothing is interpolated; where it is in the middle already, nothing is done.

    Parameters
    ----------
    frames : (…, time, y, x)
    centre : (2,) or (time, 2), px
        Where the star is (y, x), counted from 0: in all frames, or in each.

    Returns
    -------
    (…, time, side, side), float32
        NaN along an edge that had to be moved in, and next to NaN.

    Raises
    ------
    BadInput
        If the star is outside the frames, or so near an edge that less than 9 px of them would be left.
    """
    images = np.ascontiguousarray(frames, dtype=np.float32)
    if images.ndim < 3:
        raise BadInput(f"frames to recentre have shape {images.shape}, (time, y, x) is needed")
    ntime, ny, nx = images.shape[-3:]
    stars = np.asarray(centre, dtype=np.float64)
    if stars.shape not in ((2,), (ntime, 2)):
        raise BadInput(f"centres have shape {stars.shape}, (2,) or ({ntime}, 2) is needed")
    if not (np.isfinite(stars).all() and (stars >= 0).all() and (stars <= [ny - 1, nx - 1]).all()):
        raise BadInput(f"a star is outside the frames of {ny} × {nx} px", hint="centres are (y, x), counted from 0")
    if (stars == star_position(images.shape)).all():
        return images
    stars = np.broadcast_to(stars, (ntime, 2))
    nearest = np.rint(stars).astype(int)
    half = int(min(nearest.min(), (np.array([ny, nx]) - 1 - nearest).min()))
    if 2 * half + 1 < SMALLEST:
        raise BadInput(f"a star {half} px from the edge leaves {2 * half + 1} px of the frames, {SMALLEST} are needed")
    flat = images.reshape(-1, ntime, ny, nx)
    moved = np.empty((len(flat), ntime, 2 * half + 1, 2 * half + 1), np.float32)
    for t, (star, (row, column)) in enumerate(zip(stars, nearest, strict=True)):
        source = shifted(flat[:, t], row - star[0], column - star[1])
        moved[:, t] = source[:, row - half : row + half + 1, column - half : column + half + 1]
    return moved.reshape(*images.shape[:-2], *moved.shape[-2:])


def shifted(frames: Images, dy: float, dx: float) -> Images:
    """Frames whose content is moved up by `dy` and right by `dx` px, by the windowed sinc that also derotates.

    Parameters
    ----------
    frames : (n, y, x)

    Returns
    -------
    (n, y, x)
        A whole number of pixels is exact. NaN where the source is NaN or outside the frame; beyond an edge the
        edge is repeated for the sake of the pixels inside.
    """
    moved = np.ascontiguousarray(frames, dtype=np.float32)
    for axis, move in ((1, dy), (2, dx)):
        if move != 0.0:
            turned = np.ascontiguousarray(np.moveaxis(moved, axis, 2))
            out = np.empty_like(turned)
            _shift(turned, float(move), sinc_weights(), out)
            moved = np.moveaxis(out, 2, axis)
    return np.ascontiguousarray(moved)


@njit(nogil=True, cache=True)
def _shift(frames, move, table, out):  # type: ignore[no-untyped-def]
    taps = table.shape[1]
    before = taps // 2 - 1
    whole = int(np.floor(-move))
    step = int((-move - whole) * STEPS + 0.5)
    width = frames.shape[2]
    for n in range(frames.shape[0]):
        for y in range(frames.shape[1]):
            row = frames[n, y]
            for x in range(width):
                at = x + whole
                if step == 0 or step == STEPS:
                    at += step // STEPS
                    out[n, y, x] = row[at] if 0 <= at < width else np.nan
                    continue
                if not -0.5 <= x - move <= width - 0.5:
                    out[n, y, x] = np.nan
                    continue
                total = np.float32(0)
                for k in range(taps):
                    total += table[step, k] * row[min(max(at - before + k, 0), width - 1)]
                out[n, y, x] = total


def centre_of_symmetry(
    image: NDArray[np.floating], guess: tuple[float, float], inner: float, outer: float
) -> tuple[float, float]:
    """The point about which an image is most like itself turned by half a turn: the star behind a coronagraph.

    Parameters
    ----------
    image : (y, x), counts
        Mean or median over time of frames in which speckles and halo are symmetric.
    guess : (y, x), px
        Within about 2 px.
    inner, outer : float, px
        Ring in which the image is compared.

    Returns
    -------
    y, x : float, px

    Raises
    ------
    Unprocessable
        If the best point is farther than 3 px from the guess, or the ring leaves the image.
    """
    ny, nx = image.shape
    reach = outer + 3.0
    if min(*guess, ny - 1 - guess[0], nx - 1 - guess[1]) < reach:
        raise Unprocessable(f"the ring of {outer:g} px about ({guess[0]:g}, {guess[1]:g}) leaves the image")
    filled = np.where(np.isfinite(image), image, np.float32(0)).astype(np.float32)
    side = math.ceil(outer)
    y, x = np.mgrid[-side : side + 1, -side : side + 1]
    ring = (np.hypot(y, x) >= inner) & (np.hypot(y, x) <= outer)

    def asymmetry(place: NDArray[np.floating]) -> float:
        row, column = round(place[0]), round(place[1])
        around = shifted(filled[None], row - place[0], column - place[1])[0]
        stamp = around[row - side : row + side + 1, column - side : column + side + 1].astype(np.float64)
        return float(((stamp - stamp[::-1, ::-1])[ring] ** 2).sum() / (stamp[ring] ** 2).sum())

    corners = np.array(guess) + np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]])
    found = minimize(
        asymmetry, corners[0], method="Nelder-Mead", options={"initial_simplex": corners, "xatol": 1e-3, "fatol": 1e-9}
    ).x
    if np.abs(found - corners[0]).max() > 3.0:
        raise Unprocessable(f"no centre of symmetry within 3 px of ({guess[0]:g}, {guess[1]:g})")
    return float(found[0]), float(found[1])
