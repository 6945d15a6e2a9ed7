"""Size distributions with known answers."""

import math

import numpy as np
import pandas as pd
import pytest

from core.measuring.regions.sizes import fit_lognormal, number_per_area, size_distribution
from core.measuring.regions.table import measure_regions
from core.micrograph import PixelSize


def table(sizes, border=0):
    count = len(sizes)
    return pd.DataFrame(
        {"equivalent_diameter_nm": sizes, "touches_border": [i < border for i in range(count)]}
    )


def test_percentiles_by_number():
    found = size_distribution(table(np.arange(1.0, 102.0)[::-1]))
    assert (found.d10, found.d50, found.d90) == (11, 51, 91)
    assert found.span == pytest.approx(80 / 51)
    assert found.unit == "nm"
    assert found.mean.estimate == 51
    assert found.cumulative()[[0, -1]].tolist() == [pytest.approx(1 / 101), 1]


def test_a_log_normal_sample_gives_its_parameters_back():
    sizes = np.random.default_rng(0).lognormal(np.log(40), np.log(1.5), 4000)
    found = size_distribution(table(sizes)).fit
    assert found is not None
    assert found.median == pytest.approx(40, rel=0.02)
    assert found.spread == pytest.approx(1.5, rel=0.02)
    assert found.gap < 0.02
    assert found.cumulative(np.array([40.0]))[0] == pytest.approx(0.5, abs=0.02)


def test_two_sizes_do_not_make_a_distribution():
    assert fit_lognormal(np.array([2.0, 2.0, 5.0])) is None
    even = fit_lognormal(np.array([1.0, 10.0, 100.0]))
    assert even is not None
    assert even.median == pytest.approx(10)


def test_bins_have_one_ratio_and_hold_every_region():
    found = size_distribution(table(np.geomspace(1, 64, 50)))
    bins = found.histogram()
    assert bins["regions"].sum() == 50
    ratios = bins["to_nm"] / bins["from_nm"]
    np.testing.assert_allclose(ratios, ratios[0])
    assert size_distribution(table([7.0, 7.0])).histogram()["regions"].tolist() == [2]


def test_zero_regions_are_a_valid_answer():
    found = size_distribution(measure_regions(np.zeros((9, 9), bool), PixelSize(2, "nm")))
    assert found.sizes.size == 0
    assert math.isnan(found.d50)
    assert found.fit is None
    assert found.histogram().empty
    assert found.to_frame()["regions"].tolist() == [0]
    per_area = number_per_area(table([]), 2.0)
    assert per_area[:2] == (0, 0)
    assert per_area.high == pytest.approx(-math.log(0.025) / 2)


def test_border_regions_count_half():
    found = number_per_area(table([1.0] * 12, border=4), 5.0)
    assert found.estimate == 2
    assert found.n == 12
    # Garwood's limits of a count of 10: 4.795 and 18.39
    assert (5 * found.low, 5 * found.high) == (
        pytest.approx(4.795, abs=1e-3),
        pytest.approx(18.39, abs=1e-2),
    )


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="equivalent diameter"):
        size_distribution(pd.DataFrame({"a": [1]}))
    with pytest.raises(ValueError, match="area > 0"):
        number_per_area(table([1.0]), 0)


def test_number_per_area_knows_of_regions_in_a_grid_and_in_heaps():
    every = np.ones((400, 400), bool)
    grid = np.array([(row, col) for row in range(10, 400, 20) for col in range(10, 400, 20)], float)
    heaps = np.random.default_rng(0).choice([50.0, 150, 250, 350], (400, 2), p=[0.7, 0.1, 0.1, 0.1])
    widths = []
    for points in (grid, heaps):
        regions = table([1.0] * 400).assign(
            centroid_row_px=points[:, 0], centroid_col_px=points[:, 1]
        )
        found = number_per_area(regions, 400.0, included=every)
        assert found.estimate == 1
        widths.append(found.high - found.low)
    plain = number_per_area(regions, 400.0)
    assert widths[0] < 0.6 * (plain.high - plain.low)
    assert widths[1] > 2 * (plain.high - plain.low)
    few = regions.iloc[:10]
    assert number_per_area(few, 5.0, included=every) == number_per_area(few, 5.0)
