"""A private release: its members see all of it, through every door; nobody else learns that anything is there."""

import asyncio
import json
import re

import httpx
import pytest
from datasette_auth_passwords.utils import hash_password
from observatory import serving
from releases import facts, sequence

from lyot.build.publish import publish
from lyot.datasette import rights
from lyot.datasette.serve import application
from lyot.errors import BadInput
from lyot.site.render import render
from lyot.store import Store

TOKEN = "0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery staple"
QUERY = "LANG=ADQL&QUERY=SELECT+name+FROM+lyot.target"


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """A private release with its site, and the key of its cube."""
    store = Store(str(tmp_path_factory.mktemp("store")))
    facts(store)
    cube, _ = sequence(store, date=None)
    folder = publish(store, tmp_path_factory.mktemp("out"), workspace="main").folder
    render(folder, store)
    return folder, cube


@pytest.fixture(scope="module")
def served(private):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LYOT_TOKENS", TOKEN)
        environment.setenv("LYOT_PASSWORDS", f"alice={hash_password(PASSWORD, iterations=1000)}")
        with serving(private[0]) as (base, _):
            yield base


def doors(folder, cube):
    """An address that is there behind every door."""
    picture = next((folder / "site").rglob("*.webp")).relative_to(folder / "site")
    identifier = f"ivo%3A%2F%2Flyot.invalid%2Flyot%3F{cube.key}"
    return [
        "/", "/targets/beta-pic/", "/targets/index.json", f"/data/{cube.stem}.fits", "/data/lyot.db", f"/{picture}",
        "/data/parquet/detection.parquet", "/lyot", "/lyot.json", "/lyot/target", "/lyot/target/beta-pic.json",
        "/lyot.db", "/-/versions.json", f"/tap/sync?{QUERY}", "/tap/async", "/tap/tables", "/tap/capabilities",
        "/tap/availability", "/tap/examples", "/scs/target?RA=86.8&DEC=-51&SR=1", "/scs/detection?RA=86.8&DEC=-51&SR=1",
        "/sia2/query", f"/datalink/links?ID={identifier}", "/registry/record.xml", "/registry/moc.fits",
    ]  # fmt: skip


NOWHERE = ["/nowhere", "/targets/gamma/", "/lyot/nothing", "/lyot/target/gamma", "/data/none.fits", "/tap/nothing",
           "/images/none.webp", "/datalink/links?ID=x", "/-/nothing", "/tap/async/0123", "/scs/nothing"]  # fmt: skip


def said(answer):
    """All that a client learns from an answer, but the time."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_what_is_there_and_what_is_not_are_told_alike_to_a_stranger(private, served, accept):
    wrong = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YWxpY2U6eA=="}, {"Cookie": "ds_actor=x"},
             {"Authorization": "Basic !"}, {"Authorization": b"Bearer \xff"}]  # fmt: skip
    with httpx.Client(base_url=served) as client:
        answers = [said(client.get(path, headers={"Accept": accept, **one}))
                   for path in (*doors(*private), *NOWHERE) for one in wrong]  # fmt: skip
        assert answers.count(answers[0]) == len(answers)
        assert answers[0][0] == (303 if accept == "text/html" else 401)
        for path in ("/tap/sync", "/tap/async", "/lyot/target", "/nowhere"):
            assert client.post(path, data={"LANG": "ADQL"}).status_code == 401


def test_a_token_opens_every_door(private, served):
    with httpx.Client(base_url=served, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        for path in doors(*private):
            if path not in ("/lyot.db", "/targets/index.json"):
                answer = client.get(path)
                assert answer.status_code == 200, path
                assert "no-store" in answer.headers["cache-control"], path
                assert "access-control-allow-origin" not in answer.headers
        assert "β Pic" in client.get(f"/tap/sync?{QUERY}").text
        assert client.get("/lyot/target.json?_shape=array").json()[0]["name"] == "β Pic"


def test_a_password_opens_every_door_until_logout(private, served):
    with httpx.Client(base_url=served, timeout=30) as client:
        log_in(client, PASSWORD)
        assert client.cookies["ds_actor"]
        assert all(client.get(path).status_code == 200 for path in doors(*private) if "lyot.db" not in path)
        log_out(client)
        assert client.get("/lyot/target.json").status_code == 401


def log_in(client, password):
    page = client.get(rights.LOGIN)
    assert page.status_code == 200
    form = {"username": "alice", "password": password}
    if found := re.search(r'name="csrftoken" value="([^"]+)"', page.text):
        form["csrftoken"] = found[1]
    while (answer := client.post(rights.LOGIN, data=form)).status_code == 429:  # passwords are tried one a second
        pass
    return answer


def log_out(client):
    page = client.get(rights.LOGOUT, headers={"Accept": "text/html"})
    found = re.search(r'name="csrftoken" value="([^"]+)"', page.text)
    answer = client.post(rights.LOGOUT, data={"csrftoken": found[1]} if found else {})
    assert answer.status_code in (200, 302), answer.text


def test_passwords_are_not_tried_quickly(served):
    with httpx.Client(base_url=served, timeout=30) as client:
        assert "Invalid" in log_in(client, "wrong").text
        assert client.post(rights.LOGIN, data={"username": "alice", "password": "again"}).status_code == 429


def test_members_do_not_see_the_tokens_of_others(served):
    with httpx.Client(base_url=served, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for path in ("/-/metadata.json", "/-/config.json", "/-/settings.json", "/-/plugins.json", "/-/databases.json"):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert TOKEN not in answer.text


def test_cookies_end_when_members_change():
    one = rights.Members(passwords={"alice": "pbkdf2_sha256$1$a$b"})
    assert one.secret == rights.Members(passwords={"alice": "pbkdf2_sha256$1$a$b"}).secret
    assert one.secret != rights.Members(passwords={"alice": "pbkdf2_sha256$1$a$c"}).secret
    assert one.secret != rights.Members(tokens=(TOKEN,), passwords=one.passwords).secret


def test_cookies_go_over_safe_connections_where_the_release_does(private, monkeypatch):
    monkeypatch.setenv("LYOT_PASSWORDS", f"alice={hash_password(PASSWORD, iterations=1000)}")
    sent = []

    async def send(message):
        sent.append(message)

    async def log(base):
        door = application(private[0], base)._door
        head = {"type": "http.response.start", "status": 302, "headers": [(b"set-cookie", b"ds_actor=x")]}
        await door.sealed(send)(head)
        return dict(sent[-1]["headers"])[b"set-cookie"]

    assert asyncio.run(log("https://lyot.example")).endswith(b"; Secure")
    assert asyncio.run(log("http://127.0.0.1:1")) == b"ds_actor=x"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("LYOT_TOKENS", "short", "fewer than 20"), ("LYOT_PASSWORDS", "alice", "no name=hash"),
     ("LYOT_PASSWORDS", "alice=plain", "no name=hash")],
)  # fmt: skip
def test_what_could_be_guessed_is_refused(private, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=words):
        application(private[0])


def test_without_members_a_private_release_is_served_to_this_machine_alone(private, monkeypatch):
    monkeypatch.delenv("LYOT_TOKENS", raising=False)
    monkeypatch.delenv("LYOT_PASSWORDS", raising=False)
    with pytest.raises(BadInput, match="nobody has a token or password"):
        application(private[0])
    assert application(private[0], local=True)


def test_a_public_release_does_not_know_of_private_rows(private, tmp_path):
    """Asked for by name, what is private and what never was are answered alike."""
    store = Store(str(tmp_path / "store"))
    facts(store)
    sequence(store)
    hidden, _ = sequence(store, "naco/beta-pic/2020-02-01", date=None)
    folder = publish(store, tmp_path / "out").folder
    render(folder, store)
    paths = ["/data/{}.fits", "/lyot/product/{}.json", "/datalink/links?ID=ivo%3A%2F%2Flyot.invalid%2Flyot%3F{}",
             "/sia2/query?ID=ivo%3A%2F%2Flyot.invalid%2Flyot%3F{}", "/images/{}-reduced-data.webp",
             "/tap/sync?LANG=ADQL&FORMAT=json&QUERY=SELECT+*+FROM+lyot.product+WHERE+product_key='{}'"]  # fmt: skip
    with serving(folder) as (base, _), httpx.Client(base_url=base) as client:
        for path in paths:
            there, nowhere = (client.get(path.format(key)) for key in (hidden.key, "0" * len(hidden.key)))
            assert there.status_code == nowhere.status_code, path
            assert there.text.replace(hidden.key, "0" * len(hidden.key)) == nowhere.text, path
        assert "2020-02-01" not in json.dumps(client.get("/lyot/observation.json?_shape=array").json())
