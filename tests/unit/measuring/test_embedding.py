"""Images as points: sets small enough to know the answer."""

import cv2
import numpy as np
import pytest

from core.measuring.embedding import (
    group_images,
    near_duplicates,
    nearest,
    project_pca,
    project_tsne,
    similarities,
    standardise,
    texture_statistics,
)

THREE_GROUPS = np.concatenate(
    [
        np.random.default_rng(group).normal(10 * np.eye(4)[group], 0.3, (size, 4))
        for group, size in enumerate((9, 12, 5))
    ]
)


def test_pca_shows_the_directions_of_greatest_scatter():
    rows = np.array([[-3.0, 0, 0], [3, 0, 0], [0, 1, 0], [0, -1, 0]])
    found = project_pca(rows)
    np.testing.assert_allclose(found.points, rows[:, :2], atol=1e-12)
    assert found.explained == pytest.approx((0.9, 0.1))
    np.testing.assert_allclose(project_pca(rows + 7).points, found.points, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_two_and_three_images_have_a_map(count):
    rows = np.random.default_rng(0).normal(size=(count, 6))
    for project in (project_pca, project_tsne):
        found = project(rows)
        assert found.points.shape == (count, 2)
        assert np.isfinite(found.points).all()
        assert found.method == "pca"
    apart = np.linalg.norm(rows[0] - rows[-1])
    assert np.linalg.norm(found.points[0] - found.points[-1]) == pytest.approx(apart)


def test_tsne_keeps_groups_together_and_repeats():
    found = project_tsne(THREE_GROUPS)
    assert found.method == "tsne"
    np.testing.assert_array_equal(found.points, project_tsne(THREE_GROUPS).points)
    kinds = np.repeat([0, 1, 2], [9, 12, 5])
    apart = np.linalg.norm(found.points[:, None] - found.points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (kinds[apart.argmin(axis=1)] == kinds).all()


def test_equal_images_lie_on_one_point():
    for project in (project_pca, project_tsne):
        assert np.ptp(project(np.ones((8, 3))).points, axis=0).tolist() == [0, 0]


def test_groups_are_numbered_from_the_largest_and_have_a_typical_member():
    found = group_images(THREE_GROUPS, 3)
    assert np.bincount(found.labels).tolist() == [12, 9, 5]
    assert [found.labels[medoid] for medoid in found.medoids] == [0, 1, 2]
    line = group_images(np.array([[0.0], [1], [2], [3], [10]]), 1)
    assert line.medoids == (2,)


def test_no_more_groups_than_different_images():
    assert group_images(np.ones((3, 2)), 5).medoids == (0,)
    assert group_images(np.ones((1, 2)), 2).labels.tolist() == [0]
    with pytest.raises(ValueError, match="at least 1"):
        group_images(np.ones((3, 2)), 0)


def test_neighbours_come_with_their_similarity():
    rows = np.array([[1.0, 0], [0, 1], [1, 1], [-1, 0], [0, 0]])
    found = nearest(rows, 0, 3)
    assert found["image"].tolist() == [2, 1, 4]
    assert found["similarity"].tolist() == pytest.approx([np.sqrt(0.5), 0, 0])
    assert nearest(rows[:1], 0).empty
    assert np.diag(similarities(rows)).tolist() == [1] * 5


def test_near_duplicates_are_pairs_with_the_most_alike_first():
    rows = np.array([[1.0, 0], [0, 1], [1, 0.01], [0, 3]])
    pairs = near_duplicates(rows)
    assert pairs[["first", "second"]].to_numpy().tolist() == [[1, 3], [0, 2]]
    assert near_duplicates(rows[:1]).empty


def test_standardised_columns_have_one_spread():
    rows = standardise(np.array([[1.0, 500, 3], [3, 100, 3]]))
    assert rows.tolist() == [[-1, 1, 0], [1, -1, 0]]
    assert standardise(np.array([[4.0, 2]])).tolist() == [[0, 0]]


def test_textures_of_a_kind_are_closer_than_those_of_another():
    rng = np.random.default_rng(0)
    sigmas = [1, 1, 1, 4, 4, 4]
    pictures = [cv2.GaussianBlur(rng.normal(size=(96, 96)), (0, 0), sigma) for sigma in sigmas]
    levels = [np.clip(128 + 40 * p / p.std(), 0, 255).astype(np.uint8) for p in pictures]
    rows = standardise(np.array([texture_statistics(picture) for picture in levels]))
    assert [sigmas[nearest(rows, i, 1)["image"][0]] for i in range(6)] == sigmas


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (30, 2), (64, 64)])
def test_constant_and_tiny_pictures_have_statistics(shape):
    found = texture_statistics(np.full(shape, 90, np.uint8))
    assert found.shape == (19,)
    assert np.isfinite(found).all()
    assert found[:2].tolist() == [90, 0]


def test_wrong_rows_are_refused():
    for rows in (np.zeros((0, 3)), np.zeros(3), np.array([[np.nan]])):
        with pytest.raises(ValueError, match="finite"):
            project_pca(rows)
    with pytest.raises(ValueError, match="uint8"):
        texture_statistics(np.zeros((4, 4)))
