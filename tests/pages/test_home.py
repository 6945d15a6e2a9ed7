import subprocess
import sys

import numpy as np
from streamlit.testing.v1 import AppTest

from core.ui.page import warm_up
from tests.pages.conftest import HOME, encode
from tests.pages.steps import assert_calm, loaded_names, texts, upload


def test_empty_start_page_offers_upload_samples_and_tasks(app):
    assert_calm(app)
    assert app.file_uploader(key="home_upload_0").label.startswith("Micrographs")
    assert app.button(key="home_sample_dendrites").label == "Simulated dendrites"
    assert "Chain filters" in texts(app)


def test_upload_shows_name_size_depth_and_missing_scale(app, png):
    upload(app, ("spheres.png", png))
    assert_calm(app)
    assert loaded_names(app) == ["spheres.png"]
    assert "256 × 192 px · 8\\-bit · no pixel size" in texts(app)


def test_uploader_is_empty_again_after_an_upload(app, png):
    upload(app, ("spheres.png", png))
    assert not app.file_uploader(key="home_upload_1").value


def test_the_same_content_under_another_name_is_not_added_twice(app, png):
    upload(app, ("spheres.png", png), ("copy.png", png))
    assert loaded_names(app) == ["spheres.png"]
    assert "already loaded" in app.info[0].value
    assert not app.error


def test_bad_file_gets_one_sentence_and_the_rest_stays(app, png):
    upload(app, ("spheres.png", png), ("broken.png", b"\x89PNG\r\n\x1a\n and no more"))
    assert len(app.error) == 1
    assert "broken" in app.error[0].value
    assert loaded_names(app) == ["spheres.png"]
    assert not app.exception


def test_file_name_is_never_markup(app):
    upload(app, ("<b>[x](http://a.b)*.png", b"nonsense"))
    message = app.error[0].value
    assert "\\<b\\>\\[x\\]\\(http\u2060\\:" in message
    assert "<b>" not in message.replace(r"\<b\>", "")


def test_sample_says_that_it_is_simulated(app):
    app.button(key="home_sample_alloys").click().run()
    assert_calm(app)
    assert loaded_names(app) == ["simulated alloys 1"]
    assert "simulated micrograph" in texts(app)


def test_second_sample_of_a_kind_is_another_one(app):
    app.button(key="home_sample_alloys").click().run()
    app.button(key="home_sample_alloys").click().run()
    assert loaded_names(app) == ["simulated alloys 1", "simulated alloys 2"]


def test_choose_remove_and_clear(app, png, other_png):
    upload(app, ("a.png", png), ("b.png", other_png))
    first, second = app.session_state["workspace_micrographs"]
    assert app.session_state["workspace_current"] == second
    app.button(key=f"home_choose_{first}").click().run()
    assert app.button(key=f"home_choose_{first}").label == "Chosen"
    app.button(key=f"home_remove_{first}").click().run()
    assert loaded_names(app) == ["b.png"]
    app.button(key="home_clear").click().run()
    assert loaded_names(app) == []
    assert_calm(app)


def test_what_is_loaded_survives_a_change_of_page(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/3_Filters.py").run()
    app.switch_page(str(HOME)).run()
    assert loaded_names(app) == ["spheres.png"]


def test_session_refuses_more_than_it_can_hold(app, png, other_png, monkeypatch):
    monkeypatch.setattr("core.ui.shell.workspace.MOST_BYTES", 60_000)
    upload(app, ("a.png", png), ("b.png", other_png))
    assert loaded_names(app) == ["a.png"]
    assert "no room" in app.error[0].value


def test_start_page_and_pages_without_network_import_no_torch():
    code = (
        "import os, sys, logging\n"
        "os.environ['MICROGRAPHIA_WARM_UP'] = '0'\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(HOME)!r}, default_timeout=60).run()\n"
        "app.button(key='home_sample_alloys').click().run()\n"
        "for name in ('3_Filters', '4_Cluster'):\n"
        "    app.switch_page(f'pages/{name}.py').run()\n"
        "    assert not app.exception and not app.error, name\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=HOME.parent, check=False
    )
    assert done.returncode == 0, done.stderr


def test_warm_up_touches_no_page_and_never_fails_loudly(caplog, monkeypatch):
    monkeypatch.setattr(warm_up, "_DELAY_S", 0)
    warm_up.warm_up()
    assert not caplog.records
    monkeypatch.setattr("core.learning.models.load_model", lambda name: 1 / 0)
    warm_up.warm_up()
    assert "warm-up failed" in caplog.text


def test_the_gallery_sorts_and_lets_several_go_at_once(app, png):
    for number, name in enumerate(("b10.png", "b9.png", "a.png")):
        pixels = np.full((60, 60 + number), 10 * number + 1, np.uint8)
        upload(app, (name, encode(pixels)))
    assert cards(app) == ["b10.png", "b9.png", "a.png"]
    app.selectbox(key="home_order").set_value("By name").run()
    assert cards(app) == ["a.png", "b9.png", "b10.png"]
    app.selectbox(key="home_order").set_value("Largest frames first").run()
    assert cards(app) == ["a.png", "b9.png", "b10.png"]
    loaded = list(app.session_state["workspace_micrographs"])
    app.multiselect(key="home_to_remove").set_value(loaded[1:]).run()
    app.button(key="home_several_remove").click().run()
    assert_calm(app)
    assert loaded_names(app) == ["b10.png"]


def cards(app: AppTest) -> list[str]:
    """The names on the cards, in their order."""
    bold = [each.value for each in app.markdown if each.value.endswith("png**")]
    return [value.strip("*").replace("\\", "") for value in bold]
