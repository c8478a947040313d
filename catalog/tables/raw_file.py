"""Raw files."""

from lyot.catalog.columns import FILTER, INSTRUMENT, PRODUCT, RIGHTS
from lyot.catalog.table import Column, Table

RAW_FILE = Table(
    name="raw_file",
    doc="One row per raw file that a product was made of, as its header says.",
    key=("raw_file_id",),
    columns=(
        Column(name="raw_file_id", type="text", doc="Raw file, by the first digits of its SHA-256", ucd="meta.id",
               required=True),
        Column(name="name", type="text", doc="Name of the file", ucd="meta.id;meta.file"),
        Column(name="sha256", type="text", doc="SHA-256 of the file", ucd="meta.checksum", required=True),
        INSTRUMENT,
        Column(name="role", type="text", doc="What it serves for: science, centre, flux, sky, background, flat…",
               ucd="meta.code", required=True),
        Column(name="mjd", type="float", unit="d", doc="Modified Julian Date (UTC) of its begin", ucd="time.start;obs",
               limits=(15_100, 88_000)),
        Column(name="exposure_time", type="float", unit="s", doc="Exposure time of a frame",
               ucd="time.duration;obs.exposure", limits=(0.0, float("inf"))),
        Column(name="frames", type="int", doc="Frames that it holds", ucd="meta.number"),
        Column(name="frames_planned", type="int", doc="Frames that were asked for", ucd="meta.number"),
        FILTER,
        Column(name="density", type="text", doc="Neutral density in front of the detector", ucd="meta.id;instr.filter"),
        Column(name="coronagraph", type="text", doc="Coronagraph", ucd="meta.id;instr"),
        Column(name="target_name", type="text", doc="Target as the observers called it", ucd="meta.id;src"),
        Column(name="programme", type="text", doc="Observing programme", ucd="meta.id;obs.proposal"),
        PRODUCT,
        *RIGHTS,
    ),
)
