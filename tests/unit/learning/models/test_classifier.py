"""What a classifier remembers of the frames it has looked at."""

import threading

import numpy as np
import torch

from core.learning.classifying import classify
from core.learning.explaining import explain
from core.learning.models import Classifier, ModelCard
from core.learning.models.classifier import _Recent
from core.learning.models.networks import build_network
from core.micrograph import Micrograph


class Counting(torch.nn.Module):
    """A small network that counts how many frames entered it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = build_network("visualcnn", 3, {})
        self.frames = 0

    def blocks(self) -> object:
        return self.inner.blocks()  # type: ignore[operator]

    def features(self, x: torch.Tensor) -> torch.Tensor:
        self.frames += len(x)
        return self.inner.features(x)  # type: ignore[no-any-return,operator]

    def head(self, activation: torch.Tensor) -> torch.Tensor:
        return self.inner.head(activation)  # type: ignore[no-any-return,operator]


def make() -> tuple[Counting, Classifier]:
    network = Counting()
    card = ModelCard("counting", "visualcnn", ("a", "b", "c"), preparation={"area_px": 96 * 96})
    classifier = Classifier(network, card)
    classifier._at_once = network.features  # type: ignore[assignment]  # which counts
    assert classifier.has_linear_head in (True, False)  # asks the network once
    network.frames = 0
    return network, classifier


def frame(seed: int) -> Micrograph:
    pixels = np.random.default_rng(seed).integers(0, 255, (96, 96), np.uint8)
    return Micrograph(f"frame {seed}", pixels)


def test_an_answer_and_all_its_explanations_cost_one_pass() -> None:
    network, classifier = make()
    answer = classify(classifier, [frame(0)])[0]
    maps = [explain(classifier, frame(0), target=name) for name in ("a", "b", "c")]
    assert network.frames == 1
    _, fresh = make()
    assert answer == classify(fresh, [frame(0)])[0]
    for name, found in zip(("a", "b", "c"), maps, strict=True):
        assert np.array_equal(found.raw, explain(fresh, frame(0), target=name).raw)


def test_another_frame_or_another_mask_is_looked_at() -> None:
    network, classifier = make()
    hidden = np.zeros((96, 96), bool)
    hidden[60:] = True
    first = classify(classifier, [frame(0), frame(1)])
    assert classify(classifier, [frame(0)], excludes=[hidden])[0] != first[0]
    assert network.frames == 3
    assert first[0].probabilities != first[1].probabilities


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    made: list[float] = []

    def make_map(x: torch.Tensor) -> torch.Tensor:
        made.append(float(x[0, 0, 0, 0]))
        return x.repeat(1, 2, 1, 1)

    recent = _Recent(most_bytes=2 * 2 * 16 * 4)  # two maps
    one, two, three = (torch.full((1, 1, 4, 4), float(n)) for n in range(3))
    for x in (one, two, one, three, one, two):
        assert torch.equal(recent.get(x, make_map), x.repeat(1, 2, 1, 1))
    assert made == [0, 1, 2, 1]
    # Alike in bytes, unlike in shape.
    assert recent.get(torch.zeros(1, 1, 2, 8), make_map).shape == (1, 2, 2, 8)


def test_threads_share_what_is_remembered_and_get_the_same() -> None:
    _, classifier = make()
    frames = [frame(n % 5) for n in range(40)]
    wanted = [classify(make()[1], [each])[0] for each in frames[:5]]
    found: list[object] = [None] * len(frames)

    def work(start: int) -> None:
        for place in range(start, len(frames), 4):
            found[place] = classify(classifier, [frames[place]])[0]

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted[place % 5] for place in range(len(frames))]
