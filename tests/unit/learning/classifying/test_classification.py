import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from core.learning.classifying.classification import Classification, classify, embed, read_logits
from core.learning.models import Classifier
from core.micrograph import Micrograph


def calibrated(classifier: Classifier, **calibration: float) -> Classifier:
    card = dataclasses.replace(classifier.card, calibration=calibration)
    return Classifier(classifier.network, card)


def test_probabilities_follow_the_logits(classifier: Classifier) -> None:
    answer = read_logits(classifier, np.log([0.2, 0.7, 0.1]))
    assert answer.label == "plain"
    assert answer.runner_up == "blobs"
    assert answer.probability == pytest.approx(0.7)
    assert answer.runner_up_probability == pytest.approx(0.2)
    assert answer.prediction_set == ("plain",)
    assert not answer.calibrated


def test_temperature_softens(classifier: Classifier) -> None:
    answer = read_logits(calibrated(classifier, temperature=2.0), np.log([0.04, 0.64, 0.32]))
    expected = np.sqrt([0.04, 0.64, 0.32]) / np.sqrt([0.04, 0.64, 0.32]).sum()
    np.testing.assert_allclose(list(answer.probabilities.values()), expected)
    assert answer.calibrated


def test_prediction_set_holds_what_cannot_be_excluded(classifier: Classifier) -> None:
    model = calibrated(classifier, temperature=1.0, conformal_threshold=0.85)
    assert read_logits(model, np.log([0.2, 0.7, 0.1])).prediction_set == ("plain", "blobs")
    assert read_logits(model, np.log([1e-9, 1, 1e-9])).prediction_set == ("plain",)


def test_prediction_set_is_never_empty(classifier: Classifier) -> None:
    model = calibrated(classifier, temperature=1.0, conformal_threshold=0.1)
    assert read_logits(model, np.log([0.4, 0.35, 0.25])).prediction_set == ("blobs",)


def test_batches_of_mixed_sizes_keep_their_order(classifier: Classifier) -> None:
    rng = np.random.default_rng(1)
    images = [
        Micrograph(str(i), rng.integers(0, 255, shape).astype(np.uint8))
        for i, shape in enumerate([(60, 60), (60, 90), (61, 60), (60, 90), (1, 1)] * 8)
    ]
    together = classify(classifier, images)
    alone = [classify(classifier, [image])[0] for image in images]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(
            list(a.probabilities.values()), list(b.probabilities.values()), atol=1e-6
        )


def test_nothing_in_nothing_out(classifier: Classifier) -> None:
    assert classify(classifier, []) == []


def test_masks_must_match(classifier: Classifier, micrograph: Micrograph) -> None:
    with pytest.raises(ValueError, match="1 micrographs and 2 masks"):
        classify(classifier, [micrograph], excludes=[None, None])


def test_probabilities_must_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        Classification("a", {"a": 0.5, "b": 0.1}, ("a",), None, "m", False)
    with pytest.raises(ValueError, match="sum to 1"):
        Classification("a", {"a": float("nan"), "b": 0.1}, ("a",), None, "m", False)


def test_prediction_leaves_the_network_as_it_was(
    classifier: Classifier, micrograph: Micrograph
) -> None:
    before = {k: v.clone() for k, v in classifier.network.state_dict().items()}
    classify(classifier, [micrograph] * 3)
    for name, value in classifier.network.state_dict().items():
        assert torch.equal(value, before[name])
    assert not classifier.network.training


def test_four_threads_agree_with_one(classifier: Classifier, micrograph: Micrograph) -> None:
    expected = classify(classifier, [micrograph])
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: classify(classifier, [micrograph]), range(40)))
    assert all(answer == expected for answer in answers)


def test_embedding_is_the_pooled_last_activation(classifier: Classifier) -> None:
    rng = np.random.default_rng(2)
    shapes = [(60, 60), (60, 90), (60, 60)]
    images = [
        Micrograph(str(i), rng.integers(0, 255, s).astype(np.uint8)) for i, s in enumerate(shapes)
    ]
    rows = embed(classifier, images)
    assert rows.shape == (3, 4)
    assert rows.dtype == np.float32
    with torch.inference_mode():
        wanted = classifier.features(classifier.prepare(images[1])).mean(dim=(2, 3))[0]
    np.testing.assert_allclose(rows[1], wanted, rtol=1e-6)
    assert embed(classifier, []).shape == (0, 0)


def test_a_binary_network_decides_at_its_own_threshold(binary: Classifier) -> None:
    """At or below the threshold on the second class the first one is the answer."""
    labels = [
        read_logits(binary, np.log([1 - p, p])).label for p in (0.2, 0.6, 0.7 - 1e-9, 0.7 + 1e-9)
    ]
    assert labels == ["rough", "rough", "rough", "smooth"]
    unsure = read_logits(binary, np.log([0.4, 0.6]))
    assert unsure.probability == pytest.approx(0.4)
    assert unsure.runner_up == "smooth"
    assert "rough" in unsure.prediction_set
