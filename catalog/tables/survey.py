"""Surveys."""

from lyot.catalog.columns import REFERENCE
from lyot.catalog.table import Column, Table

SURVEY = Table(
    name="survey",
    doc="Observing programmes that observations belong to.",
    key=("survey_id",),
    columns=(
        Column(name="survey_id", type="text", doc="Survey", ucd="meta.id", required=True),
        Column(name="name", type="text", doc="Name of the survey", ucd="meta.title", required=True),
        Column(name="description", type="text", doc="What it is about", ucd="meta.note"),
        REFERENCE,
    ),
)
