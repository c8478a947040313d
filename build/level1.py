"""From registered raw files to master calibrations and Level 1 cubes: what is missing, and its making."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lyot
from lyot.build.ingest import known
from lyot.build.masters import MasterJob, made_masters, masters_of, refusal
from lyot.build.observed import frame_columns, observation
from lyot.build.raw_rows import association_rows, raw_rows
from lyot.catalog.tables.association import ASSOCIATION
from lyot.catalog.tables.observation import OBSERVATION_TABLE
from lyot.catalog.tables.raw_file import RAW_FILE
from lyot.catalog.tables.run import RUN
from lyot.errors import NotFound, Unprocessable
from lyot.level1 import write_cube
from lyot.product import Product
from lyot.progress import say
from lyot.reduce.associate import Association, associate
from lyot.reduce.calibrate.master import Master
from lyot.reduce.cards import read_header
from lyot.reduce.classify import RawFile
from lyot.reduce.group import DataSet
from lyot.reduce.night import Night
from lyot.reduce.workflows import Workflow, to_level1, workflow_of
from lyot.store import Kept, Store

PREFIX = "level1."  # of settings that are for the workflow, not the recipes


@dataclass(frozen=True)
class RawJob:
    """One data set to be brought to Level 1."""

    frames: DataSet
    associations: tuple[Association, ...]
    workflow: Workflow
    workspace: str
    telemetry: tuple[RawFile, ...] = ()

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.frames.name

    @property
    def label(self) -> str:
        """What is done to it."""
        return self.workflow.name

    @property
    def simulated(self) -> bool:
        """Is any of its frames made by a simulator?"""
        return any(one.simulated for one in self.frames.files)

    def cube(self, masters: Sequence[MasterJob]) -> Product:
        """The product it makes with these masters."""
        roles = ("science", "centre", "flux", "sky")
        files = {role: [one.sha256 for one in getattr(self.frames, role)] for role in roles}
        files["telemetry"] = [one.sha256 for one in self.telemetry]
        return Product(
            kind="cube",
            dataset=self.dataset,
            record={**self.workflow.record(), "files": files},
            inputs=tuple(one.product.key for one in masters),
            workspace=self.workspace,
            label=self.label,
            about={
                "target": self.frames.target,
                "instrument": f"sphere-{self.frames.arm}",
                "level": 1,
                "version": lyot.__version__,
                "simulated": self.simulated,
            },
        )


@dataclass(frozen=True)
class Level1Outcome:
    """How a data set's way to Level 1 ended."""

    job: RawJob
    outcome: str
    key: str | None = None
    message: str = ""

    def summary(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "dataset": self.job.dataset,
            "recipe": self.job.label,
            "label": self.job.label,
            "outcome": self.outcome,
            "key": self.key,
            "message": self.message,
        }


def plan_level1(
    store: Store,
    datasets: Sequence[str] = (),
    *,
    settings: Mapping[str, Any] | None = None,
    workspace: str = "main",
    retry: bool = False,
) -> tuple[list[RawJob], list[Level1Outcome]]:
    """Data sets whose cube is missing, and those for which there is no workflow.

    Raises
    ------
    NotFound
        If a setting is none of any workflow.
    """
    jobs: list[RawJob] = []
    without: list[Level1Outcome] = []
    grouped = known(store, workspace)
    for frames in grouped.datasets:
        if datasets and frames.name not in datasets:
            continue
        try:
            workflow = workflow_of(frames)
        except Unprocessable as error:
            nothing = RawJob(frames, (), Workflow(name="none", arm=frames.arm, calibrations={}, steps=()), workspace)
            without.append(Level1Outcome(nothing, "unprocessable", message=str(error)))
            continue
        job = RawJob(
            frames,
            tuple(associate(frames, grouped.calibrations)),
            workflow.changed(settings) if settings else workflow,
            workspace,
            tuple(one for one in grouped.telemetry if one.night == frames.night),
        )
        product = job.cube(masters_of(store, job)[0])
        if not store.has(product) and (retry or not store.has(refusal(product))):
            jobs.append(job)
    return jobs, without


def associations(store: Store, dataset: str, workspace: str = "main") -> tuple[DataSet, list[Association]]:
    """Which calibrations a data set would use.

    Raises
    ------
    NotFound
        If there is no such data set among the raw files.
    """
    grouped = known(store, workspace)
    for frames in grouped.datasets:
        if frames.name == dataset:
            return frames, associate(frames, grouped.calibrations)
    names = ", ".join(one.name for one in grouped.datasets) or "none"
    raise NotFound(f"there are no raw files of a data set {dataset}", hint=f"there are {names}")


def run_level1(store: Store, jobs: Sequence[RawJob]) -> list[Level1Outcome]:
    """Bring data sets to Level 1, one after the other; that one cannot be stops no other."""
    outcomes = []
    for job in jobs:
        say(f"{job.dataset}: raw frames to Level 1")
        outcomes.append(_attempt(store, job))
    return outcomes


def _attempt(store: Store, job: RawJob) -> Level1Outcome:
    clock = time.perf_counter()
    try:
        masters, notes = made_masters(store, job)
        product = job.cube(masters)
        if store.has(product):
            return Level1Outcome(job, "done", product.key)
        read = {one.association.need: Master.from_fits(store.read(store.get(one.product), "fits")) for one in masters}
        night = to_level1(job.workflow, job.frames, read, notes, job.telemetry)
        kept = _keep(store, job, product, night, masters)
        return Level1Outcome(job, "done", kept.key)
    except Unprocessable as error:
        refused = job.cube(masters_of(store, job)[0])
        row = {
            "run_id": f"{job.dataset}/{job.label}-{refused.key}",
            "dataset": job.dataset,
            "recipe": job.label,
            "duration": round(time.perf_counter() - clock, 3),
            "outcome": "unprocessable",
            "message": str(error),
            "simulated": job.simulated,
            "workspace": job.workspace,
        }
        store.put(refusal(refused, str(error)), rows={"run": RUN.rows([row])})
        return Level1Outcome(job, "unprocessable", message=str(error))


def _keep(store: Store, job: RawJob, product: Product, night: Night, masters: Sequence[MasterJob]) -> Kept:
    cube = night.finished()
    lacks = [what for what, there in (("centre", night.star), ("star flux", night.star_flux)) if there is None]
    about = {**product.about, "lacks": lacks, "notes": list(night.notes)}
    if night.star is None:
        about["level1_only"] = "no centre frame says where the star is"
    product = Product(
        kind=product.kind, dataset=product.dataset, record=product.record, inputs=product.inputs,
        workspace=product.workspace, label=product.label, about=about,
    )  # fmt: skip
    header = read_header(job.frames.science[0].path).copy()
    for note in night.notes:
        header.add_history(note.encode("ascii", "replace").decode())
    cards: dict[str, tuple[Any, str]] = {
        "LYOT TARGET": (job.frames.target, "target"),
        "LYOT INSTRUMENT": (night.instrument.name, "instrument"),
        "LYOT FILTER": (job.frames.filter, "filter"),
        "LYOT SIMULATED": (job.simulated, "made by a simulator"),
        **night.cards,
    }
    serve = {one.association.need: one.product.key for one in masters}
    rows = {
        "observation": OBSERVATION_TABLE.rows([observation(job, product, night)]),
        "raw_file": RAW_FILE.rows(raw_rows((*job.frames.files, *job.telemetry), product)),
        "association": ASSOCIATION.rows(association_rows(job.associations, serve, product, job.simulated)),
    }
    kept = store.put(product, {"fits": write_cube(cube, header, cards, frame_columns(night))}, rows)
    store.note(f"current/{product.dataset}", {"key": kept.key}, workspace=product.workspace)
    return kept
