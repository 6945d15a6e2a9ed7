"""The trust card and the view over all micrographs, on the Explain page."""

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.learning.checkpoints import ModelCard, save_model
from core.learning.networks import build_network
from core.learning.preparation import CentreCrop
from core.ui import cache
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, texts, upload

PAGE = "pages/2_Explain.py"


@pytest.fixture
def explained(app: AppTest, png: bytes) -> AppTest:
    upload(app, ("spheres.png", png))
    return app.switch_page(PAGE).run()


def test_nothing_is_checked_until_asked(explained: AppTest) -> None:
    assert not explained.toggle(key="explain_trust").value
    assert "than chance" not in texts(explained)


def test_the_card_speaks_and_shows_its_numbers(explained: AppTest) -> None:
    explained.toggle(key="explain_trust").set_value(True).run()
    assert_calm(explained)
    words = texts(explained)
    for part in ("than chance", "random deletion", "every weight random", "changes a little"):
        assert part in words
    table = next(each.value for each in explained.dataframe if "measure" in each.value)
    assert len(table) == 8
    assert set(table["beats random"]) <= {"yes", "no"}
    assert "Removed shares" in words
    explained.segmented_control(key="explain_trust_fill").set_value("mean").run()
    assert_calm(explained)


def test_a_second_look_comes_from_the_cache(
    explained: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.learning import faithfulness

    calls: list[int] = []
    real = faithfulness.trust_card
    monkeypatch.setattr(
        faithfulness, "trust_card", lambda *a, **k: (calls.append(1), real(*a, **k))[1]
    )
    explained.toggle(key="explain_trust").set_value(True).run()
    explained.slider(key="explain_opacity").set_value(30).run()
    assert_calm(explained)
    assert len(calls) == 1
    explained.selectbox(key="explain_method").set_value("layercam").run()
    assert len(calls) == 2


def test_every_micrograph_is_measured_by_every_method(
    app: AppTest, png: bytes, other_png: bytes
) -> None:
    upload(app, ("spheres.png", png), ("alloy.png", other_png))
    app.switch_page(PAGE).run()
    app.toggle(key="explain_survey").set_value(True).run()
    assert_calm(app)
    table = next(each.value for each in app.dataframe if "method" in each.value)
    titles = cache.method_titles()
    assert {titles["grad-cam"], titles["sobel"], titles["random"]} <= set(table["method"])
    assert table["micrographs"].max() <= 2
    name = next(box.key for box in app.multiselect if box.key.startswith("explain_survey_methods"))
    app.multiselect(key=name).set_value([]).run()
    assert_calm(app)
    assert "Choose one method" in texts(app)


@pytest.mark.parametrize("shape", [(1, 1), (64, 64)])
def test_a_flat_frame_gets_a_sentence(app: AppTest, shape: tuple[int, int]) -> None:
    upload(app, ("flat.png", encode(np.full(shape, 77, np.uint8))))
    app.switch_page(PAGE).run()
    app.toggle(key="explain_trust").set_value(True).run()
    app.toggle(key="explain_survey").set_value(True).run()
    assert_calm(app)
    assert "nothing to check" in texts(app)
    assert "No method found evidence" in texts(app)


def test_a_binary_network_that_crops_has_a_card(
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
    app.toggle(key="explain_trust").set_value(True).run()
    assert_calm(app)
    assert "than chance" in texts(app) or "nothing to check" in texts(app)
