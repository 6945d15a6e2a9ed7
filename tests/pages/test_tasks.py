"""Home by task: each finished result opens its page with simulated micrographs loaded."""

from pathlib import Path

import pytest

from core.ui.home.tasks import TASKS
from core.ui.home.thumbnails import MADE_OF, SIZE_WH, digest
from tests.pages.conftest import HOME
from tests.pages.steps import assert_calm, loaded_names, texts

TITLES = {
    "what": "Classify",
    "measure": "Segment",
    "phases": "Cluster",
    "explain": "Explain",
    "compare": "Batch Report",
}


@pytest.mark.parametrize("name", TITLES)
def test_a_task_opens_its_page_loaded(app, name):
    app.button(key=f"home_task_{name}").click().run()
    assert_calm(app)
    assert app.title[0].value == TITLES[name]
    task = next(each for each in TASKS if each.name == name)
    assert len(loaded_names(app)) == len(task.samples)
    assert all(each.startswith("simulated ") for each in loaded_names(app))


def test_two_phases_are_asked_for_and_all_methods_are_shown(app):
    app.button(key="home_task_phases").click().run()
    assert app.slider(key="cluster_k").value == 2
    app.switch_page(str(HOME)).run()
    assert not [each for each in app.button if each.key == "home_task_explain"]


def test_fields_of_two_samples_are_grouped(app):
    app.button(key="home_task_compare").click().run()
    named = app.session_state["workspace_samples"]
    assert sorted(named.values()) == 3 * ["long anneal"] + 3 * ["short anneal"]
    assert "short anneal" in texts(app)


def test_every_picture_shows_the_samples_that_are_loaded():
    """After a change of the samples: `python -m core.ui.home.thumbnails`."""
    import cv2

    made_of = (Path(TASKS[0].picture).parent / MADE_OF).read_text(encoding="utf-8")
    assert f"{TASKS[0].name} {digest(TASKS[0])}" in made_of
    for task in TASKS:
        assert f"{task.name} " in made_of
        assert cv2.imread(str(task.picture)).shape[1::-1] == SIZE_WH
        assert task.picture.stat().st_size < 60_000
