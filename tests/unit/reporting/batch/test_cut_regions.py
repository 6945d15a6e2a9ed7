"""What does not count cuts the regions beside it, in a batch as on the page."""

import cv2
import numpy as np
import pytest

from core.micrograph import Micrograph, PixelSize
from core.reporting.batch.analysis import tabulate_regions
from core.reporting.recipe import Recipe
from core.reporting.recipe_words import region_rules

SIDE = 200


def discs(radius: int = 8, pitch: int = 20) -> np.ndarray:
    picture = np.zeros((SIDE, SIDE), np.uint8)
    for row in range(pitch // 2, SIDE, pitch):
        for col in range(pitch // 2, SIDE, pitch):
            cv2.circle(picture, (col, row), radius, 1, -1)
    return picture.astype(bool)


def tabulate(uncounted: np.ndarray | None, **changes: object):
    mask = discs()
    counted = mask if uncounted is None else mask & ~uncounted
    micrograph = Micrograph("discs", mask.astype(np.uint8) * 255, PixelSize(2.0, "nm"))
    return tabulate_regions(counted, micrograph, Recipe(**changes), uncounted)


def test_an_info_bar_cuts() -> None:
    bar = np.zeros((SIDE, SIDE), bool)
    bar[SIDE - 10 :] = True  # through the last row of discs
    assert not tabulate(None)["touches_border"].any()
    with_bar = tabulate(bar)
    assert len(with_bar) == 100
    assert int(with_bar["touches_border"].sum()) == 10
    whole = with_bar[~with_bar["touches_border"]]
    assert whole["area_px"].nunique() == 1


def test_holes_are_columns_in_both_units() -> None:
    found = tabulate(None)
    assert {"holes", "hole_area_px", "hole_area_µm2"} <= set(found)


@pytest.mark.parametrize("value", [0, 6, "8", True, None])
def test_connectivity_is_four_or_eight(value: object) -> None:
    with pytest.raises(ValueError, match="connectivity must be 4 or 8"):
        Recipe(connectivity=value)


def test_the_report_says_what_makes_a_region() -> None:
    usual = region_rules(Recipe())
    assert usual == "diagonal neighbours count as connected"
    other = region_rules(Recipe(connectivity=4, fill_holes=True, split_regions=True))
    assert other == (
        "diagonal neighbours do not count as connected, holes are filled, touching ones are split "
        "at necks at least 1.5 px deep"
    )


def test_old_recipes_are_read_and_new_ones_come_back() -> None:
    recipe = Recipe(split_regions=True, fill_holes=True, connectivity=4)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json('{"kind": "micrographia-recipe", "version": 2}') == Recipe()
