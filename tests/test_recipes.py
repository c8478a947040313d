"""Published recipes and changes to them."""

import pytest

from lyot.errors import BadInput, NotFound
from lyot.reduce.recipes import PUBLISHED, RECIPES, recipe
from lyot.reduce.step import Recipe


def test_every_recipe_is_known_by_its_name_and_can_be_replayed():
    for name, published in RECIPES.items():
        assert published.name == name
        assert Recipe.replay(published.record()) == published


def test_what_is_published_exists():
    assert set(PUBLISHED) <= set(RECIPES)


def test_a_change_goes_to_the_model_that_has_the_field_else_to_the_recipe():
    changed = recipe("pca", ncomp="15", mask_radius=4)
    assert changed.model.ncomp == 15
    assert changed.mask_radius == 4.0
    assert RECIPES["pca"].model.ncomp == 5  # the published one stands


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ncomp": 0}, "recipe pca: ncomp is 0: input should be greater"),
        ({"ncomp": "many"}, "ncomp is 'many'"),
        ({"modes": 5}, "no setting modes"),
        ({"collapse": "mode"}, "collapse is 'mode'"),
        ({"name": "mine"}, "no setting name"),
    ],
)
def test_a_bad_change_is_refused_and_says_what_can_be_set(changes, said):
    with pytest.raises(BadInput, match=said) as refused:
        recipe("pca", **changes)
    assert "ncomp, strategy, collapse, mask_radius, library_size" in refused.value.hint


def test_an_unknown_recipe_names_those_there_are():
    with pytest.raises(NotFound, match="no recipe 'psa'") as refused:
        recipe("psa")
    assert "pca" in refused.value.hint
