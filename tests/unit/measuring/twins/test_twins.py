"""Look-alikes of micrographs: same bytes again, truth that is drawn, looks of the original."""

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.measuring.twins import Twin, simulate_twins
from core.micrograph import Micrograph, PixelSize


def discs(side=160, pitch=32, radius=9.3, low=60, high=150, noise=6.0, seed=0, dtype=np.uint8):
    """Return a micrograph of discs on a grid that is shaken, and where they are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    mask = np.zeros((side, side), bool)
    for row in range(pitch // 2, side, pitch):
        for col in range(pitch // 2, side, pitch):
            dy, dx = rng.uniform(-4, 4, 2)
            mask |= (y - row - dy) ** 2 + (x - col - dx) ** 2 < radius**2
    grey = np.where(mask, high, low) + noise * rng.standard_normal(mask.shape)
    top = {np.uint8: 255, np.uint16: 65535}.get(dtype)
    scaled = grey if top is None else np.clip(grey * top / 255, 0, top)
    return Micrograph("discs", scaled.astype(dtype), PixelSize(2, "nm")), mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_twin_has_the_originals_shape_depth_and_scale(dtype):
    micrograph, mask = discs(dtype=dtype)
    (twin,) = simulate_twins(micrograph, mask, count=1)
    assert isinstance(twin, Twin)
    assert twin.micrograph.pixels.dtype == micrograph.pixels.dtype
    assert twin.micrograph.shape == micrograph.shape
    assert twin.micrograph.pixel_size == micrograph.pixel_size
    assert twin.micrograph.metadata["simulated"] is True
    assert twin.micrograph.sha256 != micrograph.sha256


def test_the_same_arguments_give_the_same_bytes_and_another_seed_others():
    micrograph, mask = discs()
    one, again, other = (
        simulate_twins(micrograph, mask, count=2, seed=seed)[1] for seed in (3, 3, 4)
    )
    assert np.array_equal(one.micrograph.pixels, again.micrograph.pixels)
    assert np.array_equal(one.labels, again.labels)
    assert not np.array_equal(one.labels, other.labels)


def test_objects_are_as_bright_as_in_the_original_and_noise_as_large():
    micrograph, mask = discs()
    (twin,) = simulate_twins(micrograph, mask, count=1)
    inside, pixels = twin.labels > 0, twin.micrograph.pixels.astype(float)
    assert pixels[inside].mean() == pytest.approx(micrograph.pixels[mask].mean(), abs=2)
    assert pixels[~inside].mean() == pytest.approx(micrograph.pixels[~mask].mean(), abs=2)
    away, far = (cv2.erode(1 - each.view(np.uint8), np.ones((7, 7))) > 0 for each in (inside, mask))
    assert pixels[away].std() == pytest.approx(micrograph.pixels[far].std(), rel=0.15)
    assert inside.mean() == pytest.approx(mask.mean(), rel=0.05)
    assert twin.labels.max() == 25


def test_a_dark_object_on_bright_ground_stays_dark():
    micrograph, mask = discs(low=180, high=80)
    (twin,) = simulate_twins(micrograph, mask, count=1)
    pixels = twin.micrograph.pixels.astype(float)
    assert pixels[twin.labels > 0].mean() < pixels[twin.labels == 0].mean() - 80


def test_what_is_excluded_is_shown_as_it_was_and_holds_no_object():
    micrograph, mask = discs()
    bar = np.zeros(mask.shape, bool)
    bar[-24:] = True
    (twin,) = simulate_twins(micrograph, mask, count=1, exclude=bar)
    assert np.array_equal(twin.micrograph.pixels[bar], micrograph.pixels[bar])
    assert not twin.labels[bar].any()
    assert np.array_equal(twin.counted, ~bar)


def test_a_measurement_may_be_given_in_place_of_its_labels():
    micrograph, mask = discs()
    by_labels, by_function = (
        simulate_twins(micrograph, each, count=1)[0] for each in (mask, lambda m: m.pixels > 105)
    )
    assert by_function.labels.max() == by_labels.labels.max()


@pytest.mark.parametrize("mask", [np.zeros((64, 64), bool), np.ones((64, 64), bool)])
def test_nothing_and_everything_cannot_be_imitated(mask):
    micrograph = Micrograph("flat", np.full((64, 64), 7, np.uint8))
    with pytest.raises(UserError):
        simulate_twins(micrograph, mask, exclude=np.zeros((64, 64), bool))


def test_labels_of_another_shape_are_refused_in_a_sentence():
    micrograph, mask = discs()
    with pytest.raises(UserError, match="shape"):
        simulate_twins(micrograph, mask[:-1])


def test_values_that_are_missing_do_not_count():
    micrograph, mask = discs(dtype=np.float32)
    pixels = micrograph.pixels.copy()
    pixels[:10] = np.nan
    holed = Micrograph("holed", pixels, micrograph.pixel_size)
    (twin,) = simulate_twins(holed, mask, count=1, exclude=np.zeros(mask.shape, bool))
    assert np.isnan(twin.micrograph.pixels[:10]).all()
    assert np.isfinite(twin.micrograph.pixels[10:]).all()
