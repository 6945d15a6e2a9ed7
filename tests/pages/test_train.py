"""The Train page: pictures by class, checks, a model on the list, labels that change."""

import io
import threading
import time
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.learning.models import load_model
from tests.pages import steps
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, loaded_names, upload
from tests.unit.learning.training.quick.conftest import blobs, stripes

PAGE = "pages/7_Train.py"
SMALL = {
    "stripes": [encode(stripes(n)) for n in range(4)],
    "blobs": [encode(blobs(n)) for n in range(4)],
}


def texts(app: AppTest) -> str:
    """What is written on the page, as a person reads it."""
    return steps.texts(app).replace("\\", "")


@pytest.fixture
def page(open_page: Callable[[str], AppTest]) -> AppTest:
    return open_page("7_Train")


def drop(app: AppTest, number: int, *files: tuple[str, bytes]) -> AppTest:
    for name, data in files:
        turn = app.session_state["train_turn"]
        app.file_uploader(key=f"train_drop_{number}_{turn}").upload(name, data).run()
    return app


def drop_all(app: AppTest, count: int = 3) -> AppTest:
    for number, (label, files) in enumerate(SMALL.items()):
        app.text_input(key=f"train_name_{number}").set_value(label).run()
        drop(app, number, *((f"{label}{n}.png", data) for n, data in enumerate(files[:count])))
    return app


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def test_the_empty_page_says_what_to_do(page):
    assert_calm(page)
    assert "Give a few pictures of each of your classes" in texts(page)
    assert [page.text_input(key=f"train_name_{n}").placeholder for n in (0, 1)] == [
        "Class 1",
        "Class 2",
    ]


def test_dropped_pictures_become_a_model_that_classifies(page):
    drop_all(page)
    assert_calm(page)
    assert "“stripes” has 3 originals" in texts(page)
    page.text_input(key="train_title").set_value("grain").run()
    page.button(key="train_learn").click().run()
    assert_calm(page)
    assert "grain is on your list of models and chosen" in "".join(s.value for s in page.success)
    assert page.metric[0].label == "Right on originals held out"
    assert "50\u00a0%" in [m.value for m in page.metric]
    page.switch_page("pages/1_Classify.py").run()
    assert_calm(page)
    assert page.sidebar.selectbox(key="settings_model").value.startswith("grain-")
    assert page.metric[0].value in ("stripes", "blobs")
    assert "This model learnt from too few originals" in texts(page)
    page.switch_page("pages/2_Explain.py").run()
    assert_calm(page)


def test_the_model_is_a_folder_with_a_true_readme(page, tmp_path):
    from core.learning.adding import add_model, zip_model

    drop_all(page).button(key="train_learn").click().run()
    data = zip_model(page.session_state["train_result"].model_name)
    names = {name.rpartition("/")[2] for name in zipfile.ZipFile(io.BytesIO(data)).namelist()}
    assert names == {"card.json", "weights.safetensors", "reference.safetensors", "README.md"}
    (tmp_path / "m.zip").write_bytes(data)
    again = add_model(tmp_path / "m.zip", "m.zip")
    assert load_model(again.name).card.classes == ("blobs", "stripes")


def test_a_new_label_is_learnt_at_once(page):
    drop_all(page).button(key="train_learn").click().run()
    before = page.session_state["train_result"]
    drop(page, 1, ("more.png", SMALL["blobs"][3]))
    after = page.session_state["train_result"]
    assert_calm(page)
    assert (len(before.digests), len(after.digests)) == (6, 7)
    assert before.model_name not in page.session_state["models_added"]
    assert after.model_name in page.session_state["models_added"]


def test_a_picture_dropped_in_two_classes_is_said(page):
    drop_all(page)
    drop(page, 1, ("wrong.png", SMALL["stripes"][0]))
    assert "the same picture stood in “stripes”; now it is in “blobs”" in texts(page)
    assert len(loaded_names(page)) == 6


def test_an_unreadable_file_is_named_and_the_rest_goes_on(page):
    drop_all(page, 2)
    drop(page, 0, ("broken.png", b"nothing"))
    assert not page.exception
    assert "broken.png: " in texts(page)
    assert len(loaded_names(page)) == 4


def test_a_zip_of_folders_with_system_files_and_a_utf16_table(page):
    page.segmented_control(key="train_way").set_value("Folders or a ZIP").run()
    page.segmented_control(key="train_what").set_value("A ZIP").run()
    files = {f"set/{k}/{k}{n}.png": d for k, own in SMALL.items() for n, d in enumerate(own)}
    files["set/blobs/Thumbs.db"] = b""
    files["set/labels.csv"] = "file;label;group\nblobs0.png;round;a\nblobs1.png;round;a\n".encode(
        "utf-16"
    )
    page.file_uploader(key="train_zip_0").upload("set.zip", archive(files)).run()
    assert_calm(page)
    assert not page.warning
    assert set(page.session_state["train_classes"].values()) == {"stripes", "blobs", "round"}
    counts = page.dataframe[0].value.set_index("class")["pictures"].to_dict()
    assert counts == {"stripes": 4, "blobs": 2, "round": 2}


def test_a_table_labels_what_is_loaded(app):
    upload(app, *((f"{k}{n}.png", d) for k, own in SMALL.items() for n, d in enumerate(own[:2])))
    app.switch_page(PAGE).run()
    app.segmented_control(key="train_way").set_value("A labels table").run()
    table = b"name,class\nstripes0.png,A\nstripes1.png,A\nblobs0.png,B\nnowhere.png,B\n"
    app.file_uploader(key="train_table_0").upload("t.csv", table).run()
    assert "1 of 4 lines name a file that is not loaded: nowhere.png" in texts(app)
    counts = app.dataframe[0].value.set_index("class")["pictures"].to_dict()
    assert counts == {"A": 2, "B": 1}


def test_loaded_micrographs_are_labelled_one_by_one_and_the_rest_suggested(app):
    upload(app, *((f"{k}{n}.png", d) for k, own in SMALL.items() for n, d in enumerate(own)))
    app.switch_page(PAGE).run()
    app.segmented_control(key="train_way").set_value("What is loaded").run()
    digests = list(app.session_state["workspace_micrographs"])
    for place in (0, 1, 4, 5):
        app.selectbox(key=f"train_class_list_{digests[place]}").set_value(place // 4).run()
    app.button(key="train_learn").click().run()
    assert_calm(app)
    assert "Label these next" in texts(app)
    asked = [s.key for s in app.selectbox if s.key and s.key.startswith("train_class_next_")]
    assert {key.rpartition("_")[2] for key in asked} == set(np.array(digests)[[2, 3, 6, 7]])
    app.toggle(key="train_maps").set_value(True).run()
    assert_calm(app)


def test_names_of_a_stranger_are_letters(page):
    hostile = "![x](http://a.b/c.png) *bold*"
    page.text_input(key="train_name_0").set_value(hostile).run()
    drop(page, 0, ("<b>a</b>.png", SMALL["blobs"][0]), ("[l](http://x.y).png", SMALL["blobs"][1]))
    drop(page, 1, ("s.png", SMALL["stripes"][0]), ("t.png", SMALL["stripes"][1]))
    page.button(key="train_learn").click().run()
    assert_calm(page)
    for element in (*page.markdown, *page.caption, *page.warning, *page.success):
        assert "![x](" not in element.value
        assert "[l](http" not in element.value


def test_a_name_that_no_class_can_have_is_one_sentence(page):
    drop_all(page, 2)
    page.text_input(key="train_name_0").set_value("a|b").run()
    page.button(key="train_learn").click().run()
    assert not page.exception
    assert "cannot be the name of a class" in page.error[0].value


def test_without_a_model_there_is_one_sentence(page, monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path))
    drop_all(page, 1)
    assert not page.exception
    assert "No model is installed" in page.error[0].value


def test_keys_label_one_micrograph_after_another(app):
    upload(app, *((f"b{n}.png", data) for n, data in enumerate(SMALL["blobs"][:3])))
    app.switch_page(PAGE).run()
    app.segmented_control(key="train_way").set_value("What is loaded").run()
    digests = list(app.session_state["workspace_micrographs"])
    app.button(key="train_key_2").click().run()
    app.button(key="train_key_skip").click().run()
    app.button(key="train_key_1").click().run()
    assert_calm(app)
    assert app.session_state["train_labels"] == {digests[0]: 1, digests[2]: 0}
    assert app.button(key="train_again").label == "Show the skipped again"
    app.button(key="train_again").click().run()
    app.button(key="train_key_undo").click().run()
    assert_calm(app)
    assert app.session_state["train_labels"] == {digests[0]: 1}
    assert [app.button(key=f"train_key_{n}").shortcut for n in (1, 2)] == ["1", "2"]


def _tuned_quickly(steps: int, until: threading.Event | None = None):
    """Return a stand-in for a thorough training: some steps, then the model of a quick one."""
    from core.learning.training import Tuned, quick

    def train(pictures, start, work, *, name, watch):
        watch.total_s = steps
        for _ in range(steps):
            watch.step(1.0)
            if until is not None:
                until.wait(10)
                watch.step(0.0)
        made = quick.learn(pictures, start=start, name=name)
        return Tuned(made, "# a model")

    return train


def _wait(app: AppTest) -> AppTest:
    for _ in range(200):
        if not app.session_state["train_tuning"].is_running:
            break
        time.sleep(0.05)
    return app.run()


def test_a_thorough_training_runs_beside_the_page_and_its_model_is_taken_over(page, monkeypatch):
    from core.learning import training

    monkeypatch.setattr(training, "can_be_tuned", lambda start: True)
    monkeypatch.setattr(training, "train_thoroughly", _tuned_quickly(3))
    drop_all(page)
    page.button(key="train_thoroughly").click().run()
    if "train_tuning" in page.session_state:
        _wait(page)
    assert_calm(page)
    result = page.session_state["train_result"]
    assert result.is_thorough
    assert result.model_name in page.session_state["models_added"]
    assert "train_tuning" not in page.session_state
    drop(page, 1, ("more.png", SMALL["blobs"][3]))
    assert page.session_state["train_result"] == result  # minutes of work are not thrown away
    assert "Labels changed since the thorough training" in "".join(i.value for i in page.info)


def test_a_thorough_training_is_cancelled_and_goes_on(page, monkeypatch):
    from core.learning import training

    held = threading.Event()
    monkeypatch.setattr(training, "can_be_tuned", lambda start: True)
    monkeypatch.setattr(training, "train_thoroughly", _tuned_quickly(2, held))
    drop_all(page)
    page.button(key="train_thoroughly").click().run()
    assert page.session_state["train_tuning"].is_running
    folder = page.session_state["train_tuning"].folder
    page.button(key="tuning_cancel").click().run()
    held.set()
    _wait(page)
    assert_calm(page)
    assert "Stopped at 50 %" in texts(page)
    assert folder.is_dir()
    page.button(key="tuning_go_on").click().run()
    if "train_tuning" in page.session_state:
        _wait(page)
    assert page.session_state["train_result"].is_thorough
    assert not folder.exists()


def test_a_thorough_training_that_cannot_be_says_why(page, monkeypatch):
    from core.errors import UserError
    from core.learning import training

    def refuse(*_, **__):
        raise UserError("“blobs” comes from one original only. Add pictures.")

    monkeypatch.setattr(training, "can_be_tuned", lambda start: True)
    monkeypatch.setattr(training, "train_thoroughly", refuse)
    drop_all(page)
    page.button(key="train_thoroughly").click().run()
    if page.session_state["train_tuning"].is_running:
        _wait(page)
    assert "comes from one original only" in page.error[0].value
    page.button(key="tuning_dismiss").click().run()
    assert "train_tuning" not in page.session_state
    assert not page.error
