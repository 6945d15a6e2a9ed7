import dataclasses

import numpy as np
import pytest
import torch

from core.imaging.simulation import KINDS, simulate
from core.learning.explaining.explanation import (
    METHODS,
    Explanation,
    classify_and_explain,
    explain,
    explain_all,
    to_frame,
)
from core.learning.models import Classifier
from core.learning.models.preparation import CentreCrop
from core.micrograph import Micrograph
from tests.unit.learning.concurrency import assert_threads_equal_one


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(90, 130), (33, 200), (1, 1), (1, 300)])
def test_map_has_the_micrographs_own_frame(
    classifier: Classifier, method: str, shape: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(2).integers(0, 255, shape).astype(np.uint8)
    explanation = explain(classifier, Micrograph("x", pixels), method)
    assert explanation.heatmap.shape == shape
    assert explanation.heatmap.dtype == np.float32
    assert explanation.heatmap.min() >= 0
    assert explanation.heatmap.max() in (0, 1)


@pytest.mark.parametrize(
    ("raw", "nowhere"), [((0.9, 1), True), ((0.4, 1), False), ((0, 0), False), ((-2, -1), False)]
)
def test_a_map_that_is_alike_everywhere_points_nowhere(
    raw: tuple[float, float], nowhere: bool
) -> None:
    cells = np.array([raw], np.float32)
    drawn = Explanation(cells.clip(0), cells, "grad-cam", "a", "last", (0, 0, 1, 2))
    assert drawn.points_nowhere == nowhere


def test_grad_cam_equals_its_formula(classifier: Classifier, micrograph: Micrograph) -> None:
    x = classifier.prepare(micrograph)
    activation = classifier.features(x).detach().requires_grad_(True)
    classifier.head(activation)[0, 2].backward()
    assert activation.grad is not None
    weights = activation.grad[0].mean(dim=(1, 2))
    expected = torch.einsum("c,chw->hw", weights, activation[0]).detach().numpy()
    explanation = explain(classifier, micrograph, target="rods_fibres")
    np.testing.assert_allclose(explanation.raw, expected, rtol=1e-5, atol=1e-7)


def test_raw_map_sums_to_the_logit_without_bias(
    classifier: Classifier, micrograph: Micrograph
) -> None:
    """With a global average and one linear layer the map is what the network adds up."""
    raw = explain(classifier, micrograph, target="plain").raw
    with torch.no_grad():
        logit = classifier.head(classifier.features(classifier.prepare(micrograph)))[0, 1]
        bias = classifier.network.linear.bias[1]
    assert raw.sum() == pytest.approx(float(logit - bias), abs=1e-5)


def test_methods_coincide_where_they_must(classifier: Classifier, micrograph: Micrograph) -> None:
    maps = explain_all(classifier, micrograph, target="blobs")
    np.testing.assert_allclose(maps["grad-cam"].raw, maps["hirescam"].raw, atol=1e-7)


def test_default_target_is_the_predicted_class(
    classifier: Classifier, micrograph: Micrograph
) -> None:
    with torch.no_grad():
        logits = classifier.head(classifier.features(classifier.prepare(micrograph)))
    expected = classifier.card.classes[int(logits.argmax())]
    assert explain(classifier, micrograph).target == expected


def test_constant_frame_has_no_evidence(classifier: Classifier) -> None:
    for name in classifier.card.classes:
        flat = Micrograph("flat", np.full((40, 50), 90, np.uint8))
        explanation = explain(classifier, flat, target=name)
        assert not explanation.has_evidence
        assert np.isfinite(explanation.heatmap).all()


def test_all_negative_map_has_no_evidence() -> None:
    heatmap = to_frame(-np.ones((3, 4), np.float32), (30, 40))
    assert not heatmap.any()


def test_enlarging_keeps_the_place_of_the_peak() -> None:
    raw = np.zeros((4, 4), np.float32)
    raw[3, 0] = 2
    heatmap = to_frame(raw, (40, 80))
    assert heatmap.max() == 1
    row, col = np.unravel_index(heatmap.argmax(), heatmap.shape)
    assert row >= 30
    assert col < 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "x-ray"}, "grad-cam"),
        ({"target": "cats"}, "blobs"),
        ({"layer": "conv9"}, "features"),
    ],
)
def test_unknown_names_are_refused(
    classifier: Classifier, micrograph: Micrograph, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        explain(classifier, micrograph, **arguments)


def test_heat_map_must_be_two_dimensional() -> None:
    with pytest.raises(ValueError, match="float32"):
        Explanation(
            np.zeros((2, 2)),
            np.zeros((2, 2), np.float32),
            "grad-cam",
            "a",
            "features",
            (0, 0, 2, 2),
        )


@pytest.mark.parametrize("target", ["blobs", "cats"])
def test_nothing_is_left_on_the_network(
    classifier: Classifier, micrograph: Micrograph, target: str
) -> None:
    """After success and after failure: modes, flags, gradients, hooks and buffers are as before."""
    network = classifier.network
    before = {k: v.clone() for k, v in network.state_dict().items()}
    try:
        explain(classifier, micrograph, target=target)
    except ValueError:
        assert target == "cats"
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert not network.training
    for parameter in network.parameters():
        assert parameter.grad is None
        assert not parameter.requires_grad
    for module in network.modules():
        assert not module._forward_hooks
        assert not module._backward_hooks
    assert torch.is_grad_enabled()


def test_threads_of_fifty_explanations_equal_the_serial_ones(classifier: Classifier) -> None:
    rng = np.random.default_rng(3)
    images = [
        Micrograph(str(i), rng.integers(0, 255, (64, 64 + 16 * (i % 3))).astype(np.uint8))
        for i in range(10)
    ]
    assert_threads_equal_one(classifier, images)


def test_what_the_network_did_not_see_carries_no_evidence(classifier: Classifier) -> None:
    card = dataclasses.replace(classifier.card, preparation=CentreCrop(40, 32).to_dict())
    frame = Micrograph("wide", np.random.default_rng(0).integers(0, 255, (80, 200), np.uint8))
    explanation = explain(Classifier(classifier.network, card), frame)
    top, left, bottom, right = explanation.seen_box
    assert (bottom - top, right - left) == (64, 64)
    assert explanation.heatmap.max() == 1
    outside = explanation.heatmap.copy()
    outside[top:bottom, left:right] = 0
    assert not outside.any()


def test_together_sums_round_the_same_on_any_number_of_cores(classifier: Classifier) -> None:
    frames = [simulate(kind, shape=(96, 128), seed=1).micrograph for kind in KINDS[:3]]
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(classify_and_explain(classifier, frames))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for (answer, drawn), (again, redrawn) in zip(found[0], other, strict=True):
            assert answer == again
            assert np.array_equal(drawn.raw, redrawn.raw)
