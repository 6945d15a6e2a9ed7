import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from core.learning.classifying.classification import classify
from core.learning.classifying.robustness import OverlayCheck, check_stability
from core.learning.models import Classifier, ModelCard
from core.micrograph import Micrograph


class BrightSide(nn.Module):
    """Class 0 when the left half is brighter than the right one."""

    def blocks(self) -> tuple[tuple[str, nn.Module], ...]:
        return (("only", nn.AdaptiveAvgPool2d((1, 2))),)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(x, (1, 2))

    def head(self, activation: torch.Tensor) -> torch.Tensor:
        return 5 * activation[:, 0, 0]


@pytest.fixture
def sides() -> Classifier:
    return Classifier(BrightSide(), ModelCard("sides", "emnet", ("left", "right")))


def test_a_label_that_hangs_on_the_side_is_lost_in_a_flip(sides: Classifier) -> None:
    pixels = np.tile(np.linspace(200, 40, 96), (96, 1)).astype(np.uint8)
    found = check_stability(sides, Micrograph("ramp", pixels))
    assert found.label == "left"
    assert set(found.lost_to) == {"flipped left to right", "turned by half"}
    assert found.share == pytest.approx(1 - 2 / len(found.changes))


def test_a_flat_frame_is_stable_under_what_leaves_it_flat(sides: Classifier) -> None:
    found = check_stability(sides, Micrograph("flat", np.full((64, 64), 9, np.uint8)))
    assert found.share == 1


def test_stability_is_the_same_every_time(classifier: Classifier, micrograph: Micrograph) -> None:
    first, second = (check_stability(classifier, micrograph) for _ in range(2))
    assert first == second
    assert len(first.labels) == len(first.changes)


def test_what_outlasts_the_strongest_changes_is_not_asked_for_the_mild_ones(
    sides: Classifier,
) -> None:
    """Of every kind the strongest come first; one label lost there asks for all of them."""
    flat = check_stability(sides, Micrograph("flat", np.full((64, 64), 9, np.uint8)))
    assert len(flat.changes) == 7
    assert {change.split()[0] for change in flat.changes} == {
        "flipped",
        "turned",
        "shifted",
        "noise",
    }
    ramp = np.tile(np.linspace(200, 40, 96), (96, 1)).astype(np.uint8)
    assert len(check_stability(sides, Micrograph("ramp", ramp)).changes) == 15


def test_a_card_that_asks_for_a_million_pixels_costs_no_more_than_ordinary_ones(
    sides: Classifier, micrograph: Micrograph
) -> None:
    wide = dataclasses.replace(sides.card, preparation={"area_px": 1024 * 1024})
    found = check_stability(Classifier(sides.network, wide), micrograph)
    assert len(found.changes) == 4
    assert {change.split()[0] for change in found.changes} == {"flipped", "shifted", "noise"}


def test_of_several_labels_all_that_are_named_must_stay(sides: Classifier) -> None:
    both = Classifier(sides.network, dataclasses.replace(sides.card, multi_label=True))
    pixels = np.tile(np.linspace(200, 40, 96), (96, 1)).astype(np.uint8)
    found = check_stability(both, Micrograph("ramp", pixels))
    assert found.label == "left"
    assert set(found.lost_to) == {"flipped left to right", "turned by half"}


def test_letters_that_decide_raise_the_alarm(sides: Classifier) -> None:
    pixels = np.full((96, 96), 100, np.uint8)
    pixels[:, :48] = 110
    bar = np.zeros((96, 96), bool)
    bar[60:90, 50:94] = True
    pixels[bar] = 255
    micrograph = Micrograph("with a bar", pixels)
    shown, hidden = classify(sides, [micrograph, micrograph], excludes=[None, bar])
    found = OverlayCheck(shown, hidden)
    assert (found.shown.label, found.hidden.label) == ("right", "left")
    assert found.changes_label
