import copy

import numpy as np
import pytest

from core.micrograph import Micrograph, PixelSize, digest_pixels


@pytest.mark.parametrize(
    ("unit", "nanometres"),
    [("pm", 1e-3), ("Å", 0.1), ("nm", 1), ("µm", 1e3), ("μm", 1e3), ("um", 1e3), ("mm", 1e6)],
)
def test_pixel_size_converts(unit: str, nanometres: float) -> None:
    assert PixelSize(2, unit).to("nm") == pytest.approx(2 * nanometres)
    assert PixelSize(2, unit).to(unit) == pytest.approx(2)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_pixel_size_must_be_positive_and_finite(value: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        PixelSize(value, "nm")


@pytest.mark.parametrize("unit", ["1/nm", "px", "", "inch"])
def test_pixel_size_needs_a_length(unit: str) -> None:
    with pytest.raises(ValueError, match="length"):
        PixelSize(1, unit)
    with pytest.raises(ValueError, match="length"):
        PixelSize(1, "nm").to(unit)


@pytest.mark.parametrize(
    ("size", "words", "unit"),
    [
        (PixelSize(2.5, "nm"), "2.5 nm/px", "nm"),
        (PixelSize(0.05, "µm"), "50 nm/px", "µm"),
        (PixelSize(3.2, "µm"), "3.2 µm/px", "µm"),
    ],
)
def test_pixel_size_in_words(size: PixelSize, words: str, unit: str) -> None:
    assert str(size) == words
    assert size.length_unit == unit


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8), np.zeros((2, 2, 3), np.uint8)],
)
def test_shape_is_checked(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        Micrograph("x", pixels)


@pytest.mark.parametrize("dtype", [np.int16, np.float64, np.uint32, bool])
def test_depth_is_checked(dtype: type) -> None:
    with pytest.raises(ValueError, match="uint8"):
        Micrograph("x", np.zeros((2, 2), dtype))


def test_pixels_are_read_only_and_the_callers_array_is_left_alone() -> None:
    pixels = np.zeros((2, 3), np.uint8)
    micrograph = Micrograph("x", pixels)
    with pytest.raises(ValueError, match="read-only"):
        micrograph.pixels[0, 0] = 1
    pixels[0, 0] = 1
    assert micrograph.shape == (2, 3)
    assert micrograph.depth == "8-bit"


def test_equal_pixels_share_a_digest_and_others_do_not() -> None:
    ones = np.ones((4, 4), np.uint8)
    assert digest_pixels(ones) == digest_pixels(ones.copy(order="F"))
    assert digest_pixels(ones) != digest_pixels(ones.astype(np.uint16))
    assert digest_pixels(ones) != digest_pixels(ones.reshape(2, 8))


def test_key_knows_all_that_results_depend_on() -> None:
    pixels = np.ones((2, 2), np.uint8)
    keys = {
        Micrograph("a", pixels).key,
        Micrograph("b", pixels).key,
        Micrograph("a", pixels, PixelSize(1, "nm")).key,
        Micrograph("a", pixels, PixelSize(1.00001, "nm")).key,
        Micrograph("a", pixels * 2).key,
    }
    assert len(keys) == 5


def test_a_step_joins_history_and_digest() -> None:
    raw = Micrograph("x", np.ones((2, 2), np.uint8), PixelSize(1, "nm"), {"detector": "BSE"})
    once = raw.with_pixels(raw.pixels * 2, "double()")
    assert once.metadata == {"detector": "BSE", "history": ["double()"]}
    assert raw.metadata == {"detector": "BSE"}
    assert once.pixel_size == raw.pixel_size
    assert once.sha256 != raw.sha256
    assert once.sha256 == raw.with_pixels(raw.pixels * 2, "double()").sha256


def test_survives_the_copying_that_caches_do() -> None:
    raw = Micrograph("x", np.ones((2, 2), np.uint16), PixelSize(1, "nm"))
    twin = copy.deepcopy(raw)
    assert twin.key == raw.key
    np.testing.assert_array_equal(twin.pixels, raw.pixels)
