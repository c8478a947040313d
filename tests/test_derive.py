"""What is derived from all rows together."""

import math

import duckdb
import pytest
from releases import facts, release, rows, sequence

from lyot.build.derive import APPARENT_MAGNITUDES
from lyot.build.importing import published_facts
from lyot.build.publish import publish
from lyot.product import Product
from lyot.store import Store


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A release of the project's own facts."""
    folder = tmp_path_factory.mktemp("published")
    store = Store(str(folder / "store"))
    published_facts(store, "main")
    with duckdb.connect(str(publish(store, folder / "out").folder / "lyot.duckdb"), read_only=True) as connection:
        yield connection


def only(connection, query):
    found = connection.execute(query).fetchall()
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("companion", "status"),
    [("beta-pic-b", "COMPANION"), ("hr-8799-b", "COMPANION"), ("hr-8799-c", "COMPANION"), ("hr-8799-d", "COMPANION"),
     ("hr-8799-e", "COMPANION"), ("hip-65426-b", "COMPANION"), ("hd-206893-b", "COMPANION"),
     ("hd-165054-cc1", "BACKGROUND"), ("hd-165054-cc2", "BACKGROUND")],
)  # fmt: skip
def test_known_companions_and_known_background_stars_are_told_apart(published, companion, status):
    assert only(published, f"SELECT status FROM companion WHERE companion_id = '{companion}'") == (status,)
    assert only(
        published, f"SELECT DISTINCT status FROM detection WHERE companion_id = '{companion}'"
    ) == (status,)


def test_what_was_never_seen_twice_is_undefined(published):
    assert only(published, "SELECT status, epochs FROM companion WHERE companion_id = '51-eri-b'") == ("UNDEFINED", 0)


def test_absolute_magnitudes_against_the_literature(published):
    # HR 8799 b, SPHERE/H2: 18.08 ± 0.14 (Zurlo et al. 2016) at 24.462 mas
    value, error = only(
        published,
        "SELECT value, error_plus FROM measurement "
        "WHERE quantity = 'absolute_mag' AND companion_id = 'hr-8799-b' AND band = 'SPHERE/H2'",
    )
    assert value == pytest.approx(18.08 - 5 * math.log10(1000 / 24.462 / 10), abs=1e-3)
    assert error == pytest.approx(0.14, abs=2e-3)  # the parallax adds next to nothing


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path / "store"))
    facts(store)
    return store


def opened(store, tmp_path, **more):
    return duckdb.connect(str(publish(store, tmp_path / "out", **more).folder / "lyot.duckdb"), read_only=True)


def test_a_contrast_becomes_magnitudes(store, tmp_path):
    sequence(store)
    with opened(store, tmp_path) as connection:
        delta, error, magnitude = only(connection, "SELECT delta_mag, delta_mag_error, apparent_mag FROM detection")
    assert delta == pytest.approx(7.5)  # contrast 1e-3
    assert error == pytest.approx(0.1086, abs=1e-4)  # 10 %
    assert magnitude == pytest.approx(3.454 + 7.5)  # the star's L'


@pytest.mark.parametrize(
    ("name", "band"),
    [("Lp", "mag_lp"), ("NACO/L'", "mag_lp"), ("SPHERE/H2", "mag_h"), ("DB_K12", "mag_k"), ("BB_Ks", "mag_k"),
     ("J", "mag_j"), ("Ks", "mag_k"), ("NB374", None), ("Halpha", None), ("M'", None), ("SPHERE/BB_Y", None)],
)  # fmt: skip
def test_the_band_of_the_star_that_suits_a_filter(name, band):
    star = {"mag_j": 1.0, "mag_h": 2.0, "mag_k": 3.0, "mag_lp": 4.0}
    given = {
        **rows("target", {"target_id": "one", "name": "One", **star}),
        **rows("detection", {"target_id": "one", "number": 0, "filter": name, "delta_mag": 10.0}),
    }
    with duckdb.connect() as connection:
        for table, values in given.items():
            connection.register("_values", values)
            connection.execute(f"CREATE TABLE {table} AS FROM _values")
        connection.execute(APPARENT_MAGNITUDES)
        assert only(connection, "SELECT apparent_mag FROM detection") == (star[band] + 10.0 if band else None,)


def judged(store, origin, status, date):
    product = Product(kind="import", dataset=f"judgements/{date}", record={})
    given = {"companion_id": "beta-pic-b", "target_id": "beta-pic", "origin": origin, "status": status, "date": date}
    store.put(product, rows=rows("verdict", {**given, "author": "A. Nonymous"}))
    release(store, product.dataset, "2020-01-01")


def test_the_newest_human_verdict_overrules(store, tmp_path):
    judged(store, "human", "BACKGROUND", "2021-01-01")
    judged(store, "human", "COMPANION", "2022-01-01")
    with opened(store, tmp_path) as connection:
        assert only(connection, "SELECT status FROM companion") == ("COMPANION",)
        assert connection.execute("SELECT count(*) FROM verdict").fetchall() == [(2,)]


def test_a_verdict_that_rests_on_a_private_position_is_private(store, tmp_path):
    def seen(number, dataset, date):
        name = f"o{number}"
        store.put(
            Product(kind="import", dataset=dataset, record={}),
            rows={
                **rows("observation", {"observation_id": name, "target_id": "beta-pic", "date": "2020-01-01"}),
                **rows("reduction", {"reduction_id": name, "observation_id": name, "target_id": "beta-pic"}),
                **rows("detection", {"reduction_id": name, "observation_id": name, "target_id": "beta-pic",
                                     "number": 0, "mjd": 56000.0 + 500 * number, "companion_id": "beta-pic-b",
                                     "separation": 400.0, "separation_error": 3.0, "position_angle": 210.0,
                                     "position_angle_error": 0.5}),
            },
        )  # fmt: skip
        release(store, dataset, date)

    seen(0, "astrometry/a", "2020-01-01")
    seen(1, "astrometry/b", "2021-06-01")
    seen(2, "astrometry/c", None)
    query = "SELECT epochs, release_date FROM verdict WHERE origin = 'astrometry'"
    with opened(store, tmp_path) as connection:
        assert only(connection, query) == (2, "2021-06-01")
    with opened(store, tmp_path, as_of="2021-01-01") as connection:
        assert only(connection, query) == (1, "2020-01-01")
    with opened(store, tmp_path, workspace="main") as connection:
        assert only(connection, query) == (3, None)


def test_a_detection_joins_the_known_object_that_stands_there(store, tmp_path):
    """Two epochs of an object at rest relative to a star without motion: a third one in between is its own."""
    place = {"separation": 400.0, "separation_error": 3.0, "position_angle": 210.0, "position_angle_error": 0.5}
    content = {"observation": [], "reduction": [], "detection": []}
    for number, companion in enumerate(("beta-pic-b", None, "beta-pic-b")):
        of = {"observation_id": f"o{number}", "target_id": "beta-pic"}
        content["observation"].append({**of, "date": "2020-01-01"})
        content["reduction"].append({**of, "reduction_id": f"r{number}"})
        content["detection"].append({**of, "reduction_id": f"r{number}", "number": 0, "mjd": 56000.0 + 200 * number,
                                     "companion_id": companion, "snr": 10.0, **place})  # fmt: skip
    store.put(
        Product(kind="import", dataset="facts/astrometry", record={}),
        rows={table: values for name, listed in content.items() for table, values in rows(name, *listed).items()},
    )
    release(store, "facts/astrometry", "2020-01-01")
    # without the motion of its star nothing is joined over epochs
    with opened(store, tmp_path) as connection:
        assert only(connection, "SELECT count(companion_id) FROM detection") == (2,)
    motion = {"ref_epoch": 2016.0, "pmra": 4.94, "pmra_error": 0.1, "pmdec": 83.9, "pmdec_error": 0.1}
    store.put(
        Product(kind="import", dataset="facts/motion", record={}),
        rows=rows("target", {"target_id": "beta-pic", "name": "β Pic", "mass": 1.8, **motion}),
    )
    release(store, "facts/motion", "2020-01-01")
    with opened(store, tmp_path) as connection:
        assert only(connection, "SELECT count(companion_id) FROM detection") == (3,)
