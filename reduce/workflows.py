"""From raw SPHERE frames to Level 2: one readable list of steps a mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import SerializeAsAny

from lyot.declaration import Declaration
from lyot.errors import NotFound, Unprocessable
from lyot.reduce import irdis
from lyot.reduce.associate import Association
from lyot.reduce.calibrate.background import MakeBackground
from lyot.reduce.calibrate.flat import MakeFlat, MakeLampFlat
from lyot.reduce.calibrate.master import Master
from lyot.reduce.classify import RawFile
from lyot.reduce.conditions import FlagFrames
from lyot.reduce.flux import MeasureStar
from lyot.reduce.group import DataSet
from lyot.reduce.ifs import steps as ifs
from lyot.reduce.ifs.masters import MakeLampImage, MakeLensletFlat, MakeWavelengths
from lyot.reduce.ifs.recalibrate import RecalibrateWavelengths
from lyot.reduce.irdis import (
    DivideByFlat,
    FindStar,
    MendBadPixels,
    MendHits,
    OrientFrames,
    Register,
    SubtractBackground,
)
from lyot.reduce.night import Night
from lyot.reduce.step import Step

Begin = Callable[[DataSet, dict[str, Master]], Night]


class Workflow(Declaration):
    """How raw frames of one mode become a cube: masters made of lamps and darks, then steps in order.

    `calibrations` says by the first word of a need which step makes its master; `recipes` are those of Level 2.
    """

    name: str
    arm: str
    calibrations: dict[str, SerializeAsAny[Step]]
    steps: tuple[SerializeAsAny[Step], ...]
    recipes: tuple[str, ...] = ("cadi", "pca")

    def record(self) -> dict[str, Any]:
        """JSON that replays the making of the cube."""
        return {"workflow": self.name, "steps": [step.record() for step in self.steps]}

    def maker(self, need: str) -> Step | None:
        """The step that makes the master of a need."""
        return self.calibrations.get(need) or self.calibrations.get(need.split(" ", 1)[0])

    def changed(self, settings: Mapping[str, Any]) -> Workflow:
        """The same workflow with these parameters, in whichever steps have them.

        Raises
        ------
        NotFound
            If no step has one of them.
        """
        known = {name for step in self.steps for name in type(step).model_fields}
        unknown = set(settings) - known
        if unknown:
            names = ", ".join(sorted(unknown))
            raise NotFound(f"{self.name} has no parameter {names}; it has {', '.join(sorted(known))}")
        steps = []
        for step in self.steps:
            own = {name: value for name, value in settings.items() if name in type(step).model_fields}
            steps.append(type(step)(**{**step.model_dump(), **own}))
        return self.model_copy(update={"steps": tuple(steps)})


SPHERE_IRDIS_DBI = Workflow(
    name="sphere-irdis-dbi",
    arm="irdis",
    calibrations={"background": MakeBackground(), "flat": MakeFlat()},
    steps=(
        SubtractBackground(),
        DivideByFlat(),
        MendBadPixels(),
        MendHits(),
        FindStar(),
        OrientFrames(),
        FlagFrames(),
        MeasureStar(),
        Register(),
    ),
)

SPHERE_IRDIS_CI = Workflow(
    name="sphere-irdis-ci",
    arm="irdis",
    calibrations=SPHERE_IRDIS_DBI.calibrations,
    steps=(
        SubtractBackground(),
        DivideByFlat(),
        MendBadPixels(),
        MendHits(),
        FindStar(),
        OrientFrames(),
        FlagFrames(),
        MeasureStar(one_band=True),
        Register(one_band=True),
    ),
)

SPHERE_IFS = Workflow(
    name="sphere-ifs",
    arm="ifs",
    calibrations={
        "background": MakeBackground(sigma=3.0, highest=2000.0),
        "lamp dark": MakeBackground(sigma=3.0, highest=2000.0),
        "flat": MakeLampFlat(),
        "spectra": MakeLampImage(),
        "wavelength": MakeWavelengths(),
        "lenslet flat": MakeLensletFlat(),
    },
    steps=(
        ifs.CleanFrames(),
        ifs.ExtractSpectra(),
        ifs.FindStar(),
        RecalibrateWavelengths(),
        OrientFrames(),
        FlagFrames(),
        ifs.MeasureStar(),
        ifs.Register(),
    ),
)

WORKFLOWS = {workflow.name: workflow for workflow in (SPHERE_IRDIS_DBI, SPHERE_IRDIS_CI, SPHERE_IFS)}
BEGINNINGS: dict[str, Begin] = {"irdis": irdis.begin, "ifs": ifs.begin}


def workflow_of(dataset: DataSet) -> Workflow:
    """The workflow for the mode of a data set.

    Raises
    ------
    Unprocessable
        If there is none for it.
    """
    technique = dataset.science[0].technique
    if dataset.arm == "irdis" and "POLARIMETRY" not in technique and "SPECTRUM" not in technique:
        return SPHERE_IRDIS_DBI if dataset.filter.startswith("DB_") else SPHERE_IRDIS_CI
    if dataset.arm == "ifs":
        return SPHERE_IFS
    raise Unprocessable(
        f"{dataset.name}: there is no workflow for {dataset.arm} {technique or dataset.filter}",
        hint=f"there are {', '.join(WORKFLOWS)}",
    )


def make_masters(
    workflow: Workflow, associations: Sequence[Association]
) -> tuple[dict[str, Master], tuple[str, ...]]:
    """Every master that the associations allow, and a sentence for each that is missing or could not be made."""
    masters: dict[str, Master] = {}
    notes: list[str] = []
    for one in associations:
        if not one.found:
            notes.append(f"{one.need}: {one.why}")
            continue
        try:
            masters[one.need] = make_master(workflow, one, masters)
        except Unprocessable as error:
            notes.append(f"{one.need}: {error.message}")
    return masters, tuple(notes)


def helpers(maker: Step, made: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the masters made before that help to make another: none of a single data set's backgrounds."""
    if not getattr(maker, "helped", False):
        return {}
    return {need: one for need, one in made.items() if not need.startswith("background")}


def make_master(workflow: Workflow, association: Association, made: Mapping[str, Master]) -> Master:
    """The master of one need, with the help of those made before.

    Raises
    ------
    Unprocessable
        If its files do not give one.
    """
    maker: Any = workflow.maker(association.need)
    if maker is None:
        raise Unprocessable(f"{workflow.name} makes nothing of {association.need}")
    master: Master = maker(association.need, association.files, helpers(maker, made))
    return master


def to_level1(
    workflow: Workflow,
    dataset: DataSet,
    masters: dict[str, Master],
    notes: Sequence[str] = (),
    telemetry: Sequence[RawFile] = (),
) -> Night:
    """Run every step on a data set; the night that comes back holds the cube, its cards and what should be known.

    Raises
    ------
    Unprocessable
        If the frames do not allow a cube.
    """
    night = replace(BEGINNINGS[workflow.arm](dataset, masters).noting(*notes), telemetry=tuple(telemetry))
    for step in workflow.steps:
        night = step(night)  # type: ignore[operator]
    return night
