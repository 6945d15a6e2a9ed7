import json

import pytest

from core.errors import UserError
from core.imaging.filtering.pipeline import Step
from core.measuring.clustering import FeatureSet, Smoothing
from core.reporting.recipe import Recipe


def _text(**changes) -> str:
    values = json.loads(Recipe().to_json()) | changes
    return json.dumps(values)


def test_defaults_are_the_shipped_model_and_the_brightest_of_three():
    recipe = Recipe()
    assert (recipe.model, recipe.method, recipe.clusters) == ("em-morph5-2", "grad-cam", 3)
    assert recipe.target == 2
    assert recipe.exclude_overlays


def test_json_says_what_it_is():
    values = json.loads(Recipe().to_json())
    assert (values["kind"], values["version"]) == ("micrographia-recipe", 2)


def test_settings_left_out_take_defaults():
    assert Recipe.from_json('{"kind": "micrographia-recipe", "version": 1}') == Recipe()


def test_byte_order_mark_is_passed_over():
    assert Recipe.from_json(b"\xef\xbb\xbf" + Recipe().to_json().encode()) == Recipe()
    assert Recipe.from_json("\ufeff" + Recipe().to_json()) == Recipe()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 3}, "update Micrographia"),
        ({"version": True}, '"version": 2'),
        ({"kind": "cake"}, "not a recipe"),
        ({"cluster": 3}, "does not know: 'cluster'"),
        ({"clusters": 1}, "clusters must be from 2 to 20, got 1"),
        ({"clusters": 3.0}, "clusters must be a whole number"),
        ({"clusters": True}, "clusters must be a whole number"),
        ({"clusters": 10**30}, "clusters must be from 2 to 20"),
        ({"target_cluster": 3}, "target_cluster must be from -3 to 2, got 3"),
        ({"target_cluster": -4}, "target_cluster must be from -3 to 2, got -4"),
        ({"exclude_overlays": 1}, "exclude_overlays must be true or false"),
        ({"model": ""}, "model must be 1 to 400"),
        ({"model": "a\u0000b"}, "model must be 1 to 400"),
        ({"method": None}, "method must be text"),
        ({"smallest_region_px": 0}, "smallest_region_px must be from 1"),
        ({"features": []}, "features must have the fields"),
        ({"features": {"colour": True}}, "features must have the fields"),
        ({"features": {"texture": 1}}, "texture of features must be like True"),
        ({"features": {"scales_px": [2, "4"]}}, "scales_px of features must be like"),
        ({"features": {"scales_px": [4, 2]}}, "scales_px must ascend"),
        ({"features": {"window_px": 10**30}}, "window_px must be odd"),
        ({"smoothing": {"kind": "magic"}}, "kind must be one of"),
        ({"smoothing": {"radius_px": True}}, "radius_px of smoothing must be like 2"),
        ({"cluster_seed": -1}, "cluster_seed must be from 0"),
        ({"filters": {"filter": "gaussian"}}, "must be a list"),
        ({"filters": ["gaussian"]}, "filter"),
        ({"filters": [{"filter": "sharpen-all"}]}, "no filter called"),
        ({"filters": [{"filter": "gaussian", "parameters": {"sigma_px": -1}}]}, "sigma_px"),
        ({"filters": [{"filter": "gaussian", "parameters": {"sigma_px": "2"}}]}, "sigma_px"),
        ({"filters": [{"filter": "invert"}] * 33}, "33"),
    ],
)
def test_a_wrong_field_is_named(changes, message):
    with pytest.raises(UserError, match=message):
        Recipe.from_json(_text(**changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        "[" * 100_000,
        " " * 300_000,
        b"\xff",
    ],
)
def test_what_is_no_json_object_is_a_user_error(text):
    with pytest.raises(UserError):
        Recipe.from_json(text)


def test_a_number_too_long_to_print_is_a_user_error():
    with pytest.raises(UserError):
        Recipe.from_json(_text(clusters=0).replace('"clusters": 0', '"clusters": 1' + "0" * 5000))


def test_a_caller_s_mistake_is_a_value_error():
    with pytest.raises(ValueError, match="clusters must be from 2"):
        Recipe(clusters=99)
    with pytest.raises(ValueError, match="filters must be a list of steps"):
        Recipe(filters=("gaussian",))


def test_groups_of_settings_may_be_given_in_part():
    recipe = Recipe.from_json(_text(features={"position": True}, smoothing={"kind": "majority"}))
    assert recipe.features == FeatureSet(position=True)
    assert recipe.smoothing == Smoothing("majority")
    with pytest.raises(ValueError, match="features must be a FeatureSet"):
        Recipe(features={"position": True})


def test_recipes_are_frozen_and_hashable():
    recipe = Recipe(filters=[Step("gaussian", {"sigma_px": 2})])
    assert recipe.filters == (Step("gaussian", {"sigma_px": 2.0}),)
    assert len({recipe, Recipe(filters=recipe.filters), Recipe()}) == 2
    with pytest.raises(AttributeError):
        recipe.clusters = 4
