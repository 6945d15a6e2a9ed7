"""Regions of a mask: connected pixels, touching ones split, holes filled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.parting import (
    in_reading_order,
    number_connected,
    part_at_necks,
    without_holes,
)
from core.measuring.defaults import NECK_DEPTH_PX
from core.measuring.regions.border import as_included
from core.measuring.regions.shapes.parts import LEAST_SOLIDITY, belong_apart

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]


def label_regions(
    mask: NDArray[Any],
    *,
    included: NDArray[Any] | None = None,
    min_area_px: int = 1,
    split: bool = False,
    connectivity: int = 8,
    fill_holes: bool = False,
    neck_depth_px: float = NECK_DEPTH_PX,
    least_solidity: float = LEAST_SOLIDITY,
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
        much.
    least_solidity : float
        With `split`: a region stays whole unless its parts together fill so much of their convex
        hulls, and are alike in size or lack far less of their hulls than the region does of its
        own, as touching particles do and rough ground does not (`shapes.parts`). With 0 and a depth
        of 0 every neck is cut. Figures are in `tests/benchmarks/bench_split.txt`.

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
        inside = without_holes(inside, connectivity)
    if counted is not None:
        inside = inside & counted
    labels = number_connected(inside, connectivity)
    if split:
        parts = part_at_necks(inside, connectivity, neck_depth_px, labels)
        labels = _keep_whole(parts, labels, least_solidity)
    if min_area_px == 1:
        return labels
    keep = np.bincount(labels.ravel()) >= min_area_px
    keep[0] = False
    return np.asarray(np.where(keep, np.cumsum(keep), 0).astype(np.int32)[labels])


def _keep_whole(parts: Labels, whole: Labels, least: float) -> Labels:
    """Return parts of those regions that are several objects, and the other regions whole."""
    if least <= 0 or parts is whole:
        return parts
    apart = belong_apart(parts, whole, least)
    return in_reading_order(np.where(apart[whole], parts, whole + parts.max()) * (whole > 0))


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
