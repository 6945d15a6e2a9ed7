import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import UserError
from core.learning.classifying.classification import embed
from core.learning.classifying.novelty import THRESHOLD
from core.learning.models import Classifier, load_model
from core.learning.models.reference import Reference
from core.micrograph import Micrograph
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, texts, upload

SCORES = {
    "protocol": "5-fold cross-validation, split by group of originals",
    "pictures": {
        "pictures": 50,
        "groups": 40,
        "balanced_accuracy": 0.8,
        "balanced_accuracy_interval_95": [0.7, 0.9],
        "recall": {
            name: {"recall": 0.8, "interval_95": [0.5, 0.95], "pictures": 10}
            for name in ("alloys", "dendrites", "polyhedra", "rods_fibres", "spheroids")
        },
        "confusion_matrix": (8 * np.eye(5, dtype=int) + 1).tolist(),
        "expected_calibration_error": 0.04,
    },
    "prediction_sets": [{"level": 0.9, "covered": 0.91, "mean_size": 1.2, "one_class": 0.8}],
}


@pytest.fixture
def knowing(monkeypatch, png, request):
    """The model keeps a reference of which the uploaded micrograph is a part."""
    level = getattr(request, "param", 0.9)

    def load(name: str) -> Classifier:
        bare = load_model(name)
        own = embed(bare, [Micrograph("own", np.array(Image.open(io.BytesIO(png))))])
        rng = np.random.default_rng(0)
        kept = Reference(
            np.repeat(own, 15, axis=0),
            np.repeat(np.arange(5), 3),
            rng.normal(size=(60, 5)).astype(np.float32),
            np.arange(60) % 5,
        )
        card = dataclasses.replace(
            bare.card,
            calibration={
                "temperature": 1.0,
                "conformal_level": level,
                "conformal_threshold": 0.85,
                THRESHOLD: 0.05,
            },
            metrics=SCORES,
            training_range={"field_width_nm": [100, 1000], "pixel_size_nm": [1, 10]},
        )
        return Classifier(bare.network, card, reference=kept)

    monkeypatch.setattr("core.learning.models.load_model", load)


def open_classify(app):
    return app.switch_page("pages/1_Classify.py").run()


def test_like_the_training_images_and_unlike_them(app, png, knowing):
    upload(app, ("own.png", png))
    assert "Like the training micrographs" in texts(open_classify(app))
    stripes = np.tile(np.repeat([30, 220], 8).astype(np.uint8), (128, 10))
    upload(app.switch_page("Home.py").run(), ("stripes.png", encode(stripes)))
    open_classify(app)
    assert_calm(app)
    assert any("Unlike the training micrographs" in each.value for each in app.warning)


def test_a_higher_level_keeps_more_classes(app, png, knowing):
    upload(app, ("own.png", png))
    open_classify(app)
    sizes = []
    for level in (50, 80, 99):
        app.sidebar.slider(key="classify_level").set_value(level).run()
        assert_calm(app)
        assert f"For {level} % of micrographs" in texts(app)
        kept = app.info[0].value if app.info else ""
        sizes.append(kept.count(",") + kept.count(" and ") + bool(kept))
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


@pytest.mark.parametrize("knowing", [0.995], indirect=True)
def test_a_level_beyond_the_slider_begins_at_its_end(app, png, knowing):
    upload(app, ("own.png", png))
    open_classify(app)
    assert_calm(app)
    assert app.sidebar.slider(key="classify_level").value == 99


def test_a_model_without_reference_says_what_is_missing(app, png):
    upload(app, ("own.png", png))
    open_classify(app)
    assert_calm(app)
    words = texts(app)
    assert "keeps nothing of its training micrographs" in words
    assert "never calibrated" in words
    assert "does not say at which scales" in words
    assert not [slider for slider in app.sidebar.slider if slider.key == "classify_level"]


def test_the_card_shows_scores_where_there_are_some(app, png, knowing):
    upload(app, ("own.png", png))
    open_classify(app)
    assert_calm(app)
    words = texts(app)
    assert "On 50 held-out micrographs" in words
    assert "How honest its probabilities are" in words
    assert len(app.get("plotly_chart")) == 4


def test_stability_is_a_percentage(app, png):
    upload(app, ("own.png", png))
    assert "% of 7 small changes" in texts(open_classify(app))


def test_tile_map_on_demand_in_px(app, png):
    upload(app, ("own.png", png))
    open_classify(app)
    assert not [n for n in app.number_input if n.key.startswith("classify")]
    app.toggle(key="classify_tiles").set_value(True).run()
    assert_calm(app)
    size = next(n for n in app.number_input if n.key.startswith("classify_tile_px"))
    assert size.label == "Tile size (px)"
    size.set_value(64).run()
    assert_calm(app)
    assert "3 × 4 tiles of about 64 px" in texts(app)
    legend = app.dataframe[0].value
    assert legend["tiles (%)"].sum() == pytest.approx(100)


def test_all_in_one_table_with_pictures_and_csv(app, png, other_png, knowing):
    upload(app, ("a.png", png), ("b.png", other_png))
    open_classify(app)
    app.toggle(key="classify_all").set_value(True).run()
    assert_calm(app)
    table = app.dataframe[0].value
    assert list(table["micrograph"]) == ["a.png", "b.png"]
    assert table["picture"].str.startswith("data:image/png;base64,").all()
    assert table["novelty"].notna().all()


def test_csv_holds_every_probability():
    from core.learning.classifying.classification import Classification
    from core.ui.classify.table import _for_programs

    answer = Classification("a", {"a": 0.7, "b": 0.3}, ("a", "b"), 1.4, "m", True)
    frame = _for_programs([Micrograph("x", np.zeros((4, 4), np.uint8))], [answer], ["other scale"])
    assert frame.loc[0, ["p_a", "p_b"]].sum() == pytest.approx(1)
    assert frame.loc[0, "prediction_set"] == "a | b"
    assert isinstance(frame, pd.DataFrame)


def test_answer_stands_before_it_is_checked(app, png, monkeypatch):
    def fail(*_: object) -> None:
        raise UserError("No memory is left for the checks.")

    monkeypatch.setattr("core.learning.classifying.check_stability", fail)
    at = open_classify(upload(app, ("own.png", png)))
    assert [error.value for error in at.error] == ["No memory is left for the checks\\."]
    assert at.metric[0].label == "Most probable class"
    assert "Probability" in texts(at)
