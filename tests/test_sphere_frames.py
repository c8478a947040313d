"""Facts about SPHERE against the curves they were taken from."""

import numpy as np
import pytest

from lyot.errors import NotFound
from lyot.instruments.sphere import SPHERE_IFS
from lyot.instruments.sphere_frames import (
    DUAL_BANDS,
    IFS_LASER_ROWS,
    IFS_LASERS,
    LENSLETS,
    NEUTRAL_DENSITY,
    transmission,
    transmission_at,
)

COLUMN = {"ND_1.0": 2, "ND_2.0": 3, "ND_3.5": 4}


@pytest.mark.data
@pytest.mark.parametrize("name", ["BB_Y", "BB_J", "BB_H", "BB_Ks", "DB_Y23", "DB_J23", "DB_H23", "DB_H34", "DB_K12"])
def test_densities_are_the_curves_averaged_over_the_filter(shared_data, name):
    folder = shared_data / "sphere_calib" / "filters"
    density = np.loadtxt(folder / "SPHERE_CPI_ND.txt")
    table = np.loadtxt(folder / f"SPHERE_IRDIS_{name.replace('BB_', 'B_').replace('DB_', 'D_')}.txt")
    if name in DUAL_BANDS:  # the light passes the broad-band filter too
        broad = "B_Hcmp2" if name == "DB_H34" else {"Y": "B_Y", "J": "B_J", "H": "B_H", "K": "B_Ks"}[name[3]]
        passed = np.loadtxt(folder / f"SPHERE_IRDIS_{broad}.txt")
        table[:, 1:] *= np.interp(table[:, 0], passed[:, 0], passed[:, 1], left=0, right=0)[:, None]
    bands = DUAL_BANDS.get(name, (name,))
    for band, column in zip(bands, table.T[1:], strict=False):
        weight = np.interp(density[:, 0], table[:, 0], column)
        for nd, at in COLUMN.items():
            mean = (density[:, at] * weight).sum() / weight.sum()
            other = name == "DB_H34" and band == "H3"  # the tabulated one is that of DB_H23
            assert transmission(nd, band) == pytest.approx(mean, rel=0.011 if other else 1e-3), (band, nd)


@pytest.mark.data
def test_the_curve_of_the_ifs_is_the_measured_one(shared_data):
    curve = np.loadtxt(shared_data / "sphere_calib" / "filters" / "SPHERE_CPI_ND.txt")
    inside = (curve[:, 0] >= 950) & (curve[:, 0] < 1690)
    for nd, at in COLUMN.items():
        found = transmission_at(nd, curve[inside, 0] * 1e-3)
        np.testing.assert_allclose(found, curve[inside, at], rtol=0.02)  # points 10 nm apart


def test_no_density_lets_all_light_through():
    assert transmission("OPEN", "H2") == 1.0
    assert (transmission_at("OPEN", [1.0, 1.6]) == 1.0).all()


def test_an_unknown_density_is_refused():
    with pytest.raises(NotFound, match="ND_9"):
        transmission("ND_9", "H2")
    with pytest.raises(NotFound, match="not known"):
        transmission("ND_1.0", "L'")
    with pytest.raises(NotFound, match="ND_9"):
        transmission_at("ND_9", [1.0])


def test_every_dual_band_has_its_densities():
    assert {band for pair in DUAL_BANDS.values() for band in pair} <= set(NEUTRAL_DENSITY)


def test_lenslets_are_as_far_apart_as_the_model_says():
    assert LENSLETS.pitch == pytest.approx(15.54, abs=0.01)  # 209 px² a lenslet
    assert LENSLETS.side * 3**0.5 == pytest.approx(LENSLETS.pitch)


@pytest.mark.data
@pytest.mark.parametrize(("mode", "name"), [("YJ", "YJ"), ("YJH", "YH")])
def test_lenslets_and_lasers_are_where_a_real_wavelength_solution_has_them(shared_data, mode, name):
    """Solutions of charis-dep for SPHERE: per laser, x and y of a lenslet as cubic polynomials of its place.

    Places count along a row of touching lenslets, and across rows in the same unit.
    """
    table = np.loadtxt(shared_data / "sphere_calib" / "ifs" / f"{name}_lamsol.dat")
    lines, across, along = table[:, 0], table[:, 1:11], table[:, 11:]  # of x, of y
    row = np.array([across[:, 4].mean(), along[:, 4].mean()])  # px, from one lenslet of a row to the next
    assert np.hypot(*row) == pytest.approx(LENSLETS.pitch, rel=2e-3)  # so 161.5 µm is the side of a hexagon
    turn = np.degrees(np.arctan2(row[1], row[0])) % 180 - 180
    assert turn == pytest.approx(LENSLETS.rotation, abs=0.2)
    np.testing.assert_allclose(lines, np.array(IFS_LASERS[mode]) * 1e3, atol=0.1)
    rows = along[:, 0] - along[list(np.round(lines)).index(1124 if mode == "YJ" else 1309), 0]
    np.testing.assert_allclose(rows, IFS_LASER_ROWS[mode], atol=0.1)  # longer wavelengths are farther up


@pytest.mark.data
def test_a_hexagon_is_as_wide_on_the_sky_as_a_pixel_was_measured(shared_data):
    text = (shared_data / "sphere_calib" / "static" / "ifs_lenslet_model_Y_J.txt").read_text()
    cards = dict(line.removeprefix("HIERARCH ESO DRS IFS ").split("=") for line in text.splitlines() if "=" in line)
    assert float(cards["LENS SIZE"]) == LENSLETS.lens_size
    assert float(cards["ROTANGLE"]) == LENSLETS.rotation
    side = float(cards["LENS SIZE"]) * float(cards["BIGRE SCALE"]) * 1e3  # mas
    measured = SPHERE_IFS.constant("pixel_scale", "2016-01-01").value
    assert side == pytest.approx(measured, rel=0.006)  # design against measurement; a pitch would be 73 % more
