"""Masses from isochrones, in a release."""

import math

import duckdb
import pytest
from releases import release, rows

from lyot.build.importing import published_facts
from lyot.build.publish import publish
from lyot.catalog.isochrones import JUPITERS
from lyot.product import Product
from lyot.store import Store


@pytest.mark.data
def test_a_release_tells_the_mass_of_hr_8799_b(shared_data, tmp_path):
    """Within a factor of two of the published mass: of a planet with clouds a model without is no better."""
    store = Store(str(tmp_path / "store"))
    published_facts(store, "main")
    table = shared_data / "models" / "model.AMES-Cond-2000.M-0.0.SPHERE.Vega.txt"
    folder = publish(store, tmp_path / "out", isochrones=table).folder
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "SELECT band, value, error_minus, unit, preferred, preferred_reason FROM measurement "
            "WHERE quantity = 'isochrone_mass' AND companion_id = 'hr-8799-b' AND band IN ('SPHERE/H2', 'SPHERE/K1')"
        ).fetchall()
        ((published,),) = connection.execute("SELECT mass FROM companion WHERE companion_id = 'hr-8799-b'").fetchall()
    assert {row[0] for row in found} == {"SPHERE/H2", "SPHERE/K1"}
    for _, value, error, unit, preferred, why in found:
        assert published / 2 < value < published * 2
        assert 0 < error < value
        assert (unit, preferred) == ("Mjup", False)
        assert table.name in why


def _power_law(path):
    """Isochrones of M = 20 − 5 log₁₀ mass + 2 log₁₀ age, in the format of the Lyon group: a model of nothing."""
    lines = []
    for age in (10, 20, 50, 100):
        lines += [f" t (Gyr) = {age / 1000}", " M/Ms Teff(K) Li H"]
        for mass in (2.0, 5.0, 10.0, 20.0, 40.0):
            lines.append(f" {mass / JUPITERS:.8f} 1000 1 {20 - 5 * math.log10(mass) + 2 * math.log10(age):.6f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def _told(tmp_path, parallax_error=0.1, **verdict):
    """What is derived of an object of 10 Jupiter masses by that law, 30 Myr old, at 20 pc."""
    store, name = Store(str(tmp_path / "store")), {"companion_id": "one-b", "target_id": "one"}
    magnitude = 20 - 5 + 2 * math.log10(30.0) + 5 * math.log10(2.0)
    errors = {"error_minus": 0.1, "error_plus": 0.1}
    content = {
        **rows("target", {"target_id": "one", "name": "One", "ra": 10.0, "dec": -20.0, "ref_epoch": 2016.0,
                          "parallax": 50.0, "parallax_error": parallax_error, "age": 30.0, "age_error": 1.0}),
        **rows("companion", {**name, "name": "One b"}),
        **rows("measurement", *({**name, "quantity": "apparent_mag", "band": f"NACO/{band}", "unit": "mag",
                                 "value": magnitude - redder, "number": 0, **errors}
                                for band, redder in (("H", 0.0), ("Ks", 0.5)))),
    }  # fmt: skip
    if verdict:
        content |= rows("verdict", {**name, "origin": "human", "date": "2021-01-01", "author": "me", **verdict})
    store.put(Product(kind="import", dataset="facts/one", record={}), rows=content)
    release(store, "facts/one", "2020-01-01")
    folder = publish(store, tmp_path / "out", isochrones=_power_law(tmp_path / "law.NACO.txt")).folder
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT quantity, value FROM measurement WHERE quantity <> 'apparent_mag'")
        return dict(found.fetchall())


def test_a_mass_is_that_of_the_law(tmp_path):
    found = _told(tmp_path)
    assert found["isochrone_mass"] == pytest.approx(10.0, rel=0.01)
    assert "absolute_mag" in found


def test_without_a_distance_there_is_no_mass(tmp_path):
    """A parallax of 50 ± 20 mas is no distance; the other stars of the release do not suffer from it."""
    assert _told(tmp_path, parallax_error=20.0) == {}


def test_a_star_in_the_background_is_not_at_the_distance_of_the_target(tmp_path):
    assert _told(tmp_path, status="BACKGROUND") == {}
