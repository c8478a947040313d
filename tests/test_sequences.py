"""Companions against the sequences of field dwarfs and of one another, in a release."""

import duckdb
import pytest

from lyot.build.importing import import_file, published_facts
from lyot.build.publish import publish
from lyot.store import Store


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Value and error by companion, plane and quantity, of the published facts and one detection of ours."""
    folder = tmp_path_factory.mktemp("told")
    store = Store(str(folder / "store"))
    published_facts(store, "main")
    seen = folder / "seen.csv"
    seen.write_text(
        "target_name,mjd,instrument,filter,wavelength,algorithm,separation,separation_error,position_angle,"
        "position_angle_error,companion_id,apparent_mag,apparent_mag_error\n"
        "HR 8799,57000.2,sphere-irdis,SPHERE/BB_J,1.245,PCA,1715,3,66,0.1,hr-8799-b,19.5,0.2\n"
        "HR 8799,57001.2,sphere-irdis,SPHERE/BB_H,1.625,PCA,1715,3,66,0.1,hr-8799-b,18.0,0.1\n"
        "HR 8799,57000.2,sphere-irdis,SPHERE/BB_J,1.245,PCA,3000,3,20,0.1,once,19.5,0.2\n"
        "HR 8799,57001.2,sphere-irdis,SPHERE/BB_H,1.625,PCA,3000,3,20,0.1,once,18.0,0.1\n"
        "HR 8799,57000.2,sphere-irdis,SPHERE/BB_J,1.245,PCA,4000,3,220,0.1,twice,19.5,0.2\n"
        "HR 8799,57000.2,sphere-irdis,SPHERE/BB_J,1.245,TLOCI,4000,3,220,0.1,twice,19.3,0.4\n"
        "HR 8799,57001.2,sphere-irdis,SPHERE/BB_H,1.625,PCA,4000,3,220,0.1,twice,18.0,0.1\n"
        "HR 8799,57001.2,sphere-irdis,SPHERE/BB_H,1.625,TLOCI,4000,3,220,0.1,twice,18.0,0.1\n"
    )
    import_file(store, seen, "main", release_date="2020-01-01")
    done = publish(store, folder / "out", as_of="2026-01-01")
    with duckdb.connect(str(done.folder / "lyot.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "SELECT companion_id, band, quantity, value, error_plus, preferred_reason, release_date FROM measurement "
            "WHERE quantity LIKE 'sequence%'"
        ).fetchall()
        assert connection.execute("SELECT count(*) FROM field_dwarf").fetchall() == [(457,)]
    return {row[:3]: row[3:] for row in rows}


def test_young_planets_are_redder_than_field_dwarfs_of_their_magnitude(told):
    """As their discoverers found: 2M1207 b by more than a magnitude in J − K, HR 8799 b in H − K; beta Pic b is not."""
    for key, sigmas in ((("2m-1207-b", "NACO/J-NACO/Ks"), 3.0), (("hr-8799-b", "NIRC2/H-NIRC2/Ks"), 3.0)):
        offset, error, *_ = told[*key, "sequence_offset"]
        assert offset > 0.5
        assert offset / error > sigmas
    offset, error, *_ = told["beta-pic-b", "NACO/J-NACO/Ks", "sequence_offset"]
    assert abs(offset) < error


def test_types_of_field_dwarfs_as_bright(told):
    """beta Pic b is an early L dwarf, 51 Eri b a late T dwarf by its brightness."""
    kind, error, reason, _ = told["beta-pic-b", "NACO/J-NACO/Ks", "sequence_type"]
    assert 10 < kind < 15
    assert 0.5 < error < 3
    assert reason == "derived: field dwarfs of its absolute K are L2.6; M0 is 0, L0 is 10, T0 is 20"
    assert 25 < told["51-eri-b", "MKO/J-MKO/K", "sequence_type"][0] < 29


def test_narrow_bands_of_sphere_are_compared_with_companions(told):
    """The old T dwarf HD 19467 B has more methane than the young planets of its magnitude: it is bluer in K1 − K2."""
    offset, error, reason, _ = told["hd-19467-b", "SPHERE/K1-SPHERE/K2", "sequence_offset"]
    assert offset / error < -2
    assert "imaged companions" in reason
    assert ("hd-19467-b", "SPHERE/K1-SPHERE/K2", "sequence_type") not in told
    offset, error, *_ = told["hip-65426-b", "SPHERE/H2-SPHERE/H3", "sequence_offset"]
    assert abs(offset) < error


def test_detections_are_placed_where_nothing_is_published(told):
    offset, error, _, day = told["hr-8799-b", "SPHERE/BB_J-SPHERE/BB_H", "sequence_offset"]
    assert error > 0.2  # of the photometry alone
    assert offset == pytest.approx(1.5, abs=1.5)
    assert day == "2025-01-01"  # the later of detection and star


def test_two_reductions_of_the_same_frames_are_not_two_measurements(told):
    """The better of both counts, as for an object that was reduced once."""
    twice, once = (told[name, "SPHERE/BB_J-SPHERE/BB_H", "sequence_offset"][:2] for name in ("twice", "once"))
    assert twice == once
