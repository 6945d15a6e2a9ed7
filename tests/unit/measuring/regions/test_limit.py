"""What the smallest region does to percentiles."""

import numpy as np
import pandas as pd
import pytest

from core.measuring.regions import limit_effect, size_distribution, weighted_sizes


def _table(sizes, weights=None, cut=None):
    count = len(sizes)
    return pd.DataFrame(
        {
            "equivalent_diameter_nm": np.asarray(sizes, float),
            "touches_border": np.zeros(count, bool) if cut is None else cut,
            "weight": np.ones(count) if weights is None else weights,
        }
    )


def test_noise_at_the_limit_moves_both_percentiles():
    found = size_distribution(_table([4.0] * 80 + [40.0] * 20))
    effect = limit_effect(found, 3.57)
    assert effect is not None
    assert effect.share == pytest.approx(0.8)
    assert effect.moves_d10
    assert effect.moves_d50
    assert effect.curve["d50_nm"].tolist()[0] == 4
    assert effect.curve["d50_nm"].tolist()[-1] == 40
    assert effect.curve["regions"].tolist()[-1] == 20


def test_particles_far_above_the_limit_do_not_depend_on_it():
    effect = limit_effect(size_distribution(_table(np.linspace(38, 42, 50))), 3.57)
    assert effect is not None
    assert (effect.share, effect.moves_d10, effect.moves_d50) == (0, False, False)
    assert limit_effect(size_distribution(_table([])), 3.57) is None


def test_where_nothing_is_left_the_limit_decides():
    effect = limit_effect(size_distribution(_table([4.0, 4.1, 4.2])), 3.57)
    assert effect is not None
    assert effect.moves_d50
    assert effect.share == 1


def test_cut_regions_are_made_up_for_in_the_whole_distribution():
    table = _table([10, 20, 99], weights=[1, 3, np.nan], cut=[False, False, True])
    found = size_distribution(table, make_up_for_cut=True)
    assert found.sizes.tolist() == [10, 20]
    assert (found.d10, found.d50, found.d90) == (10, 20, 20)
    assert found.mean.estimate == pytest.approx(17.5)
    assert found.cumulative().tolist() == [0.25, 1]
    weighted = weighted_sizes(table, make_up_for_cut=True)
    assert (found.d10, found.d50, found.d90) == (weighted.d10, weighted.d50, weighted.d90)
