"""Three visitors walk through all pages at once; `python -m tests.load` is the whole of it."""

import platform

import pytest

from tests.load.crowd import report, visit
from tests.load.visitors import TASKS

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="reads /proc")


def test_visitors_neither_break_the_app_nor_see_each_other() -> None:
    outcome = visit(3, 240, think_s=0.3, pictures=4, once=True, seed=7)
    notes, found = outcome.notes, report(outcome)
    assert not notes.troubles, found
    assert not notes.leaks, found
    assert not outcome.log_troubles, found
    opened = {i.name.removeprefix("open ").split("_")[0] for i in notes.interactions}
    assert opened >= set(TASKS), found
    assert notes.checked >= 6, found
    assert len(notes.batches_s) == 3, found
