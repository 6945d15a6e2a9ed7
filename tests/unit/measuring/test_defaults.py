"""What is measured when nobody has chosen."""

import numpy as np
import pytest

from core.measuring.defaults import area_of, diameter_of, smallest_region, suggest_target


@pytest.mark.parametrize("particle", [0, 1])
def test_the_ground_is_not_the_target_dark_or_bright(particle):
    labels = np.full((60, 80), 1 - particle)
    labels[20:40, 20:60] = particle
    assert suggest_target(labels, 2) == particle
    labels[:10] = -1  # an info bar
    assert suggest_target(labels, 2) == particle


def test_what_covers_most_is_never_the_target_while_there_is_another():
    labels = np.zeros((10, 10), int)
    labels[0] = 1
    assert suggest_target(labels, 2) == 1
    assert suggest_target(np.zeros((4, 4), int), 2) == 0
    with pytest.raises(ValueError, match="no pixel"):
        suggest_target(np.full((3, 3), -1), 2)


def test_what_lies_between_particle_and_ground_is_not_the_target():
    labels = np.full((60, 80), 2)  # bright ground
    labels[18:42, 18:62] = 1  # blurred edges touch the frame as little as the particle does
    labels[20:40, 20:60] = 0
    assert suggest_target(labels, 3, np.array([40.0, 110.0, 200.0])) == 0
    assert suggest_target(2 - labels, 3, np.array([40.0, 110.0, 200.0])) == 2


def test_the_smallest_region_is_wider_than_what_averaging_leaves_of_noise():
    assert smallest_region(0) == 10
    assert smallest_region(0, 25) == 25
    assert smallest_region(1.0) == 13
    assert smallest_region(3.0) == 114
    assert smallest_region(5.0) == 365  # such noise had a grain of its own
    for area in (1, 10, 13, 114, 4096):
        assert area_of(diameter_of(area)) == area


@pytest.mark.parametrize("clusters", [2, 3])
@pytest.mark.parametrize("ground", [0, 1])
def test_the_ground_between_crowded_discs_is_not_the_target(clusters, ground):
    rows, cols = np.mgrid[:200, :200]
    away = np.hypot((rows - 4) % 26 - 13, (cols - 9) % 26 - 13)
    labels = (away < 11).astype(int)  # 56 % of the frame and more of its edge than the ground
    if clusters == 3:
        labels += away < 7
    centers = np.array([20.0, 100.0, 180.0])[:clusters]
    labels = labels if ground == 0 else clusters - 1 - labels
    assert suggest_target(labels, clusters, centers) == (clusters - 1 if ground == 0 else 0)
