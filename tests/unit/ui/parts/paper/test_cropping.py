"""What a viewer shows becomes panels: crop, grey levels, layers, outlines and shapes."""

import numpy as np
import pytest

from core.measuring.by_hand import Shape
from core.micrograph import Micrograph, PixelSize
from core.ui.parts.paper import kept
from core.ui.parts.paper.cropping import on_screen, panels_of
from core.ui.parts.viewer import Outlines, Raster
from core.ui.parts.viewer.seen import LayerState, Seen, Window, read_seen


def micrograph(dtype: type = np.uint16) -> Micrograph:
    pixels = np.arange(60 * 80).reshape(60, 80).astype(dtype)
    return Micrograph("a.tif", pixels, PixelSize(2, "nm"), {}, "0" * 64)


def said(**more: object) -> dict[str, object]:
    return {
        "of": "0" * 64,
        "box": [9.6, 20.2, 40.4, 60],
        "mode": "divide",
        "windows": {"base": {"black": 0, "white": 4800, "gamma": 1}},
        "layers": {"Heat": {"shown": True, "opacity": 0.5}, "Off": {"shown": False, "opacity": 1}},
        **more,
    }


def test_view_is_whole_pixels_within_the_frame() -> None:
    seen = read_seen(said(), micrograph())
    assert seen is not None
    assert (seen.rows, seen.columns) == (slice(10, 40), slice(20, 60))
    assert seen.compares
    wide = read_seen(said(box=[-5, -5, 1e9, 0.1]), micrograph())
    assert wide is not None
    assert (wide.rows, wide.columns) == (slice(0, 60), slice(0, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        said(of="another"),
        said(box=[1, 2, 3]),
        said(box=[float("nan"), 0, 1, 1]),
        said(box=["a", 0, 1, 1]),
        said(windows={"base": 3}),
        said(windows=[1]),
        said(layers={"Heat": {"shown": True, "opacity": "much"}}),
    ],
)
def test_what_no_viewer_says_is_no_view(wrong: object) -> None:
    assert read_seen(wrong, micrograph()) is None


def test_grey_levels_are_those_of_the_screen() -> None:
    pixels = np.array([[0, 100, 150, 200, 300]], np.uint16)
    shown = on_screen(pixels, Window(100, 200, 2.0))
    assert shown.tolist() == [[0, 0, round(255 * 0.5**0.5), 255, 255]]
    floats = np.array([[np.nan, 0.0, 0.5, np.inf, -np.inf]], np.float32)
    assert on_screen(floats, Window(0, 1, 1)).tolist() == [[0, 0, 128, 255, 0]]
    assert on_screen(np.full((2, 2), np.nan, np.float32), None).max() == 0


def test_panels_hold_what_is_switched_on() -> None:
    frame = micrograph()
    values = np.zeros(frame.shape, np.uint8)
    values[10, 20] = 7
    table = np.zeros((256, 4), np.uint8)
    layers = [
        Raster("Heat", "k", values, table, smooth=True, reads="heat", step=100 / 255, unit="%"),
        Raster("Off", "k", values, table),
        Outlines("Heat", "k", [(3, np.array([(10.0, 20.0), (12, 20), (12, 25)]))]),
    ]
    seen = read_seen(said(), frame)
    assert seen is not None
    shapes = (
        Shape("ruler", ((10, 20), (10, 30))),
        Shape("brush", ((15, 25),), width_px=3, phase=2),
    )
    left, right = panels_of(frame, seen, layers, None, shapes, both=True)
    assert right.shape == left.shape == (30, 40)
    assert np.array_equal(right.picture, on_screen(frame.pixels[10:40, 20:60], Window(0, 4800, 1)))
    assert [tint.name for tint in right.tints] == ["Heat", "Painted"]
    assert not left.tints
    heat, painted = right.tints
    assert heat.values[0, 0] == 7
    assert heat.ends == ("0 %", "100 %")
    assert heat.opacity == 0.5
    assert painted.values[5, 5] == 2
    assert right.lines[0].polygons[0][1].tolist() == [[0, 0], [2, 0], [2, 5]]
    assert right.shapes[0].points == ((0, 0), (0, 10))
    (alone,) = panels_of(frame, seen, layers, None, shapes, both=False, by_hand=False)
    assert [tint.name for tint in alone.tints] == ["Heat"]
    assert not alone.shapes


def test_another_picture_takes_the_right_side() -> None:
    frame = micrograph()
    seen = Seen(slice(0, 60), slice(0, 80), "side", {"after": Window(0, 10, 1)}, {})
    after = Micrograph("b", np.full((60, 80), 5, np.uint8), None, {}, "1" * 64)
    left, right = panels_of(frame, seen, [], after, (), both=True)
    assert np.unique(right.picture).tolist() == [128]
    assert right.pixel_size == left.pixel_size == frame.pixel_size
    colours = np.full((60, 80, 3), 9, np.uint8)
    (coloured,) = panels_of(frame, seen, [], colours, (), both=False)
    assert coloured.picture.shape == (60, 80, 3)


def test_panels_wait_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.st, "session_state", {})
    seen = Seen(slice(0, 60), slice(0, 80), "plain", {}, {"Heat": LayerState(True, 1)})
    own = panels_of(micrograph(), seen, [], None, (), both=False)
    assert all(kept.keep(own) for _ in range(kept.MOST_PANELS))
    assert not kept.keep(own)
    assert len(kept.panels()) == kept.MOST_PANELS
    kept.forget()
    assert kept.panels() == []


def test_style_holds_for_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.st, "session_state", {})
    kept.change(width_mm=180.0, dpi=600)
    kept.change(theme="Dark")
    assert (kept.style().width_mm, kept.style().dpi, kept.style().theme) == (180, 600, "Dark")
    kept.set_style({"width_mm": "<script>"})
    assert kept.style().width_mm == 85
