"""What a hand measured as ROIs of ImageJ: lines stay lines, angles angles, boxes boxes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import roifile

from core.measuring.by_hand import PAINT, Shape

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same shapes always give the same bytes
_BY_POINTS = {"angle": "ANGLE", "polygon": "POLYGON", "lasso": "FREEHAND", "point": "POINT"}


def hand_rois_zip(shapes: Sequence[Shape]) -> bytes:
    """Return shapes as a ZIP of ROIs for ImageJ's and Fiji's ROI Manager.

    Parameters
    ----------
    shapes : sequence of Shape
        Strokes of a brush are left out: they are a mask, not ROIs.

    Returns
    -------
    bytes
        A line, angle, rectangle, oval, polygon, freehand outline or point for each, with its name
        and parts of a pixel, so that ImageJ measures the same. ImageJ counts from the corner of
        the first pixel.
    """
    drawn = [shape for shape in shapes if shape.kind not in PAINT]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, shape in enumerate(drawn, 1):
            entry = zipfile.ZipInfo(f"{number:04d}.roi", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, _to_roi(shape, shape.name or f"{shape.kind} {number}").tobytes())
    return buffer.getvalue()


def _to_roi(shape: Shape, name: str) -> Any:
    places = np.array(shape.points, np.float32)[:, ::-1] + np.float32(0.5)
    if shape.kind in _BY_POINTS:
        roi = roifile.ImagejRoi.frompoints(places, name=name)
        roi.roitype = roifile.ROI_TYPE[_BY_POINTS[shape.kind]]
        return roi
    low, high = places.min(axis=0), places.max(axis=0)
    if shape.kind == "ruler":
        (x1, y1), (x2, y2) = places.tolist()
        roi = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.LINE, name=name)
        roi.x1, roi.y1, roi.x2, roi.y2 = x1, y1, x2, y2
    else:
        kind = roifile.ROI_TYPE.OVAL if shape.kind == "ellipse" else roifile.ROI_TYPE.RECT
        roi = roifile.ImagejRoi(roitype=kind, name=name)
        roi.xd, roi.yd = low.tolist()
        roi.widthd, roi.heightd = (high - low).tolist()
    roi.options = roi.options | roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.left, roi.top = np.floor(low).astype(int).tolist()
    roi.right, roi.bottom = np.ceil(high).astype(int).tolist()
    return roi
