"""What is missing: which recipes were not yet run on which cubes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import lyot
from lyot.build.library import library_of
from lyot.errors import NotFound
from lyot.instrument import instrument
from lyot.product import Product, slug
from lyot.reduce.recipes import PUBLISHED
from lyot.reduce.recipes import recipe as recipe_named
from lyot.reduce.step import Recipe
from lyot.store import Kept, Store


@dataclass(frozen=True)
class Job:
    """One recipe to be run on one cube, with the cubes of other stars that strategy "rdi" compares it with."""

    cube: Kept
    recipe: Recipe
    library: tuple[Kept, ...] = ()

    @property
    def dataset(self) -> str:
        """Data set of the cube."""
        return self.cube.product.dataset

    @property
    def workspace(self) -> str:
        """Whose the cube is."""
        return self.cube.product.workspace

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return self.recipe.name

    @property
    def label(self) -> str:
        """Recipe and parameters, as a name: `pca-ncomp-5`, or `pca-rdi-ncomp-5` if its strategy is not ADI."""
        strategy = "" if self.recipe.strategy == "adi" else self.recipe.strategy
        return slug(f"{self.recipe.name} {strategy} {self.recipe.parameters}")

    @property
    def reduction(self) -> Product:
        """The product it makes. What its instrument's coronagraphs let pass is in its contrasts, so in its key, too."""
        name = self.cube.product.about.get("instrument")
        curves = instrument(str(name)).transmissions if name else None
        record = {**self.recipe.record(), "coronagraphs": curves} if curves else self.recipe.record()
        return self._product("reduction", record, level=2)

    @property
    def refusal(self) -> Product:
        """What is kept instead when the data cannot give it; another version of Lyot may try anew."""
        return self._product("run", {"refused": self.recipe.record(), "software": lyot.__version__})

    def _product(self, kind: str, record: Mapping[str, Any], **about: Any) -> Product:
        cube = self.cube.product
        of_cube = {name: cube.about[name] for name in ("target", "instrument", "simulated") if name in cube.about}
        return Product(
            kind=kind,
            dataset=cube.dataset,
            record=record,
            inputs=(self.cube.key, *(other.key for other in self.library)),
            workspace=cube.workspace,
            label=self.label,
            about={**of_cube, "recipe": self.recipe.name, "version": lyot.__version__, **about},
        )


def plan(
    store: Store,
    datasets: Sequence[str] = (),
    recipes: Sequence[str | Recipe] = (),
    *,
    settings: Mapping[str, Any] | None = None,
    workspace: str | None = None,
    retry: bool = False,
) -> list[Job]:
    """The jobs that are missing, and only those.

    Parameters
    ----------
    store : Store
    datasets : names of data sets; all when empty
    recipes : recipes or their names; the published ones when empty
    settings : parameters to change in the recipes that are given by name
    workspace : str, optional
        Only cubes of this workspace.
    retry : bool
        Plan again what was found unprocessable.

    Raises
    ------
    NotFound
        If a data set or recipe does not exist.
    BadInput
        If a setting does not suit a recipe.
    """
    wanted = recipes_of(recipes, settings)
    cubes = current_cubes(store, workspace)
    jobs = [_job(store, cube, one, cubes) for cube in _chosen(cubes, datasets) for one in wanted]
    return [
        job for job in jobs if not store.has(job.reduction) and (retry or not store.has(job.refusal))
    ]


def recipes_of(recipes: Sequence[str | Recipe] = (), settings: Mapping[str, Any] | None = None) -> list[Recipe]:
    """The recipes of these names, with these settings; the published ones when there are none.

    Raises
    ------
    NotFound
        If there is no such recipe.
    BadInput
        If a setting does not suit one of them.
    """
    return [
        one if isinstance(one, Recipe) else recipe_named(one, **dict(settings or {}))
        for one in dict.fromkeys(recipes or PUBLISHED)
    ]


def _job(store: Store, cube: Kept, recipe: Recipe, cubes: Sequence[Kept]) -> Job:
    """A job with its library, if its strategy wants one: a star that comes to the library makes it another job."""
    return Job(cube, recipe, library_of(store, cube, cubes) if recipe.strategy == "rdi" else ())


def current_cubes(store: Store, workspace: str | None = None) -> list[Kept]:
    """The cube of each data set that counts: what others gave stays in the store, but is not added to."""
    cubes = store.find(kind="cube", workspace=workspace)
    notes = {name: store.notes("current/", workspace=name) for name in {cube.product.workspace for cube in cubes}}
    current: dict[tuple[str, str], Kept] = {}
    for cube in cubes:  # oldest first: the last stays, unless an older one was made again
        name = (cube.product.workspace, cube.product.dataset)
        chosen = notes[name[0]].get(f"current/{name[1]}", {}).get("key")
        if name not in current or current[name].key != chosen:
            current[name] = cube
    return [current[name] for name in sorted(current)]


def check_names(datasets: Sequence[str], known: Iterable[str]) -> None:
    """Nothing, if all of these data sets are known.

    Raises
    ------
    NotFound
        If one is not.
    """
    there = sorted(set(known))
    for dataset in datasets:
        if dataset not in there:
            near = get_close_matches(dataset, there, n=3, cutoff=0.5) or there[:10]
            more = f", … ({len(there)} in all)" if len(there) > len(near) else ""
            names = f"there are {', '.join(near)}{more}" if there else "the store has none"
            raise NotFound(f"there is no data set {dataset}", hint=names)


def _chosen(cubes: list[Kept], datasets: Sequence[str]) -> list[Kept]:
    check_names(datasets, [cube.product.dataset for cube in cubes])
    return [cube for cube in cubes if not datasets or cube.product.dataset in datasets]
