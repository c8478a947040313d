"""Starlight subtraction: one engine for every model.

For each zone of the frame the engine forms the scalar products of the frames (the Gram matrix), asks a linear model
for weights W, and leaves residuals (I − W) X; a pixel model gives the starlight itself. The strategy chooses which
frames are the library. Everything downstream of the weights is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images, star_position
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.collapse import collapse
from lyot.reduce.derotate import derotate
from lyot.reduce.reduction import Reduction
from lyot.reduce.step import Recipe, Step
from lyot.reduce.zone import WHOLE_FRAME, Indices, Zone, Zoning, cut

BLOCK = 8192  # pixels multiplied at a time: a block of a hundred frames stays in the cache


class StarlightModel(Step):
    """What tells the star from what stands beside it. Linear models give weights, pixel models the starlight."""

    removes_starlight: ClassVar[bool] = True
    needs_rotation: ClassVar[bool] = True
    local: ClassVar[bool] = True  # a pixel model: whether each pixel is modelled without looking at others

    @property
    def linear(self) -> bool:
        """Whether the starlight is a weighted sum of library frames."""
        raise NotImplementedError(f"{type(self).__name__} is neither a LinearModel nor a PixelModel")

    @property
    def zoning(self) -> Zoning:
        """How the frame is cut into zones."""
        return WHOLE_FRAME

    def __str__(self) -> str:
        return type(self).__name__


class LinearModel(StarlightModel):
    """A model whose starlight is a weighted sum of library frames: it says the weights."""

    @property
    def linear(self) -> bool:
        return True

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """Weights of the library frames in the starlight of each science frame.

        Parameters
        ----------
        gram : (nref, nref)
            Scalar products of the library frames over `zone.optimisation`.
        cross : (nframe, nref)
            Scalar products of science and library frames; in ADI, `gram` itself.
        zone : Zone

        Returns
        -------
        (nframe, nref), dimensionless
            A row of NaN for a frame that the library cannot serve.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no weights")


class PixelModel(StarlightModel):
    """A model that works pixel by pixel: it says the starlight itself."""

    @property
    def linear(self) -> bool:
        return False

    def starlight(self, science: Images, library: Images, zone: Zone) -> Images:
        """Starlight in the science frames.

        Parameters
        ----------
        science : (nframe, npixel), counts
            The zone's pixels of the frames to be cleaned.
        library : (nref, npixel), counts
            The same pixels of the library; in ADI, `science` itself.
        zone : Zone

        Returns
        -------
        (nframe, npixel) or (1, npixel), counts
        """
        raise NotImplementedError(f"{type(self).__name__} gives no starlight")


def subtract(cube: Cube, recipe: Recipe) -> Reduction:
    """Subtract the starlight from every frame, turn North up, and combine over time.

    Parameters
    ----------
    cube : Cube
    recipe : Recipe

    Returns
    -------
    Reduction
        With `image`, `residuals`, `record`, `frames_used` and `notes`.

    Raises
    ------
    BadInput
        If the recipe's model is no starlight model, or its mask leaves nothing of the image.
    Unprocessable
        If there is only one frame, too little field rotation, or the model has too few frames.
    """
    model = _model(recipe)
    _check(cube, recipe)
    residuals = np.empty_like(cube.frames)
    image = np.empty_like(cube.frames[:, 0])
    turned = np.empty_like(cube.frames[0])
    for wave, frames in enumerate(cube.frames):
        known = np.isfinite(frames)
        filled = frames if known.all() else without_gaps(frames)
        pixels = filled.reshape(len(filled), -1)
        left = residuals[wave].reshape(pixels.shape)
        left[:] = np.nan
        for zone in zones(recipe, cube, wave):
            clean(model, pixels, pixels, zone, left)
        if filled is not frames:
            residuals[wave][~known] = np.nan
        derotate(residuals[wave], cube.angles, out=turned)
        collapse(turned, recipe.collapse, out=image[wave])
    return Reduction(image=image, residuals=residuals, record=recipe.record(), frames_used=len(cube.angles))


def _model(recipe: Recipe) -> StarlightModel:
    if not isinstance(recipe.model, StarlightModel):
        raise BadInput(f"{type(recipe.model).__name__}, the model of recipe {recipe.name}, is no starlight model")
    return recipe.model


def _check(cube: Cube, recipe: Recipe) -> None:
    """Raise `Unprocessable` where the cube cannot give what the recipe wants."""
    if len(cube.angles) < 2:
        raise Unprocessable(f"{recipe.name} wants a sequence, this one has a single frame")
    cy, cx = cube.star
    edge = float(np.hypot(cy, cx))
    if recipe.mask_radius >= edge:
        raise BadInput(
            f"the mask of radius {recipe.mask_radius:g} px covers the whole image, whose corners are {edge:.0f} px away",
            hint="lower mask_radius",
        )


def zones(recipe: Recipe, cube: Cube, wave: int = 0) -> list[Zone]:
    """The zones into which a recipe cuts the frames of one wavelength of a cube.

    Zones do not overlap. Pixels inside the recipe's mask, and pixels that no frame knows, are in none.
    """
    known = np.isfinite(cube.frames[wave]).any(axis=0)
    fwhm = float(cube.fwhm[wave]) if cube.fwhm is not None else float("nan")
    pieces = cut(_model(recipe).zoning, known, fwhm, recipe.mask_radius)
    cy, cx = star_position(known.shape)
    y, x = np.indices(known.shape)
    radius = np.hypot(y - cy, x - cx).ravel()
    return [
        Zone(
            pixels=piece.pixels,
            optimisation=piece.optimisation,
            radii=radius[piece.pixels],
            inner=piece.inner,
            outer=piece.outer,
            angles=cube.angles,
            library_angles=cube.angles,
            library_scales=np.ones(len(cube.angles)),
            fwhm=fwhm,
            psf=None if cube.psf is None else cube.psf[wave],
        )
        for piece in pieces
    ]


def without_gaps(frames: Images) -> Images:
    """Frames in which unknown pixels hold their mean over time, or 0 where no frame knows them.

    Parameters
    ----------
    frames : (time, y, x)
        NaN marks unknown pixels.
    """
    known = np.isfinite(frames)
    if known.all():
        return frames
    return np.where(known, frames, np.nan_to_num(collapse(frames, "mean")))


def scalar_products(left: Images, right: Images, pixels: Indices) -> Floats:
    """Scalar products of two sets of frames over some pixels.

    Multiplied in single precision block by block and added up in double, so that rounding stays near 1e-8.

    Parameters
    ----------
    left : (n, ny · nx)
    right : (m, ny · nx)
    pixels : (npixel,)
        Flat indices.

    Returns
    -------
    (n, m), the Gram matrix when `left` is `right`
    """
    total = np.zeros((len(left), len(right)))
    for block in blocks(pixels):
        part = left[:, block]
        total += part @ (part if right is left else right[:, block]).T
    return total


def blocks(pixels: Indices) -> Iterator[slice | Indices]:
    """Pixels a block at a time: as slices where they follow one another, which saves a copy."""
    together = len(pixels) > 0 and pixels[-1] - pixels[0] == len(pixels) - 1
    for start in range(0, len(pixels), BLOCK):
        block = pixels[start : start + BLOCK]
        yield slice(int(block[0]), int(block[-1]) + 1) if together else block


def clean(model: StarlightModel, science: Images, library: Images, zone: Zone, residuals: Images) -> None:
    """Put the residuals of one zone into `residuals`.

    Parameters
    ----------
    science : (nframe, ny · nx)
    library : (nref, ny · nx)
        In ADI, `science` itself.
    residuals : (nframe, ny · nx)
        Written at `zone.pixels` only.
    """
    if isinstance(model, LinearModel) and model.linear:
        apply_weights(zone_weights(model, science, library, zone), science, library, zone, residuals)
    elif isinstance(model, PixelModel):
        for block in blocks(zone.pixels) if model.local else [zone.pixels]:
            seen = science[:, block]
            residuals[:, block] = seen - model.starlight(seen, seen if library is science else library[:, block], zone)


def zone_weights(model: LinearModel, science: Images, library: Images, zone: Zone) -> Floats:
    """A linear model's weights for one zone."""
    gram = scalar_products(library, library, zone.optimisation)
    cross = gram if library is science else scalar_products(science, library, zone.optimisation)
    return model.weights(gram, cross, zone)


def apply_weights(
    weights: Floats, science: Images, library: Images, zone: Zone, residuals: Images
) -> None:
    """Residuals science − W library at the zone's pixels."""
    if library is science:
        left = (np.eye(len(weights)) - weights).astype(np.float32)
        for block in blocks(zone.pixels):
            residuals[:, block] = left @ science[:, block]
    else:
        single = weights.astype(np.float32)
        for block in blocks(zone.pixels):
            residuals[:, block] = science[:, block] - single @ library[:, block]
