"""What goes wrong around the app: no disk, no memory, no model, no room, a clock that jumps."""

import errno
import itertools
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.imaging import memory
from core.reporting.batch import export
from core.ui import cache
from core.ui.shell import shelves
from tests.pages.conftest import HOME
from tests.pages.small_model import save_small_model
from tests.pages.steps import assert_calm, finish_batch, loaded_names, texts, upload

BATCH, CLASSIFY = "pages/6_Batch_Report.py", "pages/1_Classify.py"
TASKS = sorted(path.name for path in (HOME.parent / "pages").glob("*.py"))


def said(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def test_full_disk_ends_a_batch_with_a_sentence_and_no_path(app, png, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    upload(app, ("a.png", png))
    app.switch_page(BATCH).run()
    monkeypatch.setattr(export, "csv_bytes", full)
    finish_batch(app)
    (error,) = app.error
    assert "disk could not be written (No space left on device)" in error.value.replace("\\", "")
    assert "/tmp" not in error.value
    monkeypatch.undo()
    assert loaded_names(app) == ["a.png"]


@pytest.mark.parametrize("page", [page for page in TASKS if not page.startswith("7_")])
def test_too_little_memory_is_a_sentence_on_every_page(app, png, page, monkeypatch):
    upload(app, ("a.png", png))
    monkeypatch.setattr(memory, "memory_limit", lambda: 1)
    app.switch_page(f"pages/{page}").run()
    if page.startswith("6_"):
        app.button(key="batch_run_now").click().run()
        finish = time.monotonic() + 60
        while app.session_state["batch_run"].is_running and time.monotonic() < finish:
            time.sleep(0.05)
        app.run()
        assert not app.exception
        return
    assert not app.exception
    (error,) = app.error
    assert "There is not enough memory for this just now" in error.value.replace("\\", "")
    monkeypatch.undo()


def test_memory_that_runs_out_on_the_way_is_a_sentence(app, png, monkeypatch):
    def short(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    upload(app, ("a.png", png))
    monkeypatch.setattr(cache, "classification", short)
    app.switch_page(CLASSIFY).run()
    (error,) = app.error
    assert "not enough memory" in error.value
    monkeypatch.undo()
    app.run()
    assert_calm(app)


def test_batch_names_the_micrograph_for_which_there_was_no_memory(app, png, monkeypatch):
    def short(*_: object, **__: object) -> None:
        raise MemoryError

    upload(app, ("a.png", png))
    app.switch_page(BATCH).run()
    monkeypatch.setattr("core.reporting.batch.pipeline.analyse", short)
    finish_batch(app)
    assert_calm(app)
    assert "a.png: There is not enough memory" in app.warning[0].value.replace("\\", "")


@pytest.fixture
def two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("first", "second"):
        save_small_model(tmp_path)
        (tmp_path / "em-morph5-2").rename(tmp_path / name)
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path))
    return tmp_path


def test_deleted_model_is_named_and_another_takes_its_place(two_models, app, png):
    upload(app, ("a.png", png))
    app.switch_page(CLASSIFY).run()
    app.selectbox(key="settings_model").set_value("second").run()
    shutil.rmtree(two_models / "second")
    app.run()
    assert_calm(app)
    assert "second is no longer there; first takes its place" in said(app)
    app.run()
    assert "no longer there" not in said(app)


@pytest.mark.parametrize("page", ["1_Classify.py", "2_Explain.py", "6_Batch_Report.py"])
def test_without_any_model_left_a_page_says_what_to_do(two_models, app, png, page):
    upload(app, ("a.png", png))
    app.switch_page(f"pages/{page}").run()
    for name in ("first", "second"):
        shutil.rmtree(two_models / name)
    app.run()
    assert not app.exception
    (error,) = app.error
    assert "No model is installed" in error.value.replace("\\", "")


def test_weights_deleted_beside_their_card_are_a_sentence(two_models, app, png):
    (two_models / "first" / "weights.safetensors").unlink()
    upload(app, ("a.png", png))
    app.switch_page(CLASSIFY).run()
    assert not app.exception
    assert "went wrong on our side" not in app.error[0].value


@pytest.mark.parametrize("jump_s", [-3.0e8, 3.0e8])
def test_clock_that_jumps_changes_nothing(app, png, monkeypatch, jump_s):
    upload(app, ("a.png", png))
    app.switch_page(BATCH).run()
    real = time.time

    def jumping() -> float:
        """The time of day as the batch sees it; the test's own waiting goes by it, too."""
        at_work = threading.current_thread().name.startswith("batch")
        return real() + (jump_s * (next(calls) % 2) if at_work else 0.0)

    calls = itertools.count()
    monkeypatch.setattr(time, "time", jumping)
    finish_batch(app)
    assert_calm(app)
    result = app.session_state["batch_run"].result
    assert 0 < result.times["elapsed_s"] < 60
    assert loaded_names(app) == ["a.png"]


def test_evicted_micrograph_is_named_until_something_is_loaded(app, png, other_png):
    upload(app, ("mine.png", png))
    app.session_state["workspace_micrographs"].evict()
    app.switch_page(CLASSIFY).run()
    assert not app.exception
    assert "mine.png had to make room for other visitors" in said(app)
    assert "No micrograph is loaded" in said(app)
    app.switch_page("Home.py").run()
    upload(app, ("other.png", other_png))
    assert_calm(app)
    assert "make room" not in said(app)


def test_visitor_who_finds_no_room_is_told_so(app, png, monkeypatch):
    monkeypatch.setattr(shelves, "budget_bytes", lambda: 1000)
    upload(app, ("mine.png", png))
    assert "other visitors fill this server's memory" in app.error[0].value
    app.button(key="home_sample_alloys").click().run()
    assert not app.exception
    assert "other visitors" in said(app)


def test_full_server_opens_a_link_with_samples(monkeypatch):
    monkeypatch.setattr(shelves, "budget_bytes", lambda: 1000)
    app = AppTest.from_file(str(HOME), default_timeout=60)
    app.query_params["samples"] = "alloys-0"
    app.run()
    assert not app.exception
    assert "other visitors" in app.error[0].value


def test_two_tabs_of_one_person_do_not_touch_each_other(app, png, other_png):
    other = AppTest.from_file(str(HOME), default_timeout=60).run()
    upload(app, ("a.png", png))
    upload(other, ("b.png", other_png))
    app.switch_page("pages/3_Filters.py").run()
    other.switch_page("pages/3_Filters.py").run()
    app.button(key="filters_reset").click().run()
    assert_calm(app)
    other.run()
    assert_calm(other)
    assert (loaded_names(app), loaded_names(other)) == (["a.png"], ["b.png"])
    assert not app.session_state["filters_chain"]
    assert other.session_state["filters_chain"]


def test_more_uploads_for_a_batch_than_there_is_room_for_are_let_go(open_page, png, monkeypatch):
    monkeypatch.setattr("core.ui.batch.sources.MOST_MB", 0)
    app = open_page("6_Batch_Report")
    app.file_uploader(key="batch_files").upload("a.png", png).run()
    assert not app.exception
    assert "give at most 0 MB at once" in app.error[0].value
