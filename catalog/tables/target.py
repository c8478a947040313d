"""Stars."""

from lyot.catalog.columns import REFERENCE, RIGHTS, TARGET
from lyot.catalog.table import Column, Table, measured

BANDS = {"b": "B", "v": "V", "r": "R", "i": "I", "j": "J", "h": "H", "k": "K", "lp": "L'"}

TARGET_TABLE = Table(
    name="target",
    doc="One row per star, with the values preferred for it; every published value is in the table measurement.",
    key=("target_id",),
    columns=(
        TARGET.model_copy(update={"references": ""}),
        Column(name="name", type="text", doc="Main name", ucd="meta.id;meta.main", required=True),
        Column(name="ra", type="float", unit="deg", ucd="pos.eq.ra;meta.main", limits=(0, 360),
               doc="Right ascension, ICRS, at ref_epoch"),
        Column(name="dec", type="float", unit="deg", ucd="pos.eq.dec;meta.main", limits=(-90, 90),
               doc="Declination, ICRS, at ref_epoch"),
        Column(name="ref_epoch", type="float", unit="yr", ucd="time.epoch", doc="Julian year of the position"),
        *measured("pmra", "Proper motion in right ascension, times cos(dec)", unit="mas/yr", ucd="pos.pm;pos.eq.ra"),
        *measured("pmdec", "Proper motion in declination", unit="mas/yr", ucd="pos.pm;pos.eq.dec"),
        *measured("parallax", "Parallax", unit="mas", ucd="pos.parallax"),
        *measured("radial_velocity", "Radial velocity, away positive", unit="km/s", ucd="spect.dopplerVeloc"),
        Column(name="spectral_type", type="text", doc="Spectral type", ucd="src.spType"),
        *measured("age", "Age", unit="Myr", ucd="time.age"),
        Column(name="age_min", type="float", unit="Myr", ucd="time.age;stat.min", doc="Youngest plausible age"),
        Column(name="age_max", type="float", unit="Myr", ucd="time.age;stat.max", doc="Oldest plausible age"),
        *measured("mass", "Mass of the star", unit="solMass", ucd="phys.mass"),
        Column(name="moving_group", type="text", doc="Young association it belongs to", ucd="meta.id;pos"),
        *(column for short, band in BANDS.items()
          for column in measured(f"mag_{short}", f"Apparent magnitude of the star in {band}", unit="mag",
                                 ucd="phot.mag")),
        REFERENCE,
        *RIGHTS,
    ),
)
