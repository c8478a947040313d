"""Run jobs: each makes one product or says why it cannot, and none stops another."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from lyot.build.library import frames_of
from lyot.build.plan import Job
from lyot.build.result import Made, hci_of, rows_of
from lyot.catalog import hcifits
from lyot.catalog.tables.run import RUN
from lyot.errors import Unprocessable
from lyot.instrument import Coronagraph, instrument
from lyot.level1 import read_cube
from lyot.product import Product
from lyot.progress import steps
from lyot.reduce.analyse import analyse
from lyot.reduce.characterise import AstrometryErrors
from lyot.reduce.step import Recipe
from lyot.store import Kept, Store

Ending = Literal["done", "unprocessable", "failed"]


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with a product, or with a sentence that says why not."""

    job: Job
    outcome: Ending
    key: str | None = None
    message: str = ""

    def summary(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "dataset": self.job.dataset,
            "recipe": self.job.recipe.name,
            "label": self.job.label,
            "outcome": self.outcome,
            "key": self.key,
            "message": self.message,
        }


class _Answer(NamedTuple):
    """What a worker sends back."""

    outcome: Ending
    key: str
    message: str = ""


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
    started, clock = _now(), time.perf_counter()
    observation = store.rows(cube, "observation").to_pylist()[0]
    frames = replace(read_cube(store.read(cube, "fits")), coronagraph=_coronagraph(observation))
    errors = AstrometryErrors(
        pixel_scale=observation["pixel_scale_error"] or 0.0,
        north=observation["true_north_error"] or 0.0,
        centre=(observation["centring_error"] or 0.0) / frames.pixel_scale,
    )
    others = frames_of(store, job.library, frames, recipe.library_size) if recipe.strategy == "rdi" else None
    made = Made(job, frames, observation, analyse(frames, recipe, errors=errors, library=others), started)
    content, rows = hcifits.write(hci_of(made)), rows_of(made)
    rows["run"] = RUN.rows([_row(job, job.reduction, "done", started, time.perf_counter() - clock)])
    return store.put(job.reduction, {"fits": content}, rows)


def _coronagraph(observation: Mapping[str, Any]) -> Coronagraph | None:
    """The coronagraph of an observation, as its instrument knows it; one that it does not know has but a name."""
    name = observation["coronagraph"]
    known = instrument(observation["instrument"]).coronagraph(name)
    return known or (Coronagraph(names=(name,)) if name else None)


def run(store: Store, jobs: Sequence[Job], *, workers: int = 1) -> list[Outcome]:
    """Run jobs, one after the other or in several processes; the outcomes are in the order of the jobs.

    That data cannot give a result is an outcome, kept as a row of `run`; it is not tried again until the cube, the
    recipe or Lyot changes. Any other error is that job's alone.
    """
    if workers == 1:
        return _run(store, jobs, ThreadPoolExecutor(1))
    outcomes = _run(store, jobs, _processes(min(workers, max(1, len(jobs)))))
    # A process that dies, as for want of memory, takes the jobs of the others with it: these get one each.
    return [_run(store, [one.job], _processes(1))[0] if one.message == _BROKEN else one for one in outcomes]


_BROKEN = "its process died; is there too little memory?"


def _processes(count: int) -> Executor:
    """Processes that start empty: forking one that already computes in threads can hang it."""
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def _run(store: Store, jobs: Sequence[Job], executor: Executor) -> list[Outcome]:
    try:
        futures = [executor.submit(_attempt, store.url, job) for job in jobs]
        return [_outcome(job, future) for job, future in zip(jobs, steps(futures, "reducing"), strict=True)]
    finally:
        executor.shutdown(cancel_futures=True)


def _outcome(job: Job, future: Future[_Answer]) -> Outcome:
    error = future.exception()
    if isinstance(error, BrokenExecutor):
        return Outcome(job, "failed", message=_BROKEN)
    if error is not None:
        return Outcome(job, "failed", message=str(error) or type(error).__name__)
    return Outcome(job, *future.result())


def _attempt(url: str, job: Job) -> _Answer:
    """One job, in whatever process: a product, or a refusal that is kept too."""
    store = Store(url)
    started, clock = _now(), time.perf_counter()
    try:
        return _Answer("done", reduce_one(store, job.cube, job.recipe, job.library).key)
    except Unprocessable as error:
        row = _row(job, job.refusal, "unprocessable", started, time.perf_counter() - clock, str(error))
        return _Answer("unprocessable", store.put(job.refusal, rows={"run": RUN.rows([row])}).key, str(error))


def _row(job: Job, made: Product, outcome: Ending, started: str, duration: float, message: str = "") -> dict[str, Any]:
    return {
        "run_id": f"{job.dataset}/{job.label}-{made.key}",
        "dataset": job.dataset,
        "recipe": job.recipe.name,
        "started": started,
        "duration": round(duration, 3),
        "outcome": outcome,
        "message": message or None,
        "product_key": made.key if outcome == "done" else None,
        "simulated": bool(made.about.get("simulated", False)),
        "workspace": made.workspace,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
