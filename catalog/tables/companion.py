"""Physical objects near stars."""

from lyot.catalog.columns import COMPANION, REFERENCE, RIGHTS, TARGET
from lyot.catalog.table import Column, Table, measured

COMPANION_TABLE = Table(
    name="companion",
    doc="One row per physical object seen near a star, over all epochs and surveys.",
    key=("companion_id",),
    columns=(
        COMPANION.model_copy(update={"references": "", "required": True}),
        TARGET,
        Column(name="name", type="text", doc="Name of the object", ucd="meta.id;meta.main", required=True),
        Column(name="status", type="text", doc="What it is: a human verdict if there is one, else the derived one",
               ucd="meta.code.class", choices=("UNDEFINED", "CANDIDATE", "COMPANION", "BACKGROUND", "AMBIGUOUS")),
        Column(name="epochs", type="int", doc="Number of epochs with astrometry", ucd="meta.number"),
        *measured("mass", "Mass of the object, as published", unit="'Mjup'", ucd="phys.mass"),
        *measured("semi_major_axis", "Semi-major axis, as published", unit="AU", ucd="phys.size.smajAxis"),
        REFERENCE,
        *RIGHTS,
    ),
)
