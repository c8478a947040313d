"""Reduce cubes: each job makes one product or says why it cannot."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lyot.build.jobs import Outcome, now, run_jobs, run_row
from lyot.build.library import frames_of
from lyot.build.plan import Job
from lyot.build.result import Made, hci_of, rows_of
from lyot.catalog import hcifits
from lyot.catalog.tables.run import RUN
from lyot.errors import Unprocessable
from lyot.instrument import Coronagraph, instrument
from lyot.level1 import read_cube
from lyot.product import Product
from lyot.reduce.analyse import analyse
from lyot.reduce.characterise import AstrometryErrors
from lyot.reduce.step import Recipe
from lyot.store import Kept, Store

#: Error of the star's place, px on each axis, where nobody measured it: whoever centres on a pixel is off by as much.
UNKNOWN_CENTRE = 0.5
ASSUMED = f"nobody said how well the star is centred: {UNKNOWN_CENTRE:g} px on each axis are in the errors of positions"


def reduce_one(store: Store, cube: Kept, recipe: Recipe, library: Sequence[Kept] = ()) -> Kept:
    """Reduce one cube and keep its HCI-FITS file and its rows; what was made before is not made again.

    `library` are cubes of other stars, for strategy "rdi".

    Raises
    ------
    Unprocessable
        If the cube cannot give this reduction.
    """
    job = Job(cube, recipe, tuple(library))
    if store.has(job.reduction):
        return store.get(job.reduction)
    if "level1_only" in cube.product.about:
        raise Unprocessable(f"{cube.product.dataset} ends at Level 1: {cube.product.about['level1_only']}")
    started, clock = now(), time.perf_counter()
    observation = store.rows(cube, "observation").to_pylist()[0]
    frames = replace(read_cube(store.read(cube, "fits")), coronagraph=_coronagraph(observation))
    centring = observation["centring_error"]
    errors = AstrometryErrors(
        pixel_scale=observation["pixel_scale_error"] or 0.0,
        north=observation["true_north_error"] or 0.0,
        centre=UNKNOWN_CENTRE if centring is None else centring / frames.pixel_scale,
    )
    others = frames_of(store, job.library, frames, recipe.library_size) if recipe.strategy == "rdi" else None
    reduction = analyse(frames, recipe, errors=errors, library=others)
    if centring is None:
        reduction = replace(reduction, notes=(*reduction.notes, ASSUMED))
    made = Made(job, frames, observation, reduction, started)
    content, rows = hcifits.write(hci_of(made)), rows_of(made)
    rows["run"] = RUN.rows([run_row(job, job.reduction, "done", started, time.perf_counter() - clock)])
    return store.put(job.reduction, {"fits": content}, rows)


def _coronagraph(observation: Mapping[str, Any]) -> Coronagraph | None:
    """The coronagraph of an observation, as its instrument knows it; one that it does not know has but a name."""
    name = observation["coronagraph"]
    known = instrument(observation["instrument"]).coronagraph(name)
    return known or (Coronagraph(names=(name,)) if name else None)


def run(store: Store, jobs: Sequence[Job], *, workers: int = 1, scheduler: str | None = None) -> list[Outcome]:
    """Reduce cubes; the outcomes are in the order of the jobs, and none stops another (`build.jobs`)."""
    return run_jobs(store, jobs, _make, _refusal, workers=workers, scheduler=scheduler)


def _make(store: Store, job: Job) -> Kept:
    return reduce_one(store, job.cube, job.recipe, job.library)


def _refusal(store: Store, job: Job, reason: str) -> Product:
    return job.refusal
