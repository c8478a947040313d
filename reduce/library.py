"""Which frames each science frame is compared with: the strategies ADI, SDI, ASDI and RDI.

Speckles stand still in the frame, at a distance from the star that grows as the wavelength; planets stand still on
the sky. ADI therefore takes frames of other times, SDI frames of other wavelengths stretched so that their speckles
fall on those of the science frame, ASDI both, and RDI frames of other stars.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.collapse import collapse
from lyot.reduce.parallel import each
from lyot.reduce.products import scalar_products
from lyot.reduce.shears import STEPS, sinc_weights
from lyot.reduce.step import Recipe
from lyot.reduce.zone import Zone, polar


@dataclass(frozen=True, eq=False)
class Comparison:
    """Science frames of one wavelength and the library they are compared with.

    Parameters
    ----------
    rows : slice
        Which frames of the cube the science frames are.
    science : (nframe, ny · nx), counts, without gaps
    library : (nref, ny · nx), counts, without gaps; in ADI, `science` itself
    angles : (nframe,), deg
    library_angles, library_scales : (nref,)
        As in `Zone`.
    unseen : (ny · nx,), bool, optional
        Pixels that no library frame shows.
    gaps : (nframe, ny · nx), bool, optional
        Pixels that the science frames do not show.
    """

    rows: slice
    science: Images
    library: Images
    angles: Floats
    library_angles: Floats
    library_scales: Floats
    unseen: NDArray[np.bool_] | None = None
    gaps: NDArray[np.bool_] | None = None

    def looking_at(self, zone: Zone) -> Zone:
        """A zone as these frames see it."""
        return replace(
            zone,
            angles=self.angles,
            library_angles=self.library_angles,
            library_scales=self.library_scales,
        )

    def products(self, zone: Zone) -> tuple[Floats, Floats]:
        """The scalar products that a linear model wants: library with library, and science with library."""
        gram = scalar_products(self.library, self.library, zone.optimisation)
        own = self.library is self.science
        return gram, gram if own else scalar_products(self.science, self.library, zone.optimisation)

    def hide_unseen(self, residuals: Images) -> None:
        """Set to NaN what was not seen, in the residuals, (time, ny · nx), of all frames of the cube."""
        ours = residuals[self.rows]
        if self.unseen is not None:
            ours[:, self.unseen] = np.nan
        if self.gaps is not None:
            ours[self.gaps] = np.nan


def comparisons(cube: Cube, recipe: Recipe, wave: int, library: Images | None = None) -> Iterator[Comparison]:
    """What the recipe's strategy compares at one wavelength of a cube; together, every frame once.

    Parameters
    ----------
    library : (nref, y, x) or (wave, nref, y, x), counts
        Frames of other stars, for strategy "rdi" and no other.

    Raises
    ------
    BadInput
        If a library is missing, not asked for, or of frames of another shape.
    Unprocessable
        If spectral differences are asked of a single wavelength.
    """
    if (library is not None) != (recipe.strategy == "rdi"):
        raise BadInput(
            "strategy rdi needs a library of other stars' frames"
            if library is None
            else f"a library of other stars' frames serves strategy rdi, not {recipe.strategy}"
        )
    if recipe.strategy in ("sdi", "asdi") and len(cube.wavelengths) < 2:
        raise Unprocessable(f"strategy {recipe.strategy} compares wavelengths, and the cube has only one")
    frames = cube.frames[wave]
    gaps = np.isnan(frames).reshape(len(frames), -1) if has_gaps(frames) else None
    if gaps is not None:
        frames = without_gaps(frames)
    science = frames.reshape(len(frames), -1)
    everything = slice(0, len(frames))
    if recipe.strategy == "adi":
        ones = np.ones(len(frames))
        yield Comparison(everything, science, science, cube.angles, cube.angles, ones, None, gaps)
    elif library is not None:
        chosen = _of_other_stars(frames, _at_wavelength(library, cube, wave), recipe.library_size)
        unknown = np.full(len(chosen), np.nan)
        yield Comparison(everything, science, chosen, cube.angles, unknown, np.ones(len(chosen)), None, gaps)
    else:
        yield from _spectral(cube, recipe, wave, science, gaps)


def _spectral(
    cube: Cube, recipe: Recipe, wave: int, science: Images, gaps: NDArray[np.bool_] | None
) -> Iterator[Comparison]:
    """SDI: each frame beside those of its own time; ASDI: all frames beside all."""
    nwave, ntime = cube.frames.shape[:2]
    others = [w for w in range(nwave) if w != wave]
    stretch = cube.wavelengths[wave] / cube.wavelengths
    library = np.empty((nwave, *science.shape), np.float32)
    library[wave] = science
    for other in others:
        library[other] = _to_the_same_brightness(_stretched(cube.frames[other], stretch[other]), science)
    # Where a stretched frame ends, the others' mean stands in; where all end, nothing can be said.
    ends = np.isnan(library[:, 0])
    nowhere: NDArray[np.bool_] = np.all(ends[others], axis=0)
    means = np.nansum(library[others], axis=0) / np.maximum((~ends[others]).sum(axis=0), 1)
    for other in others:
        library[other][:, ends[other]] = means[:, ends[other]]
    if recipe.strategy == "asdi":
        flat = library.reshape(nwave * ntime, -1)
        angles, scales = np.tile(cube.angles, nwave), np.repeat(stretch, ntime)
        yield Comparison(slice(0, ntime), science, flat, cube.angles, angles, scales, nowhere, gaps)
        return
    for t in range(ntime):
        now = slice(t, t + 1)
        beside = np.ascontiguousarray(library[others, t])
        angles = np.repeat(cube.angles[now], len(others))
        unknown = None if gaps is None else gaps[now]
        yield Comparison(now, science[now], beside, cube.angles[now], angles, stretch[others], nowhere, unknown)


def without_gaps(frames: Images) -> Images:
    """Frames in which unknown pixels hold their mean over time, or 0 where no frame knows them.

    Parameters
    ----------
    frames : (time, y, x)
        NaN marks unknown pixels.
    """
    if not has_gaps(frames):
        return frames
    return np.where(np.isnan(frames), np.nan_to_num(collapse(frames, "mean")), frames)


def filling(frames: Images) -> Images:
    """What stands in for unknown or masked pixels beside pixels that hold starlight.

    Parameters
    ----------
    frames : (time, y, x)
        NaN marks unknown pixels.

    Returns
    -------
    (y, x)
        The mean over time.
    """
    return without_holes(collapse(frames, "mean"))


def without_holes(image: Images) -> Images:
    """An image, (y, x), whose unknown pixels are as the known ones nearest to them and to their neighbours."""
    unknown = np.isnan(image)
    if not unknown.any():
        return image
    from scipy.ndimage import distance_transform_edt, uniform_filter  # slow to import, and few cubes have such pixels

    nearest = image[tuple(distance_transform_edt(unknown, return_distances=False, return_indices=True))]
    filled: Images = np.where(unknown, uniform_filter(nearest, 3), image)
    return filled


def has_gaps(frames: Images) -> bool:
    """Whether any pixel is NaN: a sum of squares then is, and is quicker than asking each."""
    flat = frames.ravel()
    return bool(np.isnan(flat @ flat))


def _stretched(frames: Images, factor: float) -> Images:
    """Frames magnified by `factor` about the star, two small matrix products each.

    Returns
    -------
    (time, ny · nx)
        NaN where it would come from outside the frame; other gaps are filled, see `filling`.
    """
    filled = np.where(np.isnan(frames), filling(frames), frames) if has_gaps(frames) else frames
    along_y, seen_y = _magnification(frames.shape[1], factor)
    along_x, seen_x = _magnification(frames.shape[2], factor)
    out = np.stack(each(lambda frame: along_y @ frame @ along_x.T, filled))
    out[:, ~(seen_y[:, None] & seen_x[None, :])] = np.nan
    return out.reshape(len(frames), -1)


def _magnification(side: int, factor: float) -> tuple[Images, NDArray[np.bool_]]:
    """The matrix that magnifies one axis about side // 2, and which of its rows look inside the frame."""
    table = sinc_weights()
    taps = table.shape[1]
    star = side // 2
    places = star + (np.arange(side) - star) / factor
    whole = np.floor(places).astype(int)
    matrix = np.zeros((side, side + 2 * taps), np.float32)
    for row, (left, rest) in enumerate(zip(whole, places - whole, strict=True)):
        if -taps // 2 <= left < side + taps // 2:
            first = left - taps // 2 + 1 + taps
            matrix[row, first : first + taps] = table[int(rest * STEPS + 0.5)]
    return np.ascontiguousarray(matrix[:, taps:-taps]), (places >= -0.5) & (places <= side - 0.5)


def _to_the_same_brightness(library: Images, science: Images) -> Images:
    """Library frames times one factor, the least-squares fit of their mean to that of the science frames."""
    mine, other = science.mean(axis=0, dtype=float), library.mean(axis=0, dtype=float)
    mine, other = mine[np.isfinite(other)], other[np.isfinite(other)]
    power = float(other @ other)
    return library * np.float32(mine @ other / power if power > 0 else 1.0)


def _at_wavelength(library: Images, cube: Cube, wave: int) -> Images:
    """The library's frames for one wavelength, checked against the cube."""
    frames = np.asarray(library, dtype=np.float32)
    if frames.ndim == 4 and len(frames) == len(cube.wavelengths):
        frames = frames[wave]
    if frames.ndim != 3 or frames.shape[1:] != cube.frames.shape[2:] or len(frames) == 0:
        raise BadInput(
            f"the library has shape {np.shape(library)}, frames of {cube.frames.shape[2:]} px are needed",
            hint="(nref, y, x), or (wave, nref, y, x) with the cube's wavelengths",
        )
    return without_gaps(frames)


def closest(frames: Images, library: Images, count: int) -> NDArray[np.intp]:
    """Which `count` frames of a library are best correlated with the mean of some frames, best first.

    Compared is the disc about the star that fits in the frame, each frame less its mean there.

    Parameters
    ----------
    frames : (nframe, y, x), counts, without gaps
    library : (nref, y, x), counts, without gaps
    count : int
    """
    radius, _ = polar(library.shape[1:])
    field = radius <= min(library.shape[1:]) // 2
    there = library.reshape(len(library), -1)[:, field]
    there = there - there.mean(axis=1, keepdims=True)
    here = frames.mean(axis=0).ravel()[field]
    here = here - here.mean()
    lengths = np.linalg.norm(there, axis=1)
    correlation = there @ here / np.where(lengths > 0, lengths, np.inf)
    return np.argsort(-correlation, kind="stable")[:count]


def _of_other_stars(frames: Images, library: Images, count: int) -> Images:
    """The `count` library frames best correlated with the science frames' mean, each as bright as that.

    Returns
    -------
    (count, ny · nx), best correlated first
    """
    best = library[closest(frames, library, count)].reshape(-1, frames[0].size)
    mean = frames.reshape(len(frames), -1).mean(axis=0)
    powers = np.einsum("ij,ij->i", best, best, dtype=float)
    factors = best @ mean / np.where(powers > 0, powers, np.inf)
    chosen: Images = best * factors[:, None].astype(np.float32)
    return chosen
