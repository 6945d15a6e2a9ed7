import struct
import zlib

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.measuring.by_hand import Shape
from core.micrograph import Micrograph, PixelSize
from core.ui.parts.viewer import Outlines, Raster, class_colours, fade_in, kept
from core.ui.parts.viewer.layers import pack_outlines
from core.ui.parts.viewer.microscope import Click, _check, _click

FRAME = Micrograph("a.tif", np.zeros((40, 60), np.uint8), PixelSize(2, "nm"), {}, "")


def test_shapes_go_out_and_come_back_the_same():
    shapes = (
        Shape("ruler", ((0, 0), (3.25, 4.5)), "Length 1", 1),
        Shape("brush", ((1, 2), (5, 6)), "", 2, 3, 8.0),
    )
    said = [kept.to_viewer(shape) for shape in shapes]
    assert said[0]["points"][0] == [0.5, 0.5]  # the first pixel's centre, from the frame's corner
    assert kept.from_viewer(said) == shapes


@pytest.mark.parametrize("said", [None, "x", [1], [{"kind": "ruler"}], [{"kind": [], "points": 3}]])
def test_what_a_browser_makes_up_is_no_shape(said):
    assert kept.from_viewer(said) == ()


def test_a_click_lies_on_the_pixel_below_the_pointer():
    said = {"of": FRAME.sha256, "x": 59.9, "y": 0.2, "number": 4}
    assert _click(said, FRAME) == Click(0, 59, 4)


@pytest.mark.parametrize(
    "wrong",
    [{"of": "other"}, {"x": 60}, {"y": -1}, {"x": float("nan")}, {"number": None}, {"number": -1}],
)
def test_clicks_elsewhere_are_none(wrong):
    said = {"of": FRAME.sha256, "x": 1, "y": 1, "number": 0} | wrong
    assert _click(said, FRAME) is None
    assert _click("text", FRAME) is None


def test_outlines_are_packed_as_corners_from_the_frames_edge():
    polygons = [(3, np.array([[0, 0], [0, 5], [5, 5]])), (9, np.array([[7.5, 2]]))]
    data = zlib.decompress(pack_outlines(Outlines("a", "k", polygons)))
    assert struct.unpack_from("<6I", data) == (2, 0, 3, 4, 3, 9)
    corners = np.frombuffer(data, "<f4", offset=24).reshape(-1, 2)
    assert corners.tolist() == [[0.5, 0.5], [5.5, 0.5], [5.5, 5.5], [2.5, 8]]


def test_no_outlines_are_an_empty_list():
    assert struct.unpack("<2I", zlib.decompress(pack_outlines(Outlines("a", "k", [])))) == (0, 0)


def test_colours_of_classes_and_of_heat():
    table = class_colours(["#ff0000", "#00ff7f"], 0.5, first=1)
    assert table[0].tolist() == [0, 0, 0, 0]
    assert table[2].tolist() == [0, 255, 127, 128]
    assert fade_in(np.full((256, 3), 9, np.uint8))[[0, 255]].tolist() == [
        [9] * 3 + [0],
        [9] * 3 + [255],
    ]


def test_layers_must_be_eight_bits():
    with pytest.raises(ValueError, match="uint8"):
        Raster("a", "k", np.zeros((2, 2)), np.zeros((256, 4), np.uint8))


def _page():
    import numpy as np
    import streamlit as st

    from core.micrograph import Micrograph, PixelSize
    from core.ui.parts.viewer import Raster, fade_in, kept, viewer

    frame = Micrograph("a.tif", np.zeros((40, 60), np.uint8), PixelSize(2, "nm"), {}, "")
    heat = Raster(
        "heat", "k", np.zeros((40, 60), np.uint8), fade_in(np.zeros((256, 3), np.uint8)), True
    )
    state = viewer(frame, key="v", layers=[heat], labels=("a", "b"))
    st.text(f"{len(state.shapes)} {state.clicked} {len(kept.shapes(frame))}")


def test_viewer_says_where_its_tiles_are():
    import json

    page = AppTest.from_function(_page).run(timeout=60)
    assert page.text[0].value == "0 None 0"
    proto = next(e for e in page.main if e.type == "bidi_component").proto
    said = json.loads(proto.json)
    assert said["base"]["url"].endswith(".bin")
    assert said["base"]["url"] != said["layers"][0]["url"]
    assert said["nmPerPx"] == 2
    assert (said["width"], said["height"]) == (60, 40)


def test_what_lies_beside_or_over_it_must_have_its_size():
    small = Micrograph("b.tif", np.zeros((4, 4), np.uint8), None, {}, "")
    layer = Raster("a", "k", small.pixels, np.zeros((256, 4), np.uint8))
    with pytest.raises(ValueError, match="beside one of"):
        _check(FRAME, [], small, [])
    with pytest.raises(ValueError, match="on a frame of"):
        _check(FRAME, [layer], None, [])
    with pytest.raises(ValueError, match="tools must be"):
        _check(FRAME, [], None, ["hammer"])
