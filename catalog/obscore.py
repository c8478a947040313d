"""ObsCore 1.1: every released file as the Virtual Observatory sees it (IVOA Recommendation, May 2017).

The view is made by whoever serves the release, because only he knows at which address; what it holds comes from the
catalogue and the facts of the instruments alone. What neither says is null, not guessed.
"""

from __future__ import annotations

from typing import NamedTuple

from lyot.instrument import instruments
from lyot.instruments.sphere_frames import DUAL_BANDS


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


FWHM = 1.029  # of a star seen by a filled circular aperture, λ/D
#: Pixels along the shorter side of the frames.
_PIXELS = "1000.0 * o.field_of_view / o.pixel_scale + 0.5"

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
    Standard("s_ra", "double", "", "deg", "pos.eq.ra", f"{_AXIS}.C1",
             "Right ascension of the star, ICRS, at its ref_epoch", "t.ra"),
    Standard("s_dec", "double", "", "deg", "pos.eq.dec", f"{_AXIS}.C2",
             "Declination of the star, ICRS, at its ref_epoch", "t.dec"),
    Standard("s_fov", "double", "", "deg", "phys.angSize;instr.fov", "Char.SpatialAxis.Coverage.Bounds.Extent.diameter",
             "Diameter of the field that every frame shows, however it is turned", "o.field_of_view / 3600.0"),
    Standard("s_region", "char", "*", "", "pos.outline;obs.field", "Char.SpatialAxis.Coverage.Support.Area",
             "Field that every frame shows, however it is turned: a circle around the star",
             "'CIRCLE ICRS ' || t.ra || ' ' || t.dec || ' ' || (o.field_of_view / 7200.0)", "adql:REGION"),
    Standard("s_resolution", "double", "", "arcsec", "pos.angResolution", "Char.SpatialAxis.Resolution.Refval.value",
             "Diffraction limit of the telescope: FWHM of a star", "o.wavelength * {resolution}"),
    Standard("s_xel1", "long", "", "", "meta.number", "Char.SpatialAxis.numBins1", "Pixels in x, of the shorter side",
             f"CAST({_PIXELS} AS INTEGER)"),
    Standard("s_xel2", "long", "", "", "meta.number", "Char.SpatialAxis.numBins2", "Pixels in y, of the shorter side",
             f"CAST({_PIXELS} AS INTEGER)"),
    Standard("t_min", "double", "", "d", "time.start;obs.exposure", f"{_TIME}.StartTime",
             "Start, MJD, UTC: half the exposure before the middle", "o.mjd - coalesce(o.exposure_time, 0) / 172800.0"),
    Standard("t_max", "double", "", "d", "time.end;obs.exposure", f"{_TIME}.StopTime",
             "End, MJD, UTC: half the exposure after the middle", "o.mjd + coalesce(o.exposure_time, 0) / 172800.0"),
    Standard("t_exptime", "double", "", "s", "time.duration;obs.exposure", "Char.TimeAxis.Coverage.Support.Extent",
             "Total exposure time", "o.exposure_time"),
    Standard("t_resolution", "double", "", "s", "time.resolution", "Char.TimeAxis.Resolution.Refval.value",
             "Exposure of a frame; of an image, of all its frames",
             "CASE p.kind WHEN 'cube' THEN o.exposure_time / o.frames ELSE o.exposure_time END"),
    Standard("t_xel", "long", "", "", "meta.number", "Char.TimeAxis.numBins", "Frames",
             "CASE p.kind WHEN 'cube' THEN o.frames ELSE 1 END"),
    Standard("em_min", "double", "", "m", "em.wl;stat.min", f"{_SPECTRAL}.LoLimit",
             "Short end of the filter; the central wavelength where its width is not known", "{shortest}"),
    Standard("em_max", "double", "", "m", "em.wl;stat.max", f"{_SPECTRAL}.HiLimit",
             "Long end of the filter; the central wavelength where its width is not known", "{longest}"),
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
        **_facts(),
    }
    columns = ", ".join(f"{_filled(column.sql, words)} AS {column.name}" for column in COLUMNS)
    kinds = ", ".join(_quoted(kind) for kind in PIXELS)
    return (
        f"SELECT {columns} FROM product p LEFT JOIN target t ON t.target_id = p.target_id "
        f"LEFT JOIN observation o ON o.observation_id = coalesce({_of('reduction')}, {_of('observation')}) "
        f"WHERE p.kind IN ({kinds}) AND p.path IS NOT NULL"
    )


def _facts() -> dict[str, str]:
    """SQL of what is known of instruments: arcsec per µm of resolution, and both ends of each filter (m)."""
    resolutions = [f"WHEN {_quoted(one.name)} THEN {FWHM * 1e-6 * 206264.806 / one.diameter!r}"
                   for one in instruments().values()]  # fmt: skip
    ends: dict[str, tuple[float, float]] = {}
    for one in instruments().values():
        bands = {band.name: (band.wavelength - band.width / 2, band.wavelength + band.width / 2)
                 for band in one.filters}  # fmt: skip
        both = {name: (bands[a], bands[b]) for name, (a, b) in DUAL_BANDS.items() if a in bands and b in bands}
        bands |= {name: (min(a[0], b[0]), max(a[1], b[1])) for name, (a, b) in both.items()}
        ends |= {f"{one.name} {name}": end for name, end in bands.items()}
    short, long = (
        f"1e-6 * coalesce(CASE o.instrument || ' ' || o.filter "
        f"{' '.join(f'WHEN {_quoted(name)} THEN {end[side]!r}' for name, end in ends.items())} END, o.wavelength)"
        for side in (0, 1)
    )
    return {"resolution": f"CASE o.instrument {' '.join(resolutions)} END", "shortest": short, "longest": long}


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
