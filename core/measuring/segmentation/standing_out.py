"""Which side of a threshold holds the objects: they are whole and compact, the ground is not."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import pick_ground
from core.imaging.parting import compactness, part_at_necks, without_holes
from core.measuring.defaults import NECK_DEPTH_PX, suggest_target
from core.measuring.segmentation.result import Mask

_LOOKED_AT_PX = 384  # longer side at which shapes are looked at
_GROUND_SAYS = 0.1  # weight of `pick_ground` beside the shapes
_SHAPELESS = 0.02  # below, on both sides, shapes say nothing


def are_dark(bright: Mask, included: Mask, pixels: NDArray[Any]) -> bool:
    """Return whether the dark side of a threshold holds the objects.

    Both sides are parted at their necks, and the one with more of its area in whole, compact parts
    is that of the objects, even where they fill most of the frame. Greys have a say: the ground is
    what the middle of the greys is nearer to. Where neither side has a shape, such as in a frame
    of bands, it is the side that has less of the frame's edge, see `suggest_target`.

    Parameters
    ----------
    bright : ndarray of shape (H, W), bool
        True above the threshold.
    included : ndarray of shape (H, W), bool
        What counts.
    pixels : ndarray of shape (H, W)
        Greys before the threshold.
    """
    sides = np.where(included, bright, -1).astype(np.int32)
    if not included.any() or not bright[included].any() or bright[included].all():
        return False
    small, counts = _small(bright & included), _small(included)
    dark, light = (
        compactness(part_at_necks(without_holes(side & counts), 8, NECK_DEPTH_PX))
        for side in (~small, small)
    )
    if max(dark, light) < _SHAPELESS:
        return suggest_target(sides, 2) == 0
    ground = pick_ground(np.nan_to_num(pixels.astype(np.float32)), ~included)
    return dark + _GROUND_SAYS * (ground == "bright") > light + _GROUND_SAYS * (ground == "dark")


def _small(mask: Mask) -> Mask:
    """Return a mask as it is at the size that shapes are looked at."""
    shrink = _LOOKED_AT_PX / max(mask.shape)
    if shrink >= 1:
        return mask
    size_wh = max(1, round(mask.shape[1] * shrink)), max(1, round(mask.shape[0] * shrink))
    share = cv2.resize(mask.astype(np.float32), size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.5)
