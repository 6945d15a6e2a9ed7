import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.imaging.filtering.pipeline import FILTERS, Parameter, Step
from core.measuring.clustering import FeatureSet, Smoothing
from core.reporting.recipe import Recipe


def _values(parameter: Parameter) -> st.SearchStrategy:
    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
    if parameter.kind == "image":
        return st.sampled_from(["", "ab" * 32])
    if parameter.kind == "spots":
        pairs = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
        return st.lists(pairs, max_size=3).map(tuple)
    if parameter.kind == "float":
        return st.floats(parameter.low, parameter.high, allow_nan=False)
    whole = st.integers(int(parameter.low), int(parameter.high))
    return whole.filter(lambda n: n % 2 == 1) if parameter.kind == "odd" else whole


def _steps() -> st.SearchStrategy[Step]:
    return st.sampled_from(sorted(FILTERS)).flatmap(
        lambda name: st.builds(
            Step,
            st.just(name),
            st.fixed_dictionaries(
                {}, optional={p.name: _values(p) for p in FILTERS[name].parameters}
            ),
        )
    )


def _names() -> st.SearchStrategy[str]:
    return st.text(min_size=1, max_size=40).filter(lambda s: s.strip() and s.isprintable())


def _features() -> st.SearchStrategy[FeatureSet]:
    scales = st.lists(st.floats(0.5, 64), min_size=1, max_size=4, unique=True).map(sorted)
    return st.builds(
        FeatureSet,
        laplacian=st.booleans(),
        structure=st.booleans(),
        position=st.booleans(),
        scales_px=scales.map(tuple),
        window_px=st.integers(1, 31).map(lambda n: 2 * n + 1),
        position_weight=st.floats(0.01, 10),
    )


@st.composite
def recipes(draw) -> Recipe:
    clusters = draw(st.integers(2, 20))
    return Recipe(
        model=draw(_names()),
        method=draw(_names()),
        clusters=clusters,
        target_cluster=draw(st.integers(-clusters, clusters - 1)),
        filters=tuple(draw(st.lists(_steps(), max_size=4))),
        exclude_overlays=draw(st.booleans()),
        smallest_region_px=draw(st.integers(1, 1_000_000)),
        clustering=draw(st.sampled_from(["grey", "features", "mixture"])),
        features=draw(_features()),
        cluster_seed=draw(st.integers(0, 9999)),
        smoothing=draw(
            st.builds(
                Smoothing,
                st.sampled_from(["none", "majority", "superpixels"]),
                st.integers(1, 25),
                st.integers(4, 200),
            )
        ),
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(recipes())
def test_a_recipe_comes_back_from_json_as_it_was(recipe):
    text = recipe.to_json()
    again = Recipe.from_json(text)
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert again.to_json() == text
    assert Recipe.from_json(text.encode()) == recipe


@given(recipes())
def test_the_target_is_one_of_the_clusters(recipe):
    assert 0 <= recipe.target < recipe.clusters


@given(recipes(), st.sampled_from(sorted(json.loads(Recipe().to_json()))), json_values)
def test_any_value_in_any_field_gives_a_recipe_or_a_user_error(recipe, field, value):
    values = json.loads(recipe.to_json()) | {field: value}
    try:
        again = Recipe.from_json(json.dumps(values))
    except UserError:
        return
    kept = json.loads(again.to_json())[field]
    if isinstance(kept, dict):  # what a group of settings leaves out takes its default
        kept = {key: kept[key] for key in value}
    assert kept == value


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_anything_else_is_a_user_error(text):
    with pytest.raises(UserError):
        Recipe.from_json(text)
