import pytest
import torch
from torch import nn

from core.learning.models.networks import NETWORKS, build_network

OURS = {"emnet", "visualcnn", "efficientnet_lite0"}  # ours; the others have a twin in torchvision


@pytest.fixture(scope="module")
def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {name: build_network(name, 5, {}).eval() for name in NETWORKS}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", [(64, 64), (67, 75)])
def test_head_of_features_equals_the_whole_network(
    networks: dict[str, nn.Module], name: str, shape: tuple[int, int]
) -> None:
    network = networks[name]
    x = torch.randn(2, 1, *shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = network(x)
        parts = network.head(network.features(x))
        activation = x
        for _, block in network.blocks():
            activation = block(activation)
        pieces = network.head(activation)
    assert whole.shape == (2, 5)
    assert torch.allclose(whole, parts, atol=1e-6)
    assert torch.allclose(whole, pieces, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in OURS])
def test_borrowed_network_equals_torchvision(networks: dict[str, nn.Module], name: str) -> None:
    """The same weights under the same names give the same scores as torchvision's own forward."""
    import torchvision

    ours = networks[name]
    twin = torchvision.models.get_model(name, weights=None, num_classes=5).eval()
    weights = {key: value.clone() for key, value in ours.state_dict().items()}
    assert weights.keys() == twin.state_dict().keys()
    stem = next(iter(weights))
    grey = weights[stem]
    weights[stem] = torch.cat([grey, torch.zeros_like(grey), torch.zeros_like(grey)], dim=1)
    twin.load_state_dict(weights)
    x = torch.randn(1, 1, 64, 80, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = twin(x.expand(-1, 3, -1, -1))
        assert torch.allclose(ours(x), expected, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_block_without_touching_it(
    networks: dict[str, nn.Module], name: str
) -> None:
    """No block changes its input in place: an activation may be the leaf of a gradient."""
    network = networks[name]
    blocks = network.blocks()
    x = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    for depth, (_, block) in enumerate(blocks):
        with torch.no_grad():
            x = block(x)
        leaf = x.clone().requires_grad_(True)
        activation = leaf
        for _, later in blocks[depth + 1 :]:
            activation = later(activation)
        (gradient,) = torch.autograd.grad(network.head(activation)[0, 0], leaf)
        assert torch.equal(leaf.detach(), x)
        assert gradient.shape == x.shape
        assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_block_names_are_different_and_none_is_registered_twice(
    networks: dict[str, nn.Module], name: str
) -> None:
    names = [title for title, _ in networks[name].blocks()]
    assert len(set(names)) == len(names) >= 4
    keys = list(networks[name].state_dict())
    assert len(set(keys)) == len(keys)


def test_emnet_divides_the_resolution_by_16() -> None:
    network = build_network("emnet", 3, {"widths": [8, 8, 16, 16]}).eval()
    with torch.inference_mode():
        assert network.features(torch.zeros(1, 1, 64, 96)).shape == (1, 16, 4, 6)


def test_unknown_architecture_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="emnet"):
        build_network("alexandria", 3, {})
