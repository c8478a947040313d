"""Observations."""

from lyot.catalog.columns import (
    FILTER, INSTRUMENT, MJD, OBSERVATION, PRODUCT, REFERENCE, RIGHTS, TARGET, WAVELENGTH,
)
from lyot.catalog.table import Column, Table, measured

OBSERVATION_TABLE = Table(
    name="observation",
    doc="One row per sequence of frames of one star with one set-up.",
    key=("observation_id",),
    columns=(
        OBSERVATION.model_copy(update={"references": ""}),
        TARGET,
        Column(name="target_name", type="text", doc="Name of the target as observed", ucd="meta.id;src"),
        Column(name="survey_id", type="text", doc="Survey it belongs to", ucd="meta.id", references="survey.survey_id"),
        Column(name="telescope", type="text", doc="Telescope", ucd="meta.id;instr.tel"),
        INSTRUMENT,
        Column(name="setup", type="text", doc="Observing set-up, as IRDIFS", ucd="meta.note;instr.setup"),
        FILTER,
        WAVELENGTH,
        Column(name="coronagraph", type="text", doc="Coronagraph", ucd="meta.id;instr"),
        Column(name="date", type="date", doc="Date of the observation, UTC", ucd="time.start;obs", required=True),
        MJD,
        Column(name="exposure_time", type="float", unit="s", ucd="time.duration;obs.exposure", limits=(0, 1e7),
               doc="Total exposure time"),
        Column(name="frames", type="int", doc="Frames in the calibrated cube", ucd="meta.number", limits=(0, 1e7)),
        Column(name="parallactic_angle", type="float", unit="deg", ucd="pos.posAng",
               doc="Parallactic angle at mid-observation"),
        Column(name="field_rotation", type="float", unit="deg", ucd="pos.posAng;arith.diff", limits=(0, 360),
               doc="Field rotation over the sequence"),
        *measured("true_north", "Correction to true north that was applied", unit="deg", ucd="pos.posAng"),
        *measured("pixel_scale", "Angular size of a pixel, in mas", unit="mas", ucd="pos.angResolution"),
        Column(name="seeing", type="float", unit="arcsec", ucd="instr.obsty.seeing", doc="Seeing at 500 nm, zenith"),
        Column(name="coherence_time", type="float", unit="ms", ucd="time.interval", doc="Coherence time τ0 at 500 nm"),
        Column(name="strehl", type="float", ucd="stat.value", limits=(0, 1), doc="Strehl ratio at 1.6 µm"),
        Column(name="programme", type="text", doc="Programme of the observatory", ucd="meta.id;obs.proposal"),
        PRODUCT,
        REFERENCE,
        *RIGHTS,
    ),
)
