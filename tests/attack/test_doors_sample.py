"""A sample of `tests.attack.doors`: studies, recipes, edits, shapes, labels, figures, charts."""

import warnings

import pytest

from tests.attack.doors import KINDS
from tests.attack.trying import try_kind


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_input_is_read_or_refused_in_a_sentence(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zipfile, for names that occur twice
        tally = try_kind(KINDS, kind, 12, seed=5)
    assert tally.broken == []
    assert tally.read + tally.refused == 12
