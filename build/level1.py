"""From registered raw files to master calibrations and Level 1 cubes: what is missing, and its making."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lyot
from lyot.build.ingest import known
from lyot.build.jobs import Outcome, run_jobs
from lyot.build.masters import MasterJob, made_masters, masters_of, refusal
from lyot.build.observed import frame_columns, observation
from lyot.build.raw_rows import association_rows, raw_rows
from lyot.catalog.tables.association import ASSOCIATION
from lyot.catalog.tables.observation import OBSERVATION_TABLE
from lyot.catalog.tables.raw_file import RAW_FILE
from lyot.errors import BadInput, LyotError, NotFound, Unprocessable
from lyot.level1 import write_cube
from lyot.product import Product
from lyot.progress import say
from lyot.reduce.associate import Association, associate
from lyot.reduce.calibrate.master import Master
from lyot.reduce.cards import read_header
from lyot.reduce.classify import RawFile
from lyot.reduce.group import DataSet
from lyot.reduce.night import Night
from lyot.reduce.workflows import WORKFLOWS, Workflow, to_level1, workflow_of
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
        """Data set that it makes the cube of."""
        return self.frames.name

    @property
    def name(self) -> str:
        """What is done to it."""
        return self.workflow.name

    @property
    def label(self) -> str:
        """The same: its parameters are not in its name."""
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


def plan_level1(
    store: Store,
    datasets: Sequence[str] = (),
    *,
    settings: Mapping[str, Any] | None = None,
    workspace: str = "main",
    retry: bool = False,
) -> tuple[list[RawJob], list[Outcome]]:
    """Data sets whose cube is missing, and those for which it cannot be said what would make it.

    A setting is for those workflows that have it.

    Raises
    ------
    NotFound
        If a setting is none of any workflow.
    BadInput
        If its value does not suit.
    """
    known_names = set().union(*map(_parameters, WORKFLOWS.values()))
    for name in settings or {}:
        if name not in known_names:
            raise NotFound(f"no calibration has a parameter {name}", hint=f"there are {', '.join(sorted(known_names))}")
    workflows = {name: _changed(one, settings or {}) for name, one in WORKFLOWS.items()}
    jobs: list[RawJob] = []
    without: list[Outcome] = []
    grouped = known(store, workspace)
    for frames in grouped.datasets:
        if datasets and frames.name not in datasets:
            continue
        try:
            workflow = workflow_of(frames)
        except Unprocessable as error:
            nothing = RawJob(frames, (), Workflow(name="none", arm=frames.arm, calibrations={}, steps=()), workspace)
            without.append(Outcome(nothing, "unprocessable", message=str(error)))
            continue
        job = RawJob(
            frames,
            (),
            workflows[workflow.name],
            workspace,
            tuple(one for one in grouped.telemetry if one.night == frames.night),
        )
        try:
            job = replace(job, associations=tuple(associate(frames, grouped.calibrations)))
            product = job.cube(masters_of(store, job)[0])
        except LyotError as error:
            without.append(Outcome(job, "failed", message=str(error)))
            continue
        if (retry or not store.has(refusal(product))) and not (store.has(product) and _counts(store, product)):
            jobs.append(job)
    return jobs, without


def _changed(workflow: Workflow, settings: Mapping[str, Any]) -> Workflow:
    """A workflow with those of the settings that it has."""
    own = {name: value for name, value in settings.items() if name in _parameters(workflow)}
    try:
        return workflow.changed(own)
    except BadInput as refused:
        raise BadInput(f"{PREFIX}{refused.message}") from None


def _parameters(workflow: Workflow) -> set[str]:
    return {name for step in workflow.steps for name in type(step).model_fields} - {"version"}


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


def run_level1(
    store: Store, jobs: Sequence[RawJob], *, workers: int = 1, scheduler: str | None = None
) -> list[Outcome]:
    """Bring data sets to Level 1; that one cannot be stops no other (`build.jobs`)."""
    return run_jobs(store, jobs, _make, _refusal, workers=workers, scheduler=scheduler, doing="raw frames to Level 1")


def _make(store: Store, job: RawJob) -> Kept:
    masters, notes = made_masters(store, job)
    product = job.cube(masters)
    if store.has(product):
        _let_count(store, product)
        return store.get(product)
    say(f"{job.dataset}: raw frames to Level 1")
    read = {one.association.need: Master.from_fits(store.read(store.get(one.product), "fits")) for one in masters}
    return _keep(store, job, product, to_level1(job.workflow, job.frames, read, notes, job.telemetry), masters)


def _refusal(store: Store, job: RawJob, reason: str) -> Product:
    return refusal(job.cube(masters_of(store, job)[0]), reason)


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
    _let_count(store, product)
    return store.put(product, {"fits": write_cube(cube, header, cards, frame_columns(night))}, rows)


def _counts(store: Store, product: Product) -> bool:
    """Is this the cube of its data set that is reduced and published, as far as anybody has said?"""
    return store.noted(f"current/{product.dataset}", workspace=product.workspace).get("key") in (None, product.key)


def _let_count(store: Store, product: Product) -> None:
    """Say so, before it is put: who is stopped in between has not said it of the cube before."""
    store.note(f"current/{product.dataset}", {"key": product.key}, workspace=product.workspace)
