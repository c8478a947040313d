"""Whose data."""

from lyot.catalog.columns import WORKSPACE
from lyot.catalog.table import Column, Table

WORKSPACE_TABLE = Table(
    name="workspace",
    doc="Whose data these are and when they become public.",
    key=("workspace",),
    columns=(
        WORKSPACE.model_copy(update={"references": ""}),
        Column(name="policy", type="text", doc="release-date: public from the release date on; never: never public",
               ucd="meta.code", choices=("release-date", "never"), required=True),
        Column(name="needs_validation", type="bool", doc="Only validated reductions are released", ucd="meta.code"),
        Column(name="proprietary_days", type="int", unit="d", doc="Proprietary period of raw data by default",
               ucd="time.duration"),
    ),
)
