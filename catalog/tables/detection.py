"""Point sources found in reduced images."""

from lyot.catalog.columns import (
    COMPANION, FILTER, MJD, NUMBER, OBSERVATION, REDUCTION, REFERENCE, RIGHTS, TARGET, WAVELENGTH,
)
from lyot.catalog.table import Column, Table, measured

DETECTION = Table(
    name="detection",
    doc="One row per candidate point source in one reduced image at one wavelength.",
    key=("reduction_id", "number", "wavelength"),
    columns=(
        TARGET,
        OBSERVATION,
        REDUCTION,
        NUMBER,
        COMPANION,
        MJD,
        FILTER,
        WAVELENGTH,
        *measured("separation", "Angle from star to source", unit="mas", ucd="pos.angDistance", limits=(0, 100_000)),
        *measured("position_angle", "Position angle of the source, East of North", unit="deg", ucd="pos.posAng",
                  limits=(0, 360)),
        *measured("dra", "Offset to the East", unit="mas", ucd="pos.eq.ra;arith.diff"),
        *measured("ddec", "Offset to the North", unit="mas", ucd="pos.eq.dec;arith.diff"),
        Column(name="dra_ddec_correlation", type="float", ucd="stat.correlation", limits=(-1, 1),
               doc="Correlation of the errors of dra and ddec"),
        *measured("contrast", "Flux of the source over that of the star", ucd="phot.flux;arith.ratio",
                  limits=(-1, 1e3)),
        *measured("delta_mag", "Source fainter than the star by", unit="mag", ucd="phot.mag;arith.diff"),
        Column(name="snr", type="float", ucd="stat.snr",
               doc="Signal to noise, small-sample corrected (Mawet et al. 2014)"),
        Column(name="false_alarm_probability", type="float", ucd="stat.fit.goodness", limits=(0, 1),
               doc="Chance that noise alone gives this, at this place"),
        *measured("apparent_mag", "Apparent magnitude of the source", unit="mag", ucd="phot.mag"),
        Column(name="status", type="text", doc="What it is, derived at build", ucd="meta.code.class",
               choices=("UNDEFINED", "CANDIDATE", "COMPANION", "BACKGROUND", "AMBIGUOUS")),
        REFERENCE,
        *RIGHTS,
    ),
)
