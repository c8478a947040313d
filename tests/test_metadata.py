"""metadata.yml says what the tables say."""

from pathlib import Path

import yaml

from lyot.catalog.indices import FACETS, SORTED
from lyot.catalog.metadata import LABELS, metadata, metadata_yml
from lyot.catalog.table import tables

ROOT = Path(__file__).resolve().parent.parent


def test_the_committed_file_is_fresh():
    assert (ROOT / "metadata.yml").read_text(encoding="utf-8") == metadata_yml(), (
        "metadata.yml is stale: run `lyot metadata > metadata.yml`"
    )


def test_it_is_yaml_of_the_metadata():
    assert yaml.safe_load(metadata_yml()) == metadata()


def test_every_column_says_what_it_means_and_in_which_unit():
    told = metadata()["databases"]["lyot"]["tables"]
    for table in tables().values():
        assert list(told[table.name]["columns"]) == list(table.names)
    assert told["detection"]["columns"]["separation"] == "Angle from star to source [mas]"
    assert told["companion"]["columns"]["mass"] == "Mass of the object, as published [Mjup]"


def test_what_the_metadata_name_exists():
    for name, columns in FACETS.items():
        assert set(columns) <= set(tables()[name].names)
    for name, (column, _) in SORTED.items():
        assert column in tables()[name].names
    for name, column in LABELS.items():
        assert column in tables()[name].names
