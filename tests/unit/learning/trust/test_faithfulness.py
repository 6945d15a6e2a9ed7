"""The whole card: words, what it leaves alone, odd networks and odd micrographs."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.learning.checkpoints import Classifier, ModelCard
from core.learning.explanation import METHODS, explain, fitting_methods, fuse
from core.learning.faithfulness import FAST, TrustCard, describe, redraw, trust_card
from core.learning.preparation import CentreCrop
from core.learning.trust.card import Effort
from core.learning.trust.overlays import overlay_share
from core.learning.trust.perturbation import Steps
from core.learning.trust.stability import Nudge
from core.learning.trust.wording import Verdict
from core.micrograph import Micrograph
from tests.unit.learning.conftest import TwoLayers

QUICK = Effort(Steps((0.0, 0.1, 0.9, 1.0), (0.5,)), 1, (0,), (Nudge(4, 4),))


def card_of(
    classifier: Classifier, micrograph: Micrograph, method: str = "grad-cam", **options: object
) -> TrustCard:
    target = options.pop("target", None)
    found = explain(classifier, micrograph, method, target)
    return trust_card(classifier, micrograph, found, effort=QUICK, **options)


def words(card: TrustCard) -> str:
    return "\n".join(finding.sentence for finding in describe(card))


@pytest.fixture
def sees_blobs(classifier: Classifier) -> Classifier:
    """Every class has evidence somewhere: its row of the head is positive."""
    classifier.network.linear.weight.abs_()
    return classifier


def test_every_check_is_on_the_card(sees_blobs: Classifier, micrograph: Micrograph) -> None:
    corner = np.zeros(micrograph.shape, bool)
    corner[:1, :1] = True
    card = card_of(sees_blobs, micrograph, overlays=corner)
    assert card.checks is not None
    assert card.checks.cascade.depths == ("head", "last", "first")
    assert card.checks.agreement.methods[0] == "grad-cam"
    assert {"random", "sobel"} <= set(card.checks.agreement.methods)
    assert 0 <= card.checks.overlay_share < 0.01
    frame = card.to_frame()
    assert len(frame) == 8
    np.testing.assert_allclose(frame["map"] - frame["random"], frame["less_random"])
    text = words(card)
    for part in ("than chance", "edges", "every weight random", "Other methods", "a little"):
        assert part in text
    assert describe(card)[0].sentence.startswith("This map explains the decision")


def test_the_first_sentence_holds_the_numbers_of_the_curves(sees_blobs, micrograph) -> None:
    card = card_of(sees_blobs, micrograph)
    trials = card.checks.trials
    left = trials.own.after_deletion(0.1)
    chance = np.mean([each.after_deletion(0.1) for each in trials.random])
    sentence = describe(card)[0].sentence
    assert f"{left:.2f}" in sentence
    assert f"random deletion: {chance:.2f}" in sentence
    assert card.probability == pytest.approx(trials.own.full, abs=1e-5)


def test_the_same_map_gives_the_same_card(sees_blobs, micrograph) -> None:
    first, second = (card_of(sees_blobs, micrograph) for _ in range(2))
    assert first.to_frame().equals(second.to_frame())
    assert words(first) == words(second)
    np.testing.assert_array_equal(first.checks.cascade.spearman, second.checks.cascade.spearman)


def test_a_card_can_be_kept(sees_blobs, micrograph) -> None:
    card = card_of(sees_blobs, micrograph)
    again = pickle.loads(pickle.dumps(card))
    assert again.to_frame().equals(card.to_frame())


def test_the_network_is_left_as_it_was(sees_blobs, micrograph) -> None:
    network = sees_blobs.network
    before = copy.deepcopy(network.state_dict())
    card_of(sees_blobs, micrograph)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module.training for module in network.modules())
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("method", [name for name in METHODS if name != "occlusion"])
def test_every_method_has_a_card(sees_blobs, micrograph, method: str) -> None:
    card = card_of(sees_blobs, micrograph, method, channels=2)
    assert card.method_title == METHODS[method].title
    assert all(finding.sentence.endswith(".") for finding in describe(card))
    assert "nan" not in words(card)


def test_baselines_are_not_blamed(sees_blobs, micrograph) -> None:
    card = card_of(sees_blobs, micrograph, "sobel")
    assert card.is_baseline
    assert "does not ask the network" in words(card)
    assert not card.checks.trials.compare(card.comparisons[0].measure).beats_sobel


def test_a_map_without_evidence_gets_one_sentence(classifier, micrograph) -> None:
    classifier.network.linear.weight.abs_().neg_()
    card = card_of(classifier, micrograph, target="blobs")
    assert card.checks is None
    assert card.comparisons == ()
    assert card.to_frame().empty
    (finding,) = describe(card)
    assert finding.verdict is Verdict.NOTE
    assert "nothing to check" in finding.sentence


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (64, 64)])
@pytest.mark.parametrize("value", [0.0, 77.0, np.nan])
def test_a_flat_frame_gets_one_sentence(sees_blobs, shape: tuple[int, int], value: float) -> None:
    flat = Micrograph("flat", np.full(shape, value, np.float32))
    assert card_of(sees_blobs, flat).checks is None


def test_binary_networks_and_both_classes(binary: Classifier, micrograph: Micrograph) -> None:
    judged = [card_of(binary, micrograph, target=name) for name in ("rough", "smooth")]
    assert sum(card.probability for card in judged) == pytest.approx(1)
    assert any(card.checks is not None for card in judged)
    assert all(words(card) for card in judged)


def test_a_network_that_sees_the_middle_only(micrograph: Micrograph) -> None:
    torch.manual_seed(0)
    card = ModelCard("crop", "x", ("a", "b"), preparation=CentreCrop(80, 64).to_dict())
    network = TwoLayers(2)
    network.linear.weight.data.abs_()
    found = card_of(Classifier(network, card), micrograph)
    assert found.checks is not None
    assert np.isfinite(found.checks.stability.spearman).all()
    assert "than chance" in words(found)


def test_fused_maps_are_drawn_again_alike(sees_blobs, micrograph) -> None:
    layers = [explain(sees_blobs, micrograph, layer=name) for name in sees_blobs.layers]
    fused = fuse(layers)
    again = redraw(sees_blobs, micrograph, fused)
    np.testing.assert_array_equal(again.raw, fused.raw)
    assert again.layer == fused.layer
    assert trust_card(sees_blobs, micrograph, fused, effort=QUICK).layer == "first + last"


def test_contrast_is_kept(sees_blobs, micrograph) -> None:
    found = explain(sees_blobs, micrograph, "finer-cam", "blobs", contrast="rods_fibres")
    again = redraw(sees_blobs, micrograph, found)
    assert again.contrast == "rods_fibres"
    np.testing.assert_array_equal(again.raw, found.raw)


def test_evidence_on_letters_raises_the_alarm(sees_blobs, micrograph) -> None:
    found = explain(sees_blobs, micrograph)
    letters = found.heatmap >= np.quantile(found.heatmap, 0.8)
    card = trust_card(sees_blobs, micrograph, found, overlays=letters, effort=QUICK)
    assert card.checks.overlay_share > 0.2
    alarms = [f.sentence for f in describe(card) if f.verdict is Verdict.BAD]
    assert any("lies on the info bar" in sentence for sentence in alarms)


def test_no_overlays_are_not_mentioned(sees_blobs, micrograph) -> None:
    card = card_of(sees_blobs, micrograph, overlays=np.zeros(micrograph.shape, bool))
    assert card.checks.overlay_share is None
    assert "info bar" not in words(card)


def test_overlay_share_by_hand() -> None:
    heat = np.float32([[0, 1], [2, 1]])
    assert overlay_share(heat, heat == 2) == pytest.approx(0.5)
    assert overlay_share(np.zeros((2, 2), np.float32), heat == 2) == 0
    with pytest.raises(ValueError, match=r"must be \(2, 2\)"):
        overlay_share(heat, np.zeros((1, 2), bool))


def test_progress_rises_to_the_end(sees_blobs, micrograph) -> None:
    told: list[tuple[float, str]] = []
    card_of(sees_blobs, micrograph, progress=lambda done, what: told.append((done, what)))
    shares = [done for done, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert len({what for _, what in told}) >= 4


def test_effort_says_what_is_done() -> None:
    text = replace(FAST, draws=3).describe()
    assert "0, 10, 50, 90, 100 % (deletion, insertion)" in text
    assert "6 random maps" in text
    assert "mean grey level" in text
    assert "blurred" in text


def test_a_network_without_linear_head_is_compared_with_fitting_methods(
    sees_blobs, micrograph
) -> None:
    card = card_of(sees_blobs, micrograph)
    assert set(card.checks.agreement.methods) <= set(fitting_methods(sees_blobs))
