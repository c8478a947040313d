"""Geometry on the sphere against astropy, algebra, and projections in which great circles are straight."""

import math

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from lyot.datasette.vo import sphere
from lyot.datasette.vo.sphere import Circle, NotAShape, Polygon

SAME = 1e-9  # deg
SKY = 129_600.0 / math.pi  # deg²


def random_places(count, seed=1):
    """Places all over the sky, a third of them where arithmetic is hard: poles, the seam, one and the same."""
    random = np.random.default_rng(seed)
    ra, dec = random.uniform(0, 360, count), np.degrees(np.arcsin(random.uniform(-1, 1, count)))
    hard = random.integers(0, 9, count)
    ra[hard == 0] = random.choice([0.0, 360.0, 1e-10, 359.9999999999], (hard == 0).sum())
    dec[hard == 1] = random.choice([90.0, -90.0, 89.9999999999, -89.9999], (hard == 1).sum())
    return ra, dec


def test_distances_are_those_of_astropy():
    (ra, dec), (other_ra, other_dec) = random_places(2000), random_places(2000, seed=2)
    other_ra[::7], other_dec[::7] = ra[::7] + 1e-6, dec[::7]  # near
    other_ra[3::7], other_dec[3::7] = (ra[3::7] + 180) % 360, -dec[3::7]  # opposite
    expected = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(other_ra, other_dec, unit="deg")).deg
    found = [sphere.distance(*four) for four in zip(ra, dec, other_ra, other_dec, strict=True)]
    np.testing.assert_allclose(found, expected, atol=SAME)


def test_circles_hold_the_points_that_astropy_says():
    (ra, dec), (other_ra, other_dec) = random_places(2000, seed=3), random_places(2000, seed=4)
    random = np.random.default_rng(5)
    radius = np.where(random.random(2000) < 0.3, random.choice([0.0, 90.0, 180.0], 2000), random.uniform(0, 180, 2000))
    other_ra[radius == 0], other_dec[radius == 0] = ra[radius == 0], dec[radius == 0]
    apart = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(other_ra, other_dec, unit="deg")).deg
    clear = (np.abs(apart - radius) > SAME) | (radius == 0)
    found = np.array([
        sphere.contains(Circle(a, d, r), (b, e))
        for a, d, r, b, e in zip(ra, dec, radius, other_ra, other_dec, strict=True)
    ])  # fmt: skip
    assert (found == (apart <= radius + SAME))[clear].all()
    assert clear.sum() > 1990


def circles(seed):
    ra, dec = random_places(400, seed)
    return [Circle(*three) for three in zip(ra, dec, np.random.default_rng(seed).uniform(0, 90, 400), strict=True)]


def test_circles_meet_and_hold_circles_as_their_distance_says():
    for one, other in zip(circles(6), circles(7), strict=True):
        apart = SkyCoord(one.ra, one.dec, unit="deg").separation(SkyCoord(other.ra, other.dec, unit="deg")).deg
        assert sphere.intersects(one, other) == (apart <= one.radius + other.radius)
        assert sphere.contains(one, other) == (apart + other.radius <= one.radius)


def straight(centre):
    """The gnomonic projection about a place: its straight lines are great circles."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cunit = ["RA---TAN", "DEC--TAN"], list(centre), ["deg", "deg"]
    return wcs


def inside_plane(points, corners):
    """Even-odd rule in a plane; the points' distance to the nearest side, too."""
    inside = np.zeros(len(points), bool)
    nearest = np.full(len(points), np.inf)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        px, py = points.T
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= ((y1 > py) != (y2 > py)) & (px < (x2 - x1) * (py - y1) / (y2 - y1) + x1)
        along = np.clip(((px - x1) * (x2 - x1) + (py - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2), 0, 1)
        nearest = np.minimum(nearest, np.hypot(px - x1 - along * (x2 - x1), py - y1 - along * (y2 - y1)))
    return inside, nearest


def star(centre, seed):
    """A polygon round a place, star-shaped, mostly not convex."""
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 360, random.integers(3, 9)))
    if np.diff(np.r_[angles, angles[0] + 360]).max() > 170:
        angles = np.linspace(0, 300, 6)
    reach = random.uniform(1, 60, len(angles))
    corners = SkyCoord(*centre, unit="deg").directional_offset_by(angles * u.deg, reach * u.deg)
    return Polygon(tuple(zip(corners.ra.deg, corners.dec.deg, strict=True)))


def test_polygons_hold_the_points_that_a_straight_projection_says():
    ra, dec = random_places(100, seed=8)
    for seed, centre in enumerate(zip(ra, dec, strict=True)):
        polygon, wcs = star(centre, seed), straight(centre)
        random = np.random.default_rng(1000 + seed)
        near = SkyCoord(*centre, unit="deg").directional_offset_by(
            random.uniform(0, 360, 20) * u.deg, random.uniform(0, 70, 20) * u.deg)  # fmt: skip
        points = wcs.wcs_world2pix(np.c_[near.ra.deg, near.dec.deg], 0)
        expected, clear = inside_plane(points, wcs.wcs_world2pix(np.array(polygon.corners), 0))
        found = [sphere.contains(polygon, place) for place in zip(near.ra.deg, near.dec.deg, strict=True)]
        assert (np.array(found) == expected)[clear > SAME].all()
        opposite = ((centre[0] + 180) % 360, -centre[1])
        assert not sphere.contains(polygon, opposite)
        turned = Polygon(polygon.corners[::-1])  # which way round does not matter
        assert found == [sphere.contains(turned, place) for place in zip(near.ra.deg, near.dec.deg, strict=True)]
        assert turned.area == pytest.approx(polygon.area, rel=1e-12)


def test_areas_are_those_of_algebra():
    octant = Polygon(((0, 0), (90, 0), (0, 90)))
    assert octant.area == pytest.approx(SKY / 8, rel=1e-14)
    assert Circle(10, 20, 180).area == pytest.approx(SKY, rel=1e-14)
    assert Circle(10, 20, 90).area == pytest.approx(SKY / 2, rel=1e-14)
    small = 1e-4
    assert Circle(10, 20, small).area == pytest.approx(math.pi * small**2, rel=1e-9)
    # girard: the excess of the angles, which astropy measures
    triangle = SkyCoord([10, 60, 350], [-20, 40, 70], unit="deg")
    towards = [[triangle[i].position_angle(triangle[i - step]) for step in (1, 2)] for i in range(3)]
    angles = [abs((one - other).wrap_at(180 * u.deg).deg) for one, other in towards]
    excess = math.radians(sum(angles) - 180)
    polygon = Polygon(tuple(zip(triangle.ra.deg, triangle.dec.deg, strict=True)))
    assert polygon.area == pytest.approx(math.degrees(math.degrees(excess)), rel=1e-12)


def test_the_middle_of_a_shape_is_where_symmetry_puts_it():
    x, y = sphere.centroid(Polygon(((0, 0), (90, 0), (0, 90))))
    assert (x, y) == pytest.approx((45, math.degrees(math.asin(1 / math.sqrt(3)))), abs=SAME)
    ra, dec = sphere.centroid(sphere.box(0, 0, 10, 4))
    assert math.sin(math.radians(ra)) == pytest.approx(0, abs=1e-12)
    assert dec == pytest.approx(0, abs=SAME)
    assert sphere.centroid(Circle(370, 20, 5)) == (10, 20)
    flat = Polygon(((0, 0), (10, 0), (20, 0)))
    assert (flat.area, sphere.centroid(flat)) == (0, pytest.approx((10, 0), abs=SAME))


def test_polygons_without_area_hold_their_border_only():
    line, dot = Polygon(((0, 0), (10, 0), (20, 0))), Polygon(((5, 5), (5, 5), (5, 5)))
    assert sphere.contains(line, (15, 0))
    assert not sphere.contains(line, (15, 1e-8))
    assert not sphere.contains(line, (21, 0))
    assert sphere.contains(dot, (5, 5))
    assert not sphere.contains(dot, (5, 5.0001))
    assert dot.area == 0
    assert sphere.centroid(dot) == pytest.approx((5, 5))
    assert sphere.intersects(Circle(15, 1, 1), line)
    assert not sphere.intersects(Circle(15, 1, 0.999), line)


def test_a_polygon_about_a_pole_holds_the_pole():
    cap = Polygon(((0, 80), (120, 80), (240, 80)))
    assert sphere.contains(cap, (77, 90))
    assert sphere.contains(cap, Circle(0, 90, 4.9))
    assert not sphere.contains(cap, Circle(0, 90, 5.1))  # sides sag to 84.96 between the corners
    over = sphere.box(0, 89, 10, 4)  # a box beyond the pole
    assert sphere.contains(over, (0, 89))


def test_shapes_hold_and_meet_each_other():
    large, small = sphere.box(0, 0, 20, 20), sphere.box(359, 1, 2, 2)
    apart, across = sphere.box(90, 0, 5, 5), sphere.box(10, 0, 5, 5)
    cross = sphere.box(0, 0, 40, 1)
    assert sphere.contains(large, small)
    assert sphere.contains(large, large)
    assert not sphere.contains(small, large)
    assert not sphere.contains(large, across)
    assert [sphere.intersects(large, other) for other in (small, apart, across, cross)] == [True, False, True, True]
    assert not sphere.contains(large, cross)
    assert sphere.contains(Circle(0, 0, 15), large)
    assert not sphere.contains(Circle(0, 0, 13), large)
    assert sphere.contains(Circle(180, 0, 100), apart)
    assert not sphere.contains(Circle(180, 0, 170), large)  # the hole is inside the polygon
    assert sphere.intersects(Circle(0, 0, 1), large)  # wholly inside
    assert sphere.intersects(large, Circle(12, 0, 2.1))
    assert not sphere.intersects(large, Circle(12, 0, 1.9))


@pytest.mark.parametrize("seed", range(60))
def test_bounds_hold_the_shape(seed):
    random = np.random.default_rng(seed)
    centre = tuple(float(values[0]) for values in random_places(1, seed))
    shape = star(centre, seed) if seed % 2 else Circle(*centre, random.uniform(0, 100))
    low, high, first, width = sphere.bounds(shape)
    ra, dec = random_places(300, seed + 100)
    for place in zip(ra, dec, strict=True):
        if sphere.contains(shape, place):
            assert low <= place[1] <= high
            assert (place[0] - first) % 360 <= width or width >= 360


@pytest.mark.parametrize(
    "make",
    [lambda: Circle(0, 0, -1), lambda: Circle(0, 0, 180.1), lambda: Circle(0, 91, 1), lambda: Circle(math.nan, 0, 1),
     lambda: Polygon(((0, 0), (1, 1))), lambda: Polygon(((0, 0), (120, 0), (240, 0))), lambda: sphere.box(0, 0, 200, 1),
     lambda: sphere.box(0, 95, 1, 1)],
)  # fmt: skip
def test_what_is_no_shape_is_refused(make):
    with pytest.raises(NotAShape):
        make()
