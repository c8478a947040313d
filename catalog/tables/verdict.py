"""Bound or background, who says so and why."""

from lyot.catalog.columns import COMPANION, RIGHTS, TARGET
from lyot.catalog.table import Column, Table

VERDICT = Table(
    name="verdict",
    doc="Judgements on companions: derived from astrometry at build, or given by people, who overrule.",
    key=("companion_id", "origin", "date"),
    columns=(
        COMPANION.model_copy(update={"required": True}),
        TARGET,
        Column(name="origin", type="text", doc="Who judged: astrometry, or human", ucd="meta.code",
               choices=("astrometry", "human"), required=True),
        Column(name="status", type="text", doc="The verdict", ucd="meta.code.class", required=True,
               choices=("UNDEFINED", "CANDIDATE", "COMPANION", "BACKGROUND", "AMBIGUOUS")),
        Column(name="log_odds", type="float", ucd="stat.likelihood",
               doc="Natural logarithm of the odds of bound against background"),
        Column(name="epochs", type="int", doc="Number of epochs it rests on", ucd="meta.number"),
        Column(name="time_span", type="float", unit="d", ucd="time.interval", doc="Time from first to last epoch"),
        Column(name="chi2_background", type="float", ucd="stat.fit.chi2",
               doc="χ² per degree of freedom of a background star with a fitted own motion"),
        Column(name="decides_on", type="date", ucd="time.epoch",
               doc="First day on which one more epoch would part the hypotheses by 5σ"),
        Column(name="author", type="text", doc="Who", ucd="meta.id.PI"),
        Column(name="date", type="date", doc="When", ucd="time"),
        Column(name="reason", type="text", doc="Why", ucd="meta.note"),
        *RIGHTS,
    ),
)
