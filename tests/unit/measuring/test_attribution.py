"""Shares of an explanation per cluster, added up by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.measuring.attribution import attribution_share
from core.measuring.clustering import cluster_gray

LABELS = np.array([[0, 0, 0, 1], [0, 0, 0, 1]], np.int16)
HEAT = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.float32)


def test_shares_and_lift_of_two_clusters():
    frame = attribution_share(HEAT, LABELS)
    assert list(frame.columns) == ["cluster", "area_share", "evidence_share", "lift"]
    assert frame["cluster"].tolist() == [0, 1]
    assert frame["area_share"].tolist() == [0.75, 0.25]
    assert frame["evidence_share"].tolist() == [0.5, 0.5]
    assert frame["lift"].tolist() == pytest.approx([2 / 3, 2])


def test_even_evidence_has_lift_one_everywhere():
    frame = attribution_share(np.full((2, 4), 0.3), LABELS)
    assert frame["lift"].tolist() == pytest.approx([1, 1])


def test_excluded_pixels_count_neither_as_area_nor_as_evidence():
    labels = LABELS.copy()
    labels[1] = -1
    frame = attribution_share(HEAT, labels)
    assert frame["area_share"].tolist() == [0.75, 0.25]
    assert frame["evidence_share"].tolist() == [0.5, 0.5]


def test_takes_results_as_well_as_arrays():
    image = np.array([[10, 10, 10, 200], [12, 12, 12, 210]], np.uint8)
    explanation = SimpleNamespace(heatmap=HEAT)
    frame = attribution_share(explanation, cluster_gray(image, 2))
    assert frame.equals(attribution_share(HEAT, LABELS))


def test_no_evidence_gives_no_share():
    frame = attribution_share(np.zeros((2, 4)), LABELS)
    assert frame["area_share"].tolist() == [0.75, 0.25]
    assert frame[["evidence_share", "lift"]].isna().all(axis=None)


def test_a_cluster_without_pixels_has_no_lift():
    clustering = SimpleNamespace(labels=LABELS * 2, k=3)
    frame = attribution_share(HEAT, clustering)
    assert frame["area_share"].tolist() == [0.75, 0, 0.25]
    assert frame["evidence_share"].tolist() == [0.5, 0, 0.5]
    assert frame["lift"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("heat", "labels", "words"),
    [
        (HEAT[:, :3], LABELS, "one shape"),
        (HEAT[0], LABELS[0], "one shape"),
        (HEAT, LABELS.astype(float), "labels must be integers"),
        (-HEAT, LABELS, "not negative"),
        (HEAT * np.nan, LABELS, "finite"),
        (HEAT, LABELS * 0 - 1, "at least one pixel"),
    ],
)
def test_maps_that_do_not_fit_are_refused(heat, labels, words):
    with pytest.raises(ValueError, match=words):
        attribution_share(heat, labels)
