"""The demonstration data come from where they can be had, and are told apart."""

import hashlib

import numpy as np
import pooch
import pytest

from lyot.build import demo
from lyot.build.run import reduce_one
from lyot.level1 import read_cube
from lyot.reduce.recipes import recipe
from lyot.reduce.simulate.coronagraph import PLANETS, simulate_sequence
from lyot.store import Store


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine that has none of the real files."""
    monkeypatch.setattr(demo, "_places", lambda: iter([tmp_path / "naco_betapic"]))
    return tmp_path


def test_without_the_real_sequence_one_sentence_says_so(nowhere):
    said = []
    assert demo.find_naco(said.append, fetch=lambda: None) is None
    (sentence,) = said
    assert sentence.count(".") >= 1
    assert "\n" not in sentence
    assert "public origin" in sentence


def test_it_is_fetched_when_it_is_not_at_hand(nowhere):
    elsewhere = nowhere / "cache"
    said = []
    assert demo.find_naco(said.append, fetch=lambda: elsewhere) == elsewhere
    assert said == []


def test_files_of_another_content_are_not_taken_for_it(nowhere):
    folder = nowhere / "naco_betapic"
    folder.mkdir()
    for name in demo.NACO_FILES:
        (folder / name).write_bytes(b"something else")
    assert demo.find_naco(lambda sentence: None, fetch=lambda: None) is None


def test_fetching_gives_up_at_the_first_failure_and_waits_no_longer_than_it_says(monkeypatch, tmp_path):
    asked = []

    def refuse(url, output_file, caller, **options):
        asked.append((url, caller))
        raise ConnectionError("no network")

    downloader = pooch.HTTPDownloader
    seen = []

    def patient(**options):
        seen.append(options["timeout"])
        made = downloader(**options)
        return lambda url, output_file, caller: refuse(url, output_file, made)

    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    monkeypatch.setattr(pooch, "HTTPDownloader", patient)
    assert demo.fetch_naco() is None
    assert len(asked) == 1
    assert asked[0][0].startswith("https://raw.githubusercontent.com/carlos-gg/VIP_extras/a7ec7ac9")
    assert seen == [demo.PATIENCE]
    assert demo.PATIENCE <= 10


def test_what_was_fetched_wrong_is_not_used(monkeypatch, tmp_path):
    def wrong(url, output_file, caller):
        with open(output_file, "wb") as file:
            file.write(b"a page that says: not found")

    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    monkeypatch.setattr(pooch, "HTTPDownloader", lambda **options: wrong)
    assert demo.fetch_naco() is None


@pytest.fixture
def short(monkeypatch):
    """A simulated sequence of few frames."""
    monkeypatch.setattr(demo, "simulate_sequence", lambda seed: simulate_sequence(seed, frames=4))


def test_the_simulated_sequence_says_that_it_is_simulated(tmp_path, short):
    store = Store(str(tmp_path / "store"))
    (kept,) = demo.demo_datasets(store, real=False)
    (row,) = store.rows(kept, "observation").to_pylist()

    assert row["simulated"] is True
    assert kept.product.about["simulated"] is True
    assert row["target_name"] == "Simulated star 1"
    (survey,) = store.rows(kept, "survey").to_pylist()
    assert row["survey_id"] == survey["survey_id"]
    assert "simulat" in survey["name"]
    assert "simulat" in survey["description"]
    assert store.notes("releases/", workspace="main")[f"releases/{kept.product.dataset}"]["release_date"]
    cube = read_cube(store.read(kept, "fits"))
    truth = simulate_sequence(demo.SEED, frames=4)
    np.testing.assert_array_equal(cube.frames[0], truth.frames)
    np.testing.assert_allclose(cube.angles, truth.angles)


def test_the_same_demonstration_again_adds_nothing(tmp_path, short):
    store = Store(str(tmp_path / "store"))
    first = demo.demo_datasets(store, real=False)
    again = demo.demo_datasets(store, real=False)
    assert [one.created for one in first] == [one.created for one in again]
    assert len(store.find()) == 1


@pytest.mark.slow
def test_the_planets_of_the_simulated_sequence_come_back(tmp_path):
    store = Store(str(tmp_path / "store"))
    kept = reduce_one(store, demo.adopt_simulated(store), recipe("cadi"))
    found = store.rows(kept, "detection").to_pylist()

    for planet in PLANETS:
        best = min(found, key=lambda one: abs(one["separation"] - planet.separation))
        # a quarter of a pixel of 12.255 mas: more than the errors of the fit, less than what moves an orbit
        assert best["separation"] == pytest.approx(planet.separation, abs=3.0)
        across = np.radians(best["position_angle"] - planet.position_angle) * planet.separation
        assert across == pytest.approx(0.0, abs=3.0)
        assert best["snr"] > 8
        # self-subtraction is in the model of the fit; what is left are speckles under the planet
        assert best["contrast"] == pytest.approx(planet.contrast, rel=0.1)
    assert all(one["simulated"] for one in found)


@pytest.mark.data
def test_the_real_sequence_is_adopted_as_published(shared_data, tmp_path, monkeypatch):
    monkeypatch.setenv("LYOT_DATA", str(shared_data))
    store = Store(str(tmp_path / "store"))
    folder = demo.find_naco(fetch=lambda: pytest.fail("it is at hand"))
    kept = demo.adopt_naco(store, folder)

    assert folder == shared_data / "naco_betapic"
    assert kept.product.dataset == "naco/beta-pic/2013-01-31/lp"
    cube = read_cube(store.read(kept, "fits"))
    assert cube.frames.shape == (1, 61, 99, 99)  # cut evenly about (51, 51)
    assert cube.rotation == pytest.approx(81.4, abs=0.1)
    # the star's halo is symmetrical about the pixel where we say it is
    mean = cube.frames[0].mean(axis=0)
    turned = mean[::-1, ::-1]
    centre = tuple(slice(n // 2 - 15, n // 2 + 16) for n in mean.shape)
    off = np.roll(turned, 1, axis=0)
    assert np.abs(mean - turned)[centre].sum() < np.abs(mean - off)[centre].sum()
    for name, sha256 in demo.NACO_FILES.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
