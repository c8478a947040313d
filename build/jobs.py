"""Jobs, whatever they make: run side by side, none stops another, and how each ended is remembered.

That data cannot give a result is an outcome, kept as a row of `run`; it is not tried again until its inputs, its recipe
or Lyot change. Any other error is that job's alone: it is noted for `lyot status`, and the job is tried again when
somebody asks for what is missing. Only a store that takes nothing more stops the rest.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import connection
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from lyot.catalog.tables.run import RUN
from lyot.errors import BadInput, LyotError, Unprocessable, Unwritable
from lyot.product import Product
from lyot.progress import steps
from lyot.store import Kept, Store

Ending = Literal["done", "unprocessable", "failed"]


class Task(Protocol):
    """What is asked of a job: whose it is and what it is called. `name` is its recipe's, `label` has parameters too."""

    @property
    def dataset(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def workspace(self) -> str: ...


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with a product, or with a sentence that says why not."""

    job: Task
    outcome: Ending
    key: str | None = None
    message: str = ""
    error: BaseException | None = field(default=None, repr=False, compare=False)  # of a failure, with its traceback

    def summary(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "dataset": self.job.dataset,
            "recipe": self.job.name,
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


J = TypeVar("J", bound=Task)
Make = Callable[[Store, J], Kept]
Refusal = Callable[[Store, J, str], Product]


def run_jobs(
    store: Store,
    jobs: Sequence[J],
    make: Make[J],
    refusal: Refusal[J],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    doing: str = "reducing",
) -> list[Outcome]:
    """Run jobs one after the other, in several processes, or on a cluster; the outcomes are in the order of the jobs.

    Parameters
    ----------
    store : Store
    jobs : what to make
    make : function of a module: store, job → product
        Raises `Unprocessable` where the data cannot give it.
    refusal : function of a module: store, job, reason → product
        What is kept instead.
    workers : int
        Processes at once on this machine.
    scheduler : str, optional
        Address of a Dask scheduler, which has the jobs done instead; the store must be within its workers' reach.
    doing : str
        What the progress bar says.

    Raises
    ------
    Unwritable
        If the store takes nothing more; what was made before stays.
    """
    batch = _Batch(store, make, refusal, doing)
    if scheduler is not None:
        with _cluster(scheduler) as client:
            return batch.run(jobs, client.get_executor(pure=False))
    if workers == 1:
        return batch.run(jobs, ThreadPoolExecutor(1))
    outcomes = batch.run(jobs, _processes(min(workers, max(1, len(jobs)))))
    # A process that dies, as for want of memory, takes the jobs of the others with it: these get one each.
    return [
        batch.run([job], _processes(1))[0] if one.message == _BROKEN else one
        for job, one in zip(jobs, outcomes, strict=True)
    ]


def run_row(
    job: Task, made: Product, outcome: Ending, started: str, duration: float, message: str = ""
) -> dict[str, Any]:
    """The row of `run` of a job that made this product, or was refused it; `duration` in s."""
    return {
        "run_id": f"{job.dataset}/{job.label}-{made.key}",
        "dataset": job.dataset,
        "recipe": job.name,
        "started": started,
        "duration": round(duration, 3),
        "outcome": outcome,
        "message": message or None,
        "product_key": made.key if outcome == "done" else None,
        "simulated": bool(made.about.get("simulated", False)),
        "workspace": made.workspace,
    }


def now() -> str:
    """The time, UTC, as rows of `run` have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def failures(store: Store) -> list[dict[str, Any]]:
    """Jobs that failed and were not run again since: data set, recipe, message and when."""
    return [
        {"dataset": name.removeprefix("failed/").rpartition("/")[0], "workspace": workspace, **said}
        for workspace in store.workspaces()
        for name, said in sorted(store.notes("failed/", workspace=workspace).items())
    ]


_BROKEN = "its process died; is there too little memory?"


@dataclass(frozen=True)
class _Batch:
    """What the jobs that are run together have in common."""

    store: Store
    make: Callable[..., Kept]
    refusal: Callable[..., Product]
    doing: str

    def run(self, jobs: Sequence[Task], executor: Executor) -> list[Outcome]:
        finished = False
        futures = [executor.submit(_attempt, self.store.url, job, self.make, self.refusal) for job in jobs]
        try:
            pairs = zip(jobs, steps(futures, self.doing), strict=True)
            outcomes = [self.outcome(job, future) for job, future in pairs]
            finished = True
            return outcomes
        finally:
            for future in futures:
                future.cancel()
            executor.shutdown(wait=finished)  # who interrupts does not want to wait for the job at hand

    def outcome(self, job: Task, future: Future[_Answer]) -> Outcome:
        error = future.exception()
        if isinstance(error, Unwritable):
            raise error
        if error is not None:
            message = _words(error)
            self.store.note(_note(job), {"recipe": job.name, "message": message, "when": now()},
                            workspace=job.workspace)  # fmt: skip
            return Outcome(job, "failed", message=message, error=error)
        self.store.forget(_note(job), workspace=job.workspace)
        return Outcome(job, *future.result())


def _words(error: BaseException) -> str:
    """What is said of a failure: of one that nobody foresaw, its kind too."""
    if isinstance(error, BrokenExecutor):
        return _BROKEN
    return str(error) if isinstance(error, LyotError) else f"{type(error).__name__}: {error}"


def _note(job: Task) -> str:
    return f"failed/{job.dataset}/{job.label}"


def _attempt(url: str, job: Task, make: Callable[..., Kept], refusal: Callable[..., Product]) -> _Answer:
    """One job, in whatever process: a product, or a refusal that is kept too."""
    store = Store(url)
    started, clock = now(), time.perf_counter()
    try:
        return _Answer("done", make(store, job).key)
    except Unprocessable as error:
        product = refusal(store, job, str(error))
        row = run_row(job, product, "unprocessable", started, time.perf_counter() - clock, str(error))
        return _Answer("unprocessable", store.put(product, rows={"run": RUN.rows([row])}).key, str(error))


def _processes(count: int) -> Executor:
    """Processes that start empty: forking one that already computes in threads can hang it."""
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_belong)


def _belong() -> None:
    """Let a worker end with the process that started it, however that ends; an interrupt from the terminal is its."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _cluster(address: str) -> Any:
    """A client of a Dask scheduler.

    Raises
    ------
    BadInput
        If Dask is not installed, or nothing answers at the address.
    """
    try:
        from distributed import Client
    except ImportError:
        raise BadInput("--scheduler needs Dask", hint="pip install 'lyot[cluster]'") from None
    try:
        return Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise BadInput(f"no Dask scheduler answers at {address}: {error}") from None
