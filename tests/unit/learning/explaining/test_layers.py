import pytest
import torch

from core.learning.explaining.layers import describe_layers
from core.learning.models import Classifier, ModelCard
from core.learning.models.networks import build_network
from core.learning.models.preparation import CentreCrop


def make(name: str, **card: object) -> Classifier:
    torch.manual_seed(0)
    network = build_network(name, 2, {})
    return Classifier(network, ModelCard(name, name, ("a", "b"), **card))  # type: ignore[arg-type]


def test_receptive_fields_are_those_of_the_arithmetic() -> None:
    """VisualCNN: each block adds two pixels at its own step for the kernel, one for the pooling."""
    facts = describe_layers(make("visualcnn", preparation={"area_px": 128 * 128}), (128, 128))
    assert [f.name for f in facts] == ["block 1", "block 2", "block 3", "block 4"]
    assert [f.map_hw for f in facts] == [(64, 64), (32, 32), (16, 16), (8, 8)]
    assert [f.cell_px for f in facts] == [2, 4, 8, 16]
    assert [f.field_px for f in facts] == [4, 10, 22, 46]


def test_sizes_are_in_pixels_of_the_frame() -> None:
    prepared = {"area_px": 128 * 128}
    small = describe_layers(make("visualcnn", preparation=prepared), (128, 128))
    large = describe_layers(make("visualcnn", preparation=prepared), (512, 512))
    assert large[-1].map_hw == small[-1].map_hw
    assert large[-1].cell_px == 4 * small[-1].cell_px
    assert large[-1].field_px == 4 * small[-1].field_px


def test_a_cropped_frame_counts_what_is_seen() -> None:
    cropped = make("visualcnn", preparation=CentreCrop(80, 64).to_dict())
    facts = describe_layers(cropped, (160, 300))
    assert facts[0].cell_px == pytest.approx(4)


def test_squeeze_and_excitation_sees_everything() -> None:
    facts = describe_layers(
        make("mobilenet_v3_small", preparation={"area_px": 96 * 96, "multiple_px": 32}), (96, 96)
    )
    assert facts[-1].field_px == 96
