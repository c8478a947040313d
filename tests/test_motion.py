"""Background or bound, on published positions and on simulated sources of known nature."""

from itertools import combinations

import numpy as np
import pytest

from lyot.catalog.exchange import rows_of
from lyot.catalog.forecast import decides_on, foretell_background, foretell_bound
from lyot.catalog.motion import ODDS, fit_background, judge, judge_all, star_of
from lyot.catalog.orbit import STEPS, covariance_at, harmonic_powers, orbits
from lyot.catalog.positions import Positions, columns_of, places, positions
from lyot.catalog.published import published_document
from lyot.errors import BadInput
from lyot.sky import Star, background_track, drift_past, mjd_of

BOUND = (
    "beta-pic-b", "hr-8799-b", "hr-8799-c", "hr-8799-d", "hr-8799-e", "hip-65426-b", "hd-206893-b",
)  # fmt: skip
BACKGROUND = ("hd-165054-cc1", "hd-165054-cc2")


@pytest.fixture(scope="module")
def published():
    """Star, positions and mass of each companion with published positions."""
    tables = rows_of(published_document()).tables
    targets = {row["target_id"]: row for row in tables["target"]}
    groups = {}
    for row in tables["detection"]:
        groups.setdefault(row["companion_id"], []).append(row)
    return {
        name: (star_of(targets[rows[0]["target_id"]]), rows, targets[rows[0]["target_id"]].get("mass"))
        for name, rows in groups.items()
    }


def _source(published, name, floor=1.0):
    star, rows, mass = published[name]
    return star, positions(rows, floor), mass


# ---- what imaged companions are known to be ------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOUND)
def test_companions_are_bound(published, name):
    assert judge(*_source(published, name)).status == "COMPANION"


@pytest.mark.parametrize("name", BACKGROUND)
def test_background_stars_are_background(published, name):
    assert judge(*_source(published, name)).status == "BACKGROUND"


@pytest.mark.parametrize(
    ("name", "days"), [("hip-65426-b", (57538, 57565, 57892)), ("beta-pic-b", (55194, 55467, 55517))]
)
def test_what_cannot_be_told_is_ambiguous(published, name, days):
    star, seen, mass = _source(published, name)
    some = seen.select([int(np.flatnonzero(np.floor(seen.times) == day)[0]) for day in days])
    verdict = judge(star, some, mass)
    assert verdict.status == "AMBIGUOUS"
    assert abs(verdict.log_odds) < np.log(ODDS)
    assert verdict.epochs == 3


def test_a_source_seen_once_or_around_an_unknown_star_is_undefined(published):
    star, seen, mass = _source(published, "beta-pic-b")
    assert judge(star, seen.select([0]), mass).status == "UNDEFINED"
    assert judge(None, seen, mass).status == "UNDEFINED"
    assert judge(star, positions([]), mass).reason == "no position with an error is known"


@pytest.mark.parametrize(("name", "off"), [("hd-165054-cc1", 39.0), ("hd-165054-cc2", 47.0)])
def test_a_background_star_moves_by_itself(published, name, off):
    """Nguyen et al. 2020: bulge stars, a few mas/yr. A resting one would have ended 39 and 47 mas elsewhere."""
    star, seen, _ = _source(published, name, floor=0.0)
    moving, resting = fit_background(star, seen), fit_background(star, seen, moving=False)
    assert moving.reduced < 2
    assert resting.reduced > 10
    track = background_track(star, seen.times, tuple(seen.offsets[0]), seen.times[0])
    assert np.hypot(*(seen.offsets[-1] - track[-1])) == pytest.approx(off, abs=1.0)
    assert 5 < np.hypot(*moving.motion) < 12


@pytest.mark.parametrize("name", ["beta-pic-b", "hr-8799-b", "hr-8799-c", "hr-8799-d", "hr-8799-e"])
def test_no_track_of_a_background_star_passes_through_a_planet(published, name):
    assert fit_background(*_source(published, name)[:2]).reduced > 10


def test_the_fit_finds_the_motion_that_was_put_in():
    star = Star(100.0, -40.0, 2016.0, 80.0, -30.0, 25.0)
    times = 57000 + np.array([0.0, 100.0, 400.0, 900.0, 1500.0])
    track = background_track(star, times, (300.0, 400.0), times[0], motion=(4.0, -7.0))
    fit = fit_background(star, Positions(times, track, np.tile(np.eye(2), (5, 1, 1))))
    assert fit.motion == pytest.approx((4.0, -7.0), abs=1e-5)  # the sky's curvature is left
    assert fit.chi2 == pytest.approx(0.0, abs=1e-6)
    assert fit.degrees == 6


def test_no_positions_no_fit():
    with pytest.raises(BadInput, match="no positions"):
        fit_background(Star(1.0, 2.0, 2016.0, 0.0, 0.0, 10.0), positions([]))


# ---- positions -----------------------------------------------------------------------------------------------------


def test_reductions_of_the_same_frames_count_once():
    row = {"mjd": 57000.0, "separation": 500.0, "position_angle": 90.0, "observation_id": "one"}
    seen = positions([
        row | {"separation_error": 5.0, "position_angle_error": 0.5},
        row | {"separation_error": 2.0, "position_angle_error": 0.2, "separation": 501.0},
        row | {"observation_id": "two", "mjd": 57000.2, "separation_error": 9.0, "position_angle_error": 1.0},
        row | {"observation_id": "three", "mjd": 57300.0},  # no error
    ])  # fmt: skip
    assert len(seen.times) == 2
    assert seen.epochs == 1
    assert seen.offsets[0] == pytest.approx((501.0, 0.0), abs=1e-9)
    assert seen.covariances[0] == pytest.approx(np.diag([4.0 + 1, (501 * np.radians(0.2)) ** 2 + 1]), abs=1e-9)


# ---- the evidence, against its own definition ----------------------------------------------------------------------


def test_the_odds_are_those_of_the_integrals():
    """Against the mean likelihood over many draws of the parameters; its own noise is a few per cent."""
    rng = np.random.default_rng(5)
    star = Star(100.0, -40.0, 2016.0, 60.0, -30.0, 20.0)
    times = 57000 + np.array([0.0, 60.0, 150.0])
    errors = np.tile(np.array([[40.0, 10.0], [10.0, 30.0]]), (3, 1, 1))
    offsets = np.array([[300.0, 400.0], [295.0, 409.0], [284.0, 405.0]])
    draws = 300_000
    sky = drift_past(star, times, times.mean())
    own = rng.normal(0, 6, (draws, 1, 2)) * sky.years[:, None] + rng.normal(0, 1, (draws, 1, 1)) * sky.factors
    behind = _mean_likelihood(offsets - sky.drift - np.einsum("tkm,ntm->ntk", sky.turn, own), errors)
    around = []
    for axis in 500.0 * np.exp(np.linspace(*np.log((0.45, 6.0)), STEPS)):
        period = np.sqrt((axis * 1e-3 * 50.0) ** 3) * 365.25
        phase = 2 * np.pi * np.arange(1, 6)[:, None] * times / period
        waves = np.sqrt(harmonic_powers() / 3)[:, None] * axis * np.stack([np.cos(phase), np.sin(phase)])
        orbit = np.einsum("nhkm,hkt->ntm", rng.normal(size=(20_000, 2, 5, 2)), waves)
        around.append(_mean_likelihood(offsets - orbit, errors))
    expected = np.log(np.mean(around) / behind)
    assert judge(star, Positions(times, offsets, errors), 1.0).log_odds == pytest.approx(expected, abs=0.1)


def _mean_likelihood(left, errors):
    """Mean over draws of the likelihood, the common offset integrated out by hand: (n, time, 2) → number."""
    inverse = np.linalg.inv(errors)
    total = np.linalg.inv(inverse.sum(axis=0))
    mean = np.einsum("ab,tbc,ntc->na", total, inverse, left)
    chi2 = np.einsum("nta,tab,ntb->n", left - mean[:, None], inverse, left - mean[:, None])
    scale = np.sqrt(np.linalg.det(2 * np.pi * total) / np.prod(np.linalg.det(2 * np.pi * errors)))
    return scale * np.exp(-chi2 / 2).mean()


def test_orbits_wander_as_kepler_says():
    """Mean square displacement over a lag, against orbits of e = 0.3 in three dimensions; their noise is 2 %."""
    rng, axis = np.random.default_rng(3), 700.0 * 0.45  # the smallest of the axes
    lags = np.array([0.03, 0.1, 0.25, 0.5, 0.8]) * np.sqrt((axis * 1e-3 * 40.0) ** 3 / 1.5) * 365.25
    times = np.concatenate([[0.0], lags])
    tracks = np.array([_orbit(rng, times, axis, 25.0, 1.5, elements=(axis, 0.3)) for _ in range(6000)])
    wandered = ((tracks[:, 1:] - tracks[:, :1]) ** 2).mean(axis=(0, 2))
    axes, motions = orbits(np.array(700.0), np.array(40.0), np.array(1.5))
    assert axes[0] == pytest.approx(axis)
    process = [axis**2 * covariance_at(motions[0] * time, harmonic_powers()) for time in times]
    assert 2 * (process[0] - np.array(process[1:])) == pytest.approx(wandered, rel=0.05)


def test_the_odds_do_not_depend_on_the_company(published):
    sources = [_source(published, name) for name in ("hip-65426-b", "hd-165054-cc1", "hd-984-b", "hr-8799-b")]
    together = judge_all(sources)
    for source, verdict in zip(sources, together, strict=True):
        assert judge(*source).log_odds == pytest.approx(verdict.log_odds, abs=1e-6)


# ---- simulated sources ---------------------------------------------------------------------------------------------


def _simulated(rng, is_bound):
    """A source of known nature around a nearby young star, three or four epochs over three years, 3–6 mas."""
    parallax, mass = rng.uniform(7, 50), rng.uniform(0.6, 2.2)
    star = Star(rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1))), 2016.0,
                *rng.normal(0, 1.5 * parallax, 2), parallax)  # fmt: skip
    times = np.sort(57000 + rng.uniform(0, 1100, rng.integers(3, 5)))
    place = rng.uniform(200, 1500) * np.array([np.sin(angle := rng.uniform(0, 2 * np.pi)), np.cos(angle)])
    if is_bound:
        offsets = _orbit(rng, times, np.hypot(*place), parallax, mass)
    else:
        offsets = background_track(star, times, tuple(place), times[0], tuple(rng.normal(0, 6, 2)),
                                   abs(rng.normal(0, 1)))  # fmt: skip
    errors = rng.uniform(3, 6, len(times))
    offsets = offsets + rng.normal(0, errors[:, None], offsets.shape)
    return star, Positions(times, offsets, errors[:, None, None] ** 2 * np.eye(2)), mass


def _orbit(rng, times, projected, parallax, mass, elements=None):
    """A Kepler orbit in three dimensions, turned at random, seen at about a given projected separation."""
    drawn = projected * np.exp(rng.uniform(np.log(0.7), np.log(3))), rng.uniform(0, 0.5)
    axis, eccentricity = elements or drawn
    period = np.sqrt((axis / parallax) ** 3 / mass) * 365.25
    anomaly = mean = 2 * np.pi * (rng.uniform() + (times - times[0]) / period)
    for _ in range(60):
        anomaly = mean + eccentricity * np.sin(anomaly)
    plane = axis * np.stack(
        [np.cos(anomaly) - eccentricity, np.sqrt(1 - eccentricity**2) * np.sin(anomaly), np.zeros_like(times)]
    )
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return (turned @ plane)[:2].T


def test_verdicts_on_simulated_sources():
    """400 of each kind: at 20 to 1, fewer than 0.5 % may be wrong; most are decided."""
    rng = np.random.default_rng(11)
    truth = [True, False] * 400
    found = judge_all([_simulated(rng, is_bound) for is_bound in truth])
    wrong = sum(
        verdict.status == ("BACKGROUND" if is_bound else "COMPANION")
        for verdict, is_bound in zip(found, truth, strict=True)
    )
    decided = sum(verdict.status in ("BACKGROUND", "COMPANION") for verdict in found)
    assert wrong <= 4
    assert decided > 600


# ---- the day that decides ------------------------------------------------------------------------------------------


def test_the_day_that_decides(published):
    """HIP 65426 b after two epochs a month apart: its star moves 39 mas/yr, ±5 mas need a good part of a year."""
    star, seen, mass = _source(published, "hip-65426-b")
    some = seen.select([0, 1])
    assert judge(star, some, mass).status == "AMBIGUOUS"
    day = mjd_of(decides_on(star, some, mass))
    assert 200 < day - some.times[-1] < 1500
    assert mjd_of(decides_on(star, some, mass, error=1.0)) < day
    before, then = (
        _apart(star, some, mass, moment) for moment in (day - 3.0, day + 1.0)
    )
    assert before < 5 <= then


def test_the_day_that_decides_stays_while_it_is_to_come(published):
    """Who asks on another day hears the same, until that day is over: then it is a later one."""
    star, seen, mass = _source(published, "hip-65426-b")
    some = seen.select([0, 1])
    said = decides_on(star, some, mass)
    day = mjd_of(said)
    first = np.ceil(some.times[-1])
    assert {decides_on(star, some, mass, after=after) for after in np.arange(first, day, 7.0)} == {said}
    assert mjd_of(decides_on(star, some, mass, after=day)) > day


def _apart(star, seen, mass, day, error=5.0):
    behind, around = foretell_background(star, seen, np.array([day])), foretell_bound(star, seen, mass, np.array([day]))
    spread = behind.covariances[0] + around.covariances[0] + error**2 * np.eye(2)
    off = behind.places[0] - around.places[0]
    return float(np.sqrt(off @ np.linalg.solve(spread, off)))


def test_a_star_that_does_not_move_never_decides():
    star = Star(100.0, -40.0, 2016.0, 0.5, 0.3, 2.0)
    seen = Positions(np.array([57000.0]), np.array([[900.0, 500.0]]), np.eye(2)[None] * 9)
    assert decides_on(star, seen, 1.0) is None


def test_both_hypotheses_foretell_what_was_seen(published):
    star, seen, mass = _source(published, "hd-165054-cc1")
    behind = foretell_background(star, seen, seen.times)
    chi2 = np.einsum("ta,tab,tb->", seen.offsets - behind.places, np.linalg.inv(seen.covariances),
                     seen.offsets - behind.places)  # fmt: skip
    assert chi2 / (2 * len(seen.times)) < 1.5
    star, seen, mass = _source(published, "hr-8799-e")
    around = foretell_bound(star, seen, mass, seen.times)
    off = (seen.offsets - around.places) / np.sqrt(np.diagonal(seen.covariances, axis1=1, axis2=2))
    assert np.sqrt((off**2).mean()) < 2.5  # published errors of different instruments, with their scales


# ---- every subset, slow --------------------------------------------------------------------------------------------


def test_chance_in_two_epochs_does_not_decide(published):
    """From MJD 55194 to 55517 beta Pic b went just where a background star would have: two nights are one epoch."""
    star, seen, mass = _source(published, "beta-pic-b")
    some = seen.select(np.flatnonzero(np.isin(seen.times, (55194.0, 55516.0, 55517.0))))
    verdict = judge(star, some, mass)
    assert verdict.epochs == 2
    assert verdict.log_odds < -np.log(ODDS)
    assert verdict.status == "AMBIGUOUS"


@pytest.mark.slow
def test_stated_odds_are_calibrated():
    """1,000 sources of each kind: in bins of 400 as many are bound as the odds say, within 3σ of the binomial."""
    rng, truth = np.random.default_rng(77), np.array([True, False] * 1000)
    found = judge_all([_simulated(rng, is_bound) for is_bound in truth])
    odds = np.array([verdict.log_odds for verdict in found])
    stated = 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
    for some in np.array_split(np.argsort(odds), 5):
        sigma = np.sqrt((stated[some] * (1 - stated[some])).sum()) / len(some)
        assert truth[some].mean() == pytest.approx(stated[some].mean(), abs=3 * sigma + 1 / len(some))
    status = np.array([verdict.status for verdict in found])
    wrong = ((status == "BACKGROUND") & truth).sum() + ((status == "COMPANION") & ~truth).sum()
    assert wrong < 0.005 * len(truth)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUND + BACKGROUND)
def test_no_subset_gives_the_opposite_verdict(published, name):
    """All triples over more than 300 days, and 1,500 seeded subsets each of 4 and 6 epochs."""
    star, seen, mass = _source(published, name)
    rng, total = np.random.default_rng(2026), len(seen.times)
    subsets = [k for k in combinations(range(total), 3) if seen.times[k[2]] - seen.times[k[0]] > 300]
    subsets += [tuple(sorted(rng.choice(total, size, replace=False))) for size in (4, 6) for _ in range(1500)]
    opposite = "BACKGROUND" if name in BOUND else "COMPANION"
    found = [verdict.status for verdict in judge_all([(star, seen.select(list(k)), mass) for k in subsets])]
    assert found.count(opposite) == 0
    assert found.count("AMBIGUOUS") < 0.05 * len(found)


@pytest.mark.parametrize("name", BACKGROUND)
def test_what_is_too_fast_to_be_bound_is_no_companion(published, name):
    """Positions of the two background stars with East and West exchanged fit neither model, though one less badly."""
    star, seen, mass = _source(published, name)
    mirrored = Positions(seen.times, seen.offsets * [-1, 1], seen.covariances * [[1, -1], [-1, 1]])
    verdict = judge(star, mirrored, mass)
    assert verdict.log_odds > 20
    assert verdict.status == "AMBIGUOUS"
    assert "too fast" in verdict.reason


def test_a_time_of_which_only_the_day_is_known_blurs_the_place_along_the_motion():
    """Half a day at 500 mas/yr to the East is 0.68 mas; across the motion nothing changes."""
    row = {"mjd": 57000.0, "dra": 300.0, "ddec": 400.0, "dra_error": 2.0, "ddec_error": 2.0, "mjd_error": 0.5}
    columns = columns_of([row, row | {"mjd_error": None}]) | {"pmra": np.full(2, 500.0), "pmdec": np.zeros(2)}
    _, covariances = places(columns)
    assert covariances[0, 0, 0] - covariances[1, 0, 0] == pytest.approx((500.0 * 0.5 / 365.25) ** 2)
    assert covariances[0, 1, 1] == covariances[1, 1, 1]
    assert covariances[0, 0, 1] == covariances[1, 0, 1] == 0.0
