import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.learning.models import Classifier, load_model
from core.ui.parts.compare import slider
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, texts, upload

PAGES = ("1_Classify", "2_Explain", "3_Filters", "4_Cluster", "5_Segment", "6_Batch_Report")


@pytest.mark.parametrize("name", PAGES)
def test_page_without_micrograph_says_what_to_do_and_offers_samples(open_page, name):
    app = open_page(name)
    assert_calm(app)
    samples = [button for button in app.button if "_sample_" in button.key]
    assert len(samples) == 5
    assert any(word in texts(app) for word in ("No micrograph is loaded", "Add micrographs"))


@pytest.mark.parametrize("name", PAGES[:4])
def test_sample_on_an_empty_page_brings_the_page_to_life(open_page, name):
    app = open_page(name)
    app.button(key="start_sample_spheroids").click().run()
    assert_calm(app)
    assert "simulated spheroids 1" in app.sidebar.selectbox(key="sidebar_micrograph").options
    assert "simulated micrograph" in texts(app)


@pytest.mark.parametrize("name", PAGES)
def test_uploaded_micrograph_goes_through(app, png, name):
    upload(app, ("spheres.png", png))
    app.switch_page(f"pages/{name}.py").run()
    assert_calm(app)


@pytest.mark.parametrize("name", PAGES)
def test_constant_micrograph_is_survived(app, name):
    upload(app, ("flat.png", encode(np.full((96, 96), 90, np.uint8))))
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    assert all("went wrong" not in error.value for error in app.error)


@pytest.mark.parametrize("name", PAGES[:2])
def test_missing_model_is_one_sentence(app, png, name, monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path))
    upload(app, ("spheres.png", png))
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    assert "No model is installed" in app.error[0].value


def test_classify_names_class_runner_up_model_and_device(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/1_Classify.py").run()
    assert app.metric[0].label == "Most probable class"
    assert "_" not in app.metric[0].value
    assert "runner-up" in texts(app)
    assert "em\\-morph5\\-2 on" in texts(app)
    assert "not calibrated" in texts(app)


def test_classify_names_what_a_calibrated_network_cannot_exclude(app, png, monkeypatch):
    def calibrated(name: str) -> Classifier:
        model = load_model(name)
        certainty = {"temperature": 1.0, "conformal_level": 0.9, "conformal_threshold": 0.99}
        return Classifier(model.network, replace(model.card, calibration=certainty))

    monkeypatch.setattr("core.learning.models.load_model", calibrated)
    upload(app, ("spheres.png", png))
    app.switch_page("pages/1_Classify.py").run()
    assert_calm(app)
    assert "For 90 % of micrographs" in app.info[0].value
    assert ", calibrated on held-out" in texts(app)


def test_classify_all_gives_one_row_per_micrograph(app, png, other_png):
    upload(app, ("a.png", png), ("b.png", other_png))
    app.switch_page("pages/1_Classify.py").run()
    app.toggle(key="classify_all").set_value(True).run()
    assert_calm(app)
    table = app.dataframe[0].value
    assert list(table["micrograph"]) == ["a.png", "b.png"]
    assert table["probability (%)"].between(20, 100).all()


def test_explain_starts_with_the_predicted_class_and_takes_another(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/2_Explain.py").run()
    choice = next(box for box in app.selectbox if box.key.startswith("explain_target_"))
    assert choice.index == 0
    before = app.metric[0].value
    choice.select_index(2).run()
    assert_calm(app)
    assert app.metric[0].value != before
    assert "Its own answer is" in texts(app)


def test_explain_says_when_there_is_no_evidence(app):
    upload(app, ("flat.png", encode(np.full((96, 96), 90, np.uint8))))
    app.switch_page("pages/2_Explain.py").run()
    assert_calm(app)
    assert "No positive evidence for" in texts(app)


def test_filters_add_move_and_remove(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/3_Filters.py").run()
    app.selectbox(key="filters_next").set_value("otsu").run()
    assert_calm(app)
    assert "Otsu's threshold: grey level" in texts(app)
    assert app.selectbox(key="filters_next").value is None
    app.button(key="filters_up_2").click().run()
    assert [link.filter for link in app.session_state["filters_chain"]] == ["otsu", "gaussian"]
    app.button(key="filters_remove_2").click().run()
    assert [link.filter for link in app.session_state["filters_chain"]] == ["gaussian"]
    assert_calm(app)


def test_filters_parameters_survive_a_change_of_page(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/3_Filters.py").run()
    app.number_input(key="filters_1_sigma_px").set_value(4.5).run()
    app.switch_page("pages/4_Cluster.py").run()
    app.switch_page("pages/3_Filters.py").run()
    assert app.number_input(key="filters_1_sigma_px").value == 4.5


def test_cluster_percentages_add_up_and_target_is_the_brightest(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    legend = app.dataframe[0].value
    assert legend["share (%)"].sum() == pytest.approx(100)
    assert app.metric[0].label == "Cluster 2"
    assert app.metric[1].value.endswith("px²")
    app.slider(key="cluster_k").set_value(5).run()
    assert len(app.dataframe[0].value) == 5
    assert app.metric[0].label == "Cluster 4"


def test_pixel_size_by_hand_gives_physical_units_and_says_so(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    scale = next(box for box in app.number_input if box.key.startswith("sidebar_scale_"))
    scale.set_value(20.0).run()
    assert_calm(app)
    assert app.metric[1].value.endswith("µm²")
    assert "set by hand" in texts(app)


def test_juxtapose_is_a_choice_that_keeps_pillows_limit(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    limit = Image.MAX_IMAGE_PIXELS
    app.radio(key=slider.CHOICE_KEY).set_value(slider.JUXTAPOSE).run()
    assert_calm(app)
    assert limit == Image.MAX_IMAGE_PIXELS is not None
    app.switch_page("pages/3_Filters.py").run()
    assert app.radio(key=slider.CHOICE_KEY).value == slider.JUXTAPOSE


def test_two_pictures_stand_in_for_a_missing_juxtapose(app, png, monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit_image_comparison", None)
    upload(app, ("spheres.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    app.radio(key=slider.CHOICE_KEY).set_value(slider.JUXTAPOSE).run()
    assert_calm(app)
    assert len(app.image) == 2


@pytest.mark.parametrize("name", PAGES[:2])
@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.full((256, 256), 1234, np.uint16), "same grey level"),
        (np.arange(60 * 200, dtype=np.uint16).reshape(60, 200), "Only 200 × 60 px"),
    ],
)
def test_an_answer_that_means_little_says_so(app, name, pixels, words):
    upload(app, ("odd.png", encode(pixels)))
    app.switch_page(f"pages/{name}.py").run()
    assert_calm(app)
    assert words in texts(app)


def test_classify_warns_of_nothing_on_a_sound_micrograph(app, png):
    upload(app, ("spheres.png", png))
    app.switch_page("pages/1_Classify.py").run()
    assert not app.warning
    assert "5 classes only" in texts(app)


def test_otsu_threshold_is_written_without_powers_of_ten(app):
    ramp = np.linspace(20000, 60000, 128 * 128).reshape(128, 128).astype(np.uint16)
    upload(app, ("ramp.png", encode(ramp)))
    app.switch_page("pages/3_Filters.py").run()
    app.selectbox(key="filters_next").select("otsu").run()
    threshold = next(text for text in texts(app).splitlines() if "Otsu's threshold" in text)
    assert "e+" not in threshold
