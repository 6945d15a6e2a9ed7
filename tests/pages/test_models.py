"""Adding a model, choosing it on any page, and what happens with files that cannot work."""

import gc
import io
import tempfile
import weakref
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from streamlit.testing.v1 import AppTest

from core.learning import adding, holding
from core.learning.adding import add_model, rename_classes
from core.learning.models.installed import ADDED
from core.ui import cache
from tests.pages.steps import assert_calm, texts, upload
from tests.unit.learning import visual_ccc


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "added").mkdir()
    monkeypatch.setenv(ADDED, str(tmp_path / "added"))


def weights(outputs: int, **beside: object) -> bytes:
    """A file as Visual-CCC writes it."""
    stream = io.BytesIO()
    state = visual_ccc.original("visualcnn", outputs).state_dict()
    torch.save({"model_state_dict": state, "epoch": 3, **beside} if beside else state, stream)
    return stream.getvalue()


def give(app: AppTest, name: str, data: bytes) -> AppTest:
    """Open the dialog and give it a file."""
    app.button(key="models_add").click().run()
    (uploader,) = [each for each in app.file_uploader if each.key.startswith("models_upload_")]
    return uploader.upload(name, data).run()


@pytest.fixture
def classify(app: AppTest, png: bytes) -> AppTest:
    upload(app, ("spheres.png", png))
    return app.switch_page("pages/1_Classify.py").run()


def test_several_labels_have_a_display_of_their_own(classify: AppTest) -> None:
    """Said by a person, as weights alone do not tell: bars of their own, no set, no softmax."""
    app = give(classify, "net.pth", weights(3))
    next(each for each in app.toggle if each.key.startswith("models_labels_")).set_value(True).run()
    assert_calm(app)
    app.button(key="models_use").click().run()
    assert_calm(app)
    assert app.metric[0].label in ("Classes named", "Class named")
    said = texts(app).replace("\\", "")
    assert "several may be true of one frame, or none" in said
    assert "cannot exclude" not in said
    assert "excludes every other class" not in said
    assert_calm(app.switch_page("pages/2_Explain.py").run())


def test_add_name_try_use_and_forget(classify: AppTest) -> None:
    app = give(classify, "my net.pth", weights(3))
    assert_calm(app)
    said = texts(app)
    assert "VisualCNN with 1 input channel and 3 outputs" in said.replace("\\", "")
    assert "no calibration" in said.replace("\\", "")

    area = next(each for each in app.text_area if each.key.startswith("models_classes_"))
    assert area.value == "class 0\nclass 1\nclass 2"
    area.set_value("Rods & fibres\nSpheroids\nAlloys").run()
    assert_calm(app)
    app.button(key="models_try").click().run()
    assert_calm(app)
    assert "(not calibrated)" in texts(app)
    assert "em\\-morph5\\-2 on" in texts(app)  # the page below still asks the other model

    app.button(key="models_use").click().run()
    assert_calm(app)
    assert app.selectbox(key="settings_model").value.startswith("my-net-")
    assert app.selectbox(key="settings_model").options[-1] == "my net (added)"
    assert app.metric[0].value in {"Rods & fibres", "Spheroids", "Alloys"}
    assert "not calibrated" in texts(app)
    assert not [each for each in app.file_uploader if each.key.startswith("models_")]

    app.button(key="models_forget").click().run()
    assert_calm(app)
    assert app.selectbox(key="settings_model").options == ["em-morph5-2"]
    assert "em\\-morph5\\-2 on" in texts(app)


def test_the_chosen_model_holds_on_every_page(classify: AppTest) -> None:
    app = give(classify, "binary.pth", weights(1, task="binary", class_map={"a": 0, "b": 1}))
    app.button(key="models_use").click().run()
    name = app.selectbox(key="settings_model").value
    for page in ("2_Explain", "3_Filters", "4_Cluster", "6_Batch_Report"):
        app.switch_page(f"pages/{page}.py").run()
        assert_calm(app)
        assert app.selectbox(key="settings_model").value == name, page
        assert "This model has no calibration" in texts(app), page
    app.switch_page("Home.py").run()
    assert app.selectbox(key="settings_model").value == name
    app.selectbox(key="settings_model").set_value("em-morph5-2").run()
    app.switch_page("pages/1_Classify.py").run()
    assert_calm(app)
    assert "em\\-morph5\\-2 on" in texts(app)


def test_explain_follows_the_model_and_says_what_it_saw(classify: AppTest) -> None:
    app = classify.switch_page("pages/2_Explain.py").run()
    choice = next(box for box in app.selectbox if box.key.startswith("explain_target_"))
    choice.select_index(3).run()
    give(app, "three.pth", weights(3, class_map={"x": 0, "y": 1, "z": 2}))
    app.button(key="models_use").click().run()
    assert_calm(app)
    assert app.metric[0].value in {"x", "y", "z"}
    assert "sees only the middle of the frame" in texts(app)


def test_a_zipped_folder_needs_no_names(classify: AppTest, model_folder: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part in (model_folder / "em-morph5-2").iterdir():
            archive.write(part, f"em-morph5-2/{part.name}")
    app = give(classify, "any.zip", stream.getvalue())
    assert_calm(app)
    assert not [area for area in app.text_area if area.key.startswith("models_classes_")]
    app.button(key="models_use").click().run()
    assert_calm(app)
    assert app.selectbox(key="settings_model").options == ["em-morph5-2", "em-morph5-2 (added)"]


def test_the_usual_preparations_are_tried_where_the_file_is_silent(classify: AppTest) -> None:
    """How the answers change is a table, and what the network sees is a picture."""
    torch.manual_seed(0)
    network = timm.create_model("mobilenetv3_small_050", num_classes=3)
    stream = io.BytesIO()
    torch.save(network.state_dict(), stream)
    app = give(classify, "silent.pth", stream.getvalue())
    assert_calm(app)
    assert "The file does not say how frames are prepared" in texts(app)
    assert "--prepare" not in texts(app)  # of the command line, not of a page
    (button,) = [b for b in app.button if str(b.key).startswith("models_usual_")]
    button.click().run()
    assert_calm(app)
    (table,) = [d for d in app.dataframe if len(d.value) >= 8]
    assert table.value.notna().all(axis=None)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: b"<html>", "no weight file"),
        (lambda: weights(3)[:-500], "cut short"),
        (lambda: weights(3, class_map={"a": 0, "b": 1}), "names 2 classes"),
    ],
)
def test_a_bad_file_loses_nothing(
    classify: AppTest, data: Callable[[], bytes], message: str
) -> None:
    before = classify.metric[0].value
    app = give(classify, "bad.pth", data())
    assert not app.exception
    assert message in app.error[0].value.replace("\\", "")
    assert "Nothing changed" in texts(app)
    assert not [button for button in app.button if button.key == "models_use"]
    assert app.metric[0].value == before
    assert app.selectbox(key="settings_model").value == "em-morph5-2"


def test_too_few_names_are_said_and_can_be_mended(classify: AppTest) -> None:
    app = give(classify, "a.pth", weights(3))
    area = next(each for each in app.text_area if each.key.startswith("models_classes_"))
    area.set_value("one\ntwo").run()
    assert "has 3 classes, 2 names are given" in app.error[0].value
    area = next(each for each in app.text_area if each.key.startswith("models_classes_"))
    area.set_value("one\ntwo\nthree").run()
    assert_calm(app)
    assert app.button(key="models_use")


def test_a_model_that_is_gone_leaves_the_list(classify: AppTest, tmp_path: Path) -> None:
    app = give(classify, "a.pth", weights(3))
    app.button(key="models_use").click().run()
    (next((tmp_path / "added").glob("a-*")) / "card.json").unlink()
    app.run()
    assert_calm(app)
    assert app.selectbox(key="settings_model").options == ["em-morph5-2"]


def test_what_an_open_session_works_with_is_in_its_hand(
    classify: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "AFTER_USE_S", 0.0)
    monkeypatch.setattr(holding, "_hands", weakref.WeakSet())  # of this session alone
    app = give(classify, "net.pth", weights(3))
    assert len(holding.held()) == 1  # being added
    app.button(key="models_use").click().run()
    assert holding.held() == {app.selectbox(key="settings_model").value}
    app.switch_page("pages/3_Filters.py").run()
    assert len(holding.held()) == 1
    app.switch_page("pages/1_Classify.py").run()
    app.button(key="models_forget").click().run()
    assert holding.held() == set()


def test_where_all_are_in_hand_the_new_one_is_refused(
    classify: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "MOST_MODELS", 1)
    theirs = add_model_of(7)
    hand = holding.Hand()
    hand.hold([theirs])
    app = give(classify, "net.pth", weights(3))
    assert not app.exception
    assert "no room for another model" in texts(app)
    assert not [button for button in app.button if button.key == "models_use"]
    assert cache.has_model(theirs)


def add_model_of(outputs: int) -> str:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "w.pth"
        path.write_bytes(weights(outputs))
        return add_model(path, "theirs.pth", "another").name


def test_without_any_model_one_can_be_added(
    classify: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path / "empty"))
    app = classify.run()
    assert "No model is installed" in app.error[0].value
    give(app, "a.pth", weights(3))
    app.button(key="models_use").click().run()
    assert_calm(app)
    assert app.metric[0].value.startswith("class ")


def test_at_most_two_models_stay_in_memory(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(weights(3))
    first = add_model(tmp_path / "a", "a.pth")
    every = [first, *(rename_classes(first, [word, "y", "z"]) for word in "bc")]
    alive = [weakref.ref(cache.model(each.name)) for each in every]
    gc.collect()
    assert [each() is not None for each in alive] == [False, True, True]
