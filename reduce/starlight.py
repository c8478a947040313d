"""Starlight subtraction: one engine for every model.

For each zone of the frame the engine forms the scalar products of the frames (the Gram matrix), asks a linear model
for weights W, and leaves residuals (I − W) X; a pixel model gives the starlight itself. The strategy chooses which
frames are the library. Everything downstream of the weights is the same for all.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from lyot.cube import Cube, Floats, Images
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.combine import combine
from lyot.reduce.library import Comparison, comparisons, filling
from lyot.reduce.parallel import each, spread, threads
from lyot.reduce.products import apply_weights, blocks
from lyot.reduce.psf_image import fwhm_of
from lyot.reduce.reduction import Reduction
from lyot.reduce.side_by_side import side_by_side
from lyot.reduce.step import Recipe, Step
from lyot.reduce.zone import WHOLE_FRAME, Zone, Zoning, cut, polar

NYQUIST = 2.0  # px; width of the smallest planet, where neither PSF nor FWHM is known


class StarlightModel(Step):
    """What tells the star from what stands beside it. Linear models give weights, pixel models the starlight."""

    removes_starlight: ClassVar[bool] = True  # whether a star that never changes vanishes
    needs_rotation: ClassVar[bool] = True  # whether ADI without field rotation would remove the planets too
    local: ClassVar[bool] = True  # for a pixel model: whether it models each pixel without looking at others
    keeps_starlight: ClassVar[bool] = False  # whether all of it stays, so that unknown pixels are anything but dark

    @property
    @abstractmethod
    def linear(self) -> bool:
        """Whether the starlight is a weighted sum of library frames."""

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

    @abstractmethod
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


class PixelModel(StarlightModel):
    """A model that works pixel by pixel: it says the starlight itself."""

    @property
    def linear(self) -> bool:
        return False

    @abstractmethod
    def starlight(self, science: Images, library: Images, zone: Zone) -> Images:
        """Starlight in the science frames.

        Parameters
        ----------
        science : (nframe, npixel), counts
            Pixels of the zone (all of them if the model is not `local`) in the frames to be cleaned.
        library : (nref, npixel), counts
            The same pixels of the library; in ADI, `science` itself.
        zone : Zone

        Returns
        -------
        (nframe, npixel) or (1, npixel), counts
        """


def subtract(cube: Cube, recipe: Recipe, library: Images | None = None) -> Reduction:
    """Subtract the starlight from every frame, turn North up, and combine over time.

    Parameters
    ----------
    cube : Cube
    recipe : Recipe
    library : (nref, y, x) or (wave, nref, y, x), counts, optional
        Frames of other stars, for strategy "rdi".

    Returns
    -------
    Reduction
        With `image`, `residuals`, `record`, `frames_used` and `notes`.

    Raises
    ------
    BadInput
        If the recipe's model is no starlight model, its mask leaves nothing of the image, or the library is not
        what the strategy wants.
    Unprocessable
        If the field turns too little, the model has too few frames, or no pixel could be cleaned.
    """
    model = starlight_model(recipe)
    check_mask(cube, recipe)
    check_rotation(cube, recipe)
    residuals = np.empty_like(cube.frames)
    image = np.empty_like(cube.frames[:, 0])

    def one(wave: int) -> float:
        unserved = _clean_wavelength(cube, recipe, model, wave, library, residuals[wave])
        around = filling(cube.frames[wave]) if model.keeps_starlight else None
        combine(residuals[wave], cube.angles, recipe.collapse, image[wave], around)
        return unserved

    # Side by side, if there are wavelengths for all cores. Spectral strategies hold a stretched cube for each, though.
    side_by_side = len(residuals) >= threads() and recipe.strategy in ("adi", "rdi")
    unserved = max(each(one, range(len(residuals))) if side_by_side else map(one, range(len(residuals))))
    if not np.isfinite(image).any(axis=(1, 2)).all():
        raise Unprocessable(
            f"{recipe.name} leaves no pixel of the image: no frame has a library",
            hint="the field turns too little for this model; lower its motion, or use pca",
        )
    return Reduction(
        image=image,
        residuals=residuals,
        record=recipe.record(),
        frames_used=len(cube.angles),
        notes=(f"within {unserved:.0f} px of the star some frames have no library and are left out",)
        if unserved
        else (),
    )


def starlight_model(recipe: Recipe) -> StarlightModel:
    """The recipe's model, if it is one and nothing in the recipe is left to be decided."""
    if not isinstance(recipe.model, StarlightModel):
        raise BadInput(f"{type(recipe.model).__name__}, the model of recipe {recipe.name}, is no starlight model")
    if recipe.open:
        raise BadInput(
            f"recipe {recipe.name} leaves {' and '.join(recipe.open)} open",
            hint="call the recipe itself, or lyot.subtract: they decide first",
        )
    return recipe.model


def check_mask(cube: Cube, recipe: Recipe) -> None:
    """Raise `BadInput` if the mask leaves nothing of the image."""
    edge = min(*cube.star, *((side - 1) // 2 for side in cube.frames.shape[-2:]))
    if recipe.mask_radius >= edge:
        raise BadInput(
            f"a mask of {recipe.mask_radius:g} px covers the image, whose nearest edge is {edge} px from the star",
            hint="lower mask_radius",
        )


def check_rotation(cube: Cube, recipe: Recipe) -> None:
    """Raise `Unprocessable` if every planet would be taken for starlight, even one at the edge of the frame.

    Planets are told from speckles by what moves them: the field's rotation in ADI, the stretching of wavelengths in
    SDI, either in ASDI.
    """
    if recipe.strategy == "rdi" or not starlight_model(recipe).needs_rotation:
        return
    edge = min(*cube.star, *((side - 1) // 2 for side in cube.frames.shape[-2:]))
    width = max(_width(cube, wave, NYQUIST) for wave in range(len(cube.wavelengths)))
    turn = float(np.degrees(2 * np.arcsin(min(1.0, width / (2 * edge)))))
    stretch = float(cube.wavelengths.max() / cube.wavelengths.min()) - 1
    if recipe.strategy == "adi":
        if len(cube.angles) < 2:
            raise Unprocessable(
                f"{recipe.name} compares frames, and the cube has only one", hint="use no-adi or radial"
            )
        if cube.rotation < turn:
            raise Unprocessable(
                f"the field turns by {cube.rotation:.2f}°, and a planet at the edge of the frame ({edge} px) needs "
                f"{turn:.1f}° to move by its own width",
                hint="use no-adi or radial, or a library of other stars (strategy rdi)",
            )
        return
    too_alike = len(cube.wavelengths) > 1 and edge * stretch < width
    if too_alike and (recipe.strategy == "sdi" or cube.rotation < turn):
        raise Unprocessable(
            f"wavelengths differ by {100 * stretch:.1f} %, and a planet at the edge of the frame ({edge} px) needs "
            f"{100 * width / edge:.1f} % to move by its own width",
            hint="use strategy adi or rdi, or frames that reach farther",
        )


def _width(cube: Cube, wave: int, otherwise: float = float("nan")) -> float:
    """FWHM of a planet, px; `otherwise` where the cube does not know."""
    return otherwise if cube.fwhm is None and cube.psf is None else fwhm_of(cube, wave)


def _clean_wavelength(
    cube: Cube, recipe: Recipe, model: StarlightModel, wave: int, library: Images | None, residuals: Images
) -> float:
    """Put the residuals of one wavelength into `residuals`; how far from the star (px) some frame has no library."""
    left = residuals.reshape(len(residuals), -1)
    parts = zones(recipe, cube, wave)
    outside = np.ones(left.shape[1], bool)
    for part in parts:
        outside[part.pixels] = False
    if outside.any():
        left[:, outside] = np.nan
    unserved = 0.0
    for comparison in comparisons(cube, recipe, wave, library):
        served = _clean_zones(model, comparison, parts, left)
        unserved = max([unserved, *(part.outer for part, all_ in zip(parts, served, strict=True) if not all_)])
        comparison.hide_unseen(left)
    return unserved


def _clean_zones(model: StarlightModel, comparison: Comparison, parts: list[Zone], left: Images) -> list[bool]:
    """Put the residuals of all zones into `left`; for each zone, whether every frame had a library."""
    seen = [comparison.looking_at(part) for part in parts]
    if len(parts) < 2:
        return [clean(model, comparison, zone, left) for zone in seen]
    with side_by_side(comparison, seen, left) as (ordered, ours):
        # The outermost has the corners: begun last, it would leave the other cores waiting.
        last, *others = each(lambda zone: clean(model, ordered, zone, left), [ours[-1], *ours[:-1]])
        return [*others, last]


def zones(recipe: Recipe, cube: Cube, wave: int = 0) -> list[Zone]:
    """The zones into which a recipe cuts the frames of one wavelength, the cube its own library.

    Zones do not overlap. Pixels inside the recipe's mask, and pixels that no frame knows, are in none.

    Raises
    ------
    Unprocessable
        If the model wants rings and the cube has neither PSF nor FWHM to measure them by.
    """
    zoning = starlight_model(recipe).zoning
    fwhm = fwhm_of(cube, wave) if zoning.width > 0 else _width(cube, wave)
    frames = cube.frames[wave]
    known = np.isfinite(frames[0])
    known[~known] = np.isfinite(frames[1:, ~known]).any(axis=0)
    radius, _ = polar(known.shape)
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
        for piece in cut(zoning, known, fwhm, recipe.mask_radius)
    ]


def clean(model: StarlightModel, comparison: Comparison, zone: Zone, residuals: Images) -> bool:
    """Put the residuals of one zone into `residuals`, (time, ny · nx); whether every frame had a library."""
    science, library = comparison.science, comparison.library
    rows = comparison.rows
    if isinstance(model, LinearModel) and model.linear:
        weights = model.weights(*comparison.products(zone), zone)
        apply_weights(weights, science, library, zone.pixels, residuals[rows])
        return bool(np.isfinite(weights).all())
    if isinstance(model, PixelModel):
        parts = list(blocks(zone.pixels, len(library))) if model.local else [zone.pixels]

        def subtract_in(start: int, stop: int) -> None:
            for block in parts[start:stop]:
                seen = science[:, block]
                beside = seen if library is science else library[:, block]
                residuals[rows, block] = seen - model.starlight(seen, beside, zone)

        spread(subtract_in, len(parts))
    return True
