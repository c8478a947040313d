"""What a rotation by three shears is made of, for whole frames (`derotate`) as for windows of them (`patch`).

Both then do the very same sums, and agree to rounding. Quarter turns are taken out first and are exact; what is left is
at most an eighth of a turn.
"""

from __future__ import annotations

from functools import cache

import numba
import numpy as np

from lyot.cube import Images
from lyot.errors import BadInput
from lyot.reduce.numba_alone import load_alone

load_alone()

TAPS = 12  # the peak of a point source to 0.05 % in every frame, down to λ/D = 2.5 px
MOST_TAPS = 48
STEPS = 4096  # fractions of a pixel in the table of weights: positions to 1.2e-4 px

# What the compiler may assume. Not that NaN is absent: NaN marks what was not seen.
SUMS_MAY_BE_REORDERED = {"reassoc", "contract", "nsz"}


@cache
def sinc_weights(taps: int = TAPS) -> Images:
    """Weights that interpolate between samples: a sinc under a Kaiser window, of unit sum.

    Returns
    -------
    (STEPS + 1, taps), dimensionless
        Row `i` gives the value at i / STEPS px right of a sample; its first weight belongs to the sample
        taps / 2 − 1 px left of that one.

    Raises
    ------
    BadInput
        If `taps` is no multiple of 12 up to 48.
    """
    if taps % TAPS or not TAPS <= taps <= MOST_TAPS:
        raise BadInput(f"{taps} taps asked of the interpolation, a multiple of {TAPS} up to {MOST_TAPS} is needed")
    half = taps // 2
    distance = np.arange(1 - half, half + 1) - np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    window = np.i0(_window_shape(taps) * np.sqrt(np.maximum(0.0, 1.0 - (distance / half) ** 2)))
    weights = np.sinc(distance) * window
    table: Images = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return table


def _window_shape(taps: int) -> float:
    """Kaiser's β: what keeps the error least, over point sources of λ/D from 2.5 to 6 px (2.15 px beyond 20 taps)."""
    return 6.7 + 0.2 * (taps - 12)


@numba.njit(cache=True, nogil=True)
def split(shift):  # type: ignore[no-untyped-def]
    """Whole pixels of a shift, and the row of the table of weights for the rest."""
    whole = int(np.floor(shift))
    return whole, int((shift - whole) * STEPS + 0.5)


@numba.njit(cache=True, nogil=True)
def shears_of(turn, ny, nx):  # type: ignore[no-untyped-def]
    """Quarter turns (0 to 3) in a turn (rad), the star (y, x) after them, and the slopes of the shears for the rest.

    The slopes are those along x (the first shear, and the third) and along y.
    """
    quarters = int(np.round(turn / (np.pi / 2)))
    rest = turn - quarters * (np.pi / 2)
    quarters %= 4
    cy, cx = ny // 2, nx // 2
    sy, sx = cy, cx
    if quarters == 1:
        sy, sx = cx, ny - 1 - cy
    elif quarters == 2:
        sy, sx = ny - 1 - cy, nx - 1 - cx
    elif quarters == 3:
        sy, sx = nx - 1 - cx, cy
    return quarters, sy, sx, np.tan(rest / 2), -np.sin(rest)


@numba.njit(cache=True, nogil=True)
def before_quarter_turns(y, x, quarters, ny, nx):  # type: ignore[no-untyped-def]
    """Pixel of a frame that it shows at (y, x) when it has been turned counter-clockwise by quarters."""
    if quarters == 1:
        return ny - 1 - x, y
    if quarters == 2:
        return ny - 1 - y, nx - 1 - x
    if quarters == 3:
        return x, nx - 1 - y
    return y, x


@numba.njit(cache=True, nogil=True)
def place_before(y, x, cosine, sine, ny, nx):  # type: ignore[no-untyped-def]
    """Where in a frame (y, x) that comes from which a turn of this cosine and sine brings to a pixel."""
    dy, dx = y - ny // 2, x - nx // 2
    return dy * cosine - dx * sine + ny // 2, dx * cosine + dy * sine + nx // 2


@numba.njit(cache=True, nogil=True)
def in_frame(y, x, ny, nx):  # type: ignore[no-untyped-def]
    """Whether a place is in the frame, its outermost pixels to their edges."""
    return -0.5 <= x <= nx - 0.5 and -0.5 <= y <= ny - 0.5


@numba.njit(cache=True, nogil=True)
def pixel_below(at, side):  # type: ignore[no-untyped-def]
    """The pixel below a place along one axis, and how far from it towards the next; beyond the edge, at the edge."""
    at = min(max(at, 0.0), side - 1.0)
    below = min(int(at), side - 2)
    return below, at - below
