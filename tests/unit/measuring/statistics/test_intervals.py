import math

import numpy as np
import pytest
import scipy

from core.measuring.statistics.intervals import (
    Interval,
    area_fraction,
    count_points,
    fields_needed,
    mean_interval,
    median_interval,
    points_needed,
    relative_accuracy,
    structure_length,
    wilson_interval,
)
from core.measuring.statistics.tiles import why_no_interval


def test_mean_interval_of_three_values_by_hand():
    # mean 2, standard deviation 1, t(0.975, 2) = 4.30265: half width 4.30265 / sqrt(3)
    mean, low, high, n = mean_interval([1.0, 2.0, 3.0])
    assert (mean, n) == (2.0, 3)
    assert high - mean == pytest.approx(2.484138, abs=1e-6)
    assert mean - low == pytest.approx(2.484138, abs=1e-6)


def test_nan_is_not_a_field_of_view():
    assert mean_interval([1.0, math.nan, 3.0]).n == 2


def test_one_value_has_a_mean_and_no_limits():
    mean, low, high, n = mean_interval([5.0])
    assert (mean, n) == (5.0, 1)
    assert math.isnan(low)
    assert math.isnan(high)


def test_no_values_have_no_mean():
    assert math.isnan(mean_interval([]).estimate)


def test_95_percent_of_intervals_hold_the_mean():
    rng = np.random.default_rng(0)
    draws = rng.normal(10, 2, (4000, 5))
    held = [low <= 10 <= high for _, low, high, _ in map(mean_interval, draws)]
    # standard error of the share is 0.0034
    assert np.mean(held) == pytest.approx(0.95, abs=0.012)


def test_wilson_of_a_published_example():
    # 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857)
    share, low, high, n = wilson_interval(81, 263)
    assert (share, n) == (pytest.approx(81 / 263), 263)
    assert (low, high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 20), (1, 1), (20, 20), (1, 3)])
def test_wilson_stays_within_0_and_1_and_holds_the_proportion(successes, n):
    share, low, high, _ = wilson_interval(successes, n)
    assert 0 <= low <= share <= high <= 1
    assert high - low > 0


def test_wilson_of_nothing_says_nothing():
    assert wilson_interval(0, 0)[1:3] == (0.0, 1.0)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="got 3 and 2"):
        wilson_interval(3, 2)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, math.nan])
def test_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([1, 2], confidence)


def discs(seed, radius_px=8, share=0.3, side_px=192):
    """Discs scattered at random: their expected share is known."""
    rng = np.random.default_rng(seed)
    wide = side_px + 2 * radius_px
    count = rng.poisson(-math.log(1 - share) / (math.pi * radius_px**2) * wide**2)
    down, right = np.mgrid[-radius_px : radius_px + 1, -radius_px : radius_px + 1]
    disc = np.hypot(down, right) <= radius_px
    mask = np.zeros((wide + 2 * radius_px, wide + 2 * radius_px), bool)
    for row, col in rng.integers(0, wide, (count, 2)):
        mask[row : row + 2 * radius_px + 1, col : col + 2 * radius_px + 1] |= disc
    return mask[2 * radius_px : -2 * radius_px, 2 * radius_px : -2 * radius_px], disc.sum()


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_95_percent_of_tile_intervals_hold_the_share_of_a_random_structure(share):
    held = 0
    for seed in range(200):
        mask, pixels = discs(seed, share=share)
        truth = 1 - (1 - share) ** (pixels / (math.pi * 64))  # a digital disc is no circle
        _, low, high, _ = area_fraction(mask, draws=300)
        held += low <= truth <= high
    assert 0.9 <= held / 200 <= 0.99  # standard error 0.015


def test_area_fraction_counts_included_pixels_only_and_repeats():
    mask = np.zeros((40, 60), bool)
    mask[:, :30] = True
    included = np.ones_like(mask)
    included[:, 45:] = False
    found = area_fraction(mask, included)
    assert found.estimate == pytest.approx(2 / 3)
    assert 0 < found.low < found.estimate < found.high < 1
    assert found == area_fraction(mask, included)
    assert area_fraction(~mask, included).low == pytest.approx(1 - found.high, abs=1e-9)


@pytest.mark.parametrize("full", [False, True])
def test_an_empty_or_full_mask_keeps_a_doubt(full):
    share, low, high, n = area_fraction(np.full((50, 50), full))
    assert share == full
    assert n == 64  # tiles
    assert high - low == pytest.approx(wilson_interval(0, 64).high)


def test_area_fraction_of_nothing_is_unknown():
    assert math.isnan(area_fraction(np.ones((4, 4), bool), np.zeros((4, 4), bool)).estimate)
    one = area_fraction(np.ones((1, 1), bool))
    assert one.estimate == 1
    with pytest.raises(ValueError, match="share a shape"):
        area_fraction(np.ones((4, 4), bool), np.ones((4, 3), bool))


def test_points_of_a_grid_are_counted():
    mask = np.zeros((100, 100), bool)
    mask[:, :25] = True
    found = count_points(mask, points=100)
    assert found.n == 100
    assert found[:3] == pytest.approx(wilson_interval(20, 100)[:3])  # columns 5 and 15
    included = np.zeros_like(mask)
    included[:50] = True
    assert count_points(mask, included, points=100).n == 50
    with pytest.raises(ValueError, match="at least one point"):
        count_points(mask, points=0)


def test_points_needed_by_cochran():
    # (1.96 / 0.1)² × 0.8 / 0.2 = 1536.6
    assert points_needed(0.2, 0.1) == 1537
    with pytest.raises(ValueError, match="share"):
        points_needed(0, 0.1)


def test_fields_needed_reach_the_wish_and_one_less_does_not():
    values = [18.0, 22.0, 20.0, 25.0, 15.0]  # mean 20, standard deviation 3.8079
    n = fields_needed(values, 0.1)
    assert n == 17  # t(0.975, 16) = 2.120: 1.958; t(0.975, 15) = 2.131: 2.029
    assert fields_needed(values, 0.5) == 3
    assert fields_needed([20.0, 20.0], 0.01) == 2


def test_fields_needed_without_knowledge_are_unknown():
    assert fields_needed([5.0], 0.1) is None
    assert fields_needed([0.0, 0.0], 0.1) is None
    assert fields_needed([1e-9, -1e-9, 2e-9], 1e-9) is None
    with pytest.raises(ValueError, match="above 0"):
        fields_needed([1, 2], 0)


def test_relative_accuracy_is_half_the_width_by_the_mean():
    assert relative_accuracy(Interval(20, 18, 24, 5)) == pytest.approx(0.15)
    assert math.isnan(relative_accuracy(Interval(0, 0, 0.1, 5)))


def test_a_region_of_interest_gets_its_own_tiles():
    # 100 x 100 px of a frame of 1024 lay within one tile: "25.7 % (25.7 to 25.7 %)".
    mask = np.random.default_rng(0).random((1024, 1024)) < 0.25
    included = np.zeros_like(mask)
    included[300:400, 500:600] = True
    found = area_fraction(mask, included)
    assert found == area_fraction(mask[300:400, 500:600])
    assert found.n == 64
    assert found.high - found.low > 0.01


def test_fewer_than_four_tiles_give_no_interval_and_say_so():
    mask = np.array([[True, False, True]])
    for given, included in ((mask, None), (np.ones((30, 40), bool), None)):
        found = area_fraction(given, included, tiles=1 if given.size > 3 else 64)
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert "fewer than 4 tiles" in str(why_no_interval(found.n))
    assert why_no_interval(4) is None


def test_only_tiles_that_hold_pixels_count():
    rng = np.random.default_rng(1)
    mask = rng.random((80, 80)) < 0.4
    included = np.zeros_like(mask)
    included[:10], included[-10:] = True, True  # the first and the last row of tiles
    found = area_fraction(mask, included)
    assert found.n == 16
    joined = area_fraction(np.concatenate([mask[:10], mask[-10:]]), tiles=16)
    assert found.high - found.low == pytest.approx(joined.high - joined.low, rel=0.25)


@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1), (3, 4000), (64, 64)])
def test_thin_frames_have_about_as_many_tiles(shape):
    assert 55 <= area_fraction(np.random.default_rng(0).random(shape) < 0.3).n <= 75


def test_structure_length_of_stripes_and_of_chance():
    stripes = np.zeros((64, 64), bool)
    stripes[:, np.arange(64) // 4 % 2 == 0] = True
    # 15 edges among 63 pairs a row, none down the columns: 2 * 0.25 / (15 * 64 / (2 * 63 * 64))
    assert structure_length(stripes) == pytest.approx(0.5 * 2 * 63 / 15)
    noise = np.random.default_rng(0).random((400, 400)) < 0.3
    assert structure_length(noise) == pytest.approx(1, rel=0.02)  # neighbours are strangers
    assert structure_length(np.ones((4, 4), bool)) == 0
    assert structure_length(noise, np.zeros_like(noise)) == 0


def test_structure_as_large_as_the_field_leaves_nearly_everything_open():
    half = np.zeros((100, 100), bool)
    half[:, :50] = True
    found = area_fraction(half)
    assert found.low < 0.1
    assert found.high > 0.9
    corner = np.zeros((100, 100), bool)
    corner[:30, :30] = True
    assert area_fraction(corner).high > 0.5


def test_large_structure_is_covered_too():
    """A Gaussian field smoothed over a sixth of its side: the old tiles held the truth in 70 %."""
    random, held = np.random.default_rng(2), 0
    for _ in range(150):
        field = scipy.ndimage.gaussian_filter(random.standard_normal((160, 160)), 10, mode="wrap")
        mask = (field / field.std())[:64, :64] > scipy.special.ndtri(0.7)
        found = area_fraction(mask, draws=300)
        held += found.low <= 0.3 <= found.high
    assert held >= 0.88 * 150  # fields that show nothing at all are among them


def test_median_lies_between_order_statistics():
    found = median_interval(np.arange(1.0, 11))  # ten values: the second and the ninth, 97.9 %
    assert (found.estimate, found.low, found.high, found.n) == (5.5, 2, 9, 10)
    assert median_interval([3, 1, np.nan]).estimate == 2
    assert np.isnan(median_interval([1, 2, 3, 4, 5]).low)
    assert median_interval([1, 2, 3, 4, 5, 6]).low == 1
    assert np.isnan(median_interval([]).estimate)
