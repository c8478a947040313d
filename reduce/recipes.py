"""The reductions we publish.

None of them leaves frames out: whoever calibrated a cube has chosen its frames, a frame less is field rotation less,
and a frame that differs harms a median little. Who knows better says so: `recipe("pca", select=5)`.
"""

from __future__ import annotations

from typing import Any

from lyot.errors import BadInput, NotFound
from lyot.reduce.psf.annular_pca import AnnularPCA
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.loci import LOCI
from lyot.reduce.psf.noadi import NoADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.psf.radial import RadialProfile
from lyot.reduce.psf.tloci import TLOCI
from lyot.reduce.step import Collapse, Recipe, Step, Strategy

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="no-adi", model=NoADI()),
        Recipe(name="radial", model=RadialProfile()),
        Recipe(name="cadi", model=ClassicalADI()),
        Recipe(name="pca", model=PCA(ncomp=5)),
        Recipe(name="annular-pca", model=AnnularPCA(ncomp=5)),
        Recipe(name="loci", model=LOCI()),
        Recipe(name="tloci", model=TLOCI()),
    )
}
AUTO = "auto"  # in place of a number of components: the cube decides
PUBLISHED = ("no-adi", "cadi", "pca")  # what is reduced when nobody says otherwise


def recipe(name: str, /, **changes: Any) -> Recipe:
    """A recipe by its name, with changes: to its model where the model has such a field, else to the recipe itself.

    `ncomp="auto"` leaves the number of components to the cube, `select=5` leaves frames out that lie 5σ off the others.

    Raises
    ------
    NotFound
        If there is no recipe of that name.
    BadInput
        If a change names no field of either, or its value is not allowed.

    Examples
    --------
    >>> recipe("pca", ncomp=15, mask_radius=4).parameters
    'ncomp=15'
    """
    if name not in RECIPES:
        raise NotFound(f"there is no recipe {name!r}", hint=f"recipes are {', '.join(RECIPES)}")
    chosen = RECIPES[name]
    if changes.get("ncomp") == AUTO and "ncomp" in type(chosen.model).model_fields:
        from lyot.reduce.components import ComponentChoice  # with all that measures: not for who only subtracts

        changes = {"components": ComponentChoice(), **changes}
        del changes["ncomp"]
    inner = {key for key in changes if key in type(chosen.model).model_fields}
    outer = set(changes) - inner
    unknown = outer - (set(Recipe.model_fields) - {"name", "model"})
    if unknown:
        raise BadInput(
            f"recipe {name} has no setting {', '.join(sorted(unknown))}",
            hint=f"it has {', '.join(settings(chosen))}",
        )
    model = _changed(chosen.model, {key: changes[key] for key in inner}, name)
    changed: Recipe = _changed(chosen, {"model": model, **{key: changes[key] for key in outer}}, name)
    return changed


def as_recipe(asked: Recipe | Step | str, strategy: Strategy = "adi", collapse: Collapse = "median") -> Recipe:
    """A recipe as it is, the recipe of that name, or that of a bare model with a strategy and a collapse."""
    if isinstance(asked, Recipe):
        return asked
    if isinstance(asked, str):
        return recipe(asked)
    return Recipe(name=type(asked).__name__.lower(), model=asked, strategy=strategy, collapse=collapse)


def settings(chosen: Recipe) -> list[str]:
    """Names of what can be changed in a recipe: its model's fields, then its own."""
    inner = list(type(chosen.model).model_fields)
    return inner + [field for field in Recipe.model_fields if field not in ("name", "model", *inner)]


def _changed(declaration: Any, changes: dict[str, Any], name: str) -> Any:
    """A declaration made anew with some fields changed, and so checked again."""
    fields = {field: getattr(declaration, field) for field in type(declaration).model_fields}
    try:
        return type(declaration)(**{**fields, **changes})
    except BadInput as refused:
        hint = f"it can change {', '.join(settings(RECIPES[name]))}"
        raise BadInput(f"recipe {name}: {refused.message}", hint=hint) from None
