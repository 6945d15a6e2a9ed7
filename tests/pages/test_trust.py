"""What a stranger may give to a hosted app: each test is a finding of the security review."""

import json
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.learning.adding import add_model
from core.learning.models.installed import ADDED
from core.reporting.recipe import Recipe
from core.ui.batch import recipe, sources
from tests.pages.conftest import HOME
from tests.pages.small_model import save_small_model
from tests.pages.steps import assert_calm, loaded_names, texts, upload

BATCH = "pages/6_Batch_Report.py"
HOSTILE = "<img src=x onerror=alert(1)>[a](javascript:alert(1)) $x$ :red[b] =1+1.png"


def give_recipe(app, **changes):
    app.switch_page(BATCH).run()
    app.segmented_control(key="batch_recipe_origin").set_value(recipe.FROM_FILE).run()
    values = json.loads(Recipe("em-morph5-2").to_json()) | changes
    app.file_uploader(key="batch_recipe_file").upload("r.json", json.dumps(values).encode()).run()
    return app


@pytest.mark.parametrize("way", ["path", "up", "other"])
def test_recipe_opens_no_file_of_the_server_and_no_model_of_another(
    app, png, tmp_path, monkeypatch, way
):
    """`model` in a recipe took a path, and the name of what another visitor had added."""
    save_small_model(tmp_path)
    place = tmp_path / "em-morph5-2"
    if way == "other":
        monkeypatch.setenv(ADDED, str(tmp_path))
        place.rename(tmp_path / "theirs")
    model = {"path": str(place), "up": f"../../../../{place}", "other": "theirs"}[way]
    upload(app, ("a.png", png))
    give_recipe(app, model=model)
    assert not app.exception
    assert "which is not here" in app.error[0].value
    assert not [b for b in app.button if b.key == "batch_run_now" and not b.disabled]


def test_recipe_with_a_model_on_the_list_runs(app, png):
    upload(app, ("a.png", png))
    give_recipe(app)
    assert_calm(app)
    assert not app.button(key="batch_run_now").disabled


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Host": "localhost:8501", "Origin": "http://localhost:8501"}, True),
        ({"Host": "[::1]:8501", "Origin": "http://[::1]:8501"}, True),
        ({"Host": "em.example.org"}, False),  # a proxy that passes the name on
        ({"Host": "127.0.0.1:8501", "Origin": "https://em.example.org"}, False),
        ({"Host": "127.0.0.1:8501", "X-Forwarded-For": "203.0.113.7"}, False),
        ({"Host": "127.0.0.1:8501", "Via": "1.1 proxy"}, False),
        ({"Host": "rebound.example.org:8501", "Origin": "http://rebound.example.org:8501"}, False),
        ({"Host": "[::1", "Origin": "null"}, False),
    ],
)
def test_behind_a_proxy_no_path_of_the_server_can_be_named(monkeypatch, headers, allowed):
    """An app behind a proxy listens to its own machine alone, which was taken for a local run."""
    monkeypatch.delenv(sources.LOCAL_ENV, raising=False)
    monkeypatch.setattr("streamlit.get_option", lambda name: "127.0.0.1")
    monkeypatch.setattr("streamlit.context", SimpleNamespace(headers=headers))
    assert sources.paths_are_allowed() is allowed


def test_name_of_an_added_model_cannot_be_met_by_trial(tmp_path, monkeypatch):
    """It ended in 32 bits of a digest: another card could have taken a public model's place."""
    (tmp_path / "added").mkdir()
    monkeypatch.setenv(ADDED, str(tmp_path / "added"))
    save_small_model(tmp_path)
    added = add_model(tmp_path / "em-morph5-2" / "weights.safetensors", "net.safetensors")
    assert len(added.name.rpartition("-")[2]) * 4 >= 128


@pytest.mark.parametrize(
    "page", ["1_Classify", "2_Explain", "3_Filters", "4_Cluster", "6_Batch_Report"]
)
def test_hostile_file_name_is_text_everywhere(app, png, page):
    upload(app, (HOSTILE, png))
    assert_calm(app)
    assert loaded_names(app) == [HOSTILE]
    app.switch_page(f"pages/{page}.py").run()
    assert_calm(app)
    for text in texts(app).splitlines():
        assert "<img" not in text.replace("\\<", "")
        assert "](javascript" not in text.replace("\\]", "")
    for button in app.get("download_button"):
        assert "<" not in button.proto.label


@pytest.mark.parametrize("stated", [{"class": "nobody"}, {"layers": "none~such"}])
def test_address_with_words_that_no_model_knows_is_calm(stated):
    app = AppTest.from_file(str(HOME), default_timeout=60)
    for name, value in {"link": "1", "samples": "alloys-0", **stated}.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("pages/2_Explain.py").run()
    assert not app.exception
    assert not app.error, [each.value for each in app.error]
