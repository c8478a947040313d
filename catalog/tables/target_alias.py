"""Other names of stars."""

from lyot.catalog.columns import RIGHTS, TARGET
from lyot.catalog.table import Column, Table

TARGET_ALIAS = Table(
    name="target_alias",
    doc="Every name by which a star is known.",
    key=("alias",),
    columns=(
        TARGET,
        Column(name="alias", type="text", doc="A name", ucd="meta.id", required=True),
        *RIGHTS,
    ),
)
