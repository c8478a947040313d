"""Masses from isochrones, in a release."""

import duckdb
import pytest

from lyot.build.importing import published_facts
from lyot.build.publish import publish
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
