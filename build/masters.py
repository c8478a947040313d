"""Master calibrations of data sets: which there are to be, and their making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import lyot
from lyot.build.raw_rows import raw_rows
from lyot.catalog.tables.raw_file import RAW_FILE
from lyot.declaration import digest
from lyot.errors import Unprocessable
from lyot.product import Product, slug
from lyot.reduce.associate import Association
from lyot.reduce.calibrate.master import Master
from lyot.reduce.workflows import helpers, make_master
from lyot.store import Store

if TYPE_CHECKING:
    from lyot.build.level1 import RawJob


@dataclass(frozen=True)
class MasterJob:
    """One master to be made."""

    association: Association
    product: Product


def masters_of(store: Store, job: RawJob) -> tuple[list[MasterJob], list[str]]:
    """The masters that a data set uses, made or not, and a sentence for each that it must do without."""
    found: dict[str, MasterJob] = {}
    notes: list[str] = []
    for one in job.associations:
        maker = job.workflow.maker(one.need)
        if not one.found or maker is None:
            notes.append(f"{one.need}: {one.why}")
            continue
        product = Product(
            kind="calibration",
            dataset=_dataset(job, one),
            record={"step": maker.record(), "need": one.need, "files": [file.sha256 for file in one.files]},
            inputs=tuple(helper.product.key for helper in helpers(maker, found).values()),
            workspace=job.workspace,
            label=slug(one.need),
            about={
                "instrument": f"sphere-{job.frames.arm}",
                "version": lyot.__version__,
                "simulated": any(file.simulated for file in one.files),
            },
        )
        refused = refusal(product)
        if store.has(refused):
            notes.append(f"{one.need}: {store.get(refused).product.about['message']}")
            continue
        found[one.need] = MasterJob(one, product)
    return list(found.values()), notes


def made_masters(store: Store, job: RawJob) -> tuple[list[MasterJob], list[str]]:
    """Make the masters that are missing; one that cannot be made is refused for good, and done without."""
    while True:
        masters, notes = masters_of(store, job)
        made: dict[str, Master] = {}
        for one in masters:
            try:
                made[one.association.need] = _master(store, job, one, made)
            except Unprocessable as error:
                store.put(refusal(one.product, str(error)))
                break
        else:
            return masters, notes


def _master(store: Store, job: RawJob, one: MasterJob, made: Mapping[str, Master]) -> Master:
    if store.has(one.product):
        return Master.from_fits(store.read(store.get(one.product), "fits"))
    master = make_master(job.workflow, one.association, made)
    cards = {
        "LYOT ROLE": (one.association.role, "raw files it was made of"),
        "LYOT FILES": (len(one.association.files), "how many"),
        "LYOT NIGHT": (one.association.files[0].night, "night they were taken"),
    }
    about = {**one.product.about, "quality": {name: float(value) for name, value in master.quality.items()}}
    product = Product(
        kind=one.product.kind, dataset=one.product.dataset, record=one.product.record, inputs=one.product.inputs,
        workspace=one.product.workspace, label=one.product.label, about=about,
    )  # fmt: skip
    rows = {"raw_file": RAW_FILE.rows(raw_rows(one.association.files, product))}
    store.put(product, {"fits": master.to_fits(cards)}, rows)
    if product.dataset == job.dataset:
        return master
    # The observatory's calibrations are public from the day they are taken.
    if not store.noted(f"releases/{product.dataset}", workspace=product.workspace):
        day = one.association.files[0].night
        store.note(f"releases/{product.dataset}", {"release_date": day, "by": "lyot reduce"}, workspace=job.workspace)
    return master


def refusal(product: Product, message: str = "") -> Product:
    """What is kept instead of a product that the data cannot give; another version of Lyot may try anew."""
    return Product(
        kind="run",
        dataset=product.dataset,
        record={"refused": digest([product.kind, dict(product.record)]), "software": lyot.__version__},
        inputs=product.inputs,
        workspace=product.workspace,
        label=product.label,
        about={**product.about, "message": message},
    )


def _dataset(job: RawJob, one: Association) -> str:
    """Where a master belongs: to its night; one made of sky frames to those whose frames they are."""
    return job.dataset if one.role == "sky" else f"sphere-{job.frames.arm}/calibration/{one.files[0].night}"
