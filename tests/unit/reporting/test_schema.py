"""One declaration gives the check and the sentence."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Interval, Predicate

from core.reporting.schema import Must, checked, read_part


@dataclass(frozen=True)
class Part:
    on: bool = True
    sizes: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class Plan:
    count: Annotated[int, Interval(ge=2, le=20)] = 3
    name: Annotated[str, Predicate(str.islower), Must("be in small letters")] | None = None
    side: Annotated[Literal[4, 8], Must("be 4 or 8")] = 4
    part: Part = Part()
    switch: bool = False


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"count": 1}, "count must be from 2 to 20, got 1"),
        ({"count": 21}, "count must be from 2 to 20, got 21"),
        ({"count": "3"}, "count must be a whole number, got '3'"),
        ({"count": True}, "count must be a whole number, got True"),
        ({"count": 3.0}, "count must be a whole number, got 3.0"),
        ({"count": float("nan")}, "count must be a whole number, got nan"),
        ({"name": "A"}, "name must be in small letters, got 'A'"),
        ({"name": 3}, "name must be text, got 3"),
        ({"side": 5}, "side must be 4 or 8, got 5"),
        ({"part": {"on": True}}, "part must be a Part, got {'on': True}"),
        ({"switch": 1}, "switch must be true or false, got 1"),
        ({"count": 10**5000}, "count must be from 2 to 20, got a number that is far too large"),
    ],
)
def test_the_sentence_names_the_field_and_what_it_must_be(values, sentence):
    with pytest.raises(ValueError, match="must") as caught:
        checked(Plan, values)
    assert str(caught.value) == sentence


def test_what_may_be_comes_back_as_it_was():
    values = {"count": 20, "name": None, "side": 8, "part": Part(on=False), "switch": True}
    assert checked(Plan, values) == values


def test_the_first_field_of_several_wrong_ones_is_named():
    with pytest.raises(ValueError, match=r"^count must"):
        checked(Plan, {"switch": 1, "count": 1})


def test_a_part_takes_its_defaults_for_what_is_left_out():
    assert read_part("part", {"sizes": [2, 3]}, Part()) == Part(sizes=(2.0, 3.0))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "part must have the fields on, sizes, got []"),
        ({"off": True}, "part must have the fields on, sizes, got {'off': True}"),
        ({"on": 1}, "on of part must be like True, got 1"),
        ({"sizes": ["2"]}, "sizes of part must be like (1.0,), got ['2']"),
        ({"sizes": [10**400]}, "sizes of part must be like (1.0,), got "),
    ],
)
def test_a_part_of_another_shape_is_refused(value, sentence):
    with pytest.raises(ValueError, match="part") as caught:
        read_part("part", value, Part())
    assert str(caught.value).startswith(sentence)
