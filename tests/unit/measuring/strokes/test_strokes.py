"""Strokes become phases: right where the truth is known, alike every time, honest about doubt."""

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.imaging.simulation import simulate
from core.measuring.strokes import (
    learn_pixels,
    leave_strokes_out,
    paint_next,
    unsureness,
)
from core.micrograph import Micrograph


def _halves(shape=(96, 128), seed=0, dtype=np.uint8):
    """Return a picture of the same mean grey on both sides: fine grain left, coarse grain right."""
    rng = np.random.default_rng(seed)
    fine = rng.normal(128, 40, shape)
    coarse = cv2.resize(rng.normal(128, 40, (shape[0] // 8, shape[1] // 8)), shape[::-1])
    pixels = np.where(np.arange(shape[1]) < shape[1] // 2, fine, coarse)
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1.0
    return Micrograph("halves", (np.clip(pixels / 255, 0, 1) * top).astype(dtype))


def _strokes(shape=(96, 128)):
    painted = np.zeros(shape, np.int32)
    for row in (10, 40, 70):
        painted[row : row + 3, 8:40] = 1
        painted[row : row + 3, 80:112] = 2
    return painted


TRUTH = np.where(np.arange(128) < 64, 1, 2)[None].repeat(96, 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("preview", [False, True])
def test_texture_alone_tells_phases_apart(dtype, preview):
    micrograph = _halves(dtype=dtype)
    labels, probabilities = learn_pixels([micrograph], [_strokes()], preview=preview).apply(
        micrograph
    )
    assert labels.shape == micrograph.shape
    assert probabilities.shape == (2, *micrograph.shape)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
    assert np.mean(labels == TRUTH) > 0.95


def test_strokes_carry_over_to_another_micrograph_of_the_kind():
    labels, _ = learn_pixels([_halves()], [_strokes()]).apply(_halves(seed=5))
    assert np.mean(labels == TRUTH) > 0.93


def test_painted_pixels_keep_their_phase_even_where_nothing_speaks_for_it():
    painted = _strokes()
    painted[50, 100] = 1  # one pixel against the grain
    micrograph = _halves()
    labels, probabilities = learn_pixels([micrograph], [painted]).apply(micrograph)
    touched = painted > 0
    np.testing.assert_array_equal(labels[touched], painted[touched])
    assert probabilities[0, 50, 100] == 1


def test_the_same_strokes_give_the_same_bits():
    micrograph = _halves()
    first, second = (
        learn_pixels([micrograph], [_strokes()], seed=3).apply(micrograph)[1] for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    other = learn_pixels([micrograph], [_strokes()], seed=4).apply(micrograph)[1]
    assert (first != other).any()


def test_what_does_not_count_has_no_phase_and_does_not_change_others():
    micrograph = _halves()
    exclude = np.zeros(micrograph.shape, bool)
    exclude[80:] = True
    spoilt = micrograph.pixels.copy()
    spoilt[80:] = 255
    found = []
    for each in (micrograph, Micrograph("bar", spoilt)):
        model = learn_pixels([each], [_strokes()], exclude=[exclude])
        found.append(model.apply(each, exclude))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert (found[0][0][80:] == 0).all()
    assert (found[0][1][:, 80:] == 0).all()


def test_pixels_that_are_not_finite_have_no_phase():
    pixels = _halves(dtype=np.float32).pixels.copy()
    pixels[:5] = np.nan
    micrograph = Micrograph("gap", pixels)
    labels, _ = learn_pixels([micrograph], [_strokes()]).apply(micrograph)
    assert (labels[:5] == 0).all()
    assert np.mean(labels[5:] == TRUTH[5:]) > 0.95


def test_bands_give_what_the_whole_frame_gives(monkeypatch):
    from core.measuring.strokes import maps

    micrograph = _halves()
    whole = learn_pixels([micrograph], [_strokes()]).apply(micrograph)[1]
    monkeypatch.setattr(maps, "_KEPT_PART_PX", 128 * 20)
    parts = learn_pixels([micrograph], [_strokes()]).apply(micrograph)[1]
    assert np.mean(np.abs(whole - parts) > 0.05) < 0.01  # texture sums differ in the last bits


def test_a_large_frame_described_square_by_square_gives_what_the_whole_gives(monkeypatch):
    from core.measuring.strokes import maps

    micrograph = simulate("spheroids", shape=(200, 300), seed=1).micrograph
    painted = np.zeros(micrograph.shape, np.int32)
    painted[20:24, 10:290:2], painted[150:154, 3:280:3] = 1, 2
    kept = maps.describe_pixels(micrograph)
    whole = kept.at(painted > 0)
    monkeypatch.setattr(maps, "MOST_KEPT_PX", 0)
    monkeypatch.setattr(maps, "_PART_PX", 50**2)
    squares = maps.describe_pixels(micrograph)
    assert not squares.are_kept
    assert whole.shape[1] == maps.FINE_MAPS + 16
    np.testing.assert_allclose(squares.at(painted > 0), whole, rtol=2e-3, atol=2e-3)
    labels, shares = learn_pixels([micrograph], [painted], described=[squares]).apply(micrograph)
    assert (labels[painted > 0] == painted[painted > 0]).all()
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)


def test_a_pixel_far_out_of_range_is_told_as_any_other():
    pixels = _halves(dtype=np.float32).pixels.copy()
    pixels[11, 20], pixels[41, 90] = 1e30, -1e9  # under strokes
    micrograph = Micrograph("hot", pixels)
    labels, probabilities = learn_pixels([micrograph], [_strokes()]).apply(micrograph)
    assert np.isfinite(probabilities).all()
    assert np.mean(labels == TRUTH) > 0.9


def test_several_micrographs_teach_one_classifier():
    one, two = _halves(), _halves(seed=7)
    only_first, only_second = _strokes(), _strokes()
    only_first[only_first == 2] = 0
    only_second[only_second == 1] = 0
    model = learn_pixels([one, two], [only_first, only_second])
    assert np.mean(model.apply(one)[0] == TRUTH) > 0.9


@pytest.mark.parametrize(
    ("values", "words"),
    [([1], "at least two phases"), ([1, 3], "Phase 2 has no stroke"), ([1, 9], "At most 8")],
)
def test_too_little_painted_is_said(values, words):
    painted = np.zeros((96, 128), int)
    for place, value in enumerate(values):
        painted[10 + 20 * place, 5:50] = value
    with pytest.raises(UserError, match=words):
        learn_pixels([_halves()], [painted])


def test_a_caller_s_mistakes_are_value_errors():
    with pytest.raises(ValueError, match="shape"):
        learn_pixels([_halves()], [np.zeros((4, 4), int)])
    with pytest.raises(ValueError, match="as many"):
        learn_pixels([_halves()], [])
    with pytest.raises(ValueError, match="integers"):
        learn_pixels([_halves()], [np.zeros((96, 128))])


def test_doubt_lies_between_phases_and_the_next_stroke_goes_there():
    probabilities = np.zeros((2, 80, 100), np.float32)
    probabilities[0] = np.linspace(1, 0, 100, dtype=np.float32)
    probabilities[1] = 1 - probabilities[0]
    unsure = unsureness(probabilities)
    assert unsure[:, 0].max() == 0
    assert unsure[:, 49].min() > 0.95
    places = paint_next(probabilities)
    assert len(places) == 3
    assert all(abs(column - 49.5) < 15 for _, column in places)
    assert paint_next(np.stack([np.ones((80, 100)), np.zeros((80, 100))]).astype(np.float32)) == ()


def test_the_error_is_that_of_strokes_left_out():
    simulated = simulate("alloys", (256, 256), 3)
    rng = np.random.default_rng(0)
    painted = np.zeros(simulated.mask.shape, int)
    for phase, mask in ((1, simulated.mask), (2, ~simulated.mask)):
        for row, column in rng.permutation(np.argwhere(mask))[:20]:
            patch = slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
            painted[patch][mask[patch]] = phase
    found = leave_strokes_out([simulated.micrograph], [painted])
    labels, _ = learn_pixels([simulated.micrograph], [painted]).apply(simulated.micrograph)
    real = np.mean(labels == np.where(simulated.mask, 1, 2))
    assert found.right.estimate == pytest.approx(real, abs=0.1)
    assert [count for count, _ in found.curve] == sorted(count for count, _ in found.curve)
    assert len(found.curve) == 4


def test_a_phase_weighs_as_much_as_it_covers_and_a_stroke_as_long_as_it_is():
    from core.measuring.strokes.advice import weighed

    right, pixels, phase = np.array([1, 0.5, 0.2, 0.8]), np.array([30, 10, 20, 20]), [0, 0, 1, 1]
    found = weighed(right, pixels, np.array(phase), np.array([0.9, 0.1]))
    assert found.estimate == pytest.approx(0.9 * 0.875 + 0.1 * 0.5)
    assert 0 <= found.low < found.estimate < found.high <= 1
    sure = weighed(np.ones(4), pixels, np.array(phase), np.array([0.5, 0.5]))
    assert sure[:3] == (1, 1, 1)


def test_a_stroke_that_lies_is_told_wrongly_when_left_out():
    painted = _strokes()
    painted[25:28, 80:112] = 1  # coarse grain called fine
    told = leave_strokes_out([_halves()], [painted]).right.estimate
    assert told < leave_strokes_out([_halves()], [_strokes()]).right.estimate - 0.05


def test_one_stroke_a_phase_cannot_be_left_out():
    painted = np.zeros((96, 128), int)
    painted[10, 5:50], painted[10, 80:120] = 1, 2
    with pytest.raises(UserError, match="two separate strokes"):
        leave_strokes_out([_halves()], [painted])
