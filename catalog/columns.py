"""Columns that several tables share."""

from lyot.catalog.table import Column

TARGET = Column(name="target_id", type="text", doc="Target, by its short name", ucd="meta.id;src", required=True,
                references="target.target_id")
OBSERVATION = Column(name="observation_id", type="text", doc="Observation", ucd="meta.id;obs", required=True,
                     references="observation.observation_id")
REDUCTION = Column(name="reduction_id", type="text", doc="Reduction", ucd="meta.id", required=True,
                   references="reduction.reduction_id")
COMPANION = Column(name="companion_id", type="text", doc="Physical object it belongs to, once grouped",
                   ucd="meta.id;src", references="companion.companion_id")
REFERENCE = Column(name="reference_id", type="text", doc="Where the values were published", ucd="meta.bib",
                   references="reference.reference_id")
NUMBER = Column(name="number", type="int", doc="Number of the source in its reduction, from 0", ucd="meta.number",
                required=True)
PRODUCT = Column(name="product_key", type="text", doc="Product that holds the pixels, by its key", ucd="meta.id",
                 references="product.product_key")
FILTER = Column(name="filter", type="text", doc="Filter", ucd="meta.id;instr.filter")
WAVELENGTH = Column(name="wavelength", type="float", unit="um", ucd="em.wl.central", doc="Central wavelength",
                    limits=(0.1, 1000.0))
INSTRUMENT = Column(name="instrument", type="text", doc="Instrument", ucd="meta.id;instr")
MJD = Column(name="mjd", type="float", unit="d", ucd="time.epoch;obs", doc="Modified Julian Date, UTC, mid-observation",
             limits=(15_100, 88_000))
MJD_ERROR = MJD.error().model_copy(update={"doc": "1σ error of mjd; half a day where only the day is known"})
WORKSPACE = Column(name="workspace", type="text", doc="Workspace it belongs to", ucd="meta.id", required=True,
                   references="workspace.workspace")
RELEASE_DATE = Column(name="release_date", type="date", doc="Day it becomes public (UTC); private while it has none",
                      ucd="time.release")
SIMULATED = Column(name="simulated", type="bool", doc="Made by a simulator, not observed", ucd="meta.code",
                   required=True)

#: What every row that came from a product carries, so that rights can be judged row by row.
RIGHTS = (SIMULATED, WORKSPACE, RELEASE_DATE)
