"""What is supposed to be true of a measured picture: objects with smooth outlines, each on its own.

What was measured is the best guess of what is there. Three of its known errors are taken out before
twins are drawn: outlines that noise has frayed, outlines beside the true edge, and particles that
were taken for one (or one for several).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.distances import distance_inside
from core.imaging.parting import NECK, part_at_necks
from core.measuring.regions import label_regions, measure_labels

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
_CONVEX = 0.9  # solidity of parts that may have been particles of their own
_LONG = 3.0  # aspect ratio above which a part is a piece of a network rather than a particle
_MOST_PARTS = 30  # of one region: more are a network
_ODD = 0.2  # of a region's area may lie in parts that are not convex
_NECK_PX = 0.75  # half widths differ by more than the roughness of an outline
_SMOOTH_PX = 1.0
_FEW_PX = 12  # smaller objects keep their pixels: smoothing would take them away


def as_objects(found: NDArray[Any], counted: Mask) -> Labels:
    """Return what a measurement found as objects numbered from 1 without gaps.

    Parameters
    ----------
    found : ndarray of shape (H, W), bool or integers
        0 is ground. A mask (bool, or 0 and one other value) is cut into connected regions; other
        numbers are objects as they stand.
    counted : ndarray of shape (H, W), bool
        Nothing is numbered elsewhere.

    Raises
    ------
    UserError
        If it is no label image of that shape.
    """
    given = np.asarray(found)
    if given.shape != counted.shape or given.dtype.kind not in "biu":
        raise UserError(
            f"The measurement must return whole numbers for each pixel, an array of shape "
            f"{counted.shape}; it returned {given.dtype} of shape {given.shape}."
        )
    inside = np.where(counted, given, 0)
    if inside.dtype.kind == "i" and inside.min() < 0:
        raise UserError("The measurement returned negative numbers; 0 is ground, objects from 1.")
    if given.dtype == np.bool_ or not ((inside > 0) & (inside != inside.max())).any():
        return label_regions(inside > 0)
    return number_anew(inside)[0]


def number_anew(numbers: NDArray[Any]) -> tuple[Labels, NDArray[np.int64]]:
    """Return objects numbered from 1 without gaps in the same order, and which each one was.

    Parameters
    ----------
    numbers : ndarray of shape (H, W), integers of at least 0

    Returns
    -------
    tuple of ndarray
        Labels (H, W) int32; the former number of 0, 1, …, shape (objects + 1,), 0 first.
    """
    if numbers.max() > 4 * numbers.size:
        kinds, place = np.unique(numbers, return_inverse=True)
        numbers = place.reshape(numbers.shape) + int(kinds[0] > 0)
        former = np.concatenate([[0], kinds[kinds > 0]]).astype(np.int64)
        return numbers.astype(np.int32), former
    seen = np.bincount(numbers.ravel()) > 0
    seen[0] = True
    new = (np.cumsum(seen) - 1).astype(np.int32)
    return new[numbers], np.flatnonzero(seen)


def signed_distance(mask: Mask) -> Floats:
    """Return the distance of pixel centres to the outline in px, positive inside, (H, W) float32.

    Without any outline all is as far from it as the frame is long.
    """
    far = np.float32(max(mask.shape))
    if mask.all() or not mask.any():
        return np.full(mask.shape, far if mask.any() else -far, np.float32)
    inside, outside = (distance_inside(part) for part in (mask, ~mask))
    half = np.float32(0.5)
    return np.asarray(np.where(mask, inside - half, half - outside), np.float32)


def suppose_objects(objects: Labels, seams_show: bool, outwards_px: float = 0.0) -> Labels:
    """Return objects as they may have been before they were measured.

    Parameters
    ----------
    objects : ndarray of shape (H, W), int32
        As measured, from 1 without gaps.
    seams_show : bool
        Whether grey levels show the borders between touching objects; those are then believed.
        Otherwise touching ones are one region, which is cut at its necks if all parts come out
        convex.
    outwards_px : float
        How far the true edge lies outside the measured outlines.

    Returns
    -------
    ndarray of shape (H, W), int32
        With outlines smoothed over a pixel.
    """
    if not seams_show:
        objects = cut_clumps(label_regions(smooth_outlines(objects) > 0), _NECK_PX)
    return smooth_outlines(objects, outwards_px)


def cut_clumps(whole: Labels, neck_depth_px: float, neck: float = NECK) -> Labels:
    """Return connected regions, those cut into parts whose parts are all convex.

    Parameters
    ----------
    whole : ndarray of shape (H, W), int32
        Connected regions from 1 without gaps.
    neck_depth_px, neck : float
        By how much a neck must be narrower than the narrower part: half of that in px, and a share.
    """
    if not whole.any():
        return whole
    mask = whole > 0
    parts = part_at_necks(mask, 8, neck_depth_px, whole, neck)
    if parts.max() == whole.max():
        return whole
    table = measure_labels(parts)
    owner = np.zeros(parts.max() + 1, np.int64)
    owner[parts.ravel()] = whole.ravel()
    particle = (table["solidity"] >= _CONVEX) & ~(table["aspect_ratio"] > _LONG)
    area, odd = (
        np.bincount(owner[1:], weights=each, minlength=whole.max() + 1)
        for each in (table["area_px"], table["area_px"] * ~particle)
    )
    clump = (np.bincount(owner[1:], minlength=area.size) <= _MOST_PARTS) & (odd <= _ODD * area)
    mixed = np.where(clump[whole], parts + whole.max(), whole)
    mixed[~mask] = 0
    return number_anew(mixed)[0]


def smooth_outlines(objects: Labels, outwards_px: float = 0.0) -> Labels:
    """Return objects with outlines smoothed over a pixel, and moved.

    Parameters
    ----------
    objects : ndarray of shape (H, W), int32
    outwards_px : float
        By how much every outline moves into the ground; inwards where negative.
    """
    if not objects.any():
        return objects
    small = np.bincount(objects.ravel()) < _FEW_PX
    distance = cv2.GaussianBlur(signed_distance(objects > 0), (0, 0), _SMOOTH_PX)
    kept = (distance > -outwards_px) | (small[objects] & (objects > 0))
    return spread(objects, kept)


def move_outlines(objects: Labels, outwards_px: NDArray[np.float64]) -> Labels:
    """Return objects with each outline moved by its own length, and the same numbers.

    Parameters
    ----------
    objects : ndarray of shape (H, W), int32
    outwards_px : ndarray of shape (objects.max() + 1,), float64
        Into the ground, never into another object; inwards where negative, by at most a third of
        the object's depth.
    """
    distance = signed_distance(objects > 0)
    owner = nearest_objects(objects)
    depth = np.zeros(outwards_px.size)
    np.maximum.at(depth, objects.ravel(), np.maximum(distance, 0).ravel())
    moved = np.maximum(outwards_px, -depth / 3)
    return np.where(distance > -moved[owner], owner, 0).astype(np.int32)


def spread(objects: Labels, onto: Mask) -> Labels:
    """Return objects on other pixels: each takes the number of the nearest object's."""
    return number_anew(spread_numbers(objects, onto))[0]


def spread_numbers(objects: Labels, onto: Mask) -> Labels:
    """Return the same with the numbers as they were, some of which may be gone."""
    if not objects.any() or not onto.any():
        return np.zeros_like(objects)
    return np.where(onto, nearest_objects(objects), 0).astype(np.int32)


def nearest_objects(objects: Labels) -> Labels:
    """Return the number of the nearest object at each pixel; there must be one."""
    _, places = cv2.distanceTransformWithLabels(
        (objects == 0).astype(np.uint8),
        cv2.DIST_L2,
        cv2.DIST_MASK_5,
        labelType=cv2.DIST_LABEL_PIXEL,
    )
    inside = objects > 0
    numbers = np.zeros(int(places.max()) + 1, np.int32)
    numbers[places[inside]] = objects[inside]
    return np.asarray(numbers[places])
