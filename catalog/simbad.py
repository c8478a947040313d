"""What to ask SIMBAD, Gaia and VizieR of a star, and what their answers say, as a document for `exchange`.

Only words and rows are made here; asking is up to `build.resolve`. Tables and columns are those of SIMBAD's TAP
service (`basic`, `ident`, `allfluxes`), of `gaiadr3.gaia_source`, and of the Hipparcos–Gaia catalogue at VizieR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lyot.catalog.names import case_of, normalise, target_id_of
from lyot.catalog.published import MEAN_MOTION
from lyot.errors import BadInput, NotFound

Row = Mapping[str, Any]

SIMBAD = "https://simbad.cds.unistra.fr/simbad/sim-tap"
GAIA = "https://gea.esac.esa.int/tap-server/tap"
VIZIER = "https://tapvizier.cds.unistra.fr/TAPVizieR/tap"
REFERENCES = (
    {"reference_id": "simbad", "citation": "Wenger et al. 2000, A&AS 143, 9: The SIMBAD astronomical database",
     "year": 2000, "url": "https://simbad.cds.unistra.fr"},
    {"reference_id": "gaia-dr3", "citation": "Gaia Collaboration, Vallenari et al. 2023, A&A 674, A1: Gaia Data "
     "Release 3", "year": 2023, "url": "https://doi.org/10.1051/0004-6361/202243940"},
    {"reference_id": "hgca-edr3", "citation": "Brandt 2021, ApJS 254, 42: The Hipparcos-Gaia Catalog of Accelerations, "
     "Gaia EDR3 edition", "year": 2021, "url": "https://doi.org/10.3847/1538-4365/abf93c"},
)  # fmt: skip
BANDS = {"B": "b", "V": "v", "R": "r", "I": "i", "J": "j", "H": "h", "K": "k"}
_GAIA_DR3 = re.compile(r"Gaia DR3 (\d{1,19})")
_HIPPARCOS = re.compile(r"HIP (\d{1,6})")
ACCELERATES = 11.8  # χ² of two differences: chance gives more once in 370, as 3σ


def ask_object(name: str) -> str:
    """ADQL for the object of that name: place, motion, distance and spectral type."""
    return (
        "SELECT b.oid, b.main_id, b.otype, b.ra, b.dec, b.pmra, b.pmdec, b.plx_value, b.plx_err, b.rvz_radvel, "
        f"b.sp_type FROM basic AS b JOIN ident AS i ON i.oidref = b.oid WHERE i.id = {_quoted(name)}"
    )


def ask_names(oid: int) -> str:
    """ADQL for all names of an object of SIMBAD."""
    return f"SELECT id FROM ident WHERE oidref = {int(oid)}"


def ask_magnitudes(oid: int) -> str:
    """ADQL for the magnitudes of an object of SIMBAD."""
    return f"SELECT {', '.join(BANDS)} FROM allfluxes WHERE oidref = {int(oid)}"


def ask_gaia(names: Iterable[str]) -> str | None:
    """ADQL for the astrometry of a star in Gaia DR3, where one of its names is of there."""
    number = _number(_GAIA_DR3, names)
    return number and (
        "SELECT ra, dec, ref_epoch, pmra, pmra_error, pmdec, pmdec_error, parallax, parallax_error, radial_velocity, "
        f"radial_velocity_error FROM gaiadr3.gaia_source WHERE source_id = {number}"
    )


def ask_mean_motion(names: Iterable[str]) -> str | None:
    """ADQL for the mean motion of a star from Hipparcos to Gaia, where one of its names is of Hipparcos."""
    number = _number(_HIPPARCOS, names)
    return number and (
        "SELECT pmRAhg AS pmra, e_pmRAhg AS pmra_error, pmDEhg AS pmdec, e_pmDEhg AS pmdec_error "
        f'FROM "J/ApJS/254/42/hgca_edr3" WHERE HIP = {number}'
    )


def _number(form: re.Pattern[str], names: Iterable[str]) -> str | None:
    """The number of a star in the catalogue whose names have this form."""
    found = (form.fullmatch(re.sub(r"\s+", " ", name.strip())) for name in names)
    return next((match[1] for match in found if match), None)


def accelerates(gaia: Row, mean: Row) -> bool:
    """Whether a star's motion of today is not its mean motion over 25 years, by more than 3σ."""
    return sum(
        (gaia[name] - mean[name]) ** 2 / (gaia[f"{name}_error"] ** 2 + mean[f"{name}_error"] ** 2)
        for name in ("pmra", "pmdec")
    ) > ACCELERATES  # fmt: skip


def one_object(name: str, answer: Sequence[Row]) -> Row:
    """The one object that an answer to `ask_object` is about.

    Raises
    ------
    NotFound
        If there is none.
    BadInput
        If there are several; the message lists them.
    """
    objects = {row["oid"]: row for row in answer}
    if not objects:
        raise NotFound(f"SIMBAD knows no object by the name {name!r}", hint="is it spelt as catalogues spell it?")
    if len(objects) > 1:
        choices = ", ".join(str(row["main_id"]) for row in objects.values())
        raise BadInput(f"SIMBAD knows several objects by the name {name!r}: {choices}", hint="use another name")
    return next(iter(objects.values()))


def document_of(
    name: str, found: Row, names: Iterable[str], magnitudes: Row, gaia: Row | None, mean: Row | None = None
) -> dict[str, Any]:
    """The document for `exchange` of what the services said of one star.

    Gaia's place, motion and parallax go before SIMBAD's, which gives its own at epoch 2000. Of a star that accelerates
    the mean motion goes before Gaia's: a companion seen years apart moves with the mean.

    Parameters
    ----------
    name : str
        As it was asked for; the target keeps it as its main name.
    found : answer to `ask_object`
    names : answers to `ask_names`
    magnitudes : answer to `ask_magnitudes`
    gaia : answer to `ask_gaia`, if there is one
    mean : answer to `ask_mean_motion`, if there is one
    """
    astrometry = _said(gaia) if gaia else _of_simbad(found)
    pulled = bool(gaia and mean and accelerates(gaia, mean))
    if mean and pulled:
        astrometry |= mean
    target = {
        "target_id": target_id_of(name), "name": name, "aliases": _aliases(name, [str(found["main_id"]), *names]),
        "reference_id": "gaia-dr3" if gaia else "simbad", **astrometry,
        **_said({"spectral_type": found.get("sp_type")}),
    }  # fmt: skip
    measurements = [
        {"quantity": "apparent_mag", "band": band, "value": magnitudes[band], "unit": "mag", "reference_id": "simbad"}
        for band in BANDS if magnitudes.get(band) is not None
    ]  # fmt: skip
    target |= {f"mag_{BANDS[row['band']]}": row["value"] for row in measurements}
    if gaia:
        second = {"number": 1, "preferred": False} if pulled else {}
        measurements += _measured(gaia, ("parallax",), "gaia-dr3")
        measurements += _measured(gaia, ("pmra", "pmdec"), "gaia-dr3", **second)
    if mean and pulled:
        measurements += _measured(
            mean, ("pmra", "pmdec"), "hgca-edr3", number=0, preferred=True, preferred_reason=MEAN_MOTION
        )
    used = {row["reference_id"] for row in [target, *measurements]}
    return {
        "references": [row for row in REFERENCES if row["reference_id"] in used],
        "targets": [target | {"measurements": measurements}],
    }


def _measured(values: Row, names: Sequence[str], reference: str, **more: Any) -> list[dict[str, Any]]:
    return [
        _said({"quantity": name, "value": values[name], "error_minus": values.get(f"{name}_error"),
               "error_plus": values.get(f"{name}_error"), "unit": "mas" if name == "parallax" else "mas/yr",
               "reference_id": reference, **more})
        for name in names if values.get(name) is not None
    ]  # fmt: skip


def _of_simbad(found: Row) -> dict[str, Any]:
    columns = {"ra": "ra", "dec": "dec", "pmra": "pmra", "pmdec": "pmdec", "parallax": "plx_value",
               "parallax_error": "plx_err", "radial_velocity": "rvz_radvel"}  # fmt: skip
    said = _said({ours: found.get(theirs) for ours, theirs in columns.items()})
    if said.get("parallax", 1.0) <= 0:  # measured, but no distance
        said = {name: value for name, value in said.items() if not name.startswith("parallax")}
    return said | ({"ref_epoch": 2000.0} if "ra" in said else {})


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _aliases(name: str, names: Iterable[str]) -> list[str]:
    """Names without the signs that SIMBAD puts before them, each spelling once."""
    plain = [re.sub(r"\s+", " ", re.sub(r"^(\*\*?|V\*|NAME|EM\*)\s+", "", given)).strip() for given in names]
    found: dict[tuple[str, str], str] = {}
    for given in [name, *plain]:
        if re.search(r"[A-Za-z0-9]", given):
            found.setdefault((normalise(given), case_of(given)), given)
    return list(found.values())


def _quoted(name: str) -> str:
    """A name as a literal of ADQL.

    Raises
    ------
    BadInput
        If it holds what no name of a star does.
    """
    plain = re.sub(r"\s+", " ", name).strip()
    if not plain or len(plain) > 100 or not plain.isprintable():
        raise BadInput(f"{name[:100]!r} is no name of a star")
    return "'" + plain.replace("'", "''") + "'"
