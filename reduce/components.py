"""How many components a model is given, when the cube is to decide."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from lyot.cube import Cube, Floats, Images
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.census import take_census
from lyot.reduce.characterise import fit_only
from lyot.reduce.inject import Point
from lyot.reduce.limits import Azimuths, throughput
from lyot.reduce.local import LocalReduction, prepare
from lyot.reduce.measure import mawet_noise
from lyot.reduce.modes import components_curve, with_components
from lyot.reduce.starlight import LinearModel, starlight_model
from lyot.reduce.step import Recipe, Step

GOLDEN_ANGLE = 137.508  # deg from one simulated companion to the next: no two of them side by side
TURNS = 0.0, 120.0, 240.0  # deg by which the whole of them are turned, so that no place decides
ROUGHLY = Azimuths(most=3)  # how much of a companion is left need not be known well to choose its flux
THRESHOLD = 5.0  # S/N above which a source is real and taken out first


class ComponentChoice(Step):
    """As many components as show simulated companions best, at the first, the middle and the last wavelength together.

    The companions are as bright as the 5σ limit of the recipe's own number of components. They stand on a spiral, one a
    ring, in three positions; sources that are in the cube are taken out first. Numbers beyond half of the library are
    not tried.
    """

    version: ClassVar[int] = 2

    counts: tuple[int, ...] = Field((1, 2, 3, 4, 5, 7, 10, 15, 20, 25, 30, 40, 50, 70, 100), min_length=1)
    closest: float = Field(2.0, gt=0, description="FWHM from the star to the nearest companion")
    apart: float = Field(2.5, gt=0, description="FWHM from ring to ring")
    rings: int = Field(8, ge=1, description="rings at most")

    def __call__(self, cube: Cube, recipe: Recipe, library: Images | None = None) -> tuple[Recipe, dict[int, float]]:
        """The recipe with the number chosen, and the mean S/N of the companions by number.

        Parameters
        ----------
        cube : Cube
            With a PSF.
        recipe : Recipe
            Of a model with components.
        library : as in `lyot.reduce.starlight.subtract`

        Raises
        ------
        BadInput
            If the model has no components.
        Unprocessable
            If the cube has no PSF, or no ring of its field can hold a companion.
        """
        most = max(1, _library_size(cube, recipe, library) // 2)
        counts = tuple(sorted({count for count in self.counts if 1 <= count <= most} or {1}))
        own = _own_number(recipe)
        start = with_components(recipe, max([count for count in counts if count <= own], default=counts[0]))
        last = len(cube.wavelengths) - 1
        curves = [
            curve
            for wave in sorted({0, (last + 1) // 2, last})
            for curve in self._curves(prepare(cube, start, wave, library), recipe, counts)
        ]
        curve = {count: float(np.mean([one[count] for one in curves])) for count in counts}
        return with_components(recipe, max(curve, key=lambda count: (curve[count], -count))), curve

    def _curves(self, local: LocalReduction, recipe: Recipe, counts: tuple[int, ...]) -> list[dict[int, float]]:
        """Mean S/N of the companions at one wavelength by number of components, for each of their positions."""
        census = take_census(local, local.whole_image, fit_only, THRESHOLD)
        radii, fluxes = self._companions(census.local, census.image)
        return [
            components_curve(
                census.local.cube,
                recipe,
                counts,
                [Point(radius, (turn + n * GOLDEN_ANGLE) % 360.0, flux)
                 for n, (radius, flux) in enumerate(zip(radii, fluxes, strict=True))],
                census.local.channel,
                local.library,
            )
            for turn in TURNS
        ]  # fmt: skip

    def _companions(self, local: LocalReduction, image: Images) -> tuple[Floats, Floats]:
        """Separations (px) of the companions, and their fluxes (counts)."""
        fwhm = local.fwhm
        first = max(self.closest * fwhm, local.recipe.mask_radius + fwhm)
        radii = np.arange(first, min(local.shape) // 2 - 1.5 * fwhm, self.apart * fwhm)[: self.rings]
        noise = mawet_noise(image, fwhm, radii)
        radii, noise = radii[noise > 0], noise[noise > 0]
        part = throughput(local, radii, noise, at=ROUGHLY)
        seen = part > 0
        if not seen.any():
            raise Unprocessable(
                "no ring of the field can hold a simulated companion to choose the components by",
                hint="say how many: --set ncomp=5",
            )
        return radii[seen], noise[seen] / part[seen]


def _own_number(recipe: Recipe) -> int:
    """How many components the recipe has itself."""
    model = starlight_model(recipe)
    if not (isinstance(model, LinearModel) and "ncomp" in type(model).model_fields):
        raise BadInput(f"{model}, the model of recipe {recipe.name}, has no components to count", hint="use pca")
    return int(getattr(model, "ncomp"))  # noqa: B009


def _library_size(cube: Cube, recipe: Recipe, library: Images | None) -> int:
    """Library frames that a science frame is compared with, at most."""
    nwave, ntime = cube.frames.shape[:2]
    if recipe.strategy == "rdi":
        return min(recipe.library_size, 0 if library is None else np.shape(library)[-3])
    return {"adi": ntime, "sdi": nwave - 1, "asdi": nwave * ntime}[recipe.strategy]
