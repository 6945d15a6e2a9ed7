import gc
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from core.ui.page import warm_up

ROOT = Path(__file__).resolve().parents[4]


class Enough(Exception):
    """Ends the loop that never ends."""


def test_garbage_is_collected_here_because_streamlit_does_not_any_more(monkeypatch):
    """Streamlit's own collection after every run stopped all visitors for 0.27 s."""
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert settings["runner"]["postScriptGC"] is False
    collected, naps = [], iter(["a page runs", "nothing runs", "end"])
    monkeypatch.setenv("MICROGRAPHIA_WARM_UP", "0")

    def nap(_: float) -> None:
        what = next(naps)
        if what == "end":
            raise Enough
        if what == "a page runs":
            warm_up.start_once()

    monkeypatch.setattr("time.sleep", nap)
    monkeypatch.setattr("gc.collect", collected.append)
    with pytest.raises(Enough):
        warm_up.tidy_up()
    assert collected == [1]


def test_no_thread_keeps_the_interpreter_for_long_while_pages_wait(monkeypatch):
    monkeypatch.setattr(warm_up, "_started", threading.Lock())
    monkeypatch.setattr(warm_up, "warm_up", lambda: None)
    monkeypatch.setattr(warm_up, "tidy_up", lambda: None)
    monkeypatch.delenv("MICROGRAPHIA_WARM_UP", raising=False)
    before, thresholds = sys.getswitchinterval(), gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        warm_up.start_once()
        assert sys.getswitchinterval() <= 0.001
        assert gc.get_threshold()[2] > 100  # nobody stops all to look for garbage
    finally:
        sys.setswitchinterval(before)
        gc.set_threshold(*thresholds)
