"""The reference sequence."""

from lyot.catalog.columns import REFERENCE
from lyot.catalog.table import Column, Table, measured

FIELD_DWARF = Table(
    name="field_dwarf",
    doc="Reference sequence of colour–magnitude diagrams: single M, L and T dwarfs of field age with a parallax.",
    key=("name",),
    columns=(
        Column(name="name", type="text", doc="Name of the object", ucd="meta.id;meta.main", required=True),
        Column(name="spectral_type", type="text", doc="Spectral type", ucd="src.spType"),
        Column(name="spectral_number", type="float", ucd="src.spType", limits=(0, 40),
               doc="Spectral type as a number: M0 is 0, L0 is 10, T0 is 20, Y0 is 30"),
        *measured("parallax", "Parallax", unit="mas", ucd="pos.parallax"),
        *(column for band in "jhk"
          for column in measured(f"mko_{band}", f"Apparent magnitude in {band.upper()}, Mauna Kea filters", unit="mag",
                                 ucd="phot.mag")),
        Column(name="sources", type="text", ucd="meta.bib",
               doc="Where parallax, J, H and K were published: ADS codes, or codes of the compilation"),
        REFERENCE,
    ),
)
