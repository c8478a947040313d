"""Names that only the services know. Every answer here is made by hand, none was recorded."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lyot.build import resolve
from lyot.catalog import simbad
from lyot.catalog.exchange import rows_of
from lyot.errors import BadInput, NotFound, Unprocessable
from lyot.store import Store

#: A star that is none, as SIMBAD and Gaia would describe it.
OBJECT = {"oid": 7, "main_id": "* zet Tst", "otype": "*", "ra": 10.5, "dec": -20.25, "pmra": 51.0, "pmdec": -9.0,
          "plx_value": 30.0, "plx_err": 0.5, "rvz_radvel": 12.0, "sp_type": "A5V"}  # fmt: skip
NAMES = ["* zet Tst", "HD 999999", "HIP 999999", "Gaia DR2 1", "Gaia DR3  42", "2MASS J00420000-2015000", "HD 999999"]
FLUXES = {"B": 5.2, "V": 5.0, "R": None, "I": None, "J": 4.6, "H": 4.5, "K": 4.4}
GAIA = {"ra": 10.5001, "dec": -20.2501, "ref_epoch": 2016.0, "pmra": 50.1, "pmra_error": 0.02, "pmdec": -8.9,
        "pmdec_error": 0.03, "parallax": 30.2, "parallax_error": 0.04, "radial_velocity": None,
        "radial_velocity_error": None}  # fmt: skip


class Service:
    """Answers made by hand, and what was asked."""

    def __init__(self, objects=(OBJECT,), gaia=(GAIA,)):
        self.objects, self.gaia, self.asked = list(objects), list(gaia), []

    def __call__(self, url, adql):
        self.asked.append((url, adql))
        if url == simbad.GAIA:
            return self.gaia
        if "allfluxes" in adql:
            return [FLUXES]
        if "oidref = 7" in adql:
            return [{"id": name} for name in NAMES]
        return self.objects


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def test_a_new_target_gets_its_astro_photometry(store):
    kept = resolve.resolve(store, "ζ Tst", "main", ask=Service())
    target = store.rows(kept, "target").to_pylist()[0]
    assert (target["name"], target["parallax"], target["ref_epoch"]) == ("ζ Tst", 30.2, 2016.0)
    assert (target["mag_h"], target["spectral_type"], target["reference_id"]) == (4.5, "A5V", "gaia-dr3")
    aliases = [row["alias"] for row in store.rows(kept, "target_alias").to_pylist()]
    assert {"HD 999999", "HIP 999999", "Gaia DR3 42"} <= set(aliases)
    assert len(aliases) == len(set(aliases))
    bands = [row["band"] for row in store.rows(kept, "measurement").to_pylist() if row["band"]]
    assert bands == ["B", "V", "J", "H", "K"]


def test_what_was_asked_is_not_asked_again(store):
    service = Service()
    first = resolve.resolve(store, "ζ Tst", "main", ask=service)
    asked = len(service.asked)
    assert resolve.resolve(store, "ζ Tst", "main", ask=service) == first
    assert len(service.asked) == asked


def test_which_star_is_looked_up_stays_private(store):
    resolve.resolve(store, "ζ Tst", "main", ask=Service())
    assert "releases/import/resolved-zeta-tst" not in store.notes(workspace="main")


def test_without_gaia_simbad_speaks(store):
    document = simbad.document_of("HD 999999", OBJECT, ["HD 999999"], FLUXES, None)
    target = rows_of(document).tables["target"][0]
    assert (target["parallax"], target["ref_epoch"], target["reference_id"]) == (30.0, 2000.0, "simbad")
    negative = simbad.document_of("HD 999999", OBJECT | {"plx_value": -1.0}, [], {}, None)
    assert "parallax" not in rows_of(negative).tables["target"][0]


def test_no_object_and_several(store):
    with pytest.raises(NotFound, match="SIMBAD knows no object by the name 'Nowhere'"):
        resolve.resolve(store, "Nowhere", "main", ask=Service(objects=()))
    several = Service(objects=(OBJECT, OBJECT | {"oid": 8, "main_id": "* zet02 Tst"}))
    with pytest.raises(BadInput, match=r"several objects.*\* zet Tst, \* zet02 Tst"):
        resolve.resolve(store, "zet Tst", "main", ask=several)
    assert not store.workspaces()


def test_a_name_cannot_leave_its_quotes():
    assert simbad.ask_object("Barnard's star").endswith("i.id = 'Barnard''s star'")
    with pytest.raises(BadInput, match="no name of a star"):
        simbad.ask_object("a\x00b")
    assert simbad.ask_gaia(["Gaia DR2 1", "HD 2"]) is None
    assert simbad.ask_gaia(["Gaia DR3 42"]).endswith("source_id = 42")


# ---- a service on this machine -------------------------------------------------------------------------------------

VOTABLE = """<?xml version="1.0"?>
<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">
<INFO name="QUERY_STATUS" value="OK"/><TABLE>
<FIELD name="oid" datatype="long"/><FIELD name="main_id" datatype="char" arraysize="*"/>
<FIELD name="plx_value" datatype="double"/>
<DATA><TABLEDATA><TR><TD>7</TD><TD>* zet Tst</TD><TD></TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"""
REFUSAL = VOTABLE.replace('value="OK"/>', 'value="ERROR">no such table</INFO>')


@pytest.fixture
def serve():
    """A TAP service that gives these answers one after the other: (status, text), or None to be silent."""
    servers, free = [], threading.Event()

    def start(*answers):
        left = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                answer = left.pop(0)
                if answer is None:
                    free.wait(5)
                    return
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/x-votable+xml")
                self.end_headers()
                self.wfile.write(answer[1].encode())

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/tap", left

    yield start
    free.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(resolve, "PAUSE", 0.0)


def test_rows_of_a_real_service(serve):
    url, _ = serve((200, VOTABLE))
    assert resolve.ask_tap(url, "SELECT 1") == [{"oid": 7, "main_id": "* zet Tst", "plx_value": None}]


def test_a_service_that_stumbles_is_asked_again(serve):
    url, left = serve((503, "busy"), (200, VOTABLE))
    assert len(resolve.ask_tap(url, "SELECT 1")) == 1
    assert not left


def test_a_service_that_is_down(serve, monkeypatch):
    url, left = serve((503, "busy"), (503, "busy"), (503, "busy"))
    with pytest.raises(Unprocessable, match="does not answer"):
        resolve.ask_tap(url, "SELECT 1")
    assert not left


def test_a_service_that_is_silent(serve, monkeypatch):
    monkeypatch.setattr(resolve, "PATIENCE", 0.1)
    monkeypatch.setattr(resolve, "TRIES", 1)
    url, _ = serve(None)
    with pytest.raises(Unprocessable, match="does not answer"):
        resolve.ask_tap(url, "SELECT 1")


def test_a_query_that_is_refused(serve):
    url, _ = serve((200, REFUSAL))
    with pytest.raises(BadInput, match="refuses the query"):
        resolve.ask_tap(url, "SELECT * FROM nothing")


def test_the_document_is_json(store):
    kept = resolve.resolve(store, "ζ Tst", "main", ask=Service())
    assert json.loads(store.read(kept, "document"))["targets"][0]["name"] == "ζ Tst"
