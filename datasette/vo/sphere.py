"""Points, circles and polygons on the sky: what holds what, what meets what, how large it is.

Sides of polygons are great circles. The inside of a polygon is the smaller of the two parts it cuts the sky into,
whichever way round its corners are given, and a polygon fits into a hemisphere. Borders belong to the inside. Places
are unit vectors; angles are in degrees on the outside and in radians within.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

Vector = tuple[float, float, float]

#: Radians by which rounding may move a place: 6e-11 deg, far below what is told apart (1e-9 deg).
ROUNDING = 1e-12
#: Rounds of the perceptron that looks for the middle of a hemisphere; corners nearly opposite each other need many.
ROUNDS = 1_000


class NotAShape(ValueError):
    """Numbers that describe nothing on the sky, with what is wrong with them."""


@dataclass(frozen=True)
class Circle:
    """All places within `radius` (deg, 0 to 180) of a centre (deg)."""

    ra: float
    dec: float
    radius: float

    def __post_init__(self) -> None:
        check_place(self.ra, self.dec)
        if not 0.0 <= self.radius <= 180.0:
            raise NotAShape(f"a radius of {self.radius:g} deg; it must be from 0 to 180")

    @cached_property
    def centre(self) -> Vector:
        """Unit vector to the middle."""
        return vector(self.ra, self.dec)

    @property
    def area(self) -> float:
        """Area in deg²."""
        return math.degrees(math.degrees(4.0 * math.pi * math.sin(math.radians(self.radius) / 2.0) ** 2))


@dataclass(frozen=True)
class Polygon:
    """All places inside great-circle sides through corners (deg, deg)."""

    corners: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.corners) < 3:
            raise NotAShape(f"a polygon of {len(self.corners)} corners; it needs three or more")
        for ra, dec in self.corners:
            check_place(ra, dec, beyond_poles=True)
        self.middle  # noqa: B018 - a polygon that fits into no hemisphere is refused at once

    @cached_property
    def vectors(self) -> tuple[Vector, ...]:
        """Unit vectors to the corners."""
        return tuple(vector(*corner) for corner in self.corners)

    @cached_property
    def sides(self) -> tuple[tuple[Vector, Vector], ...]:
        """Sides that have a length, each from corner to corner."""
        corners = self.vectors
        return tuple((a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True) if separation(a, b) > 0)

    @cached_property
    def middle(self) -> Vector:
        """Middle of a hemisphere that holds every corner, by perceptron."""
        middle = total(self.vectors)
        for _ in range(ROUNDS):
            outermost = min(self.vectors, key=lambda corner: dot(corner, middle))
            if dot(outermost, middle) > 0.0:
                return unit(middle)
            middle = total((middle, outermost))
        raise NotAShape("a polygon larger than a hemisphere")

    @property
    def area(self) -> float:
        """Area in deg²: spherical excess of the triangles between the middle and each side (Eriksson 1990)."""
        excess = 0.0
        for a, b in self.sides:
            below = 1.0 + dot(a, b) + dot(b, self.middle) + dot(self.middle, a)
            excess += 2.0 * math.atan2(dot(self.middle, cross(a, b)), below)
        return math.degrees(math.degrees(abs(excess)))


Shape = tuple[float, float] | Circle | Polygon


def check_place(ra: float, dec: float, *, beyond_poles: bool = False) -> None:
    """Refuse what is no place on the sky; corners of boxes may stand beyond a pole, and are taken over it."""
    if not (math.isfinite(ra) and math.isfinite(dec)):
        raise NotAShape("a coordinate that is not finite")
    if abs(dec) > (180.0 if beyond_poles else 90.0):
        raise NotAShape(f"a declination of {dec:g} deg; it must be from -90 to 90")


def box(ra: float, dec: float, width: float, height: float) -> Polygon:
    """The polygon whose corners are half a width and half a height away in each coordinate (all deg)."""
    if not (0.0 <= width < 180.0 and 0.0 <= height < 180.0):
        raise NotAShape(f"a box of {width:g} by {height:g} deg; both must be from 0 to less than 180")
    check_place(ra, dec)
    across, up = width / 2.0, height / 2.0
    return Polygon(tuple((ra + x * across, dec + y * up) for x, y in ((1, -1), (1, 1), (-1, 1), (-1, -1))))


def contains(outer: Circle | Polygon, inner: Shape) -> bool:
    """Whether `outer` holds all of `inner`."""
    if isinstance(outer, Circle):
        if isinstance(inner, Polygon):  # all of it is far enough from the point opposite the centre
            opposite = (-outer.centre[0], -outer.centre[1], -outer.centre[2])
            return _from_polygon(opposite, inner) >= math.pi - math.radians(outer.radius) - ROUNDING
        centre, radius = (inner.centre, inner.radius) if isinstance(inner, Circle) else (vector(*inner), 0.0)
        most = math.radians(outer.radius - radius) + ROUNDING
        return outer.radius >= 180.0 or separation(outer.centre, centre) <= most
    if isinstance(inner, Polygon):
        return all(_inside(outer, corner) for corner in inner.vectors) and not _cross(outer, inner)
    if isinstance(inner, Circle):
        to_border = min((_from_side(inner.centre, side) for side in outer.sides), default=0.0)
        return _inside(outer, inner.centre) and to_border >= math.radians(inner.radius) - ROUNDING
    return _inside(outer, vector(*inner))


def intersects(one: Circle | Polygon, other: Shape) -> bool:
    """Whether the two have a place in common."""
    if isinstance(one, Polygon) and isinstance(other, Polygon):
        meet = any(_inside(one, v) for v in other.vectors) or any(_inside(other, v) for v in one.vectors)
        return meet or _cross(one, other)
    if isinstance(one, Polygon) and isinstance(other, Circle):
        return intersects(other, one)
    if isinstance(one, Circle) and isinstance(other, Circle):
        return separation(one.centre, other.centre) <= math.radians(one.radius + other.radius) + ROUNDING
    if isinstance(one, Circle) and isinstance(other, Polygon):
        return _from_polygon(one.centre, other) <= math.radians(one.radius) + ROUNDING
    return contains(one, other)


def centroid(shape: Shape) -> tuple[float, float]:
    """Centre of mass, projected on the sky (deg, deg); of a polygon without area, the mean of its corners."""
    if isinstance(shape, Circle):
        return shape.ra % 360.0, shape.dec
    if not isinstance(shape, Polygon):
        return shape
    # The mean place of a polygon is half the sum over its sides of the normal times the length.
    moments = [scaled(unit(cross(a, b)), separation(a, b)) for a, b in shape.sides if separation(a, b) < math.pi]
    mean = total(moments)
    if length(mean) < ROUNDING:
        return place(total(shape.vectors))
    return place(mean if dot(mean, shape.middle) > 0.0 else scaled(mean, -1.0))


def distance(ra: float, dec: float, other_ra: float, other_dec: float) -> float:
    """Angle between two places, deg (Vincenty 1975: good at every angle)."""
    across = math.radians(other_ra - ra)
    sin1, cos1 = math.sin(math.radians(dec)), math.cos(math.radians(dec))
    sin2, cos2 = math.sin(math.radians(other_dec)), math.cos(math.radians(other_dec))
    sin_across, cos_across = math.sin(across), math.cos(across)
    sine = math.hypot(cos2 * sin_across, cos1 * sin2 - sin1 * cos2 * cos_across)
    return math.degrees(math.atan2(sine, sin1 * sin2 + cos1 * cos2 * cos_across))


def bounds(shape: Shape) -> tuple[float, float, float, float]:
    """Smallest dec, largest dec, smallest ra and width in ra (deg) of a box that holds the shape, with room to spare.

    The ra may be negative; a width of 360 is any ra.
    """
    spare = 1e-7  # deg: prefilters may keep too much, never too little
    if isinstance(shape, Circle):
        centre, radius = (shape.ra, shape.dec), shape.radius
    elif isinstance(shape, Polygon):
        centre = place(shape.middle)
        radius = max(distance(*centre, ra, dec) for ra, dec in shape.corners)
    else:
        centre, radius = shape, 0.0
    low, high = centre[1] - radius - spare, centre[1] + radius + spare
    if low <= -90.0 or high >= 90.0:
        return max(low, -90.0), min(high, 90.0), 0.0, 360.0
    half = math.degrees(math.asin(math.sin(math.radians(radius)) / math.cos(math.radians(centre[1])))) + spare
    # near a pole the spare in dec is more in ra
    half += spare / math.cos(math.radians(max(abs(low), abs(high))))
    return low, high, centre[0] % 360.0 - half, 2.0 * half


def vector(ra: float, dec: float) -> Vector:
    """Unit vector to a place (deg)."""
    cos_dec = math.cos(math.radians(dec))
    return cos_dec * math.cos(math.radians(ra)), cos_dec * math.sin(math.radians(ra)), math.sin(math.radians(dec))


def place(towards: Vector) -> tuple[float, float]:
    """Right ascension (0 to 360) and declination (deg) of a vector."""
    x, y, z = towards
    return math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.atan2(z, math.hypot(x, y)))


def dot(a: Vector, b: Vector) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def length(a: Vector) -> float:
    """Length of a vector."""
    return math.sqrt(dot(a, a))


def scaled(a: Vector, by: float) -> Vector:
    """A vector made longer by a factor."""
    return a[0] * by, a[1] * by, a[2] * by


def unit(a: Vector) -> Vector:
    """A vector of the same direction and length 1; of none, none."""
    return scaled(a, 1.0 / length(a)) if length(a) > 0.0 else a


def total(vectors: tuple[Vector, ...] | list[Vector]) -> Vector:
    """Sum of vectors."""
    return tuple(math.fsum(parts) for parts in zip(*vectors, strict=True)) if vectors else (0.0, 0.0, 0.0)  # type: ignore[return-value]


def separation(a: Vector, b: Vector) -> float:
    """Angle between two vectors, rad; good at every angle."""
    return math.atan2(length(cross(a, b)), dot(a, b))


def _from_side(point: Vector, side: tuple[Vector, Vector]) -> float:
    """Angle from a place to the nearest place of a side, rad."""
    a, b = side
    normal = unit(cross(a, b))
    if dot(cross(normal, a), point) > 0.0 and dot(cross(b, normal), point) > 0.0:  # abreast of the side
        return abs(math.asin(max(-1.0, min(1.0, dot(normal, point)))))
    return min(separation(a, point), separation(b, point))


def _from_polygon(point: Vector, polygon: Polygon) -> float:
    """Angle from a place to the nearest place of a polygon, rad; 0 inside."""
    if _inside(polygon, point):
        return 0.0
    corners = min(separation(point, corner) for corner in polygon.vectors)
    return min([corners, *(_from_side(point, side) for side in polygon.sides)])


def _inside(polygon: Polygon, point: Vector) -> bool:
    """Whether a place is in a polygon: the corners, seen from it, go round it; or it is on the border."""
    if dot(point, polygon.middle) <= 0.0:  # the other hemisphere; the opposite point is gone round as well
        return False
    if any(separation(point, corner) <= ROUNDING for corner in polygon.vectors):
        return True
    turned = 0.0
    for a, b in polygon.sides:
        if _from_side(point, (a, b)) <= ROUNDING:
            return True
        seen_a, seen_b = cross(point, a), cross(point, b)
        turned += math.atan2(dot(point, cross(seen_a, seen_b)), dot(seen_a, seen_b))
    return abs(turned) > math.pi


def _cross(one: Polygon, other: Polygon) -> bool:
    """Whether a side of one goes through a side of the other, not only touching it."""
    return any(_sides_cross(a, b) for a in one.sides for b in other.sides)


def _sides_cross(one: tuple[Vector, Vector], other: tuple[Vector, Vector]) -> bool:
    n, m = cross(*one), cross(*other)
    c, d = dot(n, other[0]), dot(n, other[1])
    a, b = dot(m, one[0]), dot(m, one[1])
    if min(abs(a), abs(b), abs(c), abs(d)) <= ROUNDING or a * b > 0.0 or c * d > 0.0:
        return False
    # the two great circles meet twice; both sides must be at the same one
    meet = cross(n, m)
    return dot(meet, total(one)) * dot(meet, total(other)) > 0.0
