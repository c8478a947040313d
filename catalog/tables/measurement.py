"""Published values."""

from lyot.catalog.columns import COMPANION, REFERENCE, RIGHTS, TARGET
from lyot.catalog.table import Column, Table

MEASUREMENT = Table(
    name="measurement",
    doc="Every published value of a target or companion, with its reference; the preferred one is marked.",
    key=("target_id", "companion_id", "quantity", "band", "reference_id", "number"),
    columns=(
        TARGET,
        COMPANION,
        Column(name="quantity", type="text", doc="What was measured, as parallax or apparent_mag", ucd="meta.id",
               required=True),
        Column(name="band", type="text", doc="Filter, for photometry, as SPHERE/H2", ucd="meta.id;instr.filter"),
        Column(name="number", type="int", doc="Number of the value among those of one reference, from 0",
               ucd="meta.number"),
        Column(name="value", type="float", doc="The value, in the unit of its row", ucd="stat.value"),
        Column(name="error_minus", type="float", doc="1σ error downwards, positive", ucd="stat.error;stat.min"),
        Column(name="error_plus", type="float", doc="1σ error upwards", ucd="stat.error;stat.max"),
        Column(name="limit", type="text", doc="Whether the value is a limit", ucd="meta.code", choices=("<", ">")),
        Column(name="unit", type="text", doc="Unit of the value", ucd="meta.unit"),
        Column(name="preferred", type="bool", doc="The value that the catalogue uses", ucd="meta.code"),
        Column(name="preferred_reason", type="text", doc="Why it is preferred", ucd="meta.note"),
        REFERENCE,
        *RIGHTS,
    ),
)
