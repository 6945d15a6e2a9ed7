"""Which side of a threshold holds the objects: they are whole and compact, the ground is not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import pick_ground
from core.imaging.parting import compact_share, looked_at
from core.measuring.defaults import NECK_DEPTH_PX, suggest_target
from core.measuring.segmentation.result import Mask

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
    small, counts = looked_at(bright & included), looked_at(included)
    dark, light = (compact_share(side & counts, NECK_DEPTH_PX) for side in (~small, small))
    if max(dark, light) < _SHAPELESS:
        return suggest_target(sides, 2) == 0
    ground = pick_ground(np.nan_to_num(pixels.astype(np.float32)), ~included)
    return dark + _GROUND_SAYS * (ground == "bright") > light + _GROUND_SAYS * (ground == "dark")
