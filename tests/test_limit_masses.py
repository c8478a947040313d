"""Detection limits in mass, in a release."""

import math

import duckdb
import pytest
from releases import release, rows

from lyot.build.publish import publish
from lyot.catalog.isochrones import JUPITERS
from lyot.product import Product
from lyot.store import Store

AGE, PARALLAX, STAR = 20.0, 50.0, 5.0  # Myr, mas, mag in H
OBSERVED = {"observation_id": "one/o", "target_id": "one"}


def law(mass: float, age: float) -> float:
    """Absolute magnitude: a model of nothing."""
    return 20 - 5 * math.log10(mass) + 2 * math.log10(age)


@pytest.fixture
def isochrones(tmp_path):
    """The law as a table of the Lyon group, of 2 to 40 Jupiter masses."""
    lines = []
    for age in (10, 20, 50):
        lines += [f" t (Gyr) = {age / 1000}", " M/Ms Teff(K) Li H2"]
        lines += [f" {mass / JUPITERS:.8f} 1000 1 {law(mass, age):.6f}" for mass in (2.0, 5.0, 10.0, 20.0, 40.0)]
    path = tmp_path / "law.SPHERE.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def masses(tmp_path, isochrones, star=None, depths=()):
    """The masses told for limits of these depths, of a star 20 pc away."""
    store = Store(str(tmp_path / "store"))
    star = {"ra": 10.0, "dec": -20.0, "ref_epoch": 2016.0, "parallax": PARALLAX, "parallax_error": 0.1, "age": AGE,
            "mag_h": STAR} | (star or {})  # fmt: skip
    limits = [
        {**OBSERVED, "reduction_id": "one/r", "filter": "H2", "wavelength": 1.593, "noise": "mawet", "sigma": 5.0,
         "separation": 100.0 * (1 + place), "delta_mag": depth}
        for place, depth in enumerate(depths)
    ]  # fmt: skip
    content = {
        **rows("target", {"target_id": "one", "name": "One", **star}),
        **rows("observation", {**OBSERVED, "instrument": "sphere-irdis", "filter": "H2", "date": "2020-01-01"}),
        **rows("reduction", {**OBSERVED, "reduction_id": "one/r", "recipe": "pca"}),
        **rows("detection_limit", *limits),
    }
    store.put(Product(kind="import", dataset="facts/one", record={}), rows=content)
    release(store, "facts/one", "2020-01-01")
    folder = publish(store, tmp_path / "out", isochrones=isochrones).folder
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT mass_limit FROM detection_limit ORDER BY separation").fetchall()
    return [mass for (mass,) in found]


def depth_of(mass: float) -> float:
    """How much fainter than the star a companion of this mass is: at 20 pc the distance modulus is 5 log₁₀ 2."""
    return law(mass, AGE) + 5 * math.log10(2.0) - STAR


def test_a_limit_shows_the_mass_that_is_as_faint(tmp_path, isochrones):
    found = masses(tmp_path, isochrones, depths=[depth_of(mass) for mass in (30.0, 10.0, 3.0)])
    # between the masses of the table the law is a straight line in log mass, as the table is read
    assert found == pytest.approx([30.0, 10.0, 3.0], rel=1e-4)


def test_outside_the_table_nothing_is_said(tmp_path, isochrones):
    assert masses(tmp_path, isochrones, depths=[depth_of(mass) for mass in (1.0, 50.0)]) == [None, None]


@pytest.mark.parametrize("star", [{"age": None}, {"mag_h": None}, {"parallax": None}, {"parallax_error": 20.0}])
def test_without_age_brightness_or_distance_nothing_is_said(tmp_path, isochrones, star):
    assert masses(tmp_path, isochrones, star, [depth_of(10.0)]) == [None]


def test_nothing_is_said_that_rests_on_what_may_not_be_shown(tmp_path, isochrones):
    assert masses(tmp_path, isochrones, {"release_date": "2999-01-01"}, [depth_of(10.0)]) == [None]
