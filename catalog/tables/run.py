"""Jobs."""

from lyot.catalog.columns import PRODUCT, RIGHTS
from lyot.catalog.table import Column, Table

RUN = Table(
    name="run",
    doc="One row per job: what was tried, and how it ended.",
    key=("run_id",),
    columns=(
        Column(name="run_id", type="text", doc="Job", ucd="meta.id", required=True),
        Column(name="dataset", type="text", doc="Data set", ucd="meta.id", required=True),
        Column(name="recipe", type="text", doc="Recipe", ucd="meta.id"),
        Column(name="started", type="date", doc="When it began, UTC", ucd="time.start"),
        Column(name="duration", type="float", unit="s", doc="How long it took", ucd="time.duration"),
        Column(name="outcome", type="text", doc="How it ended", ucd="meta.code", required=True,
               choices=("done", "unprocessable", "failed")),
        Column(name="message", type="text", doc="Why it did not end well", ucd="meta.note"),
        PRODUCT,
        *RIGHTS,
    ),
)
