"""Weighted sizes whose answers can be worked out on paper."""

import numpy as np
import pandas as pd
import pytest

from core.measuring.regions.weighted import filter_regions, moment_mean, weighted_sizes


def table(sizes, weights=None):
    return pd.DataFrame(
        {
            "equivalent_diameter_nm": np.asarray(sizes, float),
            "touches_border": False,
            "weight": np.ones(len(sizes)) if weights is None else weights,
            "circularity": np.linspace(0.5, 1, len(sizes)),
        }
    )


def test_one_large_particle_holds_the_volume_of_all_small_ones():
    found = table([1.0] * 99 + [100.0])
    assert weighted_sizes(found).d50 == 1
    assert weighted_sizes(found, "area").d50 == 100
    assert weighted_sizes(found, "volume").d10 == 100
    assert weighted_sizes(found).unit == "nm"


def test_moments_by_hand():
    found = table([1.0, 3.0])
    assert moment_mean(found, 1, 0) == 2
    assert moment_mean(found, 3, 2) == pytest.approx(28 / 10)
    assert moment_mean(found, 4, 3) == pytest.approx(82 / 28)
    with pytest.raises(ValueError, match="follow"):
        moment_mean(found, 4, 2)


def test_regions_stand_for_those_that_were_cut():
    found = table([1.0, 2.0, 3.0], [1.0, 1.0, 4.0])
    assert weighted_sizes(found, make_up_for_cut=True).d50 == 3
    assert weighted_sizes(found).d50 == 2
    found.loc[2, "touches_border"] = True
    assert weighted_sizes(found, make_up_for_cut=True).d90 == 2
    assert np.isnan(weighted_sizes(table([]), "volume").d50)
    with pytest.raises(ValueError, match="by must be"):
        weighted_sizes(found, "mass")


def test_regions_are_filtered_with_or_without_unit():
    found = table([1.0, 2.0, 3.0])
    assert len(filter_regions(found, equivalent_diameter=(2, None))) == 2
    assert len(filter_regions(found, equivalent_diameter_nm=(2, 2.5), circularity=(0.7, 1))) == 1
    with pytest.raises(ValueError, match="no column"):
        filter_regions(found, colour=(1, 2))
