"""Regions as a COCO file, which most programs that train instance segmentation read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from core.measuring.exchange.polygons import Outline, trace_labels


def coco_json(
    pictures: Sequence[tuple[str, NDArray[np.integer]]], *, phase: str = "region"
) -> bytes:
    """Return label images as one COCO file for instance segmentation.

    Parameters
    ----------
    pictures : sequence of (str, ndarray of shape (H, W), integers)
        File name and labels of each picture; 0 where there is nothing.
    phase : str
        The only category's name.

    Returns
    -------
    bytes
        UTF-8. Regions in one piece without holes are polygons along the edges of their pixels;
        others are uncompressed run lengths, down the columns, which hold holes exactly. Areas are
        in px, boxes are x, y, width and height.

    References
    ----------
    Lin et al. (2014), Microsoft COCO: common objects in context, European Conference on Computer
    Vision, doi:10.1007/978-3-319-10602-1_48.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (name, labels) in enumerate(pictures, 1):
        height, width = labels.shape
        images.append({"id": number, "file_name": name, "height": height, "width": width})
        for found in _annotations(labels):
            identity = {"id": len(annotations) + 1, "image_id": number, "category_id": 1}
            annotations.append({**identity, **found, "iscrowd": 0})
    whole = {
        "info": {"description": "Regions measured with Micrographia"},
        "images": images,
        "categories": [{"id": 1, "name": phase, "supercategory": "region"}],
        "annotations": annotations,
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _annotations(labels: NDArray[np.integer]) -> list[dict[str, Any]]:
    boxes = scipy.ndimage.find_objects(np.asarray(labels))  # one per number, None where unused
    area = np.bincount(np.asarray(labels).ravel())
    found = []
    for outline in trace_labels(labels):
        rows, cols = boxes[outline.label - 1]
        box = [cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start]
        found.append(
            {
                "segmentation": _segmentation(outline, labels, rows, cols),
                "area": int(area[outline.label]),
                "bbox": [int(value) for value in box],
            }
        )
    return found


def _segmentation(
    outline: Outline, labels: NDArray[np.integer], rows: slice, cols: slice
) -> list[list[int]] | dict[str, Any]:
    """Return polygons where they are exact, else run lengths."""
    if outline.is_simple:
        return [outline.rings[0].ravel().tolist()]
    return run_lengths(labels[rows, cols] == outline.label, labels.shape, rows.start, cols.start)


def run_lengths(
    inside: NDArray[np.bool_], shape: tuple[int, ...], top: int = 0, left: int = 0
) -> dict[str, Any]:
    """Return a mask (h, w) at row `top`, column `left` of a frame as COCO's run lengths.

    Runs go down the columns and begin with one of ground, of length 0 where the first pixel counts.
    """
    height, width = shape
    framed = np.zeros((inside.shape[0] + 2, inside.shape[1]), np.int8)
    framed[1:-1] = inside
    change = np.diff(framed, axis=0).T  # one row per column of the mask
    col, row = np.nonzero(change)
    places = (left + col) * height + top + row  # where runs begin and end, in pairs
    if places.size:  # a run to the bottom goes on at the top of the next column
        meets = np.flatnonzero(places[1:-1:2] == places[2::2]) * 2 + 1
        places = np.delete(places, np.concatenate([meets, meets + 1]))
    counts = np.diff(places, prepend=0, append=height * width)
    return {"size": [height, width], "counts": counts.tolist()}
