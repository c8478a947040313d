"""Places against the reference sequence."""

import numpy as np
import pytest

from lyot.catalog.published import facts
from lyot.catalog.sequence import Members, spelled_type, stand


def _line(count=60, slope=0.4, spread=0.1, seed=1):
    """A sequence that reddens by `slope` with each magnitude, and by three subtypes."""
    rng = np.random.default_rng(seed)
    magnitude = np.linspace(10.0, 15.0, count)
    colour = 1.0 + slope * (magnitude - 12.0) + rng.normal(0, spread, count)
    names = np.array([f"dwarf {n}" for n in range(count)])
    return Members(names, magnitude, colour, 10 + 3 * (magnitude - 12.0), 0.5)


def _one(members, magnitude, colour, name="b", error=0.0, colour_error=0.0, shared=0.0):
    m, m_error, c, c_error, both = (np.array([value]) for value in (magnitude, error, colour, colour_error, shared))
    made = stand(members, np.array([name]), (m, m_error), (c, c_error), both)
    return {key: float(value[0]) for key, value in vars(made).items()}


def test_what_is_redder_has_a_positive_offset():
    """A line of 60 members with a spread of 0.1 mag, some 15 of which weigh in: its mean is known to 0.03 mag."""
    members = _line()
    place = _one(members, 12.5, 1.2 + 0.5)
    assert place["offset"] == pytest.approx(0.5, abs=0.1)
    assert place["offset_error"] == pytest.approx(0.1, rel=0.3)
    assert _one(members, 12.5, 1.2 - 0.5)["offset"] == pytest.approx(-0.5, abs=0.1)


def test_the_type_is_that_of_its_magnitude():
    place = _one(_line(), 13.0, 0.0)
    assert place["kind"] == pytest.approx(13.0, abs=1e-6)
    assert place["kind_error"] == pytest.approx(0.0, abs=1e-6)
    assert _one(_line(), 13.0, 0.0, error=0.2)["kind_error"] == pytest.approx(0.6, abs=1e-6)  # three types a magnitude


def test_errors_of_the_object_count():
    still, moved = _one(_line(), 12.5, 1.2), _one(_line(), 12.5, 1.2, error=0.5, colour_error=0.3)
    more = moved["offset_error"] ** 2 - still["offset_error"] ** 2
    slope = 0.4  # of colour with magnitude; known to 10 % from 60 members
    assert more == pytest.approx(0.3**2 + (slope * 0.5) ** 2, rel=0.2)


@pytest.mark.parametrize("along", ["red", "blue"])
@pytest.mark.parametrize("slope", [0.8, -0.8])
def test_an_error_that_magnitude_and_colour_share_counts_as_many_draws_say(along, slope):
    """Where cool dwarfs redden, a band measured too bright makes an object too blue and its sequence bluer, too.

    The offsets of 4,000 objects that scatter by the errors of their bands have the stated error: 3 % is 2.7 σ.
    """
    rng, members = np.random.default_rng(2), _line(count=600, slope=slope, spread=1e-3)
    blue, red = (12.5 + 1.2 + rng.normal(0, 0.15, 4000), 12.5 + rng.normal(0, 0.15, 4000))
    magnitude = red if along == "red" else blue - 1.2
    none, names = np.zeros(4000), np.full(4000, "b")
    drawn = stand(members, names, (magnitude, none), (blue - red, none), none).offset
    shared = 0.15**2 * (-1 if along == "red" else 1)
    stated = _one(members, 12.5, 1.2, error=0.15, colour_error=0.15 * 2**0.5, shared=shared)["offset_error"]
    assert stated == pytest.approx(drawn.std(), rel=0.03)


def test_beyond_its_ends_a_sequence_says_nothing():
    for magnitude in (9.9, 15.1, 30.0):
        assert np.isnan(list(_one(_line(), magnitude, 1.0).values())).all()
    few = _line(count=3)
    assert np.isnan(list(_one(few, 12.5, 1.0).values())).all()


def test_a_member_is_compared_with_the_others():
    members = _line(spread=0.05)
    members.colour[30] += 2.0
    magnitude, colour = members.magnitude[30], members.colour[30]
    own = _one(members, magnitude, colour, name="dwarf 30")
    assert own["offset"] == pytest.approx(2.0, abs=0.15)  # 3σ: it was off by itself, 0.05
    assert own["offset_error"] < 0.1
    assert _one(members, magnitude, colour)["offset_error"] > 0.3  # as anybody else it is one of them


@pytest.mark.parametrize(("blue", "red"), [("j", "k"), ("j", "h"), ("h", "k")])
def test_field_dwarfs_stand_on_their_own_sequence(blue, red):
    """Each against the others: offsets in units of their errors are standard, and types are told to two subtypes."""
    rows = facts("field_dwarfs")
    column = {name: np.array([float(row[name]) for row in rows])
              for name in ("parallax", "spectral_number", "mko_j", "mko_h", "mko_k")}  # fmt: skip
    magnitude = column[f"mko_{red}"] + 5 * np.log10(column["parallax"] / 100)
    colour, nothing = column[f"mko_{blue}"] - column[f"mko_{red}"], np.zeros(len(rows))
    names = np.array([row["name"] for row in rows])
    members = Members(names, magnitude, colour, column["spectral_number"], 0.25)
    places = stand(members, names, (magnitude, nothing), (colour, nothing), nothing)
    told = np.isfinite(places.offset)
    assert told.mean() > 0.95
    pull = (places.offset / places.offset_error)[told]
    assert abs(pull.mean()) < 0.15
    assert pull.std() == pytest.approx(1.0, abs=0.15)  # 1/√(2 · 440) is 0.03; they are no Gaussians
    off = (column["spectral_number"] - places.kind)[told]
    assert np.std(off) < 2.0
    assert np.std(off / places.kind_error[told]) == pytest.approx(1.0, abs=0.15)


def test_types_in_letters():
    assert [spelled_type(kind) for kind in (0.0, 9.96, 14.5, 27.0, 30.04)] == ["M0", "L0", "L4.5", "T7", "Y0"]
    assert spelled_type(-3.0) == "-3.0"
