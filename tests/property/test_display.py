"""Laws of pictures for the screen, on arrays of every depth and size."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.imaging import display
from core.micrograph import Micrograph, PixelSize

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
PIXELS = st.one_of(
    hnp.arrays(np.uint8, SHAPES),
    hnp.arrays(np.uint16, SHAPES),
    hnp.arrays(np.float32, SHAPES, elements=st.floats(width=32)),
)


@given(PIXELS)
def test_window_is_a_proper_interval_and_the_picture_has_the_shape(pixels: np.ndarray) -> None:
    micrograph = Micrograph("any", pixels)
    low, high = display.display_window(micrograph)
    assert low < high
    assert np.isfinite([low, high]).all()
    shown = display.to_display(micrograph)
    assert (shown.shape, shown.dtype) == (pixels.shape, np.uint8)


@given(hnp.arrays(np.uint16, SHAPES))
def test_display_keeps_the_order_of_grey_levels(pixels: np.ndarray) -> None:
    shown = display.to_display(Micrograph("any", pixels))
    order = np.argsort(pixels, axis=None)
    assert np.all(np.diff(shown.ravel()[order].astype(int)) >= 0)


@given(PIXELS, st.integers(1, 40))
def test_thumbnail_fits(pixels: np.ndarray, size_px: int) -> None:
    small = display.thumbnail(Micrograph("any", pixels), size_px)
    assert max(small.shape) <= max(size_px, 1)
    assert all(a <= b for a, b in zip(small.shape, pixels.shape, strict=True))


@given(
    hnp.arrays(np.uint8, SHAPES).flatmap(
        lambda picture: st.tuples(
            st.just(picture),
            hnp.arrays(np.float32, picture.shape, elements=st.floats(width=32)),
        )
    ),
    st.floats(0, 1),
    st.sampled_from(display.COLORMAPS),
)
def test_blend_never_fails_and_no_opacity_is_the_identity(
    pair: tuple[np.ndarray, np.ndarray], opacity: float, colormap: str
) -> None:
    picture, heat = pair
    assert display.blend_heatmap(picture, heat, opacity, colormap).shape == (*picture.shape, 3)
    plain = display.blend_heatmap(picture, heat, 0.0, colormap)
    assert np.array_equal(plain[..., 1], picture)


@settings(max_examples=50)
@given(st.integers(1, 300), st.integers(1, 300), st.floats(1e-3, 1e6), st.integers(1, 10_000))
def test_scale_bar_keeps_the_shape(height: int, width: int, nm: float, source: int) -> None:
    picture = np.full((height, width), 128, np.uint8)
    drawn = display.draw_scale_bar(picture, PixelSize(nm, "nm"), source)
    assert drawn.shape == picture.shape


@given(st.floats(1e-9, 1e12))
def test_nice_length_is_near_its_target(target: float) -> None:
    assert 0.6 < display.nice_length(target) / target < 1.6
