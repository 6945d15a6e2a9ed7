"""The Train page: pictures by class, checks, a model on the list, labels that change."""

import io
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
    assert "50%" in [m.value for m in page.metric]
    page.switch_page("pages/1_Classify.py").run()
    assert_calm(page)
    assert page.sidebar.selectbox(key="settings_model").value.startswith("grain-")
    assert page.metric[0].value in ("stripes", "blobs")
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
