"""What people decide, and how it is taken back; rows out of a release and in again."""

import json

import duckdb
import pytest
from astropy.time import Time
from click.testing import CliRunner
from releases import OPEN, facts, release, sequence

from lyot.build.judging import give_verdict, set_policy, set_release, set_validation, withdraw_verdict
from lyot.build.publish import publish
from lyot.build.resolve import resolve_names
from lyot.build.rights import end_of_proprietary_period
from lyot.cli import cli
from lyot.errors import BadInput, NotFound
from lyot.reduce.classify import night_of
from lyot.store import Store


@pytest.fixture
def store(tmp_path):
    kept = Store(str(tmp_path / "store"))
    facts(kept)
    sequence(kept)
    return kept


def asked(store, tmp_path, query):
    folder = publish(store, tmp_path / "out").folder
    with duckdb.connect(str(folder / "lyot.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


STATUS = "SELECT status FROM companion WHERE companion_id = 'beta-pic-b'"


@pytest.mark.slow
def test_a_verdict_overrules_until_it_is_withdrawn(store, tmp_path):
    assert asked(store, tmp_path, STATUS) == [("UNDEFINED",)]
    give_verdict(store, "beta Pic b", "COMPANION", "A. Grange", "it came back on the other side", "main", OPEN)
    give_verdict(store, "beta-pic-b", "AMBIGUOUS", "B. Doubt", "too bright", "main", OPEN)
    assert asked(store, tmp_path, STATUS) == [("AMBIGUOUS",)]
    said = asked(store, tmp_path, "SELECT author, reason FROM verdict WHERE origin = 'human' ORDER BY date")
    assert said == [("A. Grange", "it came back on the other side"), ("B. Doubt", "too bright")]
    _, taken = withdraw_verdict(store, "β Pic b", "main")
    assert taken["author"] == "B. Doubt"
    assert asked(store, tmp_path, STATUS) == [("COMPANION",)]
    withdraw_verdict(store, "β Pic b", "main")
    assert asked(store, tmp_path, STATUS) == [("UNDEFINED",)]
    with pytest.raises(NotFound, match="nobody gave a verdict"):
        withdraw_verdict(store, "β Pic b", "main")


def test_a_private_verdict_is_in_no_public_release(store, tmp_path):
    give_verdict(store, "beta-pic-b", "BACKGROUND", "canary", "canary", "main")
    assert asked(store, tmp_path, "SELECT count(*) FROM verdict WHERE author = 'canary'") == [(0,)]


def test_a_public_verdict_on_a_private_object_does_not_stop_the_release(store, tmp_path):
    give_verdict(store, "beta-pic-b", "BACKGROUND", "A. Grange", "why not", "main", OPEN)
    release(store, "facts/paper", None)
    assert asked(store, tmp_path, "SELECT count(*) FROM verdict WHERE origin = 'human'") == [(0,)]


def test_an_unknown_companion_is_named(store):
    with pytest.raises(NotFound, match="beta Pic z"):
        give_verdict(store, "beta Pic z", "COMPANION", "me", "why", "main")


def test_a_release_date_moves_both_ways(store, tmp_path):
    count = "SELECT count(*) FROM observation"
    assert asked(store, tmp_path, count) == [(1,)]
    change = set_release(store, "naco/beta-pic/2013-02-01", None, "A. Grange", "main")
    assert (change.before, change.now) == (OPEN, None)
    assert asked(store, tmp_path, count) == [(0,)]
    set_release(store, "naco/beta-pic/2013-02-01", "2999-12-31", "A. Grange", "main")
    assert asked(store, tmp_path, count) == [(0,)]
    set_release(store, "naco/beta-pic/2013-02-01", "2021-03-01T05:00+02:00", "A. Grange", "main")
    assert asked(store, tmp_path, count) == [(1,)]
    with pytest.raises(NotFound, match="no data set"):
        set_release(store, "naco/beta-pic/2013-02-02", None, "A. Grange", "main")
    with pytest.raises(BadInput, match="is no date"):
        set_release(store, "naco/beta-pic/2013-02-01", "soon", "A. Grange", "main")


def test_a_rejected_reduction_leaves_the_release(store, tmp_path):
    key = next(iter(store.find(kind="reduction"))).key
    count = "SELECT count(*), min(validation), min(validation_reason) FROM reduction"
    set_validation(store, key[:10], "flagged", "A. Grange", "low wind")
    assert asked(store, tmp_path, count) == [(1, "flagged", "low wind (A. Grange)")]
    (change,) = set_validation(store, "naco/beta-pic/2013-02-01/pca-1", "rejected", "A. Grange", "off the mask")
    assert change == (key, "flagged", "rejected")
    assert asked(store, tmp_path, count) == [(0, None, None)]
    set_validation(store, key, None, "A. Grange", "a mistake")
    assert asked(store, tmp_path, "SELECT count(*), min(validation) FROM reduction") == [(1, None)]
    with pytest.raises(NotFound, match="no reduction"):
        set_validation(store, "0123456789ab", "flagged", "me", "why")


def test_names_are_found_offline_and_only_then_online(store):
    sequence(store, "naco/unknown/2013-02-01", target="hd-1")
    known, missing = resolve_names(store, ["HD39060", "HD 2"], "main")
    assert known[:2] == ("HD39060", "beta-pic")
    assert missing[:2] == ("HD 2", None)
    (new,) = resolve_names(store, [], "main", new=True)
    assert new[:2] == ("hd-1", "hd-1")


def test_the_commands(store, tmp_path):
    places = ["--store", store.url, "--out", str(tmp_path / "out")]

    def run(*words):
        return CliRunner().invoke(cli, [*words, *places], catch_exceptions=False)

    assert run("verdict", "beta-pic-b", "companion", "--by", "me", "--because", "why").exit_code == 0
    assert "withdrawn: beta-pic-b" in run("verdict", "beta-pic-b", "--withdraw").output
    assert "→ private" in run("release", "naco/beta-pic/2013-02-01", "--never", "--by", "me").output
    assert "→ 2020-01-01" in run("release", "naco/beta-pic/2013-02-01", "--date", OPEN, "--by", "me").output
    key = next(iter(store.find(kind="reduction"))).key
    assert "→ flagged" in run("validate", key, "flagged", "--by", "me", "--because", "why").output
    assert run("resolve", "bet Pic").output.startswith("bet Pic  beta-pic")
    assert run("compact").output == "nothing to merge\n"
    publish(store, tmp_path / "out")
    document = json.loads(run("export", "HD 39060").output)
    assert [target["name"] for target in document["targets"]] == ["β Pic"]
    assert run("export", "--format", "csv").output.startswith("target_id,")
    assert run("export", "--format", "hcifits", "--to", str(tmp_path / "files")).exit_code == 0
    assert len(list((tmp_path / "files").iterdir())) == 1


def test_what_holds_in_a_workspace_is_said_shown_and_taken_back(store, tmp_path):
    at = ["--store", store.url]
    run = CliRunner().invoke
    assert asked(store, tmp_path, "SELECT count(*) > 0 FROM reduction") == [(True,)]
    refused = run(cli, ["workspace", "main", "--policy", "never", *at])
    assert isinstance(refused.exception, BadInput)
    assert "who changes" in str(refused.exception)
    said = run(cli, ["workspace", "main", "--policy", "never", "--proprietary-days", "365", "--by", "A. Grange", *at])
    assert "policy: release-date → never" in said.output
    assert "proprietary_days: None → 365" in said.output
    assert asked(store, tmp_path, "SELECT count(*) > 0 FROM reduction") == [(False,)]
    back = run(cli, ["workspace", "main", "--policy", "release-date", "--by", "A. Grange", *at])
    assert back.exit_code == 0
    assert "proprietary_days  365" in run(cli, ["workspace", *at]).output
    assert asked(store, tmp_path, "SELECT count(*) > 0 FROM reduction") == [(True,)]
    assert asked(store, tmp_path, "SELECT proprietary_days FROM workspace") == [(365,)]


def test_raw_nights_become_public_when_the_proprietary_period_of_their_workspace_ends(store):
    name = "sphere-irdis/x/2016-09-15/db-h23"
    assert end_of_proprietary_period(store, name, "2016-09-15", "main") is None
    set_policy(store, "main", "A. Grange", proprietary_days=365)
    day = end_of_proprietary_period(store, name, "2016-09-15", "main")
    last_frame = Time("2016-09-16T11:59:00", scale="utc")  # nights run from noon to noon, UTC
    assert night_of(float(last_frame.mjd)) == "2016-09-15"
    assert 365.0 <= Time(day, scale="utc").mjd - last_frame.mjd < 366.0
    assert store.noted(f"releases/{name}", workspace="main")["release_date"] == day == "2017-09-17"
    set_policy(store, "main", "A. Grange", proprietary_days=0)
    assert end_of_proprietary_period(store, name, "2016-09-15", "main") is None, "what was given is not moved"
