"""Names that only the services know. Every answer here is made by hand, none was recorded."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

from lyot.build import resolve
from lyot.catalog import simbad
from lyot.catalog.exchange import rows_of
from lyot.cli import cli
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


MEAN = {"pmra": 50.12, "pmra_error": 0.02, "pmdec": -8.92, "pmdec_error": 0.02}


class Service:
    """Answers made by hand, and what was asked."""

    def __init__(self, objects=(OBJECT,), gaia=(GAIA,), mean=(MEAN,)):
        self.objects, self.gaia, self.mean, self.asked = list(objects), list(gaia), list(mean), []

    def __call__(self, url, adql):
        self.asked.append((url, adql))
        if url == simbad.GAIA:
            return self.gaia
        if url == simbad.VIZIER:
            assert adql.endswith("HIP = 999999")
            return self.mean
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


@pytest.mark.parametrize(
    ("mean", "motion", "preferred"),
    [
        (MEAN, 50.1, "gaia-dr3"),  # 0.7σ apart in each: Gaia's, which is measured at the place's own epoch
        (MEAN | {"pmra": 50.0}, 50.0, "hgca-edr3"),  # 3.5σ and 0.6σ: χ² 12.9
        (MEAN | {"pmra": 50.015, "pmdec": -8.9}, 50.1, "gaia-dr3"),  # 3.0σ in one: χ² 9
        (None, 50.1, "gaia-dr3"),
    ],
)
def test_where_a_host_accelerates_its_mean_motion_counts(store, mean, motion, preferred):
    kept = resolve.resolve(store, "ζ Tst", "main", ask=Service(mean=[mean] if mean else []))
    target = store.rows(kept, "target").to_pylist()[0]
    assert (target["pmra"], target["parallax"]) == (motion, 30.2)
    rows = [row for row in store.rows(kept, "measurement").to_pylist() if row["quantity"] == "pmra"]
    assert [row["reference_id"] for row in rows if row["preferred"] is not False] == [preferred]
    assert len(rows) == (2 if preferred == "hgca-edr3" else 1)


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


# ---- the command, against services on this machine -------------------------------------------------------------------


def _votable(rows):
    """A VOTable of rows given as mappings, as a TAP service writes it."""
    types = {int: 'datatype="long"', float: 'datatype="double"', str: 'datatype="char" arraysize="*"'}
    kinds = {name: next((type(row[name]) for row in rows if row[name] is not None), str) for name in rows[0]}
    fields = "".join(f'<FIELD name="{name}" {types[kind]}/>' for name, kind in kinds.items())
    cells = "".join(
        "<TR>" + "".join(f"<TD>{'' if value is None else value}</TD>" for value in row.values()) + "</TR>"
        for row in rows
    )
    return (
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        '<RESOURCE type="results"><INFO name="QUERY_STATUS" value="OK"/><TABLE>'
        f"{fields}<DATA><TABLEDATA>{cells}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )


@pytest.fixture
def services(monkeypatch):
    """SIMBAD and Gaia that know one star by hand-made answers; what each was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            adql = form["QUERY"][0]
            asked.append((self.path, adql))
            known = "'zet Tst'" in adql or "oidref = 7" in adql or "source_id = 42" in adql or "hgca" in adql
            rows = Service()(f"http://{self.headers['Host']}{self.path.removesuffix('/sync')}", adql)
            body = _votable(rows if known else [dict.fromkeys(rows[0])])
            if not known:
                body = re.sub(r"<TR>.*</TR>", "", body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-votable+xml")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setattr(simbad, "SIMBAD", f"http://127.0.0.1:{server.server_port}/simbad")
    monkeypatch.setattr(simbad, "GAIA", f"http://127.0.0.1:{server.server_port}/gaia")
    monkeypatch.setattr(simbad, "VIZIER", f"http://127.0.0.1:{server.server_port}/vizier")
    yield asked
    server.shutdown()
    server.server_close()


def _command(tmp_path, *words):
    return CliRunner().invoke(cli, [*words, "--store", str(tmp_path / "store"), "--out", str(tmp_path / "out")])


def test_the_command_asks_only_when_it_may(services, tmp_path):
    offline = _command(tmp_path, "resolve", "zet Tst")
    assert (offline.exit_code, services) == (1, [])
    assert offline.stdout.startswith("zet Tst  not known")
    online = _command(tmp_path, "resolve", "zet Tst", "--online")
    assert online.exit_code == 0, online.output
    assert online.stdout == "zet Tst  zet-tst  import/resolved-zet-tst\n"
    assert [path for path, _ in services] == ["/simbad/sync"] * 3 + ["/gaia/sync", "/vizier/sync"]


def test_what_the_command_learnt_is_known_from_then_on(services, tmp_path):
    _command(tmp_path, "resolve", "zet Tst", "--online")
    asked = len(services)
    for name in ("HD 999999", "hip_999999", "ζ Tst"):
        again = _command(tmp_path, "resolve", name, "--online", "--json")
        assert json.loads(again.stdout) == [{"name": name, "target_id": "zet-tst", "said": "known"}]
    assert len(services) == asked
    store = Store(str(tmp_path / "store"))
    (kept,) = store.find(kind="import")
    target = store.rows(kept, "target").to_pylist()[0]
    assert (target["ra"], target["pmra"], target["mag_h"]) == (10.5001, 50.1, 4.5)  # Gaia's place, SIMBAD's magnitude
    assert target["radial_velocity"] is None


def test_the_command_says_what_nobody_knows(services, tmp_path):
    said = _command(tmp_path, "resolve", "Nowhere", "zet Tst", "--online")
    assert said.exit_code == 1
    assert "Nowhere  not known  SIMBAD knows no object by the name 'Nowhere'" in said.stdout
    assert "zet Tst  zet-tst" in said.stdout


def test_a_new_target_is_looked_up_by_the_command(services, tmp_path):
    seen = tmp_path / "seen.csv"
    seen.write_text("target_name,mjd,separation,position_angle\nzet Tst,57000.2,500,10\n")
    assert _command(tmp_path, "import", str(seen)).exit_code == 0
    said = _command(tmp_path, "resolve", "--new", "--online")
    assert said.stdout == "zet Tst  zet-tst  import/resolved-zet-tst\n"
