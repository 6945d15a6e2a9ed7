"""A finished batch survives a reload: the address names it, and nobody can guess the name."""

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import HOME
from tests.pages.steps import assert_calm, finish_batch, texts, upload

PAGE = "pages/6_Batch_Report.py"


def reopened(key: str) -> AppTest:
    app = AppTest.from_file(str(HOME), default_timeout=60)
    app.query_params["batch"] = key
    app.run()
    app.switch_page(PAGE).run()
    return app


def test_a_finished_batch_is_found_again_by_its_key(app, png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    finish_batch(app).run()
    key = app.query_params["batch"]
    assert len(key) == 22
    again = reopened(key)
    assert_calm(again)
    assert "your finished batch is back" in texts(again)
    assert "Results: 1 done, 0 failed" in texts(again)


def test_a_key_that_nobody_has_is_said_politely(app):
    again = reopened("x" * 22)
    assert_calm(again)
    assert "is gone" in texts(again)


def test_what_is_no_key_is_left_out(app):
    again = reopened("../etc")
    assert_calm(again)
    assert "is gone" not in texts(again)
