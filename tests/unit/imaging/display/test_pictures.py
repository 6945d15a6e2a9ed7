"""Eight-bit pictures: windows, scale bars, colours."""

import cv2
import numpy as np
import pytest

from core.imaging import display
from core.imaging.display import scale_bars
from core.micrograph import Micrograph, PixelSize


def micrograph(pixels: np.ndarray) -> Micrograph:
    return Micrograph("test", pixels)


def decode(png: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def test_window_is_found_in_native_grey_levels() -> None:
    ramp = np.arange(0, 40_001, dtype=np.uint16)[None]
    assert display.display_window(micrograph(ramp), 1, 99) == (400.0, 39_600.0)


def test_sixteen_bits_keep_their_contrast_on_the_way_to_the_screen() -> None:
    faint = np.array([[30_000, 30_010, 30_020]], np.uint16)  # one level in a plain 8-bit cut
    assert display.to_display(micrograph(faint)).tolist() == [[0, 128, 255]]


def test_window_ignores_nan_and_infinity() -> None:
    pixels = np.array([[np.nan, 1, 2, 3, np.inf, -np.inf]], np.float32)
    assert display.display_window(micrograph(pixels), 0, 100) == (1.0, 3.0)
    assert display.to_display(micrograph(pixels)).tolist() == [[0, 0, 128, 255, 255, 0]]


def test_all_nan_is_shown_without_a_warning() -> None:
    pixels = np.full((3, 4), np.nan, np.float32)
    assert np.array_equal(display.to_display(micrograph(pixels)), np.zeros((3, 4)))


def test_constant_integers_show_at_their_own_level() -> None:
    assert display.to_display(micrograph(np.full((2, 2), 51, np.uint8))).max() == 51
    assert display.to_display(micrograph(np.full((2, 2), 65_535, np.uint16))).min() == 255


@pytest.mark.parametrize("level", [0.0, -7.5, 3e38, -3e38])
def test_constant_floats_show_mid_grey(level: float) -> None:
    shown = display.to_display(micrograph(np.full((2, 2), level, np.float32)))
    assert np.all(np.abs(shown.astype(int) - 128) <= 1)


def test_huge_floats_do_not_overflow() -> None:
    pixels = np.array([[-3e38, 0, 3e38]], np.float32)
    assert display.to_display(micrograph(pixels)).tolist() == [[0, 128, 255]]


def test_sparse_mask_keeps_both_levels() -> None:
    mask = np.zeros((50, 50), np.uint8)
    mask[0, 0] = 255  # 0.04 %: outside the percentiles
    assert np.array_equal(display.to_display(micrograph(mask)), mask)


def test_window_of_a_large_picture_comes_from_a_grid() -> None:
    pixels = np.zeros((3000, 3000), np.uint8)
    pixels[:, 1500:] = 200
    assert display.display_window(micrograph(pixels)) == (0.0, 200.0)


def test_percentiles_out_of_order_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="low_pct"):
        display.display_window(micrograph(np.zeros((2, 2), np.uint8)), 60, 40)


def test_thumbnail_fits_and_keeps_the_aspect() -> None:
    assert display.thumbnail(micrograph(np.zeros((600, 1200), np.uint8)), 300).shape == (150, 300)


def test_thumbnail_is_never_enlarged() -> None:
    assert display.thumbnail(micrograph(np.zeros((20, 30), np.uint8))).shape == (20, 30)


def test_thumbnail_of_a_line_keeps_one_row() -> None:
    assert display.thumbnail(micrograph(np.zeros((1, 5000), np.uint8)), 100).shape == (1, 100)


@pytest.mark.parametrize(
    ("target", "nice"), [(1, 1), (1.3, 1), (1.5, 2), (3.5, 5), (8, 10), (230, 200), (0.04, 0.05)]
)
def test_nice_lengths_are_one_two_five(target: float, nice: float) -> None:
    assert display.nice_length(target) == pytest.approx(nice)


def bar_length_px(picture: np.ndarray) -> int:
    """Longest run of white pixels in any row."""
    best = 0
    for row in picture:
        edges = np.flatnonzero(np.diff(np.pad((row == 255).astype(int), 1)))
        best = max(best, int((edges[1::2] - edges[::2]).max(initial=0)))
    return best


def test_scale_bar_has_the_length_it_says() -> None:
    picture = np.full((400, 500), 90, np.uint8)
    # 2 nm/px, 1000 nm wide: the bar is 200 nm = 100 px
    assert bar_length_px(display.draw_scale_bar(picture, PixelSize(2, "nm"), 500)) == 100


def test_scale_bar_follows_the_shrunken_picture() -> None:
    picture = np.full((400, 500), 90, np.uint8)
    # micrograph 2000 px wide at 1 nm/px, shown at 500 px: 500 nm = 125 px
    assert bar_length_px(display.draw_scale_bar(picture, PixelSize(1, "nm"), 2000)) == 125


@pytest.mark.parametrize(
    ("nm", "label"),
    [
        (0.5, "0.5 nm"),
        (500, "500 nm"),
        (1000, "1 µm"),
        (5e5, "500 µm"),
        (2e6, "2 mm"),
        (1e9, "1 m"),
    ],
)
def test_label_has_the_fitting_unit(nm: float, label: str) -> None:
    assert scale_bars._length_label(nm) == label


def test_micro_sign_is_drawn_not_replaced() -> None:
    pictures = []
    for text in ("µ", "?", "u"):
        picture = np.zeros((40, 40), np.uint8)
        cv2.putText(picture, text, (5, 30), 255, cv2.FontFace("sans"), 24, 500)
        pictures.append(picture)
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_no_scale_no_bar() -> None:
    picture = np.full((200, 200, 3), 7, np.uint8)
    drawn = display.draw_scale_bar(picture, None, 200)
    assert np.array_equal(drawn, picture)
    assert drawn is not picture


def test_scale_bar_leaves_its_input_alone_and_keeps_the_shape() -> None:
    for shape in ((200, 300), (200, 300, 3)):
        picture = np.full(shape, 240, np.uint8)
        drawn = display.draw_scale_bar(picture, PixelSize(3, "nm"), 300)
        assert drawn.shape == shape
        assert drawn.max() == 255
        assert drawn.min() < 60
        assert picture.min() == 240


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (15, 15)])
def test_scale_bar_is_left_out_where_it_does_not_fit(shape: tuple[int, int]) -> None:
    picture = np.zeros(shape, np.uint8)
    assert not display.draw_scale_bar(picture, PixelSize(1, "nm"), shape[1]).any()


def test_picture_stays_where_there_is_no_heat() -> None:
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10)
    blend = display.blend_heatmap(picture, np.zeros((10, 10)))
    assert np.array_equal(blend, np.repeat(picture[..., None], 3, axis=2))


def test_full_heat_at_full_opacity_is_the_top_color() -> None:
    blend = display.blend_heatmap(np.zeros((1, 1), np.uint8), np.ones((1, 1)), 1.0, "viridis")
    assert blend[0, 0].tolist() == [253, 231, 37]  # viridis ends in yellow: red, green, blue


def test_nan_heat_counts_as_none() -> None:
    blend = display.blend_heatmap(np.full((1, 1), 9, np.uint8), np.full((1, 1), np.nan))
    assert blend.tolist() == [[[9, 9, 9]]]


@pytest.mark.parametrize("name", display.COLORMAPS)
def test_every_colormap_gets_brighter(name: str) -> None:
    ramp = np.linspace(0, 1, 16)[None]
    blend = display.blend_heatmap(np.zeros((1, 16), np.uint8), ramp, 1.0, name)
    assert np.all(np.diff(cv2.cvtColor(blend, cv2.COLOR_RGB2GRAY)[0].astype(int)) > 0)


def test_blend_names_what_is_wrong() -> None:
    picture = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="shapes"):
        display.blend_heatmap(picture, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="opacity"):
        display.blend_heatmap(picture, np.zeros((2, 2)), 1.5)
    with pytest.raises(ValueError, match="colormap"):
        display.blend_heatmap(picture, np.zeros((2, 2)), 0.5, "jet")


# Machado et al. (2009), full severity, in linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def seen_lab(colors: list[str], vision: str) -> np.ndarray:
    srgb = np.array([rgb(color) for color in colors]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISIONS[vision].T, 0, 1)
    back = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(back[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("k", "apart"), [(2, 40), (3, 40), (5, 17), (8, 12), (12, 6), (20, 3.3)])
def test_cluster_colors_differ_for_every_kind_of_vision(k: int, apart: float, vision: str) -> None:
    lab = seen_lab(display.cluster_colors(k), vision)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 1e9 * np.eye(k)
    assert distance.min() >= apart
    assert np.all(np.diff(lab[:, 0]) > 0)  # and read from dark to bright


def test_number_of_cluster_colors_is_bounded() -> None:
    assert len(display.cluster_colors(1)) == 1
    for k in (0, 21):
        with pytest.raises(ValueError, match="between 1 and 20"):
            display.cluster_colors(k)


def test_labels_get_the_colors_of_their_clusters() -> None:
    painted = display.color_labels(np.array([[0, 1, 2]]), 3)
    assert [tuple(color) for color in painted[0]] == [rgb(c) for c in display.cluster_colors(3)]


def test_excluded_pixels_are_hatched_in_grey() -> None:
    painted = display.color_labels(np.full((16, 16), -1, np.int16), 3)
    assert np.all(painted[..., 0] == painted[..., 1])
    assert np.unique(painted).tolist() == [150, 190]


@pytest.mark.parametrize("bad", [-2, 3])
def test_labels_out_of_range_are_a_mistake(bad: int) -> None:
    with pytest.raises(ValueError, match="labels must lie"):
        display.color_labels(np.array([[bad]]), 3)


def test_png_is_lossless_and_in_rgb_order() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    assert np.array_equal(decode(display.png_bytes(picture))[..., ::-1], picture)
    assert np.array_equal(decode(display.png_bytes(picture[..., 0])), picture[..., 0])


def test_png_is_narrowed_to_the_width_asked_for() -> None:
    picture = np.zeros((100, 400), np.uint8)
    assert decode(display.png_bytes(picture, 100)).shape == (25, 100)
    assert decode(display.png_bytes(picture, 4000)).shape == (100, 400)


def test_sixteen_bits_are_no_picture() -> None:
    with pytest.raises(TypeError, match="uint8"):
        display.png_bytes(np.zeros((2, 2), np.uint16))
