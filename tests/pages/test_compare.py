"""The page Compare: what a loop around micrographs says of them, and that it is undone."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.imaging.simulation import simulate
from core.ui.train.labels import MOST_CLASSES
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, texts, upload

PAGE = "pages/8_Compare.py"


@pytest.fixture
def page(app: AppTest) -> Callable[[int], AppTest]:
    def opened(count: int) -> AppTest:
        for number in range(count):
            kind = ("spheroids", "alloys")[number % 2]
            pixels = simulate(kind, (96, 128), seed=number).micrograph.pixels
            upload(app, (f"{kind}_{number}.png", encode(pixels)))
        return app.switch_page(PAGE).run()

    return opened


def digests(app: AppTest) -> list[str]:
    return list(app.session_state["workspace_micrographs"])


def choose(app: AppTest, *places: int) -> AppTest:
    """Draw a loop around micrographs: the component says their digests."""
    app.session_state["compare_map_picked"] = tuple(digests(app)[place] for place in places)
    return app.run()


def say(app: AppTest, what: str, name: str) -> AppTest:
    key = next(each.key for each in app.text_input if each.key.startswith(f"compare_map_{what}_"))
    app.text_input(key=key).set_value(name)
    app.button(key=f"{key}_set").click().run()
    assert_calm(app)
    return app


def test_micrographs_that_show_nothing_are_a_sentence(page, app):
    for name, shape in (("pixel.png", (1, 1)), ("flat.png", (64, 64))):
        upload(app, (name, encode(np.full(shape, 90, np.uint8))))
    app = page(1)
    assert_calm(app)
    assert "All pixels of pixel\\.png and flat\\.png have the same grey level" in texts(app)
    assert "No near-duplicates" in texts(app), "they show no field, so not the same one"


def test_one_micrograph_is_a_sentence(page):
    app = page(1)
    assert_calm(app)
    assert "a map needs at least two" in texts(app)


def test_a_loop_names_a_sample_for_every_page_and_undo_takes_it_back(page):
    app = choose(page(4), 0, 2)
    assert "**2 micrographs chosen**" in texts(app)
    say(app, "sample", "  Silver   spheres ")
    first, second, third, _ = digests(app)
    named = app.session_state["workspace_samples"]
    assert named == {first: "Silver spheres", third: "Silver spheres"}
    assert app.segmented_control(key="compare_map_colour").value == "sample"
    assert "chosen**" not in texts(app)

    choose(app, 0, 1)
    app.button(key="compare_map_sample_known_0").click().run()
    assert app.session_state["workspace_samples"][second] == "Silver spheres"
    app.button(key="compare_map_undo").click().run()
    assert app.session_state["workspace_samples"] == named
    app.switch_page("Home.py").run()
    assert "**Samples** Silver spheres 2" in texts(app)
    app.switch_page(PAGE).run()
    app.button(key="compare_map_undo").click().run()
    assert not app.session_state["workspace_samples"]
    assert_calm(app)


def test_a_loop_labels_a_class_that_train_learns_from(page):
    app = say(choose(page(4), 1, 3), "class", "lamellae")
    assert app.segmented_control(key="compare_map_colour").value == "class"
    choose(app, 1)
    app.button(key="compare_map_class_off").click().run()
    app.switch_page("pages/7_Train.py").run()
    assert_calm(app)
    assert app.text_input(key="train_name_0").value == "lamellae"
    assert app.session_state["train_labels"] == {digests(app)[3]: 0}


def test_more_classes_than_there_may_be_are_refused_in_words(page):
    app = page(2)
    app.session_state["train_classes"] = {n: f"class {n}" for n in range(MOST_CLASSES)}
    choose(app, 0)
    key = next(each.key for each in app.text_input if each.key.startswith("compare_map_class_"))
    app.text_input(key=key).set_value("one more")
    app.button(key=f"{key}_set").click().run()
    assert not app.exception
    assert any("the most there may be" in error.value for error in app.error)
    assert "compare_steps" not in app.session_state


def test_what_a_browser_chose_that_is_not_loaded_is_left_out(page):
    app = page(2)
    app.session_state["compare_map_picked"] = ("nobody", digests(app)[1])
    app.run()
    assert_calm(app)
    assert "**1 micrograph chosen**" in texts(app)
    assert app.selectbox(key="compare_map_image").value == "alloys_1.png"
