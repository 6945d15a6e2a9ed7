"""The trust card on networks whose answers are known."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import UserError
from core.learning.explaining.explanation import explain, explain_all
from core.learning.models import Classifier, ModelCard
from core.learning.models.networks import build_network
from core.learning.models.preparation import CentreCrop
from core.learning.trust.agreement import compare_maps, rank_correlation
from core.learning.trust.faithfulness import TrustCard, compare_methods, evidence_share, trust_card
from core.learning.trust.imputation import impute
from core.learning.trust.randomisation import cascade, pieces
from core.learning.trust.ranking import rank_map
from core.micrograph import Micrograph

SMALL = {"area_px": 64 * 64, "multiple_px": 16}


class Bright(nn.Module):
    """The score is the mean of what is brighter than average: every bright pixel counts alone."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.convolution.weight)
        self.linear = nn.Linear(1, 2, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([[8.0], [-8.0]]))

    def blocks(self) -> tuple[tuple[str, nn.Module], ...]:
        return (("pixels", nn.Sequential(self.convolution, nn.ReLU())),)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.convolution(x))

    def head(self, activation: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.linear(activation.mean(dim=(2, 3)) - 0.2)
        return logits


@pytest.fixture(scope="module")
def bright() -> Classifier:
    return Classifier(Bright(), ModelCard("bright", "x", ("bright", "dark"), preparation=SMALL))


@pytest.fixture(scope="module")
def deep() -> Classifier:
    torch.manual_seed(3)
    network = build_network("emnet", 3, {"widths": [8, 8, 16, 16]})
    return Classifier(network, ModelCard("deep", "emnet", ("a", "b", "c"), preparation=SMALL))


@pytest.fixture(scope="module")
def spots() -> Micrograph:
    """Three smooth bright spots on a noisy ground: plain edges are at their rims, not in them."""
    rows, cols = np.mgrid[:64, :64]
    centres = ((15, 15), (40, 45), (50, 12))
    picture = sum(np.exp(-((rows - r) ** 2 + (cols - c) ** 2) / 60) for r, c in centres)
    noise = np.random.default_rng(0).normal(0, 0.02, (64, 64))
    return Micrograph("spots", (200 * picture + 200 * noise).astype(np.float32))


def card_of(classifier: Classifier, micrograph: Micrograph, method: str, **options) -> TrustCard:
    found = explain(classifier, micrograph, method, options.pop("target", None))
    return trust_card(classifier, micrograph, found, **options)


def test_the_map_that_is_the_network_beats_chance_and_edges(
    bright: Classifier, spots: Micrograph
) -> None:
    card = card_of(bright, spots, "hirescam", target="bright")
    assert card.beats_chance
    assert card.beats_edges
    frame = card.to_frame().set_index("measure")
    for measure in ("deletion AUC (mean)", "insertion AUC (mean)", "ROAD", "average drop"):
        assert frame.loc[measure, "beats random"], measure
    assert "better than chance" in card.sentences("bright")[0]


def test_where_brightness_says_as_much_the_card_says_so(
    bright: Classifier, spots: Micrograph
) -> None:
    """The network sums what is bright: its own map is no better than the grey levels."""
    card = card_of(bright, spots, "hirescam", target="bright")
    assert not card.beats_brightness
    assert "But no more than grey levels alone" in card.sentences("bright")[1]
    frame = card.to_frame().set_index("measure")
    greys = ["brightness", "distance from the mean grey", "random × distance from the mean grey"]
    assert np.isfinite(frame[greys].to_numpy()).all()
    assert not frame.loc["deletion AUC (mean)", "beats greys"]
    assert frame.loc["deletion AUC (mean)", "beats random"]
    alone = {name: card.responses[name] for name in ("map", "sobel")}
    assert dataclasses.replace(card, responses=alone).to_frame()["beats greys"].all()


def test_deleting_in_the_best_order_cannot_be_beaten(bright: Classifier, spots: Micrograph) -> None:
    """Where every pixel counts alone, its own map is the best order there is."""
    found = explain_all(
        bright, spots, target="bright", methods=("hirescam", "sobel", "random", "occlusion")
    )
    aucs = {
        name: trust_card(bright, spots, each).map.deletion_auc("mean")
        for name, each in found.items()
    }
    assert min(aucs, key=aucs.get) == "hirescam"


def test_a_random_map_is_no_better_than_chance(bright: Classifier, spots: Micrograph) -> None:
    card = card_of(bright, spots, "random", target="bright", thorough=True)
    chance = [response.gain for response in card.random]
    assert abs(card.map.gain - np.mean(chance)) < 4 * np.std(chance) + 0.02
    assert abs(np.mean([response.road for response in card.random])) < 1e-9
    assert not card.beats_chance
    assert "no better than chance" in card.sentences("bright")[0]


def test_the_same_seed_gives_the_same_card(deep: Classifier, micrograph: Micrograph) -> None:
    first, second = (card_of(deep, micrograph, "grad-cam", target="b") for _ in range(2))
    assert first.to_frame().equals(second.to_frame())
    np.testing.assert_array_equal(first.cascade.spearman, second.cascade.spearman)
    np.testing.assert_array_equal(first.stability.spearman, second.stability.spearman)


def test_edges_do_not_change_when_the_network_forgets(
    deep: Classifier, micrograph: Micrograph
) -> None:
    edges = card_of(deep, micrograph, "sobel", target="b")
    assert edges.cascade.final == pytest.approx(1)
    assert not edges.cascade.passes
    assert any("may show the picture" in sentence for sentence in edges.sentences("b"))
    learnt = card_of(deep, micrograph, "grad-cam", target="b")
    assert learnt.cascade.final < 0.9
    assert learnt.cascade.depths == ("head", "stage 4", "stage 3", "stage 2", "stage 1", "stem")


def test_randomising_leaves_the_network_alone(deep: Classifier, micrograph: Micrograph) -> None:
    before = copy.deepcopy(deep.network.state_dict())
    raw = explain(deep, micrograph, target="a").raw
    cascade(deep, raw, lambda other: explain(other, micrograph, target="a").raw, (0, 1))
    for name, value in deep.network.state_dict().items():
        assert torch.equal(value, before[name])
    assert next(name for name, _ in pieces(deep.network)) == "head"


def test_progress_rises_to_the_end(deep: Classifier, micrograph: Micrograph) -> None:
    shares: list[float] = []
    card_of(deep, micrograph, "grad-cam", target="b", on_progress=lambda s, _: shares.append(s))
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_slow_method_is_spared_the_cascade(deep: Classifier, micrograph: Micrograph) -> None:
    card = card_of(deep, micrograph, "occlusion", target="b")
    assert card.cascade is None
    assert card.stability is None
    assert "occlusion" in card.agreement.methods
    assert card.sentences("b")


def test_an_empty_map_is_refused_in_words(deep: Classifier) -> None:
    flat = Micrograph("flat", np.full((40, 40), 9, np.uint8))
    with pytest.raises(UserError, match="nothing to check"):
        trust_card(deep, flat, explain(deep, flat))


def test_evidence_on_overlays_raises_the_alarm(deep: Classifier, micrograph: Micrograph) -> None:
    found = explain(deep, micrograph, target="b")
    everywhere = np.ones(micrograph.shape, bool)
    assert evidence_share(found, everywhere) == pytest.approx(1)
    assert evidence_share(found, ~everywhere) == 0
    card = trust_card(deep, micrograph, found, overlays=everywhere)
    assert any("100 % of the evidence lies on the info bar" in s for s in card.sentences("b"))


def test_binary_and_cropping_networks_have_cards(binary: Classifier) -> None:
    cropping = dataclasses.replace(binary.card, preparation=CentreCrop(40, 32).to_dict())
    frame = Micrograph("wide", np.random.default_rng(0).integers(0, 255, (80, 200), np.uint8))
    classifier = Classifier(binary.network, cropping)
    for target in cropping.classes:
        found = explain(classifier, frame, "hirescam", target)
        if found.has_evidence:
            card = trust_card(classifier, frame, found)
            assert np.isfinite(card.to_frame()[["map", "random", "sobel"]].to_numpy()).all()


def test_what_a_crop_leaves_out_moves_into_no_network(deep: Classifier) -> None:
    """Moved frames would bring it in; the input itself moves, so surroundings change nothing."""
    card = dataclasses.replace(deep.card, preparation=CentreCrop(80, 64).to_dict())
    cropping = Classifier(deep.network, card)
    draw = np.random.default_rng(4)
    one, other = (draw.integers(0, 255, (80, 120)).astype(np.uint8) for _ in range(2))
    top, left, bottom, right = cropping.preparation.seen_box(one.shape)
    other[top:bottom, left:right] = one[top:bottom, left:right]
    cards = [
        trust_card(cropping, frame, explain(cropping, frame, target="b"))
        for frame in (Micrograph("one", one), Micrograph("other", other))
    ]
    shaken = [card.stability.spearman for card in cards if card.stability is not None]
    assert len(shaken) == 2
    np.testing.assert_allclose(shaken[0], shaken[1], atol=1e-6)


def test_methods_are_compared_over_a_set(deep: Classifier, micrograph: Micrograph) -> None:
    other = Micrograph("other", np.random.default_rng(5).integers(0, 255, (70, 64), np.uint8))
    flat = Micrograph("flat", np.zeros((32, 32), np.uint8))
    table = compare_methods(deep, [micrograph, other, flat])
    assert "grad-cam" in set(table["method"])
    assert "cam" not in set(table["method"])  # must coincide with Grad-CAM here
    assert table["micrographs"].max() <= 2
    assert table["gain"].is_monotonic_decreasing
    assert table["beats_random"].between(0, 1).all()
    assert compare_methods(deep, [flat]).empty


def test_maps_of_one_order_agree_fully() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(12, 16)).astype(np.float32)
    agreement = compare_maps({"a": raw, "b": 3 * raw + 1, "c": -raw, "d": np.zeros_like(raw)})
    assert agreement.spearman[0, 1] == pytest.approx(1)
    assert agreement.spearman[0, 2] == pytest.approx(-1)
    assert np.isnan(agreement.spearman[3]).all()
    assert agreement.coinciding() == (("a", "b"),)
    assert rank_correlation(raw, np.ones_like(raw)) == 0


def test_ranking_orders_every_pixel_once() -> None:
    raw = np.arange(16, dtype=np.float32).reshape(4, 4)
    ranked = rank_map(raw, (4, 4), 0)
    np.testing.assert_array_equal(ranked.rank.ravel(), (np.arange(16)[::-1] / 16).astype("f4"))
    np.testing.assert_allclose(ranked.rank + ranked.reversed_rank, 15 / 16, atol=1e-6)
    tied = rank_map(np.zeros((4, 4), np.float32), (4, 4), 0)
    assert len(np.unique(tied.rank)) == 16


def test_imputed_pixels_follow_their_surroundings() -> None:
    """A plane is its own imputation: each value is the mean of its neighbours."""
    rows, cols = np.mgrid[:40, :50]
    plane = (rows + 2 * cols).astype(np.float32) / 50
    hidden = np.zeros(plane.shape, bool)
    hidden[10:25, 12:30] = True
    filled = impute(np.where(hidden, 99, plane), hidden, np.random.default_rng(0), 0.0)
    np.testing.assert_allclose(filled, plane, atol=0.02)
    assert np.isfinite(impute(plane, np.ones_like(hidden), np.random.default_rng(0), 0.01)).all()


def test_a_difference_too_small_to_see_beats_nothing(bright: Classifier, spots: Micrograph) -> None:
    card = card_of(bright, spots, "grad-cam")
    gain = card.map.gain
    assert card.beats_chance
    nearly = {fill: curve + (gain - 0.005) for fill, curve in card.map.deletion.items()}
    close = dataclasses.replace(card.map, insertion=nearly)
    assert close.gain == pytest.approx(gain - 0.005)
    assert not dataclasses.replace(card, random=(close,)).beats_chance
    assert not dataclasses.replace(card, responses={"map": card.map, "sobel": close}).beats_edges


def test_an_unlikely_class_is_said_to_be_one(deep: Classifier, micrograph: Micrograph) -> None:
    card = card_of(deep, micrograph, "eigen-cam")
    unlikely = dataclasses.replace(card.map, full=0.02)
    card = dataclasses.replace(card, responses={**card.responses, "map": unlikely})
    assert "only 0.02: there is little to take away" in " ".join(card.sentences("a"))


def test_methods_that_agree_are_counted_in_words(deep: Classifier, micrograph: Micrograph) -> None:
    card = card_of(deep, micrograph, "grad-cam")
    others = card.agreement.independent_of("grad-cam")
    assert not {"cam", "hirescam", "xgrad-cam", "random", "sobel"} & set(others)
    mean = np.mean(list(others.values()))
    assert f"(rank correlation {mean:.2f} on average" in " ".join(card.sentences("a"))
