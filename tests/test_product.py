"""A product's name is a digest of what made it."""

import hashlib
import json

import pytest

from lyot.errors import BadInput
from lyot.product import Product, check_name, slug, spelled


def product(**changes) -> Product:
    given = {"kind": "cube", "dataset": "naco/beta-pic/2013-01-31", "record": {"b": 1, "a": [1.5, "β"]}, **changes}
    return Product(**given)


def test_the_key_is_the_sha256_of_what_made_it():
    text = '["reduction","d",{"a":1.5,"b":"β"},["k1","k2"]]'  # by hand: JSON, sorted, no spaces, UTF-8
    made = Product(kind="reduction", dataset="d", record={"b": "β", "a": 1.5}, inputs=("k1", "k2"))
    assert made.key == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_order_in_which_a_record_is_written_does_not_matter():
    assert product().key == product(record={"a": [1.5, "β"], "b": 1}).key


@pytest.mark.parametrize(
    "changes",
    [{"kind": "reduction"}, {"dataset": "naco/beta-pic/2013-02-01"}, {"record": {"b": 2, "a": [1.5, "β"]}},
     {"inputs": ("0123",)}],
)  # fmt: skip
def test_what_made_it_changes_its_key(changes):
    assert product(**changes).key != product().key


@pytest.mark.parametrize("changes", [{"workspace": "team"}, {"label": "pca"}, {"about": {"target": "x"}}])
def test_what_is_only_said_of_it_does_not(changes):
    assert product(**changes).key == product().key


def test_its_path_can_be_read_and_ends_in_the_key():
    made = product(kind="reduction", label="pca-ncomp-5")
    assert made.stem == f"main/naco/beta-pic/2013-01-31/reduction-pca-ncomp-5-{made.key}"


@pytest.mark.parametrize(
    "changes",
    [{"dataset": "../secret"}, {"dataset": "naco//x"}, {"dataset": ""}, {"dataset": "Naco/x"}, {"kind": ".hidden"},
     {"workspace": "a/b"}, {"workspace": ".."}, {"label": "../../x"}, {"label": "a/b"}],
)  # fmt: skip
def test_no_name_climbs_out_of_its_folder(changes):
    with pytest.raises(BadInput, match="is no name"):
        product(**changes)


@pytest.mark.parametrize("record", [{"a": float("nan")}, {"a": float("inf")}])
def test_a_record_that_json_cannot_say_is_refused(record):
    with pytest.raises(ValueError, match="not JSON compliant"):
        product(record=record)


@pytest.mark.parametrize(
    ("text", "name"),
    [("beta Pic", "beta-pic"), ("β Pictoris", "beta-pictoris"), ("HR 8799", "hr-8799"), ("  51 Eri  ", "51-eri"),
     ("2MASS J12073346-3932539", "2mass-j12073346-3932539"), ("TYC 8998-760-1", "tyc-8998-760-1"),
     ("Proxima Centauri á", "proxima-centauri-a"), ("BD+20 1790", "bd+20-1790"), ("../../etc", "etc"),
     ("pca ncomp=5", "pca-ncomp-5"), ("+12 34", "12-34")],
)  # fmt: skip
def test_a_slug_is_fit_for_a_path_and_stays_readable(text, name):
    assert slug(text) == name
    assert check_name(slug(text)) == name
    assert slug(name) == name


@pytest.mark.parametrize("text", ["", "***", "星"])
def test_nothing_makes_no_name(text):
    with pytest.raises(BadInput):
        slug(text)


def test_greek_is_spelled_for_fits_headers():
    assert spelled("β Pic b, α Cen") == "beta Pic b, alpha Cen"
    assert json.dumps(spelled("Högbom"), ensure_ascii=False).isascii()
