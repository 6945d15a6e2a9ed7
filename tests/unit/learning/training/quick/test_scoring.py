"""Folds, intervals and temperatures where there are few pictures."""

import numpy as np
import pytest

from core.learning.training.quick.folds import count_folds, deal_folds, split
from core.learning.training.quick.head import fit_at, fit_head
from core.learning.training.quick.scoring import (
    fit_smoothed_temperature,
    learning_curve,
    score_histograms,
    small_interval,
)


@pytest.mark.parametrize("per_class", [2, 3, 5, 9])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_folds_leave_every_class_something_to_learn_from(per_class, classes):
    truth = np.repeat(np.arange(classes), per_class)
    groups = np.arange(len(truth))
    held = []
    for rest, out in split(truth, groups):
        assert set(truth[rest]) == set(range(classes))
        held += out.tolist()
    assert sorted(held) == list(range(len(truth)))


def test_groups_stay_whole_and_folds_even():
    truth = np.repeat([0, 1], 20)
    groups = np.repeat(np.arange(10), 4)
    dealt = deal_folds(truth, groups, 5)
    assert all(len(set(dealt[groups == g])) == 1 for g in range(10))
    assert (np.bincount(dealt) == 8).all()
    assert count_folds(truth, groups) == 5


def test_one_group_of_a_class_holds_nothing_out():
    assert list(split(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]))) == []


def test_a_head_is_the_same_for_any_scale_of_the_features():
    rng = np.random.default_rng(0)
    truth = np.arange(12) % 3
    x = rng.normal(size=(12, 40)) + 2 * np.eye(3, 40)[truth]
    first, second = (fit_at(scale * x, truth, 3.0)(scale * x) for scale in (1, 1000))
    np.testing.assert_allclose(first, second, atol=1e-3)
    assert fit_head(x, truth, np.arange(12))(x).argmax(axis=1).tolist() == truth.tolist()


def test_a_column_that_never_varies_is_harmless():
    truth = np.array([0, 0, 1, 1])
    x = np.array([[0.0, 5], [0.1, 5], [1, 5], [1.1, 5]])
    head = fit_at(x, truth, 3.0)
    assert np.isfinite(head.weight).all()
    assert head(x).argmax(axis=1).tolist() == [0, 0, 1, 1]


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1, 2], 6)
    hits = 0
    for _ in range(200):
        right = rng.random(18) < 0.85
        predicted = np.where(right, truth, (truth + 1) % 3)
        low, high = small_interval(predicted, truth, np.arange(18), 3)
        hits += low <= 0.85 <= high
    assert hits / 200 >= 0.9


def test_an_interval_counts_originals_and_not_pictures():
    truth = np.repeat([0, 1], 20)
    alone = small_interval(truth, truth, np.arange(40), 2)
    grouped = small_interval(truth, truth, np.repeat(np.arange(8), 5), 2)
    assert grouped[0] < alone[0] - 0.1
    assert alone[1] == grouped[1] == 1.0


def test_all_right_does_not_make_probabilities_ever_surer():
    logits = np.where(np.eye(2)[np.arange(20) % 2] > 0, 1.0, -1.0)
    assert 0.2 < fit_smoothed_temperature(logits, np.arange(20) % 2) < 2


def test_grey_levels_never_ask_their_own_group():
    histograms = np.eye(4)[[0, 0, 3, 3]]
    truth, places = np.array([0, 0, 1, 1]), np.arange(4)
    assert score_histograms(histograms, truth, np.arange(4), places) == 1.0
    assert score_histograms(histograms, truth, np.array([0, 0, 1, 1]), places) == 0.0


def test_the_learning_curve_climbs_where_pictures_help():
    rng = np.random.default_rng(0)
    truth = np.arange(48) % 2
    x = rng.normal(size=(48, 30)) + 0.9 * np.eye(2, 30)[truth] * 2
    curve = learning_curve(x, truth, np.arange(48), 1.0)
    assert [entry["share"] for entry in curve] == [0.25, 0.5, 0.75, 1.0]
    assert curve[-1]["balanced_accuracy"] > curve[0]["balanced_accuracy"]
    assert curve[-1]["per_class"] > 3 * curve[0]["per_class"]
