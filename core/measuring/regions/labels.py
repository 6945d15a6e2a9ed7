"""Regions of a mask: connected pixels, touching ones split, holes filled."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from core.measuring.regions.border import as_included

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
NECK = 0.8  # width of a neck by that of the narrower part; two discs that overlap a third in
_ROUGH_PX = 1.0  # added to widths before they are compared: one pixel of roughness is no neck
_MOST_ROUNDS = (
    400  # ridges that need more (longer than that in px, of one width) are left to skimage
)


def label_regions(
    mask: NDArray[Any],
    *,
    included: NDArray[Any] | None = None,
    min_area_px: int = 1,
    split: bool = False,
    connectivity: int = 8,
    fill_holes: bool = False,
    neck_depth_px: float = 0.0,
) -> Labels:
    """Number the regions of a mask from 1 in reading order of their first pixel; 0 elsewhere.

    Parameters
    ----------
    mask, min_area_px
        As in `measure_regions`.
    included : ndarray of shape (H, W), bool, optional
        What counts; nothing is numbered elsewhere. All counts by default.
    split : bool
        Separate touching regions: a neck narrower than 0.8 of the narrower part (plus one pixel
        each, so that rough outlines stay whole) is cut along the watershed of the distance to the
        outline. No pixel is lost: the parts touch each other.
    connectivity : int
        8: pixels that meet at a corner belong together; 4: those that share an edge, which keeps
        grains apart whose boundaries are one pixel wide.
    fill_holes : bool
        Holes become part of the regions around them, unless they do not count.
    neck_depth_px : float
        With `split`: the half width of the narrower part must also exceed that of the neck by so
        much. 1.5 px leaves clean masks as they are (F1 on 24 pictures of EMPS 0.983 with and
        without) and makes fewer cuts in rough ones (of Otsu's masks 3,669 parts for 6,255; with
        3 px 2,135, F1 on clean masks 0.979; 1,826 unsplit).

    Returns
    -------
    ndarray of shape (H, W), int32

    Raises
    ------
    ValueError, TypeError
        As in `measure_regions`.

    References
    ----------
    Beucher, Lantuejoul (1979), Use of watersheds in contour detection, International workshop on
    image processing, Rennes. Soille (2003), Morphological image analysis, chapter 6 (h-maxima).
    """
    if isinstance(min_area_px, bool) or not isinstance(min_area_px, int | np.integer):
        raise TypeError(f"min_area_px must be an integer, got {min_area_px!r}")
    if min_area_px < 1:
        raise ValueError(f"min_area_px must be at least 1, got {min_area_px}")
    if connectivity not in (4, 8):
        raise ValueError(f"connectivity must be 4 or 8, got {connectivity!r}")
    inside = _as_bool(mask)
    counted = as_included(included, inside.shape)
    if fill_holes:
        inside = _without_holes(inside, connectivity)
    if counted is not None:
        inside = inside & counted
    labels = _split(inside, connectivity, neck_depth_px) if split else _label(inside, connectivity)
    if min_area_px == 1:
        return labels
    keep = np.bincount(labels.ravel()) >= min_area_px
    keep[0] = False
    return np.asarray(np.where(keep, np.cumsum(keep), 0).astype(np.int32)[labels])


def _without_holes(inside: Mask, connectivity: int) -> Mask:
    """Return a mask with its holes filled."""
    ground = (~inside).astype(np.uint8)
    count, holes = cv2.connectedComponents(ground, connectivity=12 - connectivity, ltype=cv2.CV_32S)
    fill = np.ones(count, np.bool_)
    fill[np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])] = False
    fill[0] = True
    return np.asarray(fill[holes]) if np.count_nonzero(fill) > 1 else inside


def _split(inside: Mask, connectivity: int = 8, depth_px: float = 0.0) -> Labels:
    """Number the parts of a mask between its necks, in reading order.

    On a logarithmic scale "narrower than 0.8 of" is the same depth for large and small parts. What
    lies outside the frame is unknown, so that a border is no outline.
    """
    if inside.all():  # there is no outline to measure a distance from
        return _label(inside, connectivity)
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # The last digits of a logarithm depend on where an array lies in memory, and with them the cut.
    height = np.round(np.log(distance.astype(np.float64) + _ROUGH_PX), 6).astype(np.float32)
    floor = np.where(inside, np.maximum(height + np.float32(np.log(NECK)), 0), np.float32(0))
    if depth_px > 0:
        deep = np.log(np.maximum(distance.astype(np.float64) + _ROUGH_PX - depth_px, 1))
        floor = np.minimum(floor, np.round(deep, 6).astype(np.float32))
    ski: Any = skimage  # it loads its parts when they are first used; these are untyped
    peaks = ski.morphology.local_maxima(reconstruct(floor, height), connectivity=2) & inside
    steps = 1 if connectivity == 4 else 2
    flood = ski.segmentation.watershed
    seeds = _label(peaks)
    if depth_px > 0:  # a region that is nowhere so deep is one part
        whole = _label(inside, connectivity)
        without = np.ones(int(whole.max()) + 1, np.bool_)
        without[whole[peaks]] = without[0] = False
        seeds = np.where(without[whole], whole + seeds.max(), seeds)
    parts = flood(-height, seeds, connectivity=steps, mask=inside)
    return _in_reading_order(parts)


def reconstruct(
    floor: NDArray[np.float32], height: NDArray[np.float32], most_rounds: int = _MOST_ROUNDS
) -> NDArray[np.float32]:
    """Return the reconstruction by dilation of `floor` under `height`, over 8 neighbours.

    Dilating the whole frame until nothing changes takes as many rounds as a level ridge is long,
    few for distances to an outline; beyond `most_rounds` scikit-image goes on, which visits pixels
    in turn. Both give the same bits.

    References
    ----------
    Vincent (1993), Morphological grayscale reconstruction in image analysis, IEEE Transactions on
    Image Processing 2:176, doi:10.1109/83.217222.
    """
    square = np.ones((3, 3), np.uint8)
    now = floor
    for _ in range(most_rounds):
        grown = np.minimum(cv2.dilate(now, square), height)
        if np.array_equal(grown, now):
            return np.asarray(grown)
        now = grown
    ski: Any = skimage
    return np.asarray(ski.morphology.reconstruction(now, height), np.float32)


def _in_reading_order(labels: NDArray[Any]) -> Labels:
    """Number labels from 1 by their first pixel."""
    flat = labels.ravel()
    first = np.full(int(flat.max()) + 1, flat.size)
    first[flat[::-1]] = np.arange(flat.size)[::-1]  # the last one written stays
    first[0] = -1
    numbers = np.zeros(first.size, np.int32)
    numbers[np.argsort(first, kind="stable")] = np.arange(first.size)
    return np.asarray(numbers[labels])


def _label(inside: Mask, connectivity: int = 8) -> Labels:
    """Number connected pixels."""
    label: Any = skimage.measure.label  # untyped
    return np.asarray(label(inside, connectivity=1 if connectivity == 4 else 2), dtype=np.int32)


def _as_bool(mask: NDArray[Any]) -> Mask:
    """Return the mask as bool, refusing what is no mask."""
    given = np.asarray(mask)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "biu":
        raise ValueError(
            f"mask must be a non-empty (H, W) array of bool, got {given.shape} {given.dtype}"
        )
    inside: Mask = given != 0
    if given.dtype != np.bool_ and inside.any():
        values = given[inside]
        if values.min() != values.max():
            raise ValueError("mask holds several labels; pass one of them, as labels == number")
    return inside
