"""Percentiles and means of moments in a row of a batch."""

import math

import pandas as pd
import pytest

from core.reporting.batch.rows.sizes import list_sizes, size_values
from core.reporting.recipe import Recipe

NINETY_NINE_AND_ONE = pd.DataFrame(
    {
        "equivalent_diameter_px": [1.0] * 99 + [100.0],
        "touches_border": False,
        "weight": [1.0] * 99 + [2.0],
    }
)


def test_percentiles_are_by_what_the_recipe_says():
    for by, d50 in (("number", 1.0), ("area", 100.0), ("volume", 100.0)):
        values = size_values(NINETY_NINE_AND_ONE, Recipe(sizes_by=by), 2.0)
        assert (values["sizes_by"], values["d50_px"], values["d50_nm"]) == (by, d50, 2 * d50)
        assert list(values) == list_sizes()


def test_means_of_moments_have_their_known_values():
    values = size_values(NINETY_NINE_AND_ONE, Recipe(), math.nan)
    assert values["sauter_d32_px"] == pytest.approx((99 + 100**3) / (99 + 100**2))
    assert values["de_brouckere_d43_px"] == pytest.approx((99 + 100**4) / (99 + 100**3))
    assert math.isnan(values["sauter_d32_nm"])


def test_whole_regions_stand_for_cut_ones_and_no_region_has_no_size():
    values = size_values(NINETY_NINE_AND_ONE, Recipe(drop_border_regions=True), 1.0)
    assert values["sauter_d32_px"] == pytest.approx((99 + 2 * 100**3) / (99 + 2 * 100**2))
    assert math.isnan(size_values(NINETY_NINE_AND_ONE[:0], Recipe(), 1.0)["d50_px"])
