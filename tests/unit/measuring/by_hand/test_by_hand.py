import math

import numpy as np
import pytest

from core.errors import UserError
from core.measuring.by_hand import Shape, measure_shapes, paint, read_shapes, summarise
from core.micrograph import PixelSize


def test_ruler_of_three_and_four_is_five_long():
    ruler = Shape("ruler", ((0, 0), (3, 4)))
    assert ruler.length_px == 5
    assert ruler.angle_deg == pytest.approx(-math.degrees(math.atan2(3, 4)))  # downwards
    assert math.isnan(ruler.area_px2)


def test_angle_is_between_the_arms_whatever_the_order():
    assert Shape("angle", ((0, 0), (10, 0), (10, 7))).angle_deg == pytest.approx(90)
    assert Shape("angle", ((10, 7), (10, 0), (0, 0))).angle_deg == pytest.approx(90)
    assert Shape("angle", ((0, 0), (5, 0), (10, 0))).angle_deg == pytest.approx(180)


@pytest.mark.parametrize(
    ("kind", "points", "area"),
    [
        ("rectangle", ((1, 1), (4, 6)), 15),
        ("ellipse", ((0, 0), (4, 6)), math.pi * 2 * 3),
        ("polygon", ((0, 0), (0, 4), (3, 0)), 6),
        ("lasso", ((0, 0), (2, 0), (2, 2), (0, 2)), 4),
    ],
)
def test_areas(kind, points, area):
    assert Shape(kind, points).area_px2 == pytest.approx(area)


@pytest.mark.parametrize(
    ("kind", "points"),
    [("ruler", ((0, 0),)), ("angle", ((0, 0), (1, 1))), ("nothing", ((0, 0),))],
)
def test_what_is_no_shape_is_refused(kind, points):
    with pytest.raises(ValueError, match=r"points|kind"):
        Shape(kind, points)


def test_reading_leaves_out_what_is_no_shape_and_comes_back():
    ruler = Shape("ruler", ((0.5, 1), (3, 4)), "Length 1", 7)
    stroke = Shape("brush", ((1, 1), (2, 9)), number=8, phase=2, width_px=5)
    bad = [None, 3, {}, {"kind": "ruler", "points": [[0, float("nan")], [1, 1]]}, {"kind": "brush"}]
    said = [ruler.to_dict(), *bad, stroke.to_dict()]
    assert read_shapes(said) == (ruler, stroke)
    assert read_shapes("no list") == ()


def test_table_is_in_nanometres_where_the_scale_is_known():
    shapes = [
        Shape("ruler", ((0, 0), (0, 10)), "a"),
        Shape("ruler", ((0, 0), (0, 20)), "b"),
        Shape("rectangle", ((0, 0), (2, 3)), "c"),
        Shape("brush", ((0, 0),), phase=1, width_px=3),
    ]
    table = measure_shapes(shapes, PixelSize(2, "nm"))
    assert table["name"].tolist() == ["a", "b", "c"]
    assert table["length_nm"].tolist()[:2] == [20, 40]
    assert table["area_nm2"][2] == 24
    assert measure_shapes(shapes)["length_px"].tolist()[:2] == [10, 20]
    found = summarise(table).set_index("measure")
    assert found.loc["length_nm"].tolist() == [2, 30, pytest.approx(math.sqrt(200))]
    assert "angle_deg" not in found.index  # slopes of rulers are no angles


def test_table_of_nothing_is_empty():
    assert measure_shapes([]).empty
    assert summarise(measure_shapes([])).empty


def test_a_dot_of_the_brush_is_a_disc():
    painted = paint([Shape("brush", ((10, 10),), phase=3, width_px=7)], (21, 21))
    rows, cols = np.ogrid[:21, :21]
    disc = (rows - 10) ** 2 + (cols - 10) ** 2 <= 3.5**2
    np.testing.assert_array_equal(painted, np.where(disc, 3, 0))
    assert painted.dtype == np.int32


def test_later_strokes_cover_and_the_eraser_takes_away():
    first = Shape("brush", ((5, 0), (5, 19)), phase=1, width_px=3)
    across = Shape("brush", ((0, 10), (19, 10)), phase=2, width_px=3)
    gone = Shape("eraser", ((5, 0), (5, 4)), width_px=9)
    painted = paint([first, across, gone, Shape("ruler", ((0, 0), (9, 9)))], (20, 20))
    assert painted[5, 15] == 1
    assert painted[5, 10] == 2
    assert painted[5, 2] == 0
    assert (painted[4:7, 15] == 1).all()
    assert painted[3, 15] == painted[7, 15] == 0


def test_strokes_beyond_the_frame_paint_what_is_inside():
    painted = paint([Shape("brush", ((-5, -5), (2, 2)), phase=1, width_px=2)], (4, 4))
    assert painted[0, 0] == painted[2, 2] == 1
    assert not paint([Shape("brush", ((-50, -50),), phase=1, width_px=2)], (4, 4)).any()


def test_strokes_that_ask_for_minutes_are_refused_in_a_sentence():
    corners = tuple((float(n % 2) * 3999, float(n)) for n in range(4000))
    wide = Shape("brush", corners, phase=1, width_px=9e5)
    with pytest.raises(UserError, match="too many or too wide"):
        paint([wide], (4000, 4000))


def test_names_of_shapes_can_be_written_everywhere():
    said = {"kind": "ruler", "points": [[0, 0], [3, 4]], "name": "a\ud800\x00b", "number": 10**400}
    (shape,) = read_shapes([said | {"width_px": float("nan")}])
    assert (shape.name, shape.number, shape.width_px) == ("ab", 10**9, 0.0)
