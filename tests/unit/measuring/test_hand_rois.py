"""What a hand drew opens in ImageJ as what it is."""

import io
import zipfile

import numpy as np
import roifile

from core.measuring.by_hand import Shape
from core.measuring.exchange import hand_rois_zip


def test_each_kind_is_its_own_roi_with_parts_of_a_pixel() -> None:
    shapes = (
        Shape("ruler", ((10.25, 20.5), (40, 60)), "Länge 1"),
        Shape("angle", ((0, 0), (0, 10), (10, 10))),
        Shape("rectangle", ((30, 8.5), (2, 4.5))),
        Shape("ellipse", ((1, 2), (11, 32.5))),
        Shape("polygon", ((1, 2), (11, 32.5), (5, 5))),
        Shape("lasso", ((1, 2), (11, 32.5), (5, 5))),
        Shape("point", ((7, 9),)),
        Shape("brush", ((7, 9),), width_px=4, phase=1),
    )
    with zipfile.ZipFile(io.BytesIO(hand_rois_zip(shapes))) as packed:
        rois = [roifile.ImagejRoi.frombytes(packed.read(name)) for name in packed.namelist()]
    kinds = [roi.roitype.name for roi in rois]
    assert kinds == ["LINE", "ANGLE", "RECT", "OVAL", "POLYGON", "FREEHAND", "POINT"]
    line, angle, box, oval, polygon, _, point = rois
    assert line.name == "Länge 1"
    assert (line.x1, line.y1, line.x2, line.y2) == (21, 10.75, 60.5, 40.5)
    assert angle.coordinates().tolist() == [[0.5, 0.5], [10.5, 0.5], [10.5, 10.5]]
    assert (box.xd, box.yd, box.widthd, box.heightd) == (5, 2.5, 4, 28)
    assert np.pi / 4 * oval.widthd * oval.heightd == np.pi / 4 * 10 * 30.5
    assert polygon.coordinates().tolist() == [[2.5, 1.5], [33, 11.5], [5.5, 5.5]]
    assert point.coordinates().tolist() == [[9.5, 7.5]]
    assert hand_rois_zip(shapes) == hand_rois_zip(shapes)
