"""A network that forgets, piece by piece."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from core.learning.explaining.explanation import explain
from core.learning.models import Classifier
from core.learning.trust.randomisation import cascade, pieces, randomise
from core.micrograph import Micrograph


def test_pieces_run_from_the_head_to_the_input(classifier: Classifier) -> None:
    found = pieces(classifier.network)
    assert [name for name, _ in found] == ["head", "last", "first"]
    owned = [parameter for _, modules in found for m in modules for parameter in m.parameters()]
    assert len(owned) == len(list(classifier.network.parameters()))


def test_a_map_that_ignores_the_network_stays(classifier: Classifier) -> None:
    same = np.random.default_rng(0).normal(size=(6, 6))
    found = cascade(classifier, same, lambda other: same, (0, 1))
    np.testing.assert_allclose(found.spearman, 1)
    assert found.depths == ("head", "last", "first")
    assert not found.passes


def test_a_map_that_is_turned_over_has_not_forgotten(classifier: Classifier) -> None:
    same = np.random.default_rng(0).normal(size=(6, 6))
    assert not cascade(classifier, same, lambda other: -same, (0,)).passes


def test_an_untrained_network_has_nothing_to_forget_but_its_draw(
    classifier: Classifier, micrograph: Micrograph
) -> None:
    """Maps of independent draws of the weights are as often alike as opposite."""
    raw = explain(classifier, micrograph, target="blobs").raw

    def draw(other: Classifier) -> np.ndarray:
        return explain(other, micrograph, target="blobs").raw

    found = cascade(classifier, raw, draw, tuple(range(30)))
    assert abs(found.final) < 3 * found.spearman[:, -1].std() / 30**0.5 + 0.05
    assert found.spearman[:, -1].min() < 0 < found.spearman[:, -1].max()


def test_the_shared_network_is_left_alone(classifier: Classifier, micrograph: Micrograph) -> None:
    before = copy.deepcopy(classifier.network.state_dict())
    counted: list[int] = []
    raw = explain(classifier, micrograph).raw
    cascade(
        classifier,
        raw,
        lambda other: explain(other, micrograph, target="blobs").raw,
        (0,),
        lambda: counted.append(1),
    )
    after = classifier.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not classifier.network.training
    assert len(counted) == 3


def test_a_failing_map_leaves_the_network_alone(classifier: Classifier) -> None:
    before = copy.deepcopy(classifier.network.state_dict())

    def fail(other: Classifier) -> np.ndarray:
        raise RuntimeError("no map")

    with pytest.raises(RuntimeError, match="no map"):
        cascade(classifier, np.eye(3), fail, (0,))
    after = classifier.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_same_seed_forgets_in_the_same_way(classifier: Classifier) -> None:
    seen: list[torch.Tensor] = []

    def look(other: Classifier) -> np.ndarray:
        seen.append(other.network.conv.weight.clone())
        return np.eye(3)

    cascade(classifier, np.eye(3), look, (7,))
    cascade(classifier, np.eye(3), look, (7, 8))
    assert torch.equal(seen[2], seen[5])
    assert not torch.equal(seen[2], seen[8])
    assert torch.equal(seen[0], classifier.network.conv.weight)  # the head goes first


def test_fresh_weights_have_the_spread_of_he() -> None:
    layer = nn.Conv2d(16, 64, 3)
    randomise(layer, torch.Generator().manual_seed(0))
    assert layer.weight.std().item() == pytest.approx((2 / (16 * 9)) ** 0.5, rel=0.05)
    assert not layer.bias.any()
    norm = nn.BatchNorm2d(3)
    norm.running_mean.fill_(5)
    norm.weight.data.fill_(7)
    randomise(norm, torch.Generator())
    assert not norm.running_mean.any()
    assert (norm.weight == 1).all()
