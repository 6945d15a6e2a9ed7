"""How far a predicted error may be off."""

from dataclasses import replace

import numpy as np

from core.measuring.twins import QUANTITIES
from core.measuring.twins.expecting import WEIGHTS, Evidence, deviation

SURE = Evidence(
    mean=np.zeros(7),
    spread=np.full(7, 0.01),
    size=np.array([0.2, *np.ones(6)]),
    many=np.full(7, 8),
    apart=np.zeros(7),
    edge=0.05,
    objects=200.0,
    unlike=np.array([0.02, 0.05]),
)


def test_every_weight_counts_and_none_is_negative():
    assert WEIGHTS.shape == (8, len(QUANTITIES))
    assert (WEIGHTS > 0).all()


def test_whatever_makes_a_prediction_less_sure_widens_its_limits():
    narrow = deviation(SURE)
    worse = {
        "mean": np.full(7, -0.3),
        "spread": np.full(7, 0.1),
        "apart": np.full(7, 0.3),
        "edge": 0.5,
        "objects": 8.0,
        "unlike": np.array([0.2, 0.3]),
    }
    for name, value in worse.items():
        assert (deviation(replace(SURE, **{name: value})) > narrow).all(), name


def test_one_guess_alone_is_no_disagreement_and_limits_end_somewhere():
    alone = replace(SURE, apart=np.full(7, np.nan))
    np.testing.assert_array_equal(deviation(alone), deviation(SURE))
    far = deviation(replace(SURE, unlike=np.array([9.0, 9.0])))
    assert (far / deviation(replace(SURE, unlike=np.zeros(2))) <= np.exp(3.0) + 1e-9).all()
