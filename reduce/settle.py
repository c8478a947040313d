"""What a recipe leaves for the cube to decide, decided: which frames, how many components."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lyot.cube import Cube, Images
from lyot.errors import BadInput
from lyot.reduce.reduction import Reduction
from lyot.reduce.starlight import subtract
from lyot.reduce.step import Recipe

Rule = TypeVar("Rule")


@dataclass(frozen=True, eq=False)
class Settled:
    """A cube and a recipe between which nothing is left open, and what came of each rule.

    Parameters
    ----------
    cube : Cube
        Of the frames that are kept.
    recipe : Recipe
        Without rules.
    asked : Recipe
        As it came.
    outcome : JSON object
        As `Reduction.settled`.
    notes : sentences for the reader
    """

    cube: Cube
    recipe: Recipe
    asked: Recipe
    outcome: dict[str, Any]
    notes: tuple[str, ...]

    def told(self, reduction: Reduction) -> Reduction:
        """A reduction of this cube by this recipe, with the record of what was asked and what came of it."""
        return replace(
            reduction,
            record=self.asked.record(),
            settled={**reduction.settled, **self.outcome},
            notes=(*self.notes, *reduction.notes),
        )


def settle(cube: Cube, recipe: Recipe, library: Images | None = None) -> Settled:
    """Follow the rules of a recipe: first which frames are kept, then how many components are used.

    The same cube and recipe always give the same answer, so the rules alone are the record of the recipe.

    Raises
    ------
    BadInput
        If a rule is none of ours, or does not suit the model.
    Unprocessable
        If the cube cannot decide.
    """
    outcome: dict[str, Any] = {}
    notes: list[str] = []
    kept, plain = cube, recipe.model_copy(update=dict.fromkeys(recipe.open))
    # Rules are imported only where there are any: who merely subtracts starlight waits for nothing that measures.
    if recipe.select is not None:
        from lyot.reduce.select import FrameSelection

        selection = _rule(recipe.select, FrameSelection)(cube, recipe.mask_radius)
        kept = selection.of(cube)
        outcome["select"] = selection.left_out
        notes.append(selection.note)
    if recipe.components is not None:
        from lyot.reduce.components import ComponentChoice

        plain, curve = _rule(recipe.components, ComponentChoice)(kept, plain, library)
        chosen = int(plain.model.ncomp)  # type: ignore[attr-defined]
        outcome["components"] = {"ncomp": chosen, "snr": {str(count): round(snr, 3) for count, snr in curve.items()}}
        tried = ", ".join(f"{snr:.1f} with {count}" for count, snr in curve.items())
        notes.append(f"{chosen} components show simulated companions best; their mean S/N is {tried}.")
    return Settled(kept, plain, recipe, outcome, tuple(notes))


def carry_out(cube: Cube, recipe: Recipe, library: Images | None = None) -> Reduction:
    """Settle what is open and subtract the starlight; arguments and errors as `lyot.reduce.starlight.subtract`."""
    settled = settle(cube, recipe, library)
    return settled.told(subtract(settled.cube, settled.recipe, library))


def _rule(rule: object, kind: type[Rule]) -> Rule:
    if not isinstance(rule, kind):
        raise BadInput(f"{type(rule).__name__} is no {kind.__name__}")
    return rule
