"""A release under `lyot serve` in a real browser: the headers of the server forbid no page what it needs."""

import os
import time

import pytest
from datasette_auth_passwords.utils import hash_password
from observatory import serving
from releases import OPEN, facts, sequence

from lyot.build.publish import publish
from lyot.site.render import render
from lyot.store import Store

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery staple"


def made(folder, date, workspace=None):
    """A release of a star with an image, and its site."""
    store = Store(str(folder / "store"))
    facts(store)
    sequence(store, date=date)
    released = publish(store, folder / "out", workspace=workspace).folder
    render(released, store)
    return released


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with serving(made(tmp_path_factory.mktemp("served"), OPEN)) as (base, _):
        yield f"{base}/"


def test_the_database_is_asked_in_the_browser_under_the_policy_of_the_server(visit):
    page = visit("sql/")
    if page.locator("#sql-form").count() == 0:
        pytest.skip("SQLite for browsers is not installed: make assets fetches it")
    page.get_by_label("SQL, as SQLite understands it").fill("SELECT name FROM target WHERE target_id = 'beta-pic'")
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector("#result td")
    assert page.locator("#result td").all_text_contents() == ["β Pic"]


PAGES = ("", "targets/beta-pic/", "lyot", "lyot/target", "lyot/target/beta-pic", "lyot/detection")


@pytest.mark.parametrize("path", PAGES)
def test_pages_open_without_complaint(visit, path):
    visit(path)


def test_the_pages_of_datasette_lead_to_addresses_that_name_the_release(visit, address):
    page = visit("lyot")
    page.get_by_role("link", name="target", exact=True).first.click()
    page.wait_for_url(f"{address}lyot-**")
    page.get_by_text("β Pic").first.wait_for()


@pytest.mark.slow
def test_a_member_logs_in_and_sees_what_others_do_not(browser, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "LYOT_PASSWORDS", f"alice={hash_password(PASSWORD, iterations=1000)}")
    with serving(made(tmp_path, None, "main")) as (base, _), browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{base}/targets/beta-pic/")
        assert page.url == f"{base}/-/login"
        assert "beta" not in page.content()
        page.get_by_label("Username").fill("alice")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("Invalid").wait_for()
        time.sleep(1.1)  # passwords are tried one a second
        page.get_by_label("Username").fill("alice")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/targets/beta-pic/")
        assert "β Pic" in page.content()
        page.goto(f"{base}/lyot/target")
        assert "β Pic" in page.content()
        page.goto(f"{base}/-/logout")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(lambda address: not address.endswith("/logout"))
        page.goto(f"{base}/lyot/target")
        assert page.url == f"{base}/-/login"
