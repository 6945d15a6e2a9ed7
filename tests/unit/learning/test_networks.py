import pytest
import torch

from core.learning.networks import NETWORKS, build_network


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", [(64, 64), (32, 112), (50, 75)])
def test_head_of_features_equals_the_whole_network(name: str, shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = build_network(name, 5, {}).eval()
    x = torch.randn(2, 1, *shape)
    with torch.inference_mode():
        whole = network(x)
        parts = network.head(network.features(x))
    assert whole.shape == (2, 5)
    assert torch.allclose(whole, parts, atol=1e-6)


def test_emnet_divides_the_resolution_by_16() -> None:
    network = build_network("emnet", 3, {"widths": [8, 8, 16, 16]}).eval()
    with torch.inference_mode():
        assert network.features(torch.zeros(1, 1, 64, 96)).shape == (1, 16, 4, 6)


def test_unknown_architecture_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="emnet"):
        build_network("alexandria", 3, {})
