import numpy as np
import pytest
import scipy

from core.measuring.regions.grains import (
    abrams_intercepts,
    g_number,
    grains_between,
    heyn_intercepts,
)
from core.micrograph import PixelSize


def bricks(high, wide, shape=(240, 240)):
    rows, cols = np.indices(shape)
    return rows // high * 1000 + cols // wide + 1


def voronoi(side=400, per_px2=0.002, seed=0):
    random = np.random.default_rng(seed)
    points = random.uniform(-80, side + 80, (int(per_px2 * (side + 160) ** 2), 2))
    pixels = np.indices((side, side)).reshape(2, -1).T
    return scipy.spatial.cKDTree(points).query(pixels)[1].reshape(side, side) + 1


def test_bricks_cut_lines_into_their_sides():
    found = heyn_intercepts(bricks(20, 30), PixelSize(10, "nm"))
    # 239 steps by 7 or 11 boundaries; the two cut ends make one brick together
    assert found.by_direction[0] == pytest.approx(
        10 * 239 / 7 / (1000 if found.unit == "µm" else 1)
    )
    assert found.by_direction[90] == pytest.approx(found.by_direction[0] * 7 / 11)
    assert found.anisotropy == pytest.approx(11 / 7)
    assert found.free_path.estimate == 0


def test_grains_of_a_random_tessellation_have_the_known_intercept():
    """Mean chord of Poisson-Voronoi cells: pi / (4 sqrt(density)) (Meijering 1953)."""
    labels, truth = voronoi(), np.pi / 4 / np.sqrt(0.002)
    lines, circles = heyn_intercepts(labels), abrams_intercepts(labels)
    assert lines.mean.estimate == pytest.approx(truth, rel=0.05)
    assert lines.mean.low < truth < lines.mean.high
    assert circles.mean.estimate == pytest.approx(truth, rel=0.08)
    assert circles.mean.low < circles.mean.estimate < circles.mean.high
    assert lines.to_frame().shape == (1, 9)


def test_discs_have_the_mean_chord_of_a_circle_and_a_free_path():
    labels = np.zeros((300, 300), int)
    rows, cols = np.indices(labels.shape)
    for number in range(25):
        away = np.hypot(rows - 30 - 60 * (number // 5), cols - 30 - 60 * (number % 5))
        labels[away <= 20] = number + 1
    found = heyn_intercepts(labels)
    assert found.mean.estimate == pytest.approx(np.pi * 20 / 2, rel=0.03)
    share = (labels > 0).mean()
    assert found.free_path.estimate == pytest.approx(
        found.mean.estimate * (1 - share) / share, rel=0.02
    )


def test_g_by_the_table_of_the_standard():
    # E112-13, table 4: mean intercept 0.32 mm is G 0, 14.1 µm is G 9
    assert g_number(0.32) == pytest.approx(0, abs=0.01)
    assert g_number(0.0141) == pytest.approx(9, abs=0.02)
    assert np.isnan(g_number(float("nan")))
    found = heyn_intercepts(bricks(14, 14), PixelSize(1, "µm")).g_number
    assert found.low < found.estimate < found.high
    assert np.isnan(heyn_intercepts(bricks(14, 14)).g_number.estimate)


def test_boundaries_of_one_pixel_part_grains_also_at_corners():
    slanted = np.eye(40, dtype=bool)
    grains = grains_between(slanted)
    assert grains.max() == 2
    assert (grains > 0).all()
    assert grains[0, 39] != grains[39, 0]
    cross = np.zeros((41, 41), bool)
    cross[20], cross[:, 20] = True, True
    included = np.ones_like(cross)
    included[:, 30:] = False
    found = grains_between(cross, included=included)
    assert found.max() == 4
    assert (found[:, 30:] == 0).all()
    assert not grains_between(np.ones((5, 5), bool)).any()


def test_only_what_counts_is_cut():
    labels = bricks(20, 20)
    included = np.zeros(labels.shape, bool)
    included[5:15, 5:15] = True
    inside_one = heyn_intercepts(labels, included=included)
    assert np.isnan(inside_one.mean.estimate)
    assert np.isnan(abrams_intercepts(labels, included=included).mean.estimate)
