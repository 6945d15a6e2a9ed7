"""Further measurements of a recipe: columns of the rows, words and tables of the report."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import UserError
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch.rows.measures import list_measures, measure_more
from core.reporting.batch.rows.samples.comparison import COLUMNS, compare_groups
from core.reporting.batch.rows.summaries import Units
from core.reporting.recipe import MEASURES, Recipe
from core.reporting.report.writing import report_html


def bars(width: int = 9, pitch: int = 24, side: int = 192) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    mask[:, np.arange(side) % pitch < width] = True
    return mask


def measured(mask, recipe, nm=2.0, uncounted=None):
    regions = pd.DataFrame({"centroid_row_px": [3.0, 60], "centroid_col_px": [5.0, 90]})
    return measure_more(mask, uncounted, regions, recipe, nm, connectivity=8)


def test_bars_have_their_width_gap_and_intercept_in_both_units() -> None:
    found = measured(bars(), Recipe(measures=("widths", "grains", "gaps")))
    assert found["median_width_px"] == pytest.approx(9, rel=0.03)
    assert found["median_width_nm"] == pytest.approx(18, rel=0.03)
    assert found["order_parameter"] > 0.99
    assert abs(found["main_direction_deg"]) == pytest.approx(90, abs=1)
    assert found["median_gap_px"] == 15
    assert found["mean_intercept_px"] / found["mean_free_path_px"] == pytest.approx(9 / 15, rel=0.1)


def test_boundaries_part_grains_and_unknown_scales_give_no_g() -> None:
    mask = np.zeros((200, 200), bool)
    mask[::20], mask[:, ::20] = True, True
    recipe = Recipe(measures=("boundaries", "correlation"))
    found = measured(mask, recipe, nm=float("nan"))
    # Along rows and columns 20 px; diagonals meet both families of lines
    assert found["mean_intercept_between_boundaries_px"] == pytest.approx(18, abs=3)
    assert np.isnan(found["grain_size_number_g_between_boundaries"])
    assert np.isnan(found["correlation_length_nm"])
    assert measured(mask, Recipe()) == {}
    known = measured(mask, recipe, nm=1000.0)
    assert 8 < known["grain_size_number_g_between_boundaries"] < 9  # 18 µm: G 8.3


def test_columns_are_those_that_are_measured() -> None:
    recipe = Recipe(measures=MEASURES)
    assert sorted(measured(bars(), recipe)) == sorted(list_measures(MEASURES))
    nothing = measured(np.zeros((50, 50), bool), recipe)
    assert sorted(nothing) == sorted(list_measures(MEASURES))
    hidden = measured(bars(), recipe, uncounted=np.ones((192, 192), bool))
    assert sorted(hidden) == sorted(list_measures(MEASURES))


def test_a_recipe_keeps_and_refuses_measures() -> None:
    recipe = Recipe(measures=("widths", "gaps"))
    assert Recipe.from_json(recipe.to_json()) == recipe
    with pytest.raises(UserError, match="measures must be a list of widths"):
        Recipe.from_json(recipe.to_json().replace('"gaps"', '"dreams"'))


def rows(samples: list[str], shares: list[float]) -> pd.DataFrame:
    n = len(samples)
    return pd.DataFrame(
        {
            "sample": samples,
            "target_percent": shares,
            "mean_diameter_px": np.arange(n) + 1.0,
            "mean_diameter_nm": [np.nan] * n,
            "pixel_size_nm": [np.nan] * n,
            "regions": [10] * n,
            "width_px": [1000] * n,
            "height_px": [1000] * n,
            "excluded_percent": [0.0] * n,
        }
    )


def test_samples_are_compared_by_fields() -> None:
    table = compare_groups(
        rows(["a"] * 4 + ["b"] * 4, [10, 11, 12, 11, 20, 21, 19, 20]), Units("px", "px"), Recipe()
    )
    assert list(table.columns) == list(COLUMNS)
    line = table.iloc[0]
    assert (line["quantity"], line["sample"], line["compared_with"]) == (
        "area fraction (%)",
        "b",
        "a",
    )
    assert line["difference"] == pytest.approx(9)
    assert line["low"] < 9 < line["high"]
    assert line["p"] == pytest.approx(2 / 70, rel=0.2)
    assert line["p_holm"] >= line["p"]
    assert (table["fields"] == 4).all()
    density = table[table["quantity"] == "regions per megapixel"].iloc[0]
    assert density["difference"] == 0


def test_one_sample_or_none_is_not_compared() -> None:
    for names in (["a"] * 3, [""] * 3):
        assert compare_groups(rows(names, [1, 2, 3]), Units("px", "px"), Recipe()).empty
    many = [name for name in "abcdefgh" for _ in range(2)]
    table = compare_groups(rows(many, list(range(16))), Units("px", "px"), Recipe())
    assert set(table["compared_with"]) == {"a"}


def test_a_batch_measures_and_its_report_compares(run, recipe) -> None:
    random = np.random.default_rng(0)
    fields = []
    for number in range(6):
        pixels = np.where(bars(6 + 3 * (number > 2)), 200, 40) + random.integers(0, 9, (192, 192))
        name = f"{'thin' if number < 3 else 'thick'}_{number}.png"
        fields.append(Micrograph(name, pixels.astype(np.uint8), PixelSize(2.0, "nm")))
    wanted = replace(recipe, measures=("widths",), sample_from="name:1", clusters=2)
    result = run(fields, recipe=wanted)
    widths = result.fields.groupby("sample")["median_width_nm"].mean()
    assert widths["thin"] == pytest.approx(12, rel=0.05)
    assert widths["thick"] == pytest.approx(18, rel=0.05)
    page = report_html(result)
    assert "Samples compared" in page
    assert "median width (nm)" in page
    assert "Further measurements" in page
    assert "Hildebrand" in page
