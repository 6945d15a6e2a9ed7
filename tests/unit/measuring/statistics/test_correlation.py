import numpy as np
import pytest

from core.measuring.statistics.correlation import two_point
from core.micrograph import PixelSize

RANDOM = np.random.default_rng(0)


def test_noise_forgets_at_once():
    mask = RANDOM.random((400, 300)) < 0.3
    found = two_point(mask)
    assert found.share == mask.mean()
    assert found.both[0] == pytest.approx(mask.mean())
    assert np.abs(found.correlation[1:40]).max() < 0.01
    assert found.integral_range == pytest.approx(1, rel=0.05)
    assert found.distances[-1] == 150


def test_blocks_of_chance_reach_as_far_as_a_block():
    mask = np.kron(RANDOM.random((64, 64)) < 0.4, np.ones((8, 8))) > 0
    found = two_point(mask, PixelSize(5, "nm"))
    scale = 1 if found.unit == "nm" else 1000
    assert found.integral_range * scale**2 == pytest.approx(64 * 25, rel=0.15)
    # Along an axis the correlation falls as 1 - r / 8; over all directions about 4.5 px
    assert found.length * scale == pytest.approx(4.5 * 5, rel=0.1)
    s = found.share
    area = (1.96 / 0.1) ** 2 * (1 - s) / s * found.integral_range
    assert found.area_needed(0.1) == pytest.approx(area, rel=1e-3)
    assert found.fields_needed(0.01) == int(np.ceil(found.area_needed(0.01) / found.field_area))
    assert found.fields_needed(0.5) == 1


def test_s2_is_that_of_all_pairs_that_count():
    mask, included = RANDOM.random((2, 12, 14)) < 0.6
    found = two_point(mask, included=included)
    at = np.argwhere(included)
    rows, cols = (at[:, None] - at[None]).transpose(2, 0, 1)
    away = np.rint(np.hypot(rows, cols))
    on = (mask[included] - found.share)[:, None] * (mask[included] - found.share)[None]
    for distance in (1, 2, 3, 4):
        wanted = on[away == distance].mean() + found.share**2
        assert found.both[distance] == pytest.approx(wanted, rel=1e-4)


def test_precision_of_the_share_is_as_foreseen():
    shares = []
    for seed in range(60):
        blocks = np.random.default_rng(seed).random((40, 40)) < 0.3
        mask = np.kron(blocks, np.ones((6, 6))) > 0
        shares.append(mask[2:-4, 3:-3].mean())
    found = two_point(mask[2:-4, 3:-3])
    foreseen = np.sqrt(0.3 * 0.7 * found.integral_range / mask[2:-4, 3:-3].size)
    assert np.std(shares) == pytest.approx(foreseen, rel=0.3)


def test_large_frames_in_blocks_say_the_same():
    mask = np.kron(RANDOM.random((200, 200)) < 0.3, np.ones((16, 16))) > 0
    found = two_point(mask)
    assert found.integral_range == pytest.approx(256, rel=0.1)
    assert found.distances[1] == 3


def test_without_structure_there_is_no_length():
    found = two_point(np.ones((20, 20), bool))
    assert np.isnan(found.length)
    assert found.fields_needed(0.1) is None
    with pytest.raises(ValueError, match="count"):
        two_point(np.ones((4, 4), bool), included=np.zeros((4, 4), bool))
    with pytest.raises(ValueError, match="relative"):
        found.area_needed(0)
