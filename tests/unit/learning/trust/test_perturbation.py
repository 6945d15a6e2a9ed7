"""Curves of a network whose best order is known; averages worked out by hand."""

import numpy as np
import pytest
import torch

from core.learning.models import Classifier
from core.learning.trust.perturbation import NEGATIVE, Perturber, Steps
from core.learning.trust.ranking import random_maps, rank_map
from core.learning.trust.response import Response

STEPS = Steps((0.0, 0.25, 0.5, 0.75, 1.0), road_shares=(0.5,), fills=("mean",))


def contributions(classifier: Classifier, inputs: torch.Tensor) -> np.ndarray:
    """What each pixel gives to the score, compared with the mean grey level."""
    weight = classifier.network.weighing.weight
    return ((inputs - inputs.mean()) * weight)[0, 0].numpy()


def respond(perturber: Perturber, maps: dict[str, np.ndarray]) -> dict[str, Response]:
    ranked = {name: rank_map(raw, (32, 32), 0) for name, raw in maps.items()}
    return perturber.respond(ranked, {name: each.heat for name, each in ranked.items()})


def test_no_order_beats_that_of_the_contributions(weighted: Classifier, inputs) -> None:
    perturber = Perturber(weighted, inputs, "yes", STEPS)
    best = contributions(weighted, inputs)
    others = random_maps((32, 32), 20, 1) + random_maps((4, 4), 5, 2) + [best**3 - 0.5 * best]
    found = respond(perturber, {"best": best, **{str(n): raw for n, raw in enumerate(others)}})
    for name in map(str, range(len(others))):
        assert (found[name].deletion["mean"] >= found["best"].deletion["mean"] - 1e-6).all()
        assert (found[name].insertion["mean"] <= found["best"].insertion["mean"] + 1e-6).all()
        assert found[name].gain < found["best"].gain


def test_curves_are_those_of_the_sums(weighted: Classifier, inputs) -> None:
    """With the hottest half at the mean, the score is that of the mean and of the colder half."""
    best = contributions(weighted, inputs)
    found = respond(Perturber(weighted, inputs, "yes", STEPS), {"best": best})["best"]
    base = float((inputs.mean() * weighted.network.weighing.weight).sum())
    ordered = np.sort(best.ravel())[::-1]
    left = base + ordered[512:].sum()
    expected = 1 / (1 + np.exp(-8 * left / 1024))
    assert found.deletion["mean"][2] == pytest.approx(expected, abs=1e-5)
    kept = base + ordered[:512].sum()
    assert found.insertion["mean"][2] == pytest.approx(1 / (1 + np.exp(-8 * kept / 1024)), abs=1e-5)


def test_ends_of_both_curves_are_the_whole_and_the_empty_frame(weighted, inputs) -> None:
    perturber = Perturber(weighted, inputs, "yes", Steps())
    found = respond(perturber, {"any": random_maps((8, 8), 1, 0)[0]})["any"]
    for fill in ("mean", "blur"):
        assert found.deletion[fill][0] == found.insertion[fill][-1] == found.full
        assert found.deletion[fill][-1] == found.insertion[fill][0]


def test_the_negative_is_the_map_read_from_the_other_end(weighted, inputs) -> None:
    perturber = Perturber(weighted, inputs, "yes", Steps())
    ranked = rank_map(random_maps((8, 8), 1, 0)[0], (32, 32), 0)
    negative = ranked.negative()
    heats = {"a": ranked.heat, NEGATIVE + "a": negative.heat}
    read = perturber.respond({"a": ranked}, heats)[NEGATIVE + "a"]
    asked = perturber.respond({"b": negative}, {"b": negative.heat})["b"]
    for fill in ("mean", "blur"):
        np.testing.assert_allclose(read.deletion[fill], asked.deletion[fill], atol=1e-6)
        np.testing.assert_allclose(read.insertion[fill], asked.insertion[fill], atol=1e-6)
    assert read.gain == pytest.approx(asked.gain, abs=1e-6)
    assert read.road == pytest.approx(asked.road, abs=1e-6)
    assert read.kept == asked.kept


def test_progress_ends_at_one_and_never_falls(weighted, inputs) -> None:
    told: list[float] = []
    perturber = Perturber(weighted, inputs, "yes", Steps())
    ranked = rank_map(np.eye(4), (32, 32), 0)
    perturber.respond({"a": ranked}, {"a": ranked.heat}, lambda done, what: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_input_is_left_alone(weighted, inputs) -> None:
    before = inputs.clone()
    respond(Perturber(weighted, inputs, "no", Steps()), {"a": np.eye(4)})
    assert torch.equal(inputs, before)


@pytest.mark.parametrize(
    ("shares", "road"),
    [((0.0, 0.2, 1.0), (0.5,)), ((0.0, 0.6, 0.4, 1.0), (0.5,)), ((0.0, 0.5, 1.0), (1.0,))],
)
def test_steps_say_what_is_wrong(shares: tuple[float, ...], road: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="shares must"):
        Steps(shares, road)


def response(**changes: object) -> Response:
    plain = {
        "shares": np.array([0, 0.5, 1]),
        "road_shares": np.array([0.5]),
        "deletion": {"mean": np.array([0.8, 0.4, 0.2])},
        "insertion": {"mean": np.array([0.2, 0.6, 0.8])},
        "road_hottest": np.array([0.3]),
        "road_coldest": np.array([0.7]),
        "full": 0.8,
        "kept": 0.6,
    }
    return Response(**{**plain, **changes})


def test_areas_drop_and_road_by_hand() -> None:
    found = response()
    assert found.deletion_auc("mean") == pytest.approx(0.45)
    assert found.insertion_auc("mean") == pytest.approx(0.55)
    assert found.gain == pytest.approx(0.1)
    assert found.road == pytest.approx(0.2)
    assert found.drop == pytest.approx(0.25)
    assert not found.increase
    assert found.after_deletion(0.5) == pytest.approx(0.4)


def test_a_rise_is_no_drop() -> None:
    found = response(kept=0.9)
    assert found.drop == 0
    assert found.increase
    assert response(full=0.0, kept=0.0).drop == 0
