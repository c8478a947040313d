"""Files into the store."""

import json

import pytest

from lyot.build.importing import import_file, import_files, published_facts
from lyot.catalog.table import tables
from lyot.errors import BadInput
from lyot.store import Store

GOOD = {
    "targets": [{"name": "HD 1", "ra": 1.0, "dec": 2.0}],
    "observations": [
        {"target_name": "HD 1", "mjd": 57000.0, "reductions": [{"detections": [{"dra": 30.0, "ddec": 40.0}]}]}
    ],
}


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def _write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _everything(tmp_path):
    return sorted(str(path) for path in (tmp_path / "store").rglob("*") if path.is_file())


def test_rows_and_document_are_kept(store, tmp_path):
    path = _write(tmp_path, "My Survey.json", json.dumps(GOOD))
    kept = import_file(store, path, workspace="main", release_date="2026-01-01")
    assert kept.product.kind == "import"
    assert kept.product.dataset == "import/my-survey"
    assert kept.tables == ("detection", "observation", "reduction", "target")
    assert store.read(kept, "document") == path.read_bytes()
    row = store.rows(kept, "detection").to_pylist()[0]
    assert (row["separation"], row["workspace"], row["simulated"], row["release_date"]) == (50.0, "main", False, None)
    for table in kept.tables:
        assert store.rows(kept, table).schema.equals(tables()[table].arrow_schema())
    assert store.notes(workspace="main")["releases/import/my-survey"]["release_date"] == "2026-01-01"


def test_twice_is_once(store, tmp_path):
    path = _write(tmp_path, "a.json", json.dumps(GOOD))
    first = import_file(store, path, workspace="main")
    before = _everything(tmp_path)
    assert import_file(store, path, workspace="main") == first
    assert _everything(tmp_path) == before


def test_without_a_release_date_it_stays_private(store, tmp_path):
    import_file(store, _write(tmp_path, "a.json", json.dumps(GOOD)), workspace="main")
    assert not store.notes("releases/", workspace="main")


def test_simulated_rows_say_so(store, tmp_path):
    path = _write(tmp_path, "a.json", json.dumps(GOOD))
    kept = import_file(store, path, workspace="main", simulated=True)
    assert kept.product.about["simulated"] is True
    assert store.rows(kept, "target").to_pylist()[0]["simulated"] is True
    assert import_file(store, path, workspace="main").key != kept.key


def test_csv(store, tmp_path):
    path = _write(tmp_path, "stars.csv", "\ufeffname,ra,dec\nHD 1,1,2\nHD 2,3,4\n")
    kept = import_file(store, path, workspace="main")
    assert store.rows(kept, "target").num_rows == 2


def test_unknown_columns_are_remembered(store, tmp_path):
    path = _write(tmp_path, "stars.csv", "name,ra,dec,shoe_size\nHD 1,1,2,44\n")
    assert import_file(store, path, workspace="main").product.about["unknown_columns"] == ["targets[0].shoe_size"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", "a.json: it is no JSON"),
        ("a.json", "[]", "a.json: the document is a list"),
        ("a.json", '{"targets": []}', "a.json: there is no row"),
        ("a.json", '{"targets": [], "targets": []}', "name 'targets' twice"),
        ("a.json", '{"targets": [{"name": "HD 1", "ra": NaN}]}', "targets[0].ra: nan is not a finite number"),
        ("a.json", "[" * 100_000, "a.json: [0][0]"),
        ("a.json", '{"targets":' + "[" * 10_000 + "]" * 10_000 + "}", "a.json: "),
        ("a.json", b"\xff\xfe\x00", "a.json: it is no text in UTF-8"),
        ("a.txt", "x", "a.txt: .txt is no kind of file that can be imported"),
        ("a.csv", "a,b\n1,2\n", "a.csv: its columns (a, b) do not tell"),
        ("a.csv", "name,ra,dec\nHD 1,1,2\nHD 2,x,4\n", "a.csv: targets[1].ra: 'x' is not a number"),
    ],
)
def test_bad_files_leave_the_store_as_it_was(store, tmp_path, name, content, message):
    with pytest.raises(BadInput) as error:
        import_file(store, _write(tmp_path, name, content), workspace="main", release_date="2026-01-01")
    assert message in str(error.value)
    assert not (tmp_path / "store").exists()


def test_a_line_of_a_gigabyte_is_not_read(store, tmp_path):
    path = tmp_path / "long.json"
    with path.open("wb") as file:
        file.truncate(1_000_000_000)  # a hole: it takes no room on the disk
    with pytest.raises(BadInput, match="1000 MB, 500 MB at most"):
        import_file(store, path, workspace="main")
    assert not (tmp_path / "store").exists()


def test_no_such_file(store, tmp_path):
    with pytest.raises(BadInput, match="is no file"):
        import_file(store, tmp_path / "nowhere.json", workspace="main")


def test_a_date_that_is_none(store, tmp_path):
    with pytest.raises(BadInput, match="'soon' is no date"):
        import_file(store, _write(tmp_path, "a.json", json.dumps(GOOD)), workspace="main", release_date="soon")


def test_the_projects_own_facts(store):
    kept = published_facts(store, "main")
    assert kept.product.dataset == "import/published-facts"
    assert store.rows(kept, "detection").num_rows == 238
    assert published_facts(store, "main") == kept
    assert store.notes(workspace="main")["releases/import/published-facts"]["release_date"] == "2025-01-01"


def test_a_file_that_is_not_taken_stops_no_other(store, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.json"
    good.write_text("name,ra,dec\nHD 1,1,2\n")
    bad.write_text("{")
    done, refused = import_files(store, [bad, good], "main")
    assert [one.product.dataset for one in done] == ["import/good"]
    assert refused == ["bad.json: it is no JSON: Expecting property name enclosed in double quotes (line 1, column 2)"]


def test_two_files_of_one_name_do_not_replace_each_other(store, tmp_path):
    with pytest.raises(BadInput, match=r"have one name: the second would replace the first \(rename one\)"):
        import_files(store, [tmp_path / "a" / "Survey 1.json", tmp_path / "b" / "survey-1.csv"], "main")
    assert store.find() == []
