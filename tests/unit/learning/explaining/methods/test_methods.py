"""Laws that the methods must keep, on networks with known answers."""

import dataclasses

import numpy as np
import pytest
import torch

from core.errors import UserError
from core.learning.classifying.classification import classify
from core.learning.explaining.explanation import (
    BASELINES,
    METHODS,
    ONE_PASS,
    Explanation,
    classify_and_explain,
    coinciding_methods,
    explain,
    explain_all,
    fitting_methods,
    fuse,
)
from core.learning.models import Classifier, ModelCard
from core.learning.models.networks import build_network
from core.learning.models.preparation import CentreCrop
from core.micrograph import Micrograph

SMALL = {"area_px": 64 * 64, "multiple_px": 16}


@pytest.fixture(scope="module")
def deep() -> Classifier:
    """An untrained network with several layers, spread over three classes."""
    torch.manual_seed(3)
    network = build_network("emnet", 3, {"widths": [8, 8, 16, 16]})
    return Classifier(network, ModelCard("deep", "emnet", ("a", "b", "c"), preparation=SMALL))


def logits_of(classifier: Classifier, micrograph: Micrograph) -> np.ndarray:
    with torch.inference_mode():
        return classifier.head(classifier.features(classifier.prepare(micrograph)))[0].numpy()


def test_every_method_answers_at_every_layer(deep: Classifier, micrograph: Micrograph) -> None:
    for layer in deep.layers:
        for name, each in explain_all(
            deep, micrograph, target="b", layer=layer, methods=tuple(METHODS), channels=4
        ).items():
            assert each.layer == layer
            assert each.heatmap.shape == micrograph.shape
            assert np.isfinite(each.raw).all(), name
            assert 0 <= each.heatmap.min() <= each.heatmap.max() <= 1


def test_cam_adds_up_to_the_logit(classifier: Classifier, micrograph: Micrograph) -> None:
    raw = explain(classifier, micrograph, "cam", "plain").raw
    bias = float(classifier.network.linear.bias[1])
    assert raw.mean() == pytest.approx(logits_of(classifier, micrograph)[1] - bias, abs=1e-5)


def test_coinciding_methods_coincide_and_are_named(
    deep: Classifier, micrograph: Micrograph
) -> None:
    alike = coinciding_methods(deep)
    assert set(alike) == {"cam", "grad-cam", "xgrad-cam", "hirescam"}
    maps = explain_all(deep, micrograph, target="c", methods=alike)
    for each in maps.values():
        np.testing.assert_allclose(each.heatmap, maps["cam"].heatmap, atol=1e-5)
    assert coinciding_methods(deep, "stage 2") == ()
    earlier = explain_all(deep, micrograph, target="c", layer="stage 2", methods=alike)
    assert np.abs(earlier["grad-cam"].heatmap - earlier["hirescam"].heatmap).max() > 0.01


def test_cam_needs_a_linear_head(micrograph: Micrograph) -> None:
    torch.manual_seed(0)
    card = ModelCard("alex", "alexnet", ("a", "b"), preparation=CentreCrop(70, 64).to_dict())
    alexnet = Classifier(build_network("alexnet", 2, {}), card)
    assert not alexnet.has_linear_head
    assert "cam" not in fitting_methods(alexnet)
    assert coinciding_methods(alexnet) == ()
    with pytest.raises(UserError, match="Choose Grad-CAM"):
        explain(alexnet, micrograph, "cam")
    assert set(explain_all(alexnet, micrograph)) == set(ONE_PASS) - {"cam"}


def test_integrated_gradients_are_complete(deep: Classifier, micrograph: Micrograph) -> None:
    """They add up to the difference between the score of the frame and that of plain grey."""
    raw = explain(deep, micrograph, "integrated-gradients", "b").raw
    grey = torch.zeros(1, 1, *raw.shape)
    with torch.inference_mode():
        start = float(deep.head(deep.features(grey))[0, 1])
    expected = logits_of(deep, micrograph)[1] - start
    assert raw.sum() == pytest.approx(expected, abs=0.03 * max(0.1, abs(expected)))


def test_occlusion_finds_the_only_place_that_counts() -> None:
    """A network that averages a bright square: hiding the square alone lowers the score."""

    class Brightness(torch.nn.Module):
        def blocks(self) -> tuple[tuple[str, torch.nn.Module], ...]:
            return (("pixels", torch.nn.ReLU()),)

        def features(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x)

        def head(self, activation: torch.Tensor) -> torch.Tensor:
            mean = activation.mean(dim=(1, 2, 3))
            return torch.stack([mean, -mean], dim=1)

    card = ModelCard("brightness", "x", ("bright", "dark"), preparation=SMALL)
    pixels = np.zeros((64, 64), np.uint8)
    pixels[10:20, 40:50] = 255
    explanation = explain(
        Classifier(Brightness(), card), Micrograph("square", pixels), "occlusion", "bright"
    )
    row, col = np.unravel_index(explanation.heatmap.argmax(), (64, 64))
    assert 8 <= row < 22
    assert 38 <= col < 52
    assert explanation.heatmap[40:, :30].max() < 0.2


@pytest.mark.parametrize("shape", [(64, 64), (48, 80), (80, 112)])
def test_windows_of_occlusion_prefer_no_side(shape: tuple[int, int]) -> None:
    """Where they fall on a mirrored frame is where they fell: the map is the mirrored one."""

    class Even(torch.nn.Module):
        """The score is the mean grey level, so that a network's own sides play no part."""

        def blocks(self) -> tuple[tuple[str, torch.nn.Module], ...]:
            return (("pixels", torch.nn.ReLU()),)

        def features(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x)

        def head(self, activation: torch.Tensor) -> torch.Tensor:
            mean = activation.mean(dim=(1, 2, 3))
            return torch.stack([mean, -mean], dim=1)

    card = ModelCard("even", "x", ("yes", "no"), preparation=SMALL)
    even = Classifier(Even(), card)
    pixels = np.random.default_rng(5).integers(0, 255, shape).astype(np.uint8)
    for flip in (np.fliplr, np.flipud):
        raws = [
            explain(even, Micrograph("side", np.ascontiguousarray(each)), "occlusion", "yes").raw
            for each in (pixels, flip(pixels))
        ]
        np.testing.assert_allclose(flip(raws[0]), raws[1], atol=1e-5)


def test_occlusion_says_how_large_its_windows_are() -> None:
    assert "a sixth of the short side, moved by half of itself" in METHODS["occlusion"].formula


def test_finer_cam_is_the_difference_of_two_grad_cams(
    deep: Classifier, micrograph: Micrograph
) -> None:
    finer = explain(deep, micrograph, "finer-cam", "a", contrast="c")
    a, c = (explain(deep, micrograph, "grad-cam", name).raw for name in ("a", "c"))
    np.testing.assert_allclose(finer.raw, a - c, atol=1e-6)
    assert finer.contrast == "c"
    assert explain(deep, micrograph, "grad-cam", "a").contrast == ""
    others = logits_of(deep, micrograph)[1:]
    assert explain(deep, micrograph, "finer-cam", "a").contrast == "bc"[int(others.argmax())]
    with pytest.raises(ValueError, match="itself"):
        explain(deep, micrograph, "finer-cam", "a", contrast="a")


@pytest.mark.parametrize("method", ["score-cam", "ablation-cam"])
def test_all_channels_named_are_all_channels(
    deep: Classifier, micrograph: Micrograph, method: str
) -> None:
    whole = explain(deep, micrograph, method, "b").raw
    limited = explain(deep, micrograph, method, "b", channels=1000).raw
    np.testing.assert_allclose(whole, limited, atol=1e-6)
    few = explain(deep, micrograph, method, "b", channels=2).raw
    assert np.abs(few - whole).max() > 0


def test_baselines_do_not_depend_on_the_network(micrograph: Micrograph) -> None:
    maps = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = build_network("emnet", 3, {"widths": [8, 8, 16, 16]})
        other = Classifier(network, ModelCard("x", "emnet", ("a", "b", "c"), preparation=SMALL))
        maps.append(explain_all(other, micrograph, target="a", methods=BASELINES))
    for name in BASELINES:
        np.testing.assert_array_equal(maps[0][name].raw, maps[1][name].raw)
    reseeded = explain(other, micrograph, "random", "a", seed=5).raw
    assert np.abs(reseeded - maps[0]["random"].raw).max() > 0.1


def test_one_pass_for_a_batch_equals_one_after_the_other(
    deep: Classifier, micrograph: Micrograph
) -> None:
    rng = np.random.default_rng(0)
    frames = [micrograph] + [
        Micrograph(str(i), rng.integers(0, 255, (50 + 30 * (i % 2), 64)).astype(np.uint8))
        for i in range(4)
    ]
    frames.append(Micrograph("blank", np.full((30, 30), 7, np.uint8)))
    for method in ("grad-cam", "layercam", "finer-cam"):
        together = classify_and_explain(deep, frames, method=method, layer="stage 3")
        for frame, (said, drawn) in zip(frames, together, strict=True):
            alone = explain(deep, frame, method, layer="stage 3")
            expected = classify(deep, [frame])[0]
            assert said.label == expected.label
            assert said.probability == pytest.approx(expected.probability, abs=1e-6)
            assert drawn.target == alone.target == said.label
            np.testing.assert_allclose(drawn.raw, alone.raw, atol=1e-6)
    assert not together[-1][1].has_evidence


def test_layers_are_fused_to_one_map(deep: Classifier, micrograph: Micrograph) -> None:
    parts = [explain(deep, micrograph, "layercam", "a", name) for name in ("stage 1", "stage 4")]
    fused = fuse(parts)
    assert fused.layer == "stage 1 + stage 4"
    assert fused.raw.shape == parts[0].raw.shape
    assert fused.heatmap.shape == micrograph.shape
    assert 0 <= fused.raw.min() <= fused.raw.max() <= 1
    np.testing.assert_allclose(fuse(parts[:1]).heatmap, parts[0].heatmap, atol=1e-6)
    with pytest.raises(ValueError, match="one micrograph"):
        fuse([*parts, explain(deep, micrograph, "layercam", "b")])
    with pytest.raises(ValueError, match="one micrograph"):
        fuse([])


def test_a_binary_network_is_explained_for_its_own_answer(
    binary: Classifier, micrograph: Micrograph
) -> None:
    """The label follows the network's threshold, and the two classes have opposite maps."""
    sure = dataclasses.replace(binary.card, decision_threshold=0.999)
    assert explain(Classifier(binary.network, sure), micrograph).target == "rough"
    rough, smooth = (explain(binary, micrograph, target=n).raw for n in binary.card.classes)
    np.testing.assert_allclose(rough, -smooth, atol=1e-7)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_mirrored_frame_has_the_mirrored_map(axis: int) -> None:
    """For a network of symmetric kernels; the methods themselves prefer no side."""
    torch.manual_seed(0)
    network = build_network("visualcnn", 3, {})
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                turned = sum(torch.rot90(module.weight, k, (2, 3)) for k in range(4)) / 4
                module.weight.copy_((turned + turned.flip(2)) / 2)
    symmetric = Classifier(network, ModelCard("s", "visualcnn", ("a", "b", "c"), preparation=SMALL))
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64)).astype(np.uint8)
    mirrored = Micrograph("m", np.ascontiguousarray(np.flip(pixels, axis)))
    methods = [name for name in METHODS if name != "random"]
    there = explain_all(symmetric, Micrograph("o", pixels), target="a", methods=methods)
    back = explain_all(symmetric, mirrored, target="a", methods=methods)
    for name in methods:
        expected = np.flip(there[name].heatmap, axis)
        np.testing.assert_allclose(back[name].heatmap, expected, atol=5e-3, err_msg=name)


def test_the_scene_is_left_as_it_was(deep: Classifier, micrograph: Micrograph) -> None:
    before = {k: v.clone() for k, v in deep.network.state_dict().items()}
    explain_all(deep, micrograph, methods=tuple(METHODS), channels=2)
    assert all(torch.equal(v, before[k]) for k, v in deep.network.state_dict().items())
    for module in deep.network.modules():
        assert not module.training
        assert not module._forward_hooks
        assert not module._backward_hooks
    assert all(p.grad is None and not p.requires_grad for p in deep.network.parameters())


def test_explanations_of_different_frames_cannot_be_fused(
    deep: Classifier, micrograph: Micrograph
) -> None:
    other = Micrograph("other", np.zeros((20, 20), np.uint8))
    pair: list[Explanation] = [
        explain(deep, micrograph, target="a"),
        explain(deep, other, target="a"),
    ]
    with pytest.raises(ValueError, match="one micrograph"):
        fuse(pair)
