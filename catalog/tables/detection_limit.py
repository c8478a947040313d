"""How deep a reduction went."""

from lyot.catalog.columns import FILTER, OBSERVATION, REDUCTION, RIGHTS, TARGET, WAVELENGTH
from lyot.catalog.table import Column, Table

DETECTION_LIMIT = Table(
    name="detection_limit",
    doc="Contrast that a source must reach to be detected, against separation.",
    key=("reduction_id", "wavelength", "noise", "separation"),
    columns=(
        TARGET,
        OBSERVATION,
        REDUCTION,
        FILTER,
        WAVELENGTH,
        Column(name="noise", type="text", ucd="meta.note", required=True, choices=("mawet", "annulus"),
               doc="Definition of the noise: mawet (apertures, small-sample Student correction; Mawet et al. 2014) "
                   "or annulus (standard deviation of pixels)"),
        Column(name="separation", type="float", unit="mas", ucd="pos.angDistance", required=True, limits=(0, 100_000),
               doc="Angle from star to source"),
        Column(name="contrast", type="float", ucd="phot.flux;arith.ratio", limits=(0, 1e3),
               doc="Flux of the source over that of the star"),
        Column(name="delta_mag", type="float", unit="mag", ucd="phot.mag;arith.diff",
               doc="Source fainter than the star by"),
        Column(name="mass_limit", type="float", unit="'Mjup'", ucd="phys.mass", limits=(0, 1e6),
               doc="Mass of the lightest companion seen, by the isochrones the release was built with"),
        Column(name="throughput", type="float", ucd="phys.transmission", limits=(0, 2),
               doc="Part of the flux of a source that the reduction keeps"),
        Column(name="sigma", type="float", ucd="stat.snr", doc="Significance asked for"),
        *RIGHTS,
    ),
)
