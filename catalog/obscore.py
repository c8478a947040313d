"""ObsCore 1.1: every released file as the Virtual Observatory sees it (IVOA Recommendation, May 2017).

The view is made by whoever serves the release, because only he knows at which address; what it holds comes from the
catalogue alone. What no column of the catalogue says (field of view, resolution) is null, not guessed.
"""

from __future__ import annotations

from typing import NamedTuple


class Standard(NamedTuple):
    """A column that a standard prescribes, and the SQL that gives it."""

    name: str
    datatype: str
    arraysize: str
    unit: str
    ucd: str
    utype: str
    doc: str
    sql: str
    xtype: str = ""


_AXIS = "Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2"
_TIME = "Char.TimeAxis.Coverage.Bounds.Limits"
_SPECTRAL = "Char.SpectralAxis.Coverage.Bounds.Limits"


def _text(name: str, ucd: str, utype: str, doc: str, sql: str) -> Standard:
    return Standard(name, "char", "*", "", ucd, utype, doc, sql)


def _unknown(name: str, datatype: str, unit: str, ucd: str, utype: str, doc: str) -> Standard:
    kind = "INTEGER" if datatype == "long" else "REAL"
    return Standard(name, datatype, "", unit, ucd, utype, doc, f"CAST(NULL AS {kind})")


COLUMNS = (
    _text("dataproduct_type", "meta.code.class", "ObsDataset.dataProductType", "image, or cube of frames",
          "CASE p.kind WHEN 'cube' THEN 'cube' ELSE 'image' END"),
    _text("dataproduct_subtype", "meta.code.class", "ObsDataset.dataProductSubtype", "Kind of file, and recipe",
          "p.kind || coalesce(' ' || p.label, '')"),
    Standard("calib_level", "int", "", "", "meta.code;obs.calib", "ObsDataset.calibLevel",
             "2: calibrated frames; 3: starlight subtracted", "CASE p.kind WHEN 'cube' THEN 2 ELSE 3 END"),
    _text("obs_collection", "meta.id", "DataID.collection", "Survey, or Lyot",
          "coalesce((SELECT name FROM survey s WHERE s.survey_id = o.survey_id), 'Lyot')"),
    _text("obs_id", "meta.id", "DataID.observationID", "Observation", "coalesce(o.observation_id, p.dataset)"),
    _text("obs_publisher_did", "meta.ref.ivoid", "Curation.publisherDID", "Name of the file in the whole VO",
          "{did} || p.product_key"),
    _text("access_url", "meta.ref.url", "Access.reference", "Links to the file and all that belongs to it",
          "{base} || '/datalink/links?ID=' || {encoded} || p.product_key"),
    _text("access_format", "meta.code.mime", "Access.format", "Media type of access_url",
          "'application/x-votable+xml;content=datalink'"),
    Standard("access_estsize", "long", "", "kbyte", "phys.size;meta.file", "Access.size", "Size of the file",
             "(p.size + 1023) / 1024"),
    _text("target_name", "meta.id;src", "Target.name", "Star", "t.name"),
    Standard("s_ra", "double", "", "deg", "pos.eq.ra", f"{_AXIS}.C1", "Right ascension of the star, ICRS", "t.ra"),
    Standard("s_dec", "double", "", "deg", "pos.eq.dec", f"{_AXIS}.C2", "Declination of the star, ICRS", "t.dec"),
    _unknown("s_fov", "double", "deg", "phys.angSize;instr.fov",
             "Char.SpatialAxis.Coverage.Bounds.Extent.diameter", "Diameter of the field; not known"),
    Standard("s_region", "char", "*", "", "pos.outline;obs.field", "Char.SpatialAxis.Coverage.Support.Area",
             "Field, as its outline; not known", "CAST(NULL AS TEXT)", "adql:REGION"),
    _unknown("s_resolution", "double", "arcsec", "pos.angResolution", "Char.SpatialAxis.Resolution.Refval.value",
             "Angular resolution; not known"),
    _unknown("s_xel1", "long", "", "meta.number", "Char.SpatialAxis.numBins1", "Pixels in x; not known"),
    _unknown("s_xel2", "long", "", "meta.number", "Char.SpatialAxis.numBins2", "Pixels in y; not known"),
    Standard("t_min", "double", "", "d", "time.start;obs.exposure", f"{_TIME}.StartTime", "Start, MJD, UTC",
             "o.mjd - coalesce(o.exposure_time, 0) / 172800.0"),
    Standard("t_max", "double", "", "d", "time.end;obs.exposure", f"{_TIME}.StopTime", "End, MJD, UTC",
             "o.mjd + coalesce(o.exposure_time, 0) / 172800.0"),
    Standard("t_exptime", "double", "", "s", "time.duration;obs.exposure", "Char.TimeAxis.Coverage.Support.Extent",
             "Total exposure time", "o.exposure_time"),
    _unknown("t_resolution", "double", "s", "time.resolution", "Char.TimeAxis.Resolution.Refval.value",
             "Resolution in time; not known"),
    _unknown("t_xel", "long", "", "meta.number", "Char.TimeAxis.numBins", "Samples in time; not known"),
    Standard("em_min", "double", "", "m", "em.wl;stat.min", f"{_SPECTRAL}.LoLimit",
             "Central wavelength: widths of filters are not in the catalogue", "o.wavelength * 1e-6"),
    Standard("em_max", "double", "", "m", "em.wl;stat.max", f"{_SPECTRAL}.HiLimit",
             "Central wavelength: widths of filters are not in the catalogue", "o.wavelength * 1e-6"),
    _unknown("em_res_power", "double", "", "spect.resolution", "Char.SpectralAxis.Resolution.ResolPower.refVal",
             "Spectral resolving power; not known"),
    _unknown("em_xel", "long", "", "meta.number", "Char.SpectralAxis.numBins", "Samples in wavelength; not known"),
    _text("o_ucd", "meta.ucd", "Char.ObservableAxis.ucd", "What the pixels measure", "'phot.count'"),
    _text("pol_states", "meta.code;phys.polarization", "Char.PolarizationAxis.stateList",
          "Polarisation states; none are told apart", "CAST(NULL AS TEXT)"),
    _unknown("pol_xel", "long", "", "meta.number", "Char.PolarizationAxis.numBins", "Polarisation states; none"),
    _text("facility_name", "meta.id;instr.tel", "Provenance.ObsConfig.Facility.name", "Telescope", "o.telescope"),
    _text("instrument_name", "meta.id;instr", "Provenance.ObsConfig.Instrument.name", "Instrument", "o.instrument"),
)  # fmt: skip

#: Kinds of products that are images or cubes.
PIXELS = ("cube", "reduction")
NAME = "ivoa.ObsCore"
DOC = "Every released image and cube, in the words of ObsCore 1.1."


def view(base: str, authority: str) -> str:
    """SELECT that gives ObsCore from a baked SQLite.

    Parameters
    ----------
    base : str
        Address at which the release is served, without a slash at its end.
    authority : str
        Naming authority of the publisher, as `example.org`.
    """
    words = {
        "base": _quoted(base),
        "did": _quoted(f"ivo://{authority}/lyot?"),
        "encoded": _quoted(f"ivo%3A%2F%2F{authority}%2Flyot%3F"),
    }
    columns = ", ".join(f"{_filled(column.sql, words)} AS {column.name}" for column in COLUMNS)
    kinds = ", ".join(_quoted(kind) for kind in PIXELS)
    return (
        f"SELECT {columns} FROM product p LEFT JOIN target t ON t.target_id = p.target_id "
        f"LEFT JOIN observation o ON o.observation_id = coalesce({_of('reduction')}, {_of('observation')}) "
        f"WHERE p.kind IN ({kinds}) AND p.path IS NOT NULL"
    )


def _of(table: str) -> str:
    """Observation of a product, by a table that names it; where most keys are null SQLite would shun their index."""
    return (
        f"(SELECT x.observation_id FROM {table} x INDEXED BY {table}_product_key "
        "WHERE x.product_key = p.product_key LIMIT 1)"
    )


def _filled(sql: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        sql = sql.replace("{" + name + "}", value)
    return sql


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
