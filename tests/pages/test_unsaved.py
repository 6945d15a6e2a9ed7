"""What counts as work that a hand did, and when it is saved."""

import pytest
import streamlit as st

from core.measuring.segmentation import History
from core.ui.page import unsaved
from core.ui.shell import region


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    found: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", found)
    return found


def test_nothing_by_hand_is_nothing_to_lose(state):
    state["viewer_shapes"] = {"a": ()}
    state["segment_history"] = {"a": History()}
    assert unsaved.digest() == ""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("viewer_shapes", {"a": ("a line",)}),
        (region.CORNERS, {"a": ((0, 0), (5, 5), (0, 5))}),
        ("workspace_samples", {"a": "Gold"}),
    ],
)
def test_each_kind_of_work_counts_until_a_study_holds_it(state, monkeypatch, key, value):
    drawn = []
    monkeypatch.setattr(unsaved, "_mount", lambda **said: drawn.append(said["data"]))
    unsaved.draw()
    assert drawn == []
    state[key] = value
    unsaved.draw()
    assert drawn == [unsaved.digest()]
    unsaved.mark_saved()
    unsaved.draw()
    assert len(drawn) == 1
    state[key] = {**value, "b": next(iter(value.values()))}
    unsaved.draw()
    assert len(drawn) == 2
