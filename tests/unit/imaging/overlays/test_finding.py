"""Info bars, scale bars, letters and plates painted over simulated specimen."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.imaging.overlays.finding import (
    OverlayChoice,
    find_info_bars,
    find_overlays,
    overlay_choice,
    search_levels,
    with_overlay_choice,
)
from core.imaging.reading.opening import read_micrograph
from core.micrograph import Micrograph

SHAPE = (400, 500)


def specimen(shape: tuple[int, int] = SHAPE, level: float = 120, seed: int = 0) -> np.ndarray:
    """Soft blobs with noise, uint8: nothing of it flat or crisp."""
    rng = np.random.default_rng(seed)
    coarse = cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), 12)
    picture = level + 25 * coarse / max(coarse.std(), 1e-9) + rng.normal(0, 6, shape)
    return picture.clip(20, 235).astype(np.uint8)


def found(pixels: np.ndarray) -> np.ndarray:
    return find_overlays(Micrograph("test", pixels))


def write(pixels: np.ndarray, text: str, row: int, col: int, size: int, level: int) -> None:
    """Paint text with its baseline at `row`."""
    cv2.putText(pixels, text, (col, row), level, cv2.FontFace("sans"), size, 500)


def info_bar(width: int, rows: int = 36, plate: int = 0, ink: int = 255) -> np.ndarray:
    band = np.full((rows, width), plate, np.uint8)
    write(band, "HV 10.00 kV  mag 35 000 x  WD 4.1 mm  ETD", rows - 12, 10, 16, ink)
    return band


def rows_covered(mask: np.ndarray) -> tuple[int, int]:
    """Rows covered from side to side at the top and at the bottom."""
    full = mask.all(axis=1)
    return int(np.argmin(full)), int(np.argmin(full[::-1]))


@pytest.mark.parametrize(("plate", "ink"), [(0, 255), (255, 0), (30, 230)])
def test_info_bar_is_found_to_the_row(plate: int, ink: int) -> None:
    picture = specimen()
    band = info_bar(500, 36, plate, ink)
    assert rows_covered(found(np.vstack([picture, band]))) == (0, 36)
    assert rows_covered(found(np.vstack([band, picture]))) == (36, 0)


def test_info_bar_in_sixteen_bits_and_floats_is_found() -> None:
    picture = np.vstack([specimen(), info_bar(500)])
    for pixels in (picture.astype(np.uint16) * 257, picture.astype(np.float32) * 1e-3 - 4):
        assert rows_covered(found(pixels)) == (0, 36)


def test_info_bar_behind_a_line_on_a_black_picture_is_found() -> None:
    band = info_bar(500)
    band[0] = 255
    assert rows_covered(found(np.vstack([np.zeros(SHAPE, np.uint8), band]))) == (0, 36)


def test_info_bar_that_went_through_jpeg_is_found() -> None:
    picture = np.vstack([specimen(), info_bar(500, 40)])
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    bottom = rows_covered(found(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)))[1]
    assert abs(bottom - 40) <= 2


def test_clean_specimen_stays_whole() -> None:
    for seed in range(5):
        assert not found(specimen(seed=seed)).any()


def test_flat_band_without_text_is_specimen() -> None:
    picture = specimen()
    picture[-40:] = 15
    assert rows_covered(found(picture)) == (0, 0)


@pytest.mark.parametrize("level", [0, 255])
def test_scale_bar_with_its_label_is_covered(level: int) -> None:
    picture, truth = specimen(), np.zeros(SHAPE, np.uint8)
    for target, value in ((picture, level), (truth, 255)):
        target[370:376, 380:480] = value
        write(target, "200 nm", 362, 392, 24, value)
    mask = found(picture)
    assert mask[truth > 127].mean() > 0.95
    assert mask.mean() < 0.03


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("text", ["a", "(b)", "C"])
def test_panel_letter_is_covered(text: str, level: int) -> None:
    picture, truth = specimen(), np.zeros(SHAPE, np.uint8)
    for target, value in ((picture, level), (truth, 255)):
        write(target, text, 44, 12, 40, value)
    mask = found(picture)
    assert mask[truth > 127].mean() > 0.9
    assert mask.mean() < 0.03


def test_plate_is_covered_as_a_whole() -> None:
    picture = specimen()
    picture[:50, :60] = 255
    write(picture, "a)", 38, 12, 36, 0)
    mask = found(picture)
    assert mask[:50, :60].all()
    assert mask.mean() < 0.025


def test_letter_in_the_middle_is_specimen() -> None:
    picture = specimen()
    write(picture, "o", 200, 250, 30, 255)
    assert not found(picture).any()


def test_lettering_on_a_large_picture_is_found() -> None:
    picture, truth = specimen((2400, 2600)), np.zeros((2400, 2600), np.uint8)
    for target, value in ((picture, 255), (truth, 255)):
        target[2280:2310, 1900:2500] = value
        write(target, "2 µm", 2250, 2050, 150, value)
    assert found(picture)[truth > 127].mean() > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (40, 40), (48, 48), (3, 60)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_any_size_and_depth_is_searched(shape: tuple[int, int], dtype: str) -> None:
    mask = found(specimen(shape).astype(dtype))
    assert (mask.shape, mask.dtype) == (shape, bool)


@pytest.mark.parametrize("value", [0, 255])
def test_constant_picture_has_no_overlay(value: int) -> None:
    assert not found(np.full((200, 200), value, np.uint8)).any()


def test_nan_and_infinity_are_borne() -> None:
    picture = specimen().astype(np.float32)
    picture[10:20, 10:20] = np.nan
    picture[0, 0] = np.inf
    assert found(picture).shape == SHAPE
    assert not found(np.full((60, 60), np.nan, np.float32)).any()


def test_input_is_left_alone() -> None:
    picture = np.vstack([specimen(), info_bar(500)])
    before = picture.copy()
    found(picture)
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("file", ["Ag_1e-8_007.tif", "Ag_2e-9_010_2025-02-09.tif"])
def test_real_data_bar_is_found_to_the_row(file: str, shared_data: Path) -> None:
    micrograph = read_micrograph(shared_data / "native" / "tiff" / "apreo" / file)
    mask = find_overlays(micrograph)
    assert rows_covered(mask) == (0, 70)  # 1024 rows of image, 70 rows of data bar
    assert mask[:1024].mean() < 0.005


def with_bar_and_letter() -> Micrograph:
    picture = specimen()
    write(picture, "a", 60, 20, 44, 255)
    return Micrograph("test", np.vstack([picture, info_bar(500)]))


def test_correction_moves_the_edge_of_the_info_bar() -> None:
    corrected = with_overlay_choice(with_bar_and_letter(), OverlayChoice(5, 50))
    assert rows_covered(find_overlays(corrected)) == (5, 50)
    assert find_info_bars(corrected) == (0, 36)


def test_correction_takes_letters_for_specimen() -> None:
    micrograph = with_bar_and_letter()
    assert find_overlays(micrograph)[:400].any()
    corrected = with_overlay_choice(micrograph, OverlayChoice(lettering=False))
    assert not find_overlays(corrected)[:400].any()
    assert rows_covered(find_overlays(corrected)) == (0, 36)


def test_correction_takes_the_whole_frame_for_specimen() -> None:
    corrected = with_overlay_choice(with_bar_and_letter(), OverlayChoice(enabled=False))
    assert not find_overlays(corrected).any()


def test_correction_given_beats_the_one_carried() -> None:
    corrected = with_overlay_choice(with_bar_and_letter(), OverlayChoice(enabled=False))
    assert find_overlays(corrected, OverlayChoice()).any()


def test_correction_travels_and_can_be_taken_back() -> None:
    micrograph, choice = with_bar_and_letter(), OverlayChoice(bottom_rows=40)
    corrected = with_overlay_choice(micrograph, choice)
    assert overlay_choice(corrected) == choice
    assert overlay_choice(corrected.with_pixels(corrected.pixels, "step")) == choice
    assert with_overlay_choice(corrected, OverlayChoice()).metadata == micrograph.metadata
    assert overlay_choice(micrograph) == OverlayChoice()


def test_bars_set_by_hand_leave_at_least_one_row() -> None:
    corrected = with_overlay_choice(with_bar_and_letter(), OverlayChoice(999, 999, lettering=False))
    assert find_overlays(corrected).sum() == 435 * 500


def test_bars_can_be_set_on_a_picture_too_small_to_search() -> None:
    tiny = Micrograph("tiny", np.zeros((20, 30), np.uint8))
    assert find_overlays(tiny, OverlayChoice(bottom_rows=4)).sum() == 120


def test_negative_height_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="negative"):
        OverlayChoice(top_rows=-1)


@pytest.mark.parametrize(
    ("dtype", "hot"), [(np.uint16, 600), (np.uint16, 65535), (np.float32, 3e3)]
)
def test_hot_pixels_hide_no_info_bar(dtype: type, hot: float) -> None:
    picture = np.vstack([specimen(), info_bar(500)]).astype(dtype)
    wanted = rows_covered(found(picture))
    picture[50, 50:53] = hot
    picture[60, 60] = 0
    assert rows_covered(found(picture)) == wanted == (0, 36)


def test_ticks_without_a_plate_are_no_specimen() -> None:
    picture = specimen()
    for i in range(11):
        picture[372:380, 300 + 17 * i : 302 + 17 * i] = 255
    mask = found(picture)
    assert mask[372:380][:, [300 + 17 * i for i in range(11)]].all()
    assert mask.mean() < 0.02


@pytest.mark.parametrize("diameter_px", [7, 9, 13])
@pytest.mark.parametrize("side_px", [128, 256])
@pytest.mark.parametrize("noise", [8, 20, 35])
def test_a_bright_particle_in_a_corner_is_no_panel_letter(diameter_px, side_px, noise):
    rows, cols = np.mgrid[:side_px, :side_px]
    disc = (rows - 10) ** 2 + (cols - 12) ** 2 <= (diameter_px / 2) ** 2
    noisy = np.random.default_rng(diameter_px).normal(np.where(disc, 220, 90), noise)
    pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    assert not find_overlays(Micrograph("a", pixels)).any()
    assert not find_overlays(Micrograph("a", 255 - pixels)).any()


@pytest.mark.parametrize("unit", [1e-40, 1e-12, 1e30])
def test_floats_of_any_unit_are_searched_alike(unit: float) -> None:
    levels = np.random.default_rng(0).normal(100, 20, (64, 64))
    found = search_levels((levels * unit).astype(np.float32))
    assert np.abs(found.astype(int) - search_levels(levels.astype(np.float32))).max() <= 1
