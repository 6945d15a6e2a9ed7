"""Who reloads the page finds the work again, for an hour and in the same browser only."""

import pytest
from streamlit.testing.v1 import AppTest

from core.ui.page import keeping
from core.ui.shell import visitor
from tests.pages.conftest import HOME
from tests.pages.steps import assert_calm, loaded_names, texts, upload


@pytest.fixture(autouse=True)
def _one_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "identity", lambda: "one")
    monkeypatch.setattr(visitor, "browser", lambda: ("one", "192.0.2.1", "Browser"))


def reloaded(app: AppTest) -> AppTest:
    """Return a new session at the address where an old one stood."""
    fresh = AppTest.from_file(str(HOME), default_timeout=60)
    for name, value in app.query_params.items():
        fresh.query_params[name] = value
    return fresh.run()


def work(app, png, other_png):
    upload(app, ("S_1.png", png), ("S_2.png", other_png))
    app.selectbox(key="batch_sample_from").set_value("name:start").run()
    return app.run()


def test_a_reload_brings_the_work_back(app, png, other_png):
    work(app, png, other_png)
    first = app.session_state["workspace_micrographs"]
    app.session_state["train_labels"] = labelled = {next(iter(first)): 0}
    app.run()
    again = reloaded(app)
    assert_calm(again)
    assert again.session_state["train_labels"] == labelled
    assert loaded_names(again) == ["S_1.png", "S_2.png"]
    assert again.session_state["workspace_micrographs"] is not first
    assert "2 micrographs and your settings are back" in texts(again)
    assert again.selectbox(key="batch_sample_from").value == "name:start"


def test_another_browser_gets_nothing(app, png, other_png, monkeypatch):
    work(app, png, other_png)
    monkeypatch.setattr(visitor, "browser", lambda: ("two", "192.0.2.1", "Browser"))
    again = reloaded(app)
    assert_calm(again)
    assert "workspace_micrographs" not in again.session_state or not loaded_names(again)
    assert "2 files must be loaded again" in texts(again)


def test_the_cookie_may_come_after_the_first_session(app, png, other_png, monkeypatch):
    monkeypatch.setattr(visitor, "browser", lambda: ("", "192.0.2.1", "Browser"))
    work(app, png, other_png)
    monkeypatch.setattr(visitor, "browser", lambda: ("one", "192.0.2.2", "Browser"))
    assert "2 files must be loaded again" in texts(reloaded(app))
    monkeypatch.setattr(visitor, "browser", lambda: ("one", "192.0.2.1", "Browser"))
    assert loaded_names(reloaded(app)) == ["S_1.png", "S_2.png"]


def test_an_hour_later_it_is_gone(app, png, other_png, monkeypatch):
    work(app, png, other_png)
    clock = keeping._kept._clock
    monkeypatch.setattr(keeping._kept, "_clock", lambda: clock() + 3601)
    assert "2 files must be loaded again" in texts(reloaded(app))


def test_who_has_too_much_is_told_to_load_again(app, png, other_png, monkeypatch):
    monkeypatch.setattr(keeping._kept, "_most_bytes", 1000)
    work(app, png, other_png)
    assert "work" not in app.query_params
    assert "2 files must be loaded again" in texts(reloaded(app))


def test_a_key_that_is_none_does_nothing(app):
    fresh = AppTest.from_file(str(HOME), default_timeout=60)
    fresh.query_params["work"] = "../../x"
    assert_calm(fresh.run())


def test_what_is_back_holds_on_other_pages(app, png, other_png):
    work(app, png, other_png)
    again = reloaded(app)
    again.switch_page("pages/6_Batch_Report.py").run()
    assert again.selectbox(key="batch_sample_from").value == "name:start"
    again.run()
    assert again.selectbox(key="batch_sample_from").value == "name:start"
