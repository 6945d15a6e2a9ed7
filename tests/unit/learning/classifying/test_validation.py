import time

import numpy as np
import pytest

from core.learning.classifying.validation import (
    balanced_accuracy,
    bootstrap_interval,
    conformal_threshold,
    confusion_matrix,
    cool_by_group,
    expected_calibration_error,
    fit_temperature,
    leave_out,
    softmax,
    summarise,
)


def overconfident(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose honest temperature is 3, with truth drawn from the honest probabilities."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (n, 3))
    draws = rng.random((n, 1)) < softmax(honest).cumsum(axis=1)
    return honest * 3, draws.argmax(axis=1)


def test_temperature_is_recovered() -> None:
    assert fit_temperature(*overconfident()) == pytest.approx(3, rel=0.1)


def test_temperature_lowers_the_calibration_error() -> None:
    logits, truth = overconfident()
    before = expected_calibration_error(softmax(logits), truth)
    after = expected_calibration_error(softmax(logits, 3.0), truth)
    assert before > 0.1
    assert after < 0.03


def test_calibration_error_of_a_worked_example() -> None:
    probabilities = np.array([[0.95, 0.05]] * 4)
    assert expected_calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0.2)


def test_prediction_sets_cover_the_truth() -> None:
    logits, truth = overconfident()
    probabilities = softmax(logits, 3.0)
    threshold = conformal_threshold(probabilities[:2000], truth[:2000], 0.9)
    covered = 1 - probabilities[2000:][np.arange(2000), truth[2000:]] <= threshold
    assert covered.mean() == pytest.approx(0.9, abs=0.02)


def test_too_few_pictures_exclude_nothing() -> None:
    assert conformal_threshold(np.array([[0.9, 0.1]]), np.array([0])) == 1.0


def test_confusion_rows_are_the_truth() -> None:
    matrix = confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    np.testing.assert_array_equal(matrix, [[1, 1], [0, 1]])
    assert balanced_accuracy(matrix) == 0.75


def test_classes_without_pictures_do_not_count() -> None:
    assert balanced_accuracy(np.array([[3, 0], [0, 0]])) == 1.0


def test_interval_widens_when_pictures_share_groups() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], 60)
    wrong = np.repeat(rng.random(12) < 0.3, 10)
    predicted = np.where(wrong, 1 - truth, truth)
    alone = bootstrap_interval(predicted, truth, [str(i) for i in range(120)], 2)
    shared = bootstrap_interval(predicted, truth, [str(i // 10) for i in range(120)], 2)
    assert shared[1] - shared[0] > 1.5 * (alone[1] - alone[0])


def test_summary_says_how_many_originals_it_rests_on() -> None:
    logits, truth = overconfident(60)
    scores = summarise(logits, truth, [str(i // 2) for i in range(60)], ("a", "b", "c"), 3.0)
    assert scores["pictures"] == 60
    assert scores["groups"] == 30
    low, high = scores["balanced_accuracy_interval_95"]
    assert low <= scores["balanced_accuracy"] <= high
    assert sum(map(sum, scores["confusion_matrix"])) == 60
    assert set(scores["recall"]) == {"a", "b", "c"}


def test_each_group_is_cooled_by_the_others_alone() -> None:
    logits, truth = overconfident(60)
    groups = np.repeat(np.arange(20), 3)
    cooled = cool_by_group(logits, truth, groups)
    for group in range(20):
        rows = groups == group
        temperature = fit_temperature(logits[~rows], truth[~rows])
        np.testing.assert_allclose(cooled[rows], logits[rows] / temperature)


def test_one_group_alone_stays_as_it_is() -> None:
    logits, truth = overconfident(10)
    np.testing.assert_array_equal(cool_by_group(logits, truth, np.zeros(10, int)), logits)


@pytest.mark.parametrize(("rows", "classes", "groups"), [(20_000, 5, 20_000), (2000, 1000, 7)])
def test_many_groups_share_a_temperature_and_cost_seconds(
    rows: int, classes: int, groups: int
) -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=(rows, classes)), rng.integers(0, classes, rows)
    member = rng.integers(0, groups, rows)
    left_out = np.sum(list(leave_out(member, logits.size)), axis=0)
    assert (left_out == 1).all()
    before = time.process_time()
    assert cool_by_group(logits, truth, member).shape == logits.shape
    assert time.process_time() - before < 10


def test_groups_are_never_parted() -> None:
    groups = np.random.default_rng(0).integers(0, 900, 3000)
    for held in leave_out(groups, 3000 * 5):
        assert not set(groups[held]) & set(groups[~held])
