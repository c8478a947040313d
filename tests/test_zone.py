"""The parts into which a frame is cut, pixel by pixel as their definition says."""

import numpy as np
import pytest

from lyot.reduce.zone import Zoning, cut, polar

FWHM, MASK, SHAPE = 3.7, 2.5, (47, 52)
KNOWN = np.random.default_rng(3).random(SHAPE) > 0.1
ZONINGS = [
    Zoning(),
    Zoning(width=1.3),
    Zoning(width=1.3, sectors=5),
    Zoning(width=0.004),  # more rings than pixels
    Zoning(width=2.0, optimised=30.0),
    Zoning(width=2.0, optimised=30.0, guarded=True),
]


@pytest.mark.parametrize("zoning", ZONINGS, ids=str)
def test_every_known_pixel_is_in_the_one_zone_that_holds_its_radius(zoning):
    pieces = cut(zoning, KNOWN, FWHM, MASK)
    radius, azimuth = polar(SHAPE)
    usable = KNOWN.ravel() & (radius >= MASK)
    seen = np.concatenate([piece.pixels for piece in pieces])
    assert len(seen) == len(set(seen.tolist()))
    guarded_away = 0 if not zoning.guarded else usable.sum() - len(seen)  # where nothing else is to weigh by
    assert usable.sum() - len(seen) == guarded_away
    assert usable[seen].all()
    last = max(piece.outer for piece in pieces)
    for piece in pieces:
        assert (radius[piece.pixels] >= piece.inner - 1e-9).all()
        if zoning.width and piece.outer < last:
            assert (radius[piece.pixels] < piece.outer + 1e-9).all()
        assert (np.diff(piece.pixels) > 0).all()
        assert (np.diff(piece.optimisation) > 0).all()
        assert usable[piece.optimisation].all()
        if zoning.guarded:
            assert not set(piece.pixels.tolist()) & set(piece.optimisation.tolist())
        elif zoning.optimised == 0:
            assert piece.optimisation is piece.pixels
        if zoning.sectors > 1:
            assert len(set(np.floor(azimuth[piece.pixels] * zoning.sectors))) == 1


def test_rings_are_cut_in_as_many_sectors_as_asked():
    whole = cut(Zoning(width=1.3), np.ones(SHAPE, bool), FWHM, MASK)
    parts = cut(Zoning(width=1.3, sectors=5), np.ones(SHAPE, bool), FWHM, MASK)
    assert len(parts) == 5 * len(whole)
    for number, ring in enumerate(whole):
        pixels = np.concatenate([part.pixels for part in parts[5 * number : 5 * number + 5]])
        assert np.array_equal(np.sort(pixels), ring.pixels)


def test_where_nothing_is_known_there_is_no_zone():
    assert all(cut(zoning, np.zeros(SHAPE, bool), FWHM, MASK) == [] for zoning in ZONINGS)
