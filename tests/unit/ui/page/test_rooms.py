"""What every room declares holds together: one name, one key, and a way through a link and back."""

import dataclasses
from collections import Counter

import pytest

from core.reporting.recipe import Recipe
from core.ui.page import rooms
from core.ui.parts import Setting, Words
from core.ui.parts.setting import Amount, Choice, Several, Switch, Whole

EVERY = rooms.every()
OF_ONE = (*rooms.of("sample"), *rooms.of("model"))
NOT_SETTINGS = {"link", "own", "samples", "sample", "model", "chain", "pixel-size", "region"}


def values_of(setting: Setting) -> list[object]:
    """Return every value that a setting may have, or enough of them."""
    if isinstance(setting, Switch):
        return [True, False]
    if isinstance(setting, Whole):
        return [*range(setting.low, setting.high + 1, setting.step)][:: max(1, setting.high // 50)]
    if isinstance(setting, Amount):
        return [setting.low, setting.low + setting.step, setting.high]
    if isinstance(setting, Choice):
        return list(setting.titles)
    if isinstance(setting, Several):
        return [[], *([value] for value in setting.options), list(setting.options)]
    assert isinstance(setting, Words)
    return [["layer4", "a.b-1"]] if setting.several else ["dendrites", "Class 2 (b)"]


def test_no_two_settings_share_a_name_or_a_key():
    for what in ("name", "key"):
        counts = Counter(getattr(setting, what) for setting in (*EVERY, *OF_ONE))
        assert [each for each, count in counts.items() if count > 1] == []
    assert not NOT_SETTINGS & {setting.name for setting in (*EVERY, *OF_ONE)}


@pytest.mark.parametrize("setting", [*EVERY, *OF_ONE], ids=lambda each: each.name)
def test_every_value_survives_a_link(setting):
    for value in values_of(setting):
        assert setting.read(setting.write(value)) == value


@pytest.mark.parametrize("setting", EVERY, ids=lambda each: each.name)
def test_a_start_is_a_value(setting):
    if setting.default not in (None, ""):
        assert setting.read(setting.write(setting.default)) == setting.default


def test_what_is_written_into_a_recipe_has_a_place_there():
    fields = {field.name for field in dataclasses.fields(Recipe)}
    for setting in EVERY:
        name, _, part = setting.recipe.partition(".")
        assert not name or name in fields
        assert not part or hasattr(getattr(Recipe(), name), part)


def test_pages_untouched_say_what_a_recipe_says_of_itself():
    said, plain = rooms.for_recipe(), Recipe()
    for name, value in said.items():
        if isinstance(value, dict):
            value = dataclasses.replace(getattr(plain, name), **value)
        assert value == getattr(plain, name)
