"""Rendering again: only what changed is made anew, and what is private again is gone."""

import shutil
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from baked import release

from lyot.catalog.table import tables
from lyot.site import render as render_module
from lyot.site import sheets, target_page, targets
from lyot.site.render import render


@pytest.fixture
def rendered(monkeypatch) -> list[str]:
    """Ids of the targets whose pages are rendered, in order; clear it to forget those so far."""
    seen: list[str] = []
    true = target_page.context

    def context(release, target, *rest):
        seen.append(target["target_id"])
        return true(release, target, *rest)

    monkeypatch.setattr(target_page, "context", context)
    return seen


def change(folder: Path, table: str, target: str | None, **values) -> None:
    """Change columns in the rows of a target (None: of every one), in every file of the release."""
    connection = sqlite3.connect(folder / "lyot.db")
    for name, value in values.items():
        where = "" if target is None else " WHERE target_id = :target"
        connection.execute(f'UPDATE "{table}" SET "{name}" = :value{where}', {"value": value, "target": target})
    connection.commit()
    connection.close()
    path = folder / "parquet" / f"{table}.parquet"
    rows = pq.read_table(path).to_pylist()
    kept = [{**row, **values} if target in (None, row.get("target_id")) else row for row in rows]
    pq.write_table(tables()[table].rows(kept), path)


def remove(folder: Path, target: str) -> None:
    """Take a target out of every file of the release."""
    connection = sqlite3.connect(folder / "lyot.db")
    for name, table in tables().items():
        if "target_id" in table.names:
            connection.execute(f'DELETE FROM "{name}" WHERE target_id = ?', (target,))
            path = folder / "parquet" / f"{name}.parquet"
            pq.write_table(table.rows([r for r in pq.read_table(path).to_pylist() if r["target_id"] != target]), path)
    connection.commit()
    connection.execute("VACUUM")
    connection.close()


def test_only_the_page_of_what_changed_is_rendered(tmp_path, rendered):
    folder, store = release(tmp_path)
    render(folder, store)
    assert len(rendered) == 3
    rendered.clear()
    assert render(folder, store).written == 0
    assert rendered == []
    change(folder, "detection", "good", snr=99.0)
    assert render(folder, store).failures == {}
    assert rendered == ["good"]
    assert "<td>99</td>" in (folder / "site/targets/good/index.html").read_text(encoding="utf-8")


def test_a_reference_is_part_of_the_pages_that_cite_it(tmp_path, rendered):
    folder, store = release(tmp_path)
    render(folder, store)
    rendered.clear()
    change(folder, "reference", None, citation="Another author 2021")
    render(folder, store)
    assert len(rendered) == 3
    assert "Another author 2021" in (folder / "site/targets/good/index.html").read_text(encoding="utf-8")


def test_photometry_of_one_star_is_on_the_charts_of_others(tmp_path, rendered):
    folder, store = release(tmp_path)
    render(folder, store)
    rendered.clear()
    change(folder, "measurement", "good", value=11.0)
    render(folder, store)
    assert len(rendered) == 3


def test_a_page_that_was_deleted_by_hand_comes_back(tmp_path, rendered):
    folder, store = release(tmp_path)
    render(folder, store)
    rendered.clear()
    (folder / "site/targets/sim/index.html").unlink()
    render(folder, store)
    assert rendered == ["sim"]
    assert (folder / "site/targets/sim/index.html").is_file()


def test_the_site_of_the_release_before_is_taken_over_but_for_what_is_private_again(tmp_path, rendered):
    """As `lyot build` leaves it: the new release has no site, the old one waits beside it."""
    folder, store = release(tmp_path)
    render(folder, store)
    waiting = tmp_path / ".site" / "public"
    (folder / "site").rename(waiting)
    remove(folder, "sim")
    rendered.clear()
    render(folder, store)
    assert not waiting.exists()
    assert not (folder / "site/targets/sim").exists()
    for path in (folder / "site").rglob("*.*"):
        assert path.suffix == ".gz" or b"Simulated star" not in path.read_bytes(), path


def test_what_is_new_on_every_page_renders_them_all(tmp_path, rendered):
    folder, store = release(tmp_path)
    render(folder, store)
    rendered.clear()
    render(folder, store, base_url="https://elsewhere.example")
    assert len(rendered) == 3


@pytest.mark.slow
def test_several_processes_render_the_same_site(tmp_path, monkeypatch):
    folder, store = release(tmp_path)
    render(folder, store)
    alone = contents(folder / "site")
    shutil.rmtree(folder / "site")
    shutil.rmtree(tmp_path / ".site")
    monkeypatch.setattr(targets, "BLOCK", 2)  # three targets are two blocks
    assert render(folder, store, processes=2).failures == {}
    assert contents(folder / "site") == alone


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_broken_chart_fails_its_page_by_name_and_no_other(tmp_path, monkeypatch):
    true = sheets.plot

    def plot(chart, release, subject):
        if subject.target["target_id"] == "good":
            raise ValueError("no such axis")
        return true(chart, release, subject)

    folder, store = release(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(sheets, "plot", plot)
        report = render(folder, store)
    assert list(report.failures) == ["targets/good/"]
    assert "no such axis" in report.failures["targets/good/"]
    assert (folder / "site/targets/sim/index.html").is_file()
    assert render(folder, store).failures == {}
    assert (folder / "site/targets/good/index.html").is_file()


def test_only_the_lists_that_read_what_changed_are_made_again(tmp_path, monkeypatch):
    folder, store = release(tmp_path)
    render(folder, store)
    made = []

    def noting(name, make):
        return lambda read, pages: (made.append(name), make(read, pages))

    lists = {name: noting(name, make) for name, make in render_module.LISTS.items()}
    monkeypatch.setattr(render_module, "LISTS", lists)
    change(folder, "observation", "good", seeing=1.25)
    render(folder, store)
    assert made == ["instruments", "nights", "quality"]
