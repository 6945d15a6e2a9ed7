from typing import Any

import numpy as np
import pytest

from core.errors import OutOfMemory
from core.learning.models import preparation
from core.learning.models.preparation import (
    CentreCrop,
    Preparation,
    batch_size,
    fill_excluded,
    require_room,
    standardise,
)
from core.learning.models.preparing.choice import make_preparation
from core.micrograph import Micrograph


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((256, 256), (256, 256)), ((512, 512), (256, 256)), ((480, 640), (224, 288))],
)
def test_size_keeps_area_and_aspect(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert Preparation().size_hw(shape) == expected


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 3), (7, 5)])
def test_any_shape_stays_within_limits(shape: tuple[int, int]) -> None:
    height, width = Preparation().size_hw(shape)
    assert 32 <= height <= 1024
    assert 32 <= width <= 1024
    assert height % 16 == width % 16 == 0


def test_sixteen_bits_keep_what_eight_would_lose() -> None:
    ramp = np.tile(np.arange(40_000, 40_256, dtype=np.uint16), (256, 1))
    prepared = Preparation()(Micrograph("ramp", ramp))
    assert len(np.unique(prepared)) == 256


def test_depth_and_gain_do_not_matter() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (80, 100)).astype(np.uint8)
    eight = Preparation()(Micrograph("8", pixels))
    sixteen = Preparation()(Micrograph("16", pixels.astype(np.uint16) * 257))
    floats = Preparation()(Micrograph("32", pixels.astype(np.float32) / 255))
    np.testing.assert_allclose(eight, sixteen, atol=1e-4)
    np.testing.assert_allclose(eight, floats, atol=1e-4)


def test_excluded_pixels_carry_no_information() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (96, 96)).astype(np.uint8)
    exclude = np.zeros((96, 96), bool)
    exclude[80:] = True
    other = pixels.copy()
    other[80:] = 255
    first = Preparation()(Micrograph("a", pixels), exclude)
    second = Preparation()(Micrograph("b", other), exclude)
    np.testing.assert_array_equal(first, second)


def test_nan_takes_the_median_of_the_rest() -> None:
    pixels = np.array([[1, 2, 3], [np.nan, np.inf, 9]], np.float32)
    filled = fill_excluded(pixels, None)
    assert filled[1, 0] == filled[1, 1] == 2.5


def test_all_excluded_becomes_zero() -> None:
    assert not fill_excluded(np.full((2, 2), 7, np.uint8), np.ones((2, 2), bool)).any()


@pytest.mark.parametrize("value", [0, 1, 128, 65_535])
def test_constant_frame_becomes_zero(value: int) -> None:
    pixels = np.full((30, 40), value, np.uint16)
    assert not Preparation()(Micrograph("flat", pixels)).any()


def test_standardised_values_are_limited() -> None:
    image = np.zeros((50, 50), np.float32)
    image[0, 0] = 1
    assert standardise(image, 4.0).max() == 4.0


def test_enormous_floats_stay_finite() -> None:
    pixels = np.random.default_rng(0).random((300, 400), dtype=np.float32)
    small, large = (Preparation()(Micrograph("f", pixels * f)) for f in (1, np.float32(3e38)))
    np.testing.assert_allclose(large, small, atol=1e-4)


@pytest.mark.parametrize("shape", [(400, 600), (307, 307), (61, 40), (1024, 1021)])
def test_the_centre_crop_is_torchvisions_own(shape: tuple[int, int]) -> None:
    from PIL import Image
    from torchvision import transforms

    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    original = transforms.Compose(
        [transforms.Resize(307), transforms.CenterCrop(256), transforms.ToTensor()]
    )
    prepared = CentreCrop()(Micrograph("noise", pixels))
    np.testing.assert_array_equal(prepared, original(Image.fromarray(pixels))[0].numpy())


def test_the_centre_crop_says_what_it_saw() -> None:
    assert CentreCrop().seen_box((307, 407)) == (26, 76, 282, 332)
    top, left, bottom, right = CentreCrop().seen_box((1000, 2000))
    assert bottom - top == right - left == pytest.approx(1000 * 256 / 307, abs=1)
    assert (top + bottom) / 2 == pytest.approx(500, abs=2)
    assert (left + right) / 2 == pytest.approx(1000, abs=2)
    assert Preparation().seen_box((10, 20)) == (0, 0, 10, 20)


def test_a_sixteen_bit_frame_is_not_saturated_by_the_centre_crop() -> None:
    ramp = np.tile(np.linspace(0, 4095, 320).astype(np.uint16), (320, 1))
    prepared = CentreCrop()(Micrograph("12 bits in 16", ramp))
    assert prepared.min() < 0.2
    assert 0.8 < prepared.max() <= 1
    assert len(np.unique(prepared)) > 100


@pytest.mark.parametrize("shape", [(1, 60_000), (60_000, 1)])
def test_the_centre_of_a_line_of_pixels_takes_little_memory(shape: tuple[int, int]) -> None:
    """307 x 18 million pixels were made of a file of some hundred bytes."""
    line = np.full(shape, 9, np.uint8)
    prepared = CentreCrop()(Micrograph("line", line))
    assert prepared.shape == (256, 256)
    np.testing.assert_allclose(prepared, 9 / 255)


def test_the_centre_of_a_long_frame_is_that_of_the_resized_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    smooth = np.add.outer(np.arange(90), np.arange(900) / 6).astype(np.uint8)
    frame = Micrograph("ramp", smooth)
    expected = CentreCrop()(frame)
    monkeypatch.setattr(preparation, "MOST_PX", 1)
    np.testing.assert_allclose(CentreCrop()(frame), expected, atol=1.01 / 255)


@pytest.mark.parametrize("preparation", [Preparation(area_px=100), CentreCrop(crop_px=128)])
def test_a_preparation_survives_the_card(preparation: Preparation | CentreCrop) -> None:
    assert make_preparation(preparation.to_dict()) == preparation


@pytest.mark.parametrize(
    "values",
    [
        {"area_px": 1024 * 1024 + 1},
        {"multiple_px": 65},
        {"longest_px": 4097},
        {"area_px": True},
        {"clip_sd": float("nan")},
        {"kind": "centre-crop", "short_px": 2000, "crop_px": 1025},
        {"kind": "centre-crop", "short_px": 200, "crop_px": 201},
    ],
)
def test_a_card_cannot_ask_for_an_input_larger_than_any(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be from"):
        make_preparation(values)


@pytest.mark.parametrize("shape", [(1, 5000), (64, 64), (1000, 1000), (3, 4)])
def test_the_largest_input_is_a_little_more_than_a_million_pixels(shape: tuple[int, int]) -> None:
    height, width = Preparation(1024 * 1024, multiple_px=64, longest_px=4096).size_hw(shape)
    assert height * width <= 1.1 * 1024 * 1024


def test_large_inputs_enter_one_by_one_and_ordinary_ones_together() -> None:
    assert batch_size((256, 256)) == batch_size((272, 272)) == 16
    assert batch_size((512, 512)) == 4
    assert batch_size((1024, 1024)) == 1
    assert batch_size((64, 64), 8) == 8


def test_a_large_input_asks_for_memory_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MEMORY_MB", "1")
    require_room((512, 512))
    with pytest.raises(OutOfMemory):
        require_room((1024, 1024))


def test_a_preparation_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no preparation"):
        make_preparation({"kind": "anything"})
