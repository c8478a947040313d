"""The typed-in facts: whole, referenced, and what their sources say."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from astropy.time import Time

import lyot.catalog
from lyot.catalog.exchange import rows_of
from lyot.catalog.published import facts, published_document
from lyot.product import slug

FILES = ("references", "host_stars", "companions", "photometry", "relative_astrometry")


@pytest.fixture(scope="module")
def tables():
    return rows_of(published_document()).tables


def test_they_are_small():
    folder = Path(lyot.catalog.__file__).parent / "facts"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 200_000
    assert {path.stem for path in folder.iterdir()} == {*FILES, "field_dwarfs"}


def test_every_row_has_a_reference_that_exists(tables):
    known = {row["reference_id"] for row in tables["reference"]}
    for name in FILES[1:]:
        assert {row["reference"] for row in facts(name)} <= known, name
    for name in ("target", "companion", "measurement", "observation", "detection"):
        assert {row["reference_id"] for row in tables[name]} <= known, name


def test_every_row_points_to_rows_that_exist(tables):
    for name, column in (("target", "target_id"), ("companion", "companion_id"), ("observation", "observation_id"),
                         ("reduction", "reduction_id")):  # fmt: skip
        known = {row[column] for row in tables[name]}
        for other, rows in tables.items():
            pointing = {row[column] for row in rows if row.get(column)}
            assert pointing <= known, (other, column)


def test_how_many(tables):
    assert len(facts("companions")) == 50
    assert len(tables["detection"]) == 218 + 20  # eleven systems, and two stars near HD 165054
    assert len([row for row in tables["target"] if row.get("pmra") is not None]) == 22
    assert len({row["host"] for row in facts("relative_astrometry")}) == 12


def test_motion_between_hipparcos_and_gaia_is_preferred(tables):
    """HD 4747 is pulled by its companion: Gaia's own motion is 3.5 mas/yr off its mean."""
    star = next(row for row in tables["target"] if row["name"] == "HD 4747")
    assert (star["pmra"], star["pmdec"]) == (515.54, 125.431)
    of_star = [row for row in tables["measurement"] if row["target_id"] == "hd-4747" and row["quantity"] == "pmra"]
    assert [(row["value"], row["preferred"]) for row in of_star] == [(515.54, True), (519.049, False)]
    assert "mean" in of_star[0]["preferred_reason"]


def test_one_value_of_each_kind_is_preferred(tables):
    seen = {}
    for row in tables["measurement"]:
        key = tuple(row.get(name) for name in ("target_id", "companion_id", "quantity", "band"))
        seen.setdefault(key, []).append(row["preferred"])
    assert all(preferred.count(True) == 1 for preferred in seen.values())


def test_the_point_that_was_labelled_c_is_b(tables):
    """On MJD 59453 beta Pic b was 465 mas from its star; c never goes beyond 150."""
    on_day = [row for row in tables["detection"] if int(row["mjd"]) == 59453 and row["target_id"] == "beta-pic"]
    assert [row["companion_id"] for row in on_day] == ["beta-pic-b"]
    farthest = max(row["separation"] for row in tables["detection"] if row["companion_id"] == "beta-pic-c")
    assert farthest < 150


def test_field_dwarfs_are_ordinary_and_near(tables):
    rows = tables["field_dwarf"]
    assert {row["reference_id"] for row in rows} == {"sanghi-2023"}
    assert len(rows) == len({row["name"] for row in rows}) == 457
    assert all(row["parallax_error"] < 0.1 * row["parallax"] for row in rows)
    assert all(6 <= row["spectral_number"] < 30 and "pec" not in row["spectral_type"] for row in rows)
    assert all(len(row["sources"].split("; ")) == 4 for row in rows)


def test_ages_are_in_million_years(tables):
    ages = {row["name"]: row["age"] for row in tables["target"] if row.get("age")}
    assert ages["beta Pic"] == 18.5
    assert ages["eps Ind A"] == 4600  # compiled in Gyr
    assert all(3 < age < 10_000 for age in ages.values())


def test_every_epoch_is_of_this_age(tables):
    assert all(51544 < row["mjd"] < 61500 for row in tables["detection"])  # 2000 to 2027


# ---- against the tables they were typed from -----------------------------------------------------------------------


def _rows(folder, name):
    with (folder / "catalogue" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.data
def test_positions_are_those_of_the_source(shared_data):
    """Every astrometric row of the collection has its like among the facts, and no fact is left."""
    source = [row for row in _rows(shared_data, "astrometry_from_whereistheplanet.csv") if row["type"] != "rv"]
    given = sorted(
        (float(row["quant1"]), float(row["quant1_err"]), float(row["quant2"]), float(row["quant2_err"]), _mjd(row))
        for row in source
    )
    ours = sorted(
        (
            float(row["dra"] or row["separation"]), float(row["dra_error"] or row["separation_error"]),
            float(row["ddec"] or row["position_angle"]), float(row["ddec_error"] or row["position_angle_error"]),
            float(row["mjd"]),
        )
        for row in facts("relative_astrometry") if row["host"] != "HD 165054"
    )  # fmt: skip
    assert np.array(ours) == pytest.approx(np.array(given), abs=1e-5)


def _mjd(row):
    """AB Pic's epochs are given as Julian years."""
    epoch = float(row["epoch_mjd"])
    return Time(epoch, format="jyear").mjd if epoch < 3000 else epoch


@pytest.mark.data
def test_correlations_are_those_of_the_source(shared_data):
    source = [row for row in _rows(shared_data, "astrometry_from_whereistheplanet.csv") if row["type"] != "rv"]
    given = sorted(float(row["corr"]) for row in source if row["corr"] != "nan")
    ours = sorted(float(row["correlation"]) for row in facts("relative_astrometry") if row["correlation"])
    assert ours == pytest.approx(given)


@pytest.mark.data
def test_stars_are_those_of_the_source(shared_data):
    ours = {row["name"]: row for row in facts("host_stars")}
    pairs = {
        "ra": "ra_deg", "dec": "dec_deg", "ref_epoch": "ref_epoch", "parallax": "parallax_mas",
        "pmra_gaia": "pmra_masyr", "pmdec_gaia": "pmdec_masyr", "pmra_mean": "pmra_hip_gaia_masyr",
        "pmdec_mean": "pmdec_hip_gaia_masyr", "pmra_mean_error": "pmra_hip_gaia_error_masyr", "gaia_dr3": "gaia_edr3",
    }  # fmt: skip
    wrong_star = {"HD 72946", "HD 135344 A"}  # there, the rows of HD 72945 and of a star 26° away
    for row in _rows(shared_data, "host_stars.csv"):
        if row["name"] not in wrong_star:
            for name, theirs in pairs.items():
                assert float(ours[row["name"]][name]) == float(row[theirs]), (row["name"], name)
        else:
            assert ours[row["name"]]["gaia_dr3"] != row["gaia_edr3"]


@pytest.mark.data
def test_magnitudes_are_those_of_the_source(shared_data):
    source = json.loads((shared_data / "catalogue" / "companion_data.json").read_text(encoding="utf-8"))
    for name, said in source.items():
        given = sorted(
            tuple(pair)
            for values in (said.get("app_mag") or {}).values()
            for pair in (values if isinstance(values[0], list) else [values])
        )
        ours = sorted(
            (float(row["magnitude"]), float(row["magnitude_error"]))
            for row in facts("photometry") if row["object"] == name
        )  # fmt: skip
        assert ours == given, name


@pytest.mark.data
def test_companions_are_those_of_the_source(shared_data, tables):
    source = json.loads((shared_data / "catalogue" / "companion_data.json").read_text(encoding="utf-8"))
    parallaxes = {row["target_id"]: row["parallax"] for row in tables["target"]}
    for row in facts("companions"):
        said = source[row["companion"]]
        assert parallaxes[slug(row["host"])] == said["parallax"][0]
        if row["companion"] != "beta Pic d":  # whose mass is that of c
            assert float(row["mass"]) == pytest.approx(said["mass_companion"][0], rel=1e-4)


@pytest.mark.data
def test_field_dwarfs_are_those_of_the_source(shared_data):
    source = {row["name"]: row for row in _rows(shared_data, "Ultracool_Fundamental_Properties_Table.csv")}
    pairs = {"parallax": "plx_formula", "parallax_error": "plxerr_formula", "spectral_number": "sptnum_formula"}
    pairs |= {f"mko_{band}": f"{band.upper()}_MKO" for band in "jhk"}
    pairs |= {f"mko_{band}_error": f"{band.upper()}err_MKO" for band in "jhk"}
    for row in facts("field_dwarfs"):
        said = source[row["name"]]
        assert said["age_category"] in ("Field", "FLD-G")
        assert said["flag"] == "Null"
        for ours, theirs in pairs.items():
            assert float(row[ours]) == float(said[theirs]), (row["name"], ours)
