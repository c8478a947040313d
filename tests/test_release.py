"""Who may see a row."""

import itertools

import duckdb
import pytest

from lyot.catalog.release import public_sql, release_day, utc_day, validated, visible
from lyot.errors import BadInput

DATES = (
    None, "", "2024-12-31", "2025-01-01", "2025-01-02", "2025-02-30", "2025-1-1", "soon",
    "2025-01-01T00:00:00Z", "9999-12-31", "0001-01-01", "２０２５-01-01", " 2025-01-01", "2025-01-01\n",
)
POLICIES = ("release-date", "never", "anything", None)


def test_a_row_is_public_from_the_first_second_of_its_release_day():
    assert not visible("2025-01-01", "release-date", False, "2024-12-31")[0]
    assert visible("2025-01-01", "release-date", False, "2025-01-01") == (True, "public since 2025-01-01")


def test_what_has_no_date_is_private():
    for date in (None, ""):
        assert visible(date, "release-date", False, "2999-01-01") == (False, "it has no release date")


def test_a_date_that_cannot_be_read_is_no_date():
    assert not visible("2025-02-30", "release-date", False, "2999-01-01")[0]


def test_an_unknown_policy_is_never():
    assert not visible("2025-01-01", "perhaps", False, "2999-01-01")[0]


def test_simulated_rows_are_shown_only_when_asked_for():
    assert visible("2025-01-01", "release-date", True, "2026-01-01") == (False, "it is simulated")
    assert visible("2025-01-01", "release-date", True, "2026-01-01", with_simulated=True)[0]
    assert not visible("2025-01-01", "release-date", None, "2026-01-01", with_simulated=True)[0]


def test_zones_are_turned_to_utc():
    assert utc_day("2025-01-01T00:30:00+02:00") == "2024-12-31"
    assert utc_day("2024-12-31T23:30:00-02:00") == "2025-01-01"
    assert utc_day("2025-01-01T23:59:59") == "2025-01-01"


def test_an_instant_is_released_on_the_next_day_never_earlier():
    assert release_day("2025-01-01") == "2025-01-01"
    assert release_day("2025-01-01T00:00:00Z") == "2025-01-01"
    assert release_day("2025-01-01T00:00:01Z") == "2025-01-02"
    assert release_day("2025-01-01T01:00:00+02:00") == "2025-01-01"  # 23:00 UTC the day before
    with pytest.raises(BadInput, match="'soon' is no date"):
        release_day("soon")


def test_validation():
    assert validated(None, False)[0]
    assert validated("flagged", False)[0]
    assert not validated("rejected", False)[0]
    assert not validated(None, True)[0]
    assert not validated("flagged", True)[0]
    assert validated("validated", True)[0]


@pytest.mark.parametrize("with_simulated", [False, True])
@pytest.mark.parametrize("as_of", ["2024-12-31", "2025-01-01", "2025-01-01T00:30:00+02:00", "2999-01-01"])
def test_the_sql_says_the_same(as_of, with_simulated):
    rows = list(itertools.product(DATES, POLICIES, (True, False, None)))
    values = ", ".join(f"(${3 * i + 1}, ${3 * i + 2}, ${3 * i + 3}::BOOLEAN)" for i in range(len(rows)))
    condition = public_sql(as_of, with_simulated, row="r", workspace="r")
    connection = duckdb.connect()
    found = connection.execute(
        f"SELECT {condition} FROM (VALUES {values}) r(release_date, policy, simulated)",
        [value for row in rows for value in row],
    ).fetchall()
    expected = [
        (visible(date, policy, simulated, as_of, with_simulated)[0],) for date, policy, simulated in rows
    ]
    assert found == expected
