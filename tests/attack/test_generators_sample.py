"""A sample of `tests.attack.generators`: hostile recipes, tables of labels, archives."""

import warnings

import pytest

from tests.attack.generators import KINDS
from tests.attack.trying import try_kind


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_input_is_read_or_refused_in_a_sentence(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zipfile, for names that occur twice
        tally = try_kind(KINDS, kind, 60, seed=3)
    assert tally.broken == []
    assert tally.inputs == 60
    assert tally.refused
