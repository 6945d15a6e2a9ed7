"""What a recipe refuses, and the words it says so in."""

import json

import pytest

from core.errors import UserError
from core.reporting.recipe import KIND, LONGEST_JSON, VERSION, Recipe


def read(**settings) -> Recipe:
    return Recipe.from_json(json.dumps({"kind": KIND, "version": VERSION} | settings))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model_sha256": "ab"}, "64 hexadecimal digits"),
        ({"model_sha256": "AB" * 32}, "64 hexadecimal digits"),
        ({"conformal_level": True}, "from 0.5 to 0.99"),
        ({"conformal_level": 0.999}, "from 0.5 to 0.99"),
        ({"sample_from": "../folder"}, "metadata:KEY"),
        ({"label_from": "name:0"}, "metadata:KEY"),
        ({"pictures": ["masks", "masks"]}, "at most once"),
        ({"pictures": "masks"}, "at most once"),
        ({"pictures": ["photographs"]}, "overlays, masks, maps"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_those_that_can(settings, said):
    with pytest.raises(UserError, match=said) as refusal:
        read(**settings)
    assert next(iter(settings)) in str(refusal.value)


def test_values_at_the_ends_of_their_range_are_taken():
    recipe = read(model_sha256="ab" * 32, conformal_level=0.99, sample_from="folder:2", pictures=[])
    assert (recipe.conformal_level, recipe.sample_from) == (0.99, "folder:2")
    assert recipe.pictures == ()


def test_a_text_longer_than_any_recipe_is_not_parsed():
    with pytest.raises(UserError, match="longer than any recipe"):
        Recipe.from_json(" " * (LONGEST_JSON + 1))
