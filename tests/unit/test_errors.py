"""What a person is told."""

import json

import pytest

from core.errors import UnusableModel, UserError
from core.learning.models import ModelCard


def test_a_sentence_is_bounded_whatever_a_file_put_into_it():
    assert str(UserError("Short. Do this.")) == "Short. Do this."
    assert len(str(UserError("x" * 100_000))) == 600


def test_a_version_that_is_a_list_of_thousands_is_named_in_short():
    with pytest.raises(UnusableModel) as caught:
        ModelCard.from_json(json.dumps({"version": list(range(5000))}))
    assert len(str(caught.value)) < 200
    assert str(caught.value).endswith("export the model again.")
