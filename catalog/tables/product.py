"""Files."""

from lyot.catalog.columns import PRODUCT, RIGHTS, TARGET
from lyot.catalog.table import Column, Table

PRODUCT_TABLE = Table(
    name="product",
    doc="One row per immutable file that was made, named by a digest of what made it.",
    key=("product_key",),
    columns=(
        PRODUCT.model_copy(update={"references": "", "required": True}),
        TARGET.model_copy(update={"required": False}),
        Column(name="dataset", type="text", doc="Data set it belongs to", ucd="meta.id", required=True),
        Column(name="kind", type="text", ucd="meta.code", required=True,
               doc="cube or calibration (Level 1), reduction (Level 2 and 3) or import"),
        Column(name="level", type="int", doc="Level of processing", ucd="meta.code.class"),
        Column(name="label", type="text", doc="Recipe or source", ucd="meta.note"),
        Column(name="path", type="text", doc="Path of the file in the store", ucd="meta.ref"),
        Column(name="size", type="int", unit="byte", doc="Size of the file", ucd="phys.size;meta.file"),
        Column(name="sha256", type="text", doc="SHA-256 of the file", ucd="meta.checksum"),
        Column(name="created", type="date", doc="When it was made, UTC", ucd="time.creation"),
        Column(name="version", type="text", doc="Version of Lyot that made it", ucd="meta.version"),
        Column(name="quality", type="json", doc="Figures of quality of a master calibration, such as its read noise",
               ucd="meta.code.qual"),
        Column(name="inputs", type="json", doc="Keys of the products it was made from", ucd="meta.id.parent"),
        Column(name="record", type="json", doc="JSON that replays it", ucd="meta.record"),
        *RIGHTS,
    ),
)
