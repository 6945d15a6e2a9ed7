"""The Explain page: layers, contrast, sections, downloads, foreign networks."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.learning.explaining import METHODS
from core.learning.models import ModelCard, save_model
from core.learning.models.networks import build_network
from core.learning.models.preparation import CentreCrop
from core.ui import cache
from tests.pages.steps import assert_calm, texts, upload

PAGE = "pages/2_Explain.py"


@pytest.fixture
def explained(app: AppTest, png: bytes) -> AppTest:
    upload(app, ("spheres.png", png))
    return app.switch_page(PAGE).run()


def question(app: AppTest) -> cache.Question:
    """The question as the page now asks it."""
    target = next(box for box in app.selectbox if box.key.startswith("explain_target_")).value
    layers = next(box for box in app.pills if box.key.startswith("explain_layers_"))
    method = app.selectbox(key="explain_method").value
    return cache.Question(cache.model_names()[0], method, target, True, tuple(layers.value))


def test_every_method_is_offered_and_answers(explained: AppTest) -> None:
    offered = explained.selectbox(key="explain_method")
    usual = [method.title for method in METHODS.values()]
    assert offered.options == [*usual, "RISE", "Fine view"]
    for number in range(0, len(offered.options), 3):
        explained.selectbox(key="explain_method").select_index(number).run()
        assert_calm(explained)
    explained.selectbox(key="explain_method").set_value("score-cam").run()
    explained.toggle(key="explain_every_channel").set_value(True).run()
    assert_calm(explained)


def test_methods_that_must_coincide_are_named(explained: AppTest) -> None:
    assert "is arithmetic, not evidence" in texts(explained)
    layers = next(box for box in explained.pills if box.key.startswith("explain_layers_"))
    layers.set_value(["stage 2"]).run()
    assert "is arithmetic" not in texts(explained)
    assert "stage 2" in texts(explained)


def test_layers_are_fused(explained: AppTest) -> None:
    layers = next(box for box in explained.pills if box.key.startswith("explain_layers_"))
    layers.set_value(["stage 4", "stage 1"]).run()
    assert_calm(explained)
    assert "stage 1 + stage 4" in texts(explained)
    next(box for box in explained.pills).set_value([]).run()
    assert_calm(explained)
    assert "“stage 4”" in texts(explained)


def test_finer_cam_asks_rather_than_what(explained: AppTest) -> None:
    explained.selectbox(key="explain_method").set_value("finer-cam").run()
    assert_calm(explained)
    contrast = next(box for box in explained.selectbox if box.key.startswith("explain_contrast_"))
    target = next(box for box in explained.selectbox if box.key.startswith("explain_target_"))
    assert target.value not in contrast.options
    assert "rather than" in explained.metric[0].value


@pytest.mark.parametrize("section", ["Values under the pointer", "All methods"])
def test_sections_are_drawn_on_demand(explained: AppTest, section: str) -> None:
    explained.segmented_control(key="explain_section").set_value(section).run()
    assert_calm(explained)
    if section == "All methods":
        explained.toggle(key="explain_slow").set_value(True).run()
        explained.toggle(key="explain_one_scale").set_value(True).run()
        assert_calm(explained)
        captions = [caption.value for caption in explained.caption]
        assert "These must coincide here." in captions


def test_downloads_hold_what_they_say(explained: AppTest) -> None:
    asked = question(explained)
    micrograph = next(iter(explained.session_state["workspace_micrographs"].values()))
    found = cache.explanation(micrograph, asked)
    facts = json.loads(cache.explanation_json(micrograph, asked))
    assert facts["class"] == found.target
    assert facts["layer"] == "stage 4"
    assert facts["model"]["sha256"] == cache.model(asked.model_name).card.sha256
    assert "torch" in facts["versions"]
    np.testing.assert_array_equal(np.load(io.BytesIO(cache.raw_map_npy(found))), found.raw)
    import tifffile

    saved = tifffile.imread(io.BytesIO(cache.evidence_tiff(micrograph, asked)))
    np.testing.assert_array_equal(saved, found.heatmap)


def test_a_binary_network_that_crops_says_what_it_did_not_see(
    app: AppTest, png: bytes, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    card = ModelCard(
        "cropper",
        "visualcnn",
        ("rough", "smooth"),
        preparation=CentreCrop(80, 64).to_dict(),
        decision_threshold=0.5,
    )
    save_model(tmp_path / "cropper", build_network("visualcnn", 1, {}), card)
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path))
    upload(app, ("spheres.png", png))
    app.switch_page(PAGE).run()
    assert_calm(app)
    assert "sees only the middle of the frame" in texts(app)
    app.segmented_control(key="explain_section").set_value("All methods").run()
    assert_calm(app)
    open_trust(app)
    assert_calm(app)
    assert "than chance" in texts(app) or "nothing to check" in texts(app)


def test_another_answer_renews_the_words_of_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser keeps the words that a choice was made in until it is told to write it anew."""
    monkeypatch.setattr(
        cache, "model", lambda name: SimpleNamespace(card=ModelCard("m", "x", "ab"))
    )

    def draw() -> None:
        from types import SimpleNamespace

        import streamlit as st

        from core.ui.explain import settings

        shares = dict.fromkeys(st.session_state["names"], st.session_state["share"])
        answer = SimpleNamespace(probabilities=shares)
        frame = SimpleNamespace(sha256="0")
        settings._class(settings.TARGET, answer, tuple(shares), "m", frame)

    app = AppTest.from_function(draw)
    app.session_state["share"], app.session_state["names"] = 0.25, "ab"
    app.run()
    app.selectbox[0].set_value("b").run()
    assert not app.selectbox[0].proto.set_value
    app.session_state["share"] = 0.75
    app.run()
    assert (app.selectbox[0].value, app.selectbox[0].proto.set_value) == ("b", True)
    assert app.selectbox[0].proto.raw_value == "b (75.0\u00a0%)"
    app.session_state["names"] = "cd"
    app.run()
    assert (app.selectbox[0].value, app.selectbox[0].proto.set_value) == ("c", True)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (64, 64)])
def test_tiny_and_flat_frames_survive(app: AppTest, shape: tuple[int, int]) -> None:
    from tests.pages.conftest import encode

    upload(app, ("flat.png", encode(np.full(shape, 77, np.uint8))))
    app.switch_page(PAGE).run()
    for section in ("All methods", "Values under the pointer"):
        app.segmented_control(key="explain_section").set_value(section).run()
        assert_calm(app)


def test_trust_card_speaks_first_and_compares(explained: AppTest) -> None:
    explained.segmented_control(key="explain_section").set_value("How far to trust it").run()
    assert_calm(explained)
    said = [each.value for each in (*explained.success, *explained.warning)]
    assert any("than chance" in line for line in said)
    table = explained.dataframe[0].value
    assert list(table["measure"])[:2] == ["deletion AUC (mean)", "deletion AUC (blur)"]
    explained.toggle(key="explain_whole_set").set_value(True).run()
    assert_calm(explained)
    assert "Grad-CAM" in list(explained.dataframe[1].value["method"])


def open_trust(app: AppTest) -> AppTest:
    return app.segmented_control(key="explain_section").set_value("How far to trust it").run()


def test_trust_shows_differences_and_comes_from_the_cache_again(
    explained: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.learning import trust

    calls: list[str] = []
    real = trust.trust_card
    monkeypatch.setattr(
        trust, "trust_card", lambda *a, **k: (calls.append(a[2].method), real(*a, **k))[1]
    )
    open_trust(explained)
    table = next(each.value for each in explained.dataframe if "measure" in each.value)
    assert {"less random", "less edges", "beats random", "beats edges"} <= set(table)
    assert {"brightness", "|grey|", "random × |grey|", "beats grey levels"} <= set(table)
    assert len(table) == 7
    assert "Removed: 0, 10, 30, 70, 90, 100 %; for ROAD 20, 50, 80 %" in texts(explained)
    assert "Other methods agree" in texts(explained)
    assert "no confirmation of each other: Grad-CAM, CAM" in texts(explained)
    explained.slider(key="explain_opacity").set_value(30).run()
    assert_calm(explained)
    assert calls == ["grad-cam"]


@pytest.mark.parametrize("shape", [(1, 1), (64, 64)])
def test_nothing_to_trust_in_a_flat_frame(app: AppTest, shape: tuple[int, int]) -> None:
    from tests.pages.conftest import encode

    upload(app, ("flat.png", encode(np.full(shape, 77, np.uint8))))
    open_trust(app.switch_page(PAGE).run())
    assert "There is nothing to classify" in texts(app)
    assert "The network gives this class" not in texts(app)
    app.toggle(key="explain_whole_set").set_value(True).run()
    assert_calm(app)
    assert "nothing to check" in texts(app)
    assert "No method finds evidence" in texts(app)
    assert "Which cluster drove the decision?" in texts(app)
