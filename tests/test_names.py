"""Names of stars."""

import pytest

from lyot.catalog.exchange import rows_of
from lyot.catalog.names import Names, case_of, dictionary, normalise, same_star, target_id_of
from lyot.catalog.published import published_document
from lyot.errors import BadInput, NotFound

BETA_PIC = (
    "beta Pic", "bet Pic", "* bet Pic", "β Pictoris", "β Pic", "Beta Pictoris", "BETA PICTORIS", "betaPic", "bet_Pic",
    "HD 39060", "HD39060", "hd  39060", "HD-39060", "HIP 27321", "hip 27321", "HIP_27321", "HIP27321", "GJ 219",
    "Gliese 219", "Gl 219", "HR 2020", "Gaia DR3 4792774797545800832", "Gaia EDR3 4792774797545800832", "  bet  Pic ",
)  # fmt: skip


@pytest.fixture(scope="module")
def names():
    tables = rows_of(published_document()).tables
    return dictionary(tables["target"], tables["target_alias"])


@pytest.mark.parametrize("name", BETA_PIC)
def test_every_spelling_of_beta_pic(names, name):
    assert names.resolve(name) == "beta-pic"


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("κ Andromedae", "kappa-and"), ("kap And", "kappa-and"), ("V* AF Lep", "af-lep"), ("AF Leporis", "af-lep"),
        ("V* V342 Peg", "hr-8799"), ("51Eri", "51-eri"), ("51 Eridani", "51-eri"), ("29 Cygni", "hip-99770"),
        ("* b03 Cyg", "hip-99770"), ("PDS70", "pds-70"), ("2MASS J12073346−3932539", "2m-1207"),
        ("2MASSJ12073346-3932539", "2m-1207"), ("TYC 8998-00760-1", "yses-1"), ("ε Ind A", "eps-ind-a"),
        ("HD 135344A", "hd-135344-a"), ("gsc 06214-00210", "gsc-06214"), ("ROXs 42B", "roxs-42-b"),
        ("1RXS J160929.1-210524", "1rxs-1609"), ("CPD−36 6758", "hd-135344-a"),
    ],
)  # fmt: skip
def test_other_spellings(names, name, target):
    assert names.resolve(name) == target


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HIP_116384", "HIP 116384"), ("BD+60 1417", "BD +60d1417"), ("alf01 Cen", "α1 Centauri"), ("mu. Cen", "μ Cen"),
        ("CD-36 10010", "CD −36° 10010"), ("omega CMa", "ω Canis Majoris"), ("b Cen", "b Centauri"),
    ],
)  # fmt: skip
def test_spellings_of_one_name(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bet Pic", "b Pic"), ("HD 39060", "HIP 39060"), ("HD 135344 A", "HD 135344 B"), ("alf Cen A", "alf Cen B"),
        ("HD 3906", "HD 39060"), ("Gaia DR2 1", "Gaia DR3 1"), ("eta Tel", "bet Tel"), ("tau Cet", "Cet"),
        ("2MASS J12073346-3932539", "2MASS J12073346+3932539"),
    ],
)  # fmt: skip
def test_different_names_stay_different(one, other):
    assert normalise(one) != normalise(other)


def test_normalising_twice_changes_nothing():
    for name in BETA_PIC:
        assert normalise(normalise(name)) == normalise(name)


def test_no_two_published_stars_share_a_name(names):
    shared = {key: sorted(targets) for key, targets in names.meanings.items() if len(targets) > 1}
    assert not shared


def test_an_ambiguous_name_lists_the_choices():
    names = Names()
    names.add("hd-1", "HD 1 A", "STF 1")
    names.add("hd-2", "HD 1 B", "STF 1")
    with pytest.raises(BadInput, match=r"may mean several targets: HD 1 A \(hd-1\), HD 1 B \(hd-2\)"):
        names.resolve("stf1")


def test_an_unknown_name_is_told_its_like(names):
    with pytest.raises(NotFound, match="HIP 27322") as error:
        names.resolve("HIP 27322")
    assert "alike are" in str(error.value)
    assert "beta Pic" in str(error.value)


@pytest.mark.parametrize("name", ["", "  ", "***", "—"])
def test_no_name(name):
    with pytest.raises(BadInput, match="no name"):
        normalise(name)


def test_what_observers_called_it(names):
    observed = [("beta-pictoris", "β Pictoris"), ("hd-39060", None), ("beta-pic", "beta Pic"), ("hd-1", "HD 1")]
    assert same_star(names, observed) == {"beta-pictoris": "beta-pic", "hd-39060": "beta-pic"}


# ---- stars whose names differ in case only ---------------------------------------------------------------------------


@pytest.fixture
def orion():
    """NU Ori is a variable star of type B in the Orion Nebula; ν Orionis stands 20° north of it."""
    names = Names()
    names.add("hd-37061", "NU Ori", "HD 37061")
    names.add("hd-41753", "ν Ori", "HD 41753")
    return names


@pytest.mark.parametrize("name", ["NU Ori", "V* NU Ori", "NU Orionis"])
def test_a_variable_star_is_no_greek_letter(orion, name):
    assert orion.resolve(name) == "hd-37061"


@pytest.mark.parametrize("name", ["nu Ori", "ν Ori", "Nu Ori", "* nu. Ori", "nu Orionis", "ν ORI"])
def test_a_greek_letter_is_no_variable_star(orion, name):
    assert orion.resolve(name) == "hd-41753"


@pytest.mark.parametrize("name", ["NU ORI", "nu ori"])
def test_a_name_without_case_may_be_either(orion, name):
    with pytest.raises(BadInput, match=r"NU Ori \(hd-37061\), ν Ori \(hd-41753\)"):
        orion.resolve(name)


def test_one_of_them_alone_does_not_answer_for_the_other():
    names = Names()
    names.add("hd-37061", "NU Ori")
    assert names.resolve("NU ORI") == "hd-37061"
    with pytest.raises(NotFound):
        names.resolve("nu Ori")
    assert same_star(names, [("nu-ori", "nu Ori")]) == {}
    assert same_star(names, [("nu-ori-capital", "NU Ori")]) == {"nu-ori-capital": "hd-37061"}


@pytest.mark.parametrize(
    ("one", "other"), [("NU Ori", "nu Ori"), ("MU Cep", "μ Cep"), ("R Car", "r Car"), ("b Cen", "B Cen")]
)
def test_their_identifiers_differ(one, other):
    assert case_of(one) != case_of(other)
    assert target_id_of(one) != target_id_of(other)


def test_other_names_have_no_case():
    plain = ("beta Pic", "BETA PIC", "AF Lep", "HD 39060", "PDS 70", "alf01 Cen", "51 Eri", "mu1 Cen")
    assert {case_of(name) for name in plain} == {""}
    assert [target_id_of(name) for name in ("T Tau", "b Cen", "μ Cen")] == ["t-tau", "b-cen", "mu-cen"]
