"""All methods over a set of micrographs."""

import numpy as np
import pytest

from core.learning.checkpoints import Classifier
from core.learning.explanation import METHODS
from core.learning.trust.survey import Score, Survey, score_methods
from core.micrograph import Micrograph
from tests.unit.learning.trust.test_faithfulness import QUICK

TITLES = {name: method.title for name, method in METHODS.items()}


def score(method: str, gain: float, beats: bool = True) -> Score:
    return Score(method, gain, 0.2, 0.2 + gain, 0.1, 0.3, 1.0, beats, beats)


def survey(**gains: list[float]) -> Survey:
    names = {name.replace("_", "-"): values for name, values in gains.items()}
    count = len(next(iter(names.values())))
    return Survey(tuple(tuple(score(m, v[n]) for m, v in names.items()) for n in range(count)))


def test_methods_that_coincide_share_one_measurement(classifier: Classifier, micrograph) -> None:
    classifier.network.linear.weight.abs_()
    scores = score_methods(
        classifier, micrograph, ("grad-cam", "cam", "layercam", "sobel"), effort=QUICK
    )
    by_name = {each.method: each for each in scores}
    assert list(by_name) == ["grad-cam", "cam", "layercam", "sobel", "random"]
    assert by_name["cam"].gain == by_name["grad-cam"].gain
    assert by_name["random"].gain == pytest.approx(0, abs=1e-9)
    assert not by_name["random"].beats_random
    assert not by_name["sobel"].beats_sobel


def test_scores_repeat(classifier: Classifier, micrograph: Micrograph) -> None:
    first, second = (
        score_methods(classifier, micrograph, ("eigen-cam",), effort=QUICK) for _ in range(2)
    )
    assert repr(first) == repr(second)


def test_a_flat_frame_has_no_scores(classifier: Classifier) -> None:
    flat = Micrograph("flat", np.full((40, 50), 9, np.uint8))
    scores = score_methods(classifier, flat, ("grad-cam",), effort=QUICK)
    assert not any(each.has_evidence for each in scores)
    assert Survey((scores,)).describe(TITLES) == "No method found evidence in these micrographs."


def test_means_and_intervals_by_hand() -> None:
    frame = survey(grad_cam=[0.1, 0.3], random=[0.0, 0.0], sobel=[0.0, 0.1]).to_frame()
    assert list(frame["method"]) == ["grad-cam", "sobel", "random"]
    best = frame.iloc[0]
    assert best["gain"] == pytest.approx(0.2)
    assert best["gain_high"] - best["gain"] == pytest.approx(12.7062 * 0.1, rel=1e-4)
    assert best["micrographs"] == 2
    assert best["increase"] == 1


def test_the_best_is_named_and_ties_are_admitted() -> None:
    found = survey(
        grad_cam=[0.31, 0.42, 0.33, 0.44],
        layercam=[0.30, 0.43, 0.32, 0.44],
        eigen_cam=[0.1, 0.2, 0.1, 0.2],
        random=[0.0] * 4,
        sobel=[0.05] * 4,
    )
    text = found.describe(TITLES)
    assert text.startswith("Grad-CAM explains these 4 micrographs best")
    assert "on 4 of 4" in text
    assert text.endswith(" The difference to LayerCAM is within chance.")
    assert "Eigen-CAM" not in text


def test_one_micrograph_tells_no_methods_apart() -> None:
    text = survey(grad_cam=[0.4], layercam=[0.1], random=[0.0], sobel=[0.1]).describe(TITLES)
    assert "this micrograph" in text
    assert "difference to LayerCAM is within chance" in text


def test_maps_without_evidence_do_not_count() -> None:
    nan = float("nan")
    frame = survey(grad_cam=[0.2, nan], random=[0.0, 0.0], sobel=[0.1, 0.1]).to_frame()
    assert frame["micrographs"].to_list() == [1, 2, 2]
    assert np.isnan(frame.loc[0, "gain_low"])


def test_scores_by_different_methods_do_not_mix() -> None:
    with pytest.raises(ValueError, match="same methods"):
        Survey(((score("cam", 0.1),), (score("sobel", 0.1),)))
