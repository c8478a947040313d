"""Which calibrations an observation used."""

from lyot.catalog.columns import OBSERVATION, PRODUCT, RIGHTS
from lyot.catalog.table import Column, Table

ASSOCIATION = Table(
    name="association",
    doc="One row per calibration that an observation needed: what was chosen, how good it fits, or what is missing.",
    key=("observation_id", "need"),
    columns=(
        OBSERVATION,
        Column(name="need", type="text", doc="What was needed", ucd="meta.id", required=True),
        Column(name="role", type="text", doc="Role of the files that were chosen; nothing when there are none",
               ucd="meta.code"),
        Column(name="level", type="int", ucd="meta.code.qual", limits=(0, 4),
               doc="How well they fit: 0 all keys within 12 h, 1 48 h, 2 7 d, 3 30 d, 4 older or a key relaxed"),
        Column(name="hours", type="float", unit="h", doc="From the middle of the science frames to the nearest file",
               ucd="time.interval", limits=(0.0, float("inf"))),
        Column(name="why", type="text", doc="Why these, or what was done instead", ucd="meta.note"),
        Column(name="raw_files", type="json", doc="Raw files that were chosen", ucd="meta.id.parent"),
        PRODUCT,
        *RIGHTS,
    ),
)
