"""Frames of other stars for reference-star differential imaging, from the cubes that the store holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lyot.cube import Cube, Images
from lyot.errors import Unprocessable
from lyot.level1 import read_cube
from lyot.reduce.library import closest, without_gaps
from lyot.store import Kept, Store

SAME_WAVELENGTH = 1e-3  # relative: between two nights the wavelengths of a spectrograph differ by less


def library_of(store: Store, cube: Kept, cubes: Sequence[Kept]) -> tuple[Kept, ...]:
    """The cubes whose frames may serve as references for those of `cube`.

    They are of other stars, in the same workspace, taken by the same instrument in the same filter behind the same
    coronagraph; none is simulated unless `cube` is.

    Parameters
    ----------
    store : Store
    cube : Kept
    cubes : Kept
        Those that count, one for each data set.

    Returns
    -------
    tuple of Kept, by data set
    """
    wanted = _configuration(store, cube)
    return tuple(
        other
        for other in sorted(cubes, key=lambda kept: kept.product.dataset)
        if other.product.workspace == cube.product.workspace
        and other.product.about.get("target") != cube.product.about.get("target")
        and "level1_only" not in other.product.about
        and _configuration(store, other) == wanted
    )


def _configuration(store: Store, cube: Kept) -> tuple[str | bool | None, ...]:
    """What two cubes must have in common for the speckles of one to be like those of the other."""
    observation = store.rows(cube, "observation").to_pylist()[0]
    return tuple(observation[name] for name in ("instrument", "filter", "coronagraph", "simulated"))


def frames_of(store: Store, library: Sequence[Kept], cube: Cube, count: int) -> Images:
    """The frames of a library that are most like those of a cube.

    Cubes are read one after the other and no more than the best frames are kept, so that a library may be larger than
    the memory.

    Parameters
    ----------
    store : Store
    library : cubes of other stars
    cube : Cube
    count : int
        Frames to keep at each wavelength.

    Returns
    -------
    (wave, nref, y, x), counts
        Without gaps; nref is `count`, or all frames if there are fewer.

    Raises
    ------
    Unprocessable
        If no frame of another star fits.
    """
    nwave, _, ny, nx = cube.frames.shape
    science = [without_gaps(frames) for frames in cube.frames]
    best = np.empty((nwave, 0, ny, nx), np.float32)
    for frames in _fitting(store, library, cube):
        both = np.concatenate([best, frames], axis=1)
        best = np.stack([seen[closest(here, seen, count)] for here, seen in zip(science, both, strict=True)])
    if best.shape[1] == 0:
        raise Unprocessable(
            "there is no other star's cube of this instrument, filter, coronagraph, wavelengths and size in the store",
            hint="bring in cubes of reference stars, or use strategy adi",
        )
    return best


def _fitting(store: Store, library: Sequence[Kept], cube: Cube) -> Iterator[Images]:
    """Frames of each cube of a library, cut to the size of those of `cube`; a smaller one cannot serve."""
    for kept in library:
        other = read_cube(store.read(kept, "fits"))
        alike = len(other.wavelengths) == len(cube.wavelengths) and np.allclose(
            other.wavelengths, cube.wavelengths, rtol=SAME_WAVELENGTH
        )
        (y, x), (cy, cx), (ny, nx) = other.star, cube.star, cube.frames.shape[-2:]
        inside = y >= cy and x >= cx and other.frames.shape[-2] - y >= ny - cy and other.frames.shape[-1] - x >= nx - cx
        if alike and inside:
            cut = other.frames[:, :, y - cy : y - cy + ny, x - cx : x - cx + nx]
            yield np.stack([without_gaps(frames) for frames in cut])
