import dataclasses

import numpy as np
import pytest

from core.learning.classifying.classification import classify, embed
from core.learning.classifying.novelty import (
    NEAR_ANY,
    THRESHOLD,
    find_threshold,
    measure_apartness,
    measure_distance,
    measure_novelty,
)
from core.learning.classifying.validation import softmax
from core.learning.models import Classifier, ModelCard
from core.learning.models.reference import Reference
from core.learning.training.crossvalidation import HeldOut, calibrate
from core.micrograph import Micrograph


def reference(embeddings: np.ndarray, targets: list[int], groups: list[int]) -> Reference:
    return Reference(
        embeddings.astype(np.float32),
        np.array(targets, np.int64),
        np.zeros((0, 3), np.float32),
        np.zeros(0, np.int64),
        groups=np.array(groups, np.int64),
    )


def sure_of(*classes: int) -> np.ndarray:
    return np.eye(3)[list(classes)]


def test_what_was_learnt_is_nearer_than_what_was_not() -> None:
    rng = np.random.default_rng(0)
    axes = np.eye(8)[[0, 1, 2]]
    known = np.repeat(axes, 5, axis=0) + 1e-5 * rng.random((15, 8))
    kept = reference(known, [0] * 5 + [1] * 5 + [2] * 5, list(range(15)))
    near, other_class, foreign = measure_distance(
        kept,
        np.array([axes[0] + 1e-5, axes[1] + 1e-5, np.eye(8)[7]]),
        sure_of(0, 0, 0),
    )
    assert near < 0.1
    assert other_class > 1  # near to a class, but not to the one it is taken for
    assert foreign > 1.3


def test_the_threshold_is_measured_at_the_temperature_at_which_it_is_used() -> None:
    """Folds answered at temperature 1 and the finished network at its own: 4 % apart."""
    rng = np.random.default_rng(3)
    known, asked = rng.random((9, 8)), rng.random((200, 8))
    kept = reference(known, [0, 1, 2] * 3, list(range(9)))
    truth = rng.integers(3, size=200)
    logits = rng.normal(size=(200, 3))
    logits[np.arange(200), truth] += 1
    logits *= 3  # too sure: the temperature lies above 1
    none = np.zeros(200, np.int64)
    once = measure_distance(kept, asked, softmax(logits))
    found = calibrate(HeldOut({"pictures": logits}, truth, none, once, np.zeros((1, 0)), none))
    assert found["temperature"] > 2
    used = measure_distance(kept, asked, softmax(logits, found["temperature"]))
    assert found[THRESHOLD] == pytest.approx(find_threshold(used), abs=1e-4)
    assert found[THRESHOLD] > 1.05 * find_threshold(once)


def test_brightness_of_the_activation_does_not_count() -> None:
    rng = np.random.default_rng(1)
    known = rng.random((6, 8))
    kept = reference(known, [0] * 6, list(range(6)))
    asked = rng.random((4, 8))
    p = sure_of(0, 0, 0, 0)
    np.testing.assert_allclose(
        measure_distance(kept, asked, p), measure_distance(kept, 7 * asked, p), atol=1e-9
    )


def test_an_original_is_no_measure_of_itself() -> None:
    rng = np.random.default_rng(2)
    known = rng.random((8, 5))
    kept = reference(known, [0] * 8, [0, 0, 1, 1, 2, 2, 3, 3])
    p = sure_of(*[0] * 8)
    alone = measure_distance(kept, known, p, kept.groups)
    assert (alone > measure_distance(kept, known, p)).all()


def test_doubt_raises_it() -> None:
    kept = reference(np.random.default_rng(3).random((6, 4)), [0] * 6, list(range(6)))
    asked = np.random.default_rng(4).random((1, 4))
    sure, torn = (
        measure_distance(kept, asked, np.array([p]))[0] for p in ([1, 0, 0], [0.5, 0.3, 0.2])
    )
    assert torn == pytest.approx(1.5 * sure)


@pytest.mark.parametrize("n", [19, 40, 244])
def test_no_more_than_a_twentieth_of_new_ones_lies_beyond(n: int) -> None:
    """Over many draws of known and of new pictures, as conformal prediction promises."""
    rng = np.random.default_rng(n)
    beyond = [(rng.normal(size=50) > find_threshold(rng.normal(size=n))).mean() for _ in range(400)]
    assert 0.01 < np.mean(beyond) < 0.055


def test_classify_measures_it_where_the_model_can(
    classifier: Classifier, micrograph: Micrograph
) -> None:
    assert classify(classifier, [micrograph])[0].novelty is None
    assert classify(classifier, [micrograph])[0].is_novel is None
    own = embed(classifier, [micrograph])
    label = classifier.card.classes.index(classify(classifier, [micrograph])[0].label)
    kept = reference(np.repeat(own, 3, axis=0), [label] * 3, [0, 1, 2])
    card = dataclasses.replace(classifier.card, calibration={THRESHOLD: 0.5})
    knowing = Classifier(classifier.network, card, reference=kept)
    same = classify(knowing, [micrograph])[0]
    assert same.novelty == pytest.approx(0, abs=1e-3)
    assert same.is_novel is False
    flat = Micrograph("flat", np.full((64, 64), 7, np.uint8))
    assert classify(knowing, [flat])[0].novelty > 0


def test_apartness_is_one_where_originals_end_and_asks_no_class() -> None:
    rng = np.random.default_rng(0)
    known = np.repeat(rng.random((12, 8)), 2, axis=0) + 0.02 * rng.random((24, 8))
    kept = reference(known, [0, 1] * 12, list(np.repeat(np.arange(12), 2)))
    apart = measure_apartness(kept, kept.embeddings, kept.groups)
    assert apart.max() == pytest.approx(1)  # of 24 the largest: none lies beyond
    assert measure_apartness(kept, kept.embeddings).max() < 1  # its own group is near
    foreign = np.eye(8)[:1] - 0.9
    assert measure_apartness(kept, foreign)[0] > 1.5
    assert measure_apartness(kept, 3 * foreign) == pytest.approx(measure_apartness(kept, foreign))
    card = ModelCard("a", "emnet", ("x", "y", "z"), calibration={THRESHOLD: 9.0, NEAR_ANY: 1.0})
    for sure in (sure_of(0)[0], np.array([0.4, 0.3, 0.3])):
        found = measure_novelty(kept, card, foreign[0], sure)
        assert found == pytest.approx(measure_apartness(kept, foreign)[0])


def test_what_moves_no_score_is_further_apart() -> None:
    """Of two as far from the originals the one that no class answers loudly to is the newer."""
    rng = np.random.default_rng(5)
    known = np.repeat(rng.random((12, 8)), 2, axis=0) + 0.02 * rng.random((24, 8))
    groups = list(np.repeat(np.arange(12), 2))
    answered = dataclasses.replace(
        reference(known, [0, 1] * 12, groups),
        heldout_logits=np.tile(np.float32([4, 0, 0]), (24, 1)),
        heldout_targets=np.zeros(24, np.int64),
        heldout_groups=np.array(groups, np.int64),
    )
    asked = known[:1] + 0.3
    quiet, loud = np.array([0.3, 0.2, 0.1]), np.array([4.0, 0, 0])
    own = measure_apartness(answered, answered.embeddings, answered.groups, answered.heldout_logits)
    assert own.max() == pytest.approx(1)
    plain = measure_apartness(answered, asked)[0]
    assert measure_apartness(answered, asked, None, loud[None])[0] == pytest.approx(plain)
    assert measure_apartness(answered, asked, None, quiet[None])[0] > 1.05 * plain
    # As many units of the temperature apart, as much of the distance is taken away.
    cooled = measure_apartness(answered, asked, None, loud[None] - 4, 0.5)[0]
    assert cooled == pytest.approx(plain * np.exp(8 / 40), rel=1e-3)
    card = ModelCard("a", "emnet", ("x", "y", "z"), calibration={THRESHOLD: 9.0, NEAR_ANY: 1.0})
    found = measure_novelty(answered, card, asked[0], softmax(quiet[None])[0], quiet)
    assert found == pytest.approx(measure_apartness(answered, asked, None, quiet[None])[0])


def test_without_an_answer_for_each_original_the_distance_speaks_alone() -> None:
    kept = reference(np.random.default_rng(6).random((24, 8)), [0, 1] * 12, list(range(24)))
    asked = np.random.default_rng(7).random((2, 8))
    alone = measure_apartness(kept, asked)
    assert measure_apartness(kept, asked, None, np.ones((2, 3))) == pytest.approx(alone)
