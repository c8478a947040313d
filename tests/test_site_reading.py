"""A change reaches every page that shows it: what is rendered again is what a rendering from nothing gives."""

import shutil
from pathlib import Path

import pytest
from baked import bake, release
from test_site_incremental import change, contents

from lyot.catalog.table import tables
from lyot.site.pages import Pages
from lyot.site.reading import Parts, Reading
from lyot.site.render import render
from lyot.site.writer import Writer

ANOTHER = {"int": 3, "float": 7.25, "bool": True, "date": "2019-03-02", "json": '{"recipe": "mean"}', "text": "another"}
BASE = "https://lyot.example"


@pytest.mark.slow
def test_what_is_rendered_again_is_what_is_rendered_from_nothing(tmp_path):
    """Each table in turn gets other values in all columns but those that say whose a row is."""
    folder, store = release(tmp_path)
    render(folder, store, base_url=BASE)
    for name, table in tables().items():
        kept = {*table.key, *(column.name for column in table.columns if column.references), "product_key", "path"}
        values = {
            column.name: column.choices[0] if column.choices else ANOTHER[column.type]
            for column in table.columns
            if column.name not in kept
        }
        change(folder, name, "good" if "target_id" in table.names else None, **values)
        again = render(folder, store, base_url=BASE)
        shutil.copytree(folder, tmp_path / name / "public", ignore=shutil.ignore_patterns("site"))
        first = render(tmp_path / name / "public", store, base_url=BASE)
        assert again.failures == first.failures == {}
        assert again.pages == first.pages
        here, there = contents(folder / "site"), contents(tmp_path / name / "public/site")
        assert sorted(path for path in here.keys() | there.keys() if here.get(path) != there.get(path)) == [], name


class Site:
    """Two parts of a site that read the same, rendered again and again."""

    def __init__(self, folder: Path) -> None:
        self.release = bake(folder / "public", {"survey": [{"survey_id": "s", "name": "one", "description": "two"}]})
        self.folder = folder / "site"
        self.before = {}
        self.digests = {"survey.": "1", **{f"survey.{name}": "a" for name in tables()["survey"].names}}

    def makes(self, read, **given) -> bool:
        """Whether the parts are made anew; `given` are values that are their own digests."""
        made = []

        def part(reading: Reading, pages: Pages) -> None:
            made.append(read(reading))
            pages.writer.write(f"{len(made)}.txt", "")

        writer = Writer(self.folder)
        parts = Parts(self.release, Pages(writer, base_url=""), self.before, writer.there(), self.digests)
        for name, value in given.items():
            parts.give(name, value, str(value))
        parts.make("one", part)
        parts.make("two", part)
        assert writer.paths == {"1.txt", "2.txt"}
        self.before = parts.made
        assert len(made) in (0, 2)
        return bool(made)


@pytest.fixture
def site(tmp_path) -> Site:
    return Site(tmp_path)


def test_a_part_is_made_again_when_a_column_that_it_read_changed(site):
    def names(read):
        return read.release.query("SELECT name FROM survey WHERE survey_id = 's'")

    assert site.makes(names)
    assert not site.makes(names)
    site.digests["survey.description"] = "b"
    assert not site.makes(names)
    site.digests["survey.name"] = "b"
    assert site.makes(names)
    site.digests["survey.survey_id"] = "b"  # what only chooses rows is read, too
    assert site.makes(names)
    assert not site.makes(names)


def test_rows_that_are_only_counted_are_read(site):
    assert site.makes(lambda read: read.release.count("survey"))
    site.digests["survey.name"] = "b"
    assert not site.makes(lambda read: read.release.count("survey"))
    site.digests["survey."] = "2"
    assert site.makes(lambda read: read.release.count("survey"))


def test_rows_that_are_kept_are_noted_each_time_that_they_are_used(site):
    assert site.makes(lambda read: [read.release.surveys["s"]["description"] for _ in range(2)])
    assert not site.makes(lambda read: read.release.surveys)
    site.digests["survey.description"] = "b"
    assert site.makes(lambda read: read.release.surveys)


def test_what_is_given_besides_is_noted_by_name(site):
    assert site.makes(lambda read: read.about, about={"as_of": "2026"}, folders={"a": "b"})
    assert not site.makes(lambda read: read.about, about={"as_of": "2026"}, folders={"a": "c"})
    assert site.makes(lambda read: read.about, about={"as_of": "2027"}, folders={"a": "c"})


def test_what_lost_a_file_is_made_again(site):
    assert site.makes(lambda read: None)
    assert not site.makes(lambda read: None)
    shutil.rmtree(site.folder)
    assert site.makes(lambda read: None)


def test_what_reads_what_has_no_digest_is_made_each_time(site):
    assert site.makes(lambda read: read.release.query("SELECT name FROM sqlite_master"))
    assert site.makes(lambda read: read.release.query("SELECT name FROM sqlite_master"))
