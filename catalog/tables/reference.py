"""Publications."""

from lyot.catalog.columns import REFERENCE
from lyot.catalog.table import Column, Table

REFERENCE_TABLE = Table(
    name="reference",
    doc="Publications and data sets that values come from.",
    key=("reference_id",),
    columns=(
        REFERENCE.model_copy(update={"references": "", "required": True}),
        Column(name="citation", type="text", doc="As one cites it", ucd="meta.bib", required=True),
        Column(name="year", type="int", doc="Year of publication", ucd="time.publiYear"),
        Column(name="url", type="text", doc="Where it is", ucd="meta.ref.url"),
    ),
)
