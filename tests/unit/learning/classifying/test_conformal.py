import dataclasses
import itertools

import numpy as np
import pytest

from core.errors import UserError
from core.learning.classifying.classification import classify
from core.learning.classifying.conformal import (
    LEVELS,
    lowest_probability,
    measure_coverage,
    offers_levels,
)
from core.learning.classifying.validation import softmax
from core.learning.models import Classifier
from core.learning.models.reference import Reference
from core.micrograph import Micrograph


def draw(n: int, seed: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Logits and truth that follows their softmax: a calibrated network."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, classes))
    truth = np.array([rng.choice(classes, p=p) for p in softmax(logits)])
    return logits, truth


def knowing(classifier: Classifier, n: int = 400) -> Classifier:
    logits, truth = draw(n, 0)
    kept = Reference(
        np.zeros((0, 4), np.float32), np.zeros(0, np.int64), logits.astype(np.float32), truth
    )
    card = dataclasses.replace(
        classifier.card,
        calibration={"temperature": 1.0, "conformal_level": 0.9, "conformal_threshold": 0.8},
    )
    return Classifier(classifier.network, card, reference=kept)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_sets_of_any_level_hold_the_truth_that_often(classifier: Classifier, level: float) -> None:
    model = knowing(classifier, 4000)
    card = dataclasses.replace(model.card, calibration={"temperature": 1.0})
    floor = lowest_probability(Classifier(model.network, card, reference=model.reference), level)
    logits, truth = draw(4000, 1)
    covered = (softmax(logits)[np.arange(4000), truth] >= floor).mean()
    assert covered == pytest.approx(level, abs=0.035)


def test_higher_levels_never_drop_a_class(classifier: Classifier, micrograph: Micrograph) -> None:
    model = knowing(classifier)
    sets = [set(classify(model, [micrograph], level=level)[0].prediction_set) for level in LEVELS]
    for small, large in itertools.pairwise(sets):
        assert small <= large


def test_coverage_is_measured_without_the_group_itself() -> None:
    """Groups of equal pictures: a set that had seen its own group would cover them all."""
    logits, truth = draw(200, 2)
    groups = np.repeat(np.arange(100), 2)
    for entry in measure_coverage(logits, truth, groups):
        assert entry.covered == pytest.approx(entry.level, abs=0.06)
        assert 1 <= entry.mean_size <= 3
        assert 0 <= entry.single <= 1
    sizes = [entry.mean_size for entry in measure_coverage(logits, truth, groups)]
    assert sizes == sorted(sizes)


def test_without_held_out_answers_only_the_level_of_the_card(
    classifier: Classifier, micrograph: Micrograph
) -> None:
    assert not offers_levels(classifier)
    assert lowest_probability(classifier) == 1
    with pytest.raises(UserError, match="no prediction sets"):
        classify(classifier, [micrograph], level=0.8)
    card = dataclasses.replace(
        classifier.card, calibration={"conformal_level": 0.9, "conformal_threshold": 0.7}
    )
    model = Classifier(classifier.network, card)
    assert lowest_probability(model, 0.9) == pytest.approx(0.3)
    with pytest.raises(UserError, match="90 % only"):
        lowest_probability(model, 0.8)


@pytest.mark.parametrize("level", [0.0, 0.49, 1.0, 1.5, float("nan")])
def test_a_level_out_of_range_is_refused(classifier: Classifier, level: float) -> None:
    with pytest.raises(ValueError, match=r"from 0\.5 to 0\.999"):
        lowest_probability(knowing(classifier), level)
