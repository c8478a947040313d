"""Starlight subtraction as users ask for it: a cube and a recipe, its name, or a bare model."""

from __future__ import annotations

from lyot.cube import Cube, Images
from lyot.reduce.recipes import as_recipe
from lyot.reduce.reduction import Reduction
from lyot.reduce.settle import carry_out
from lyot.reduce.step import Collapse, Recipe, Step, Strategy


def subtract(
    cube: Cube,
    model: Recipe | Step | str,
    strategy: Strategy = "adi",
    collapse: Collapse = "median",
    *,
    library: Images | None = None,
) -> Reduction:
    """Subtract the starlight from every frame, turn North up, and combine over time.

    Parameters
    ----------
    cube : Cube
    model : a starlight model, or a recipe or its name (which then says strategy and collapse)
    strategy : where the model looks: "adi", "sdi", "asdi" or "rdi"
    collapse : "median" or "mean"
    library : (nref, y, x) or (wave, nref, y, x), counts
        Frames of other stars, for strategy "rdi".

    Returns
    -------
    Reduction
        With `image` (wave, y, x), `residuals` (wave, time, y, x), `record`.

    Raises
    ------
    BadInput, Unprocessable
        As `lyot.reduce.starlight.subtract`.
    """
    return carry_out(cube, as_recipe(model, strategy, collapse), library)
