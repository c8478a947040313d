"""Reductions."""

from lyot.catalog.columns import OBSERVATION, PRODUCT, REDUCTION, REFERENCE, RIGHTS, TARGET
from lyot.catalog.table import Column, Table

REDUCTION_TABLE = Table(
    name="reduction",
    doc="One row per starlight-subtracted result of an observation.",
    key=("reduction_id",),
    columns=(
        REDUCTION.model_copy(update={"references": ""}),
        OBSERVATION,
        TARGET,
        Column(name="recipe", type="text", doc="Recipe, as pca", ucd="meta.id"),
        Column(name="algorithm", type="text", doc="Starlight model, as PCA", ucd="meta.note"),
        Column(name="strategy", type="text", doc="Where the model looks: adi, sdi, asdi or rdi", ucd="meta.note"),
        Column(name="parameters", type="text", doc="Parameters in words, as ncomp=5", ucd="meta.note"),
        Column(name="software", type="text", doc="Software that made it", ucd="meta.id;meta.software"),
        Column(name="version", type="text", doc="Version of the software", ucd="meta.version"),
        Column(name="date", type="date", doc="When it was made, UTC", ucd="time.processing"),
        Column(name="frames_used", type="int", doc="Frames kept by the frame selection", ucd="meta.number"),
        Column(name="validation", type="text", doc="Whether people trust it", ucd="meta.code.qual",
               choices=("validated", "flagged", "rejected")),
        Column(name="validation_reason", type="text", doc="Why", ucd="meta.note"),
        Column(name="record", type="json", doc="JSON that replays it", ucd="meta.record"),
        PRODUCT,
        REFERENCE,
        *RIGHTS,
    ),
)
