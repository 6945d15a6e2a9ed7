"""A hatch over the parts of a picture that take no part in results."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display.pictures import Picture

_STRIPE = np.array([240, 148, 90], np.float32)  # red, green, blue: legible over black and white
_UNDER = np.array([30, 36, 40], np.float32)
_STRIPE_SHARE, _UNDER_SHARE = 0.75, 0.6  # how much the paint covers
_PERIOD_SHARE, _MIN_PERIOD_PX = 0.012, 6  # of the longer side


def hatch(picture: Picture, mask: NDArray[np.bool_]) -> Picture:
    """Return the picture in colour, with a striped veil and a rim where the mask is True.

    Parameters
    ----------
    picture : ndarray of shape (H, W), uint8
    mask : ndarray of shape (H, W) or larger, bool
        Reduced to the picture's size; a picture pixel counts when any pixel under it does.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8, in the order red, green, blue
    """
    marked = _reduce(mask, picture.shape)
    period = max(_MIN_PERIOD_PX, round(_PERIOD_SHARE * max(picture.shape)))
    rows, cols = np.ogrid[: picture.shape[0], : picture.shape[1]]
    stripe = marked & ((rows + cols) % period < period // 2)
    rim = marked & ~cv2.erode(marked.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    painted = np.repeat(picture[..., None], 3, axis=2).astype(np.float32)
    for where, color, share in (
        (marked, _UNDER, _UNDER_SHARE),
        (stripe | rim, _STRIPE, _STRIPE_SHARE),
    ):
        painted[where] = (1 - share) * painted[where] + share * color
    return np.rint(painted).astype(np.uint8)


def _reduce(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask at the picture's size, without losing thin parts."""
    if mask.shape == shape:
        return mask
    size_wh = shape[1], shape[0]
    covered = cv2.resize(mask.astype(np.float32), size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(covered > 0, bool)
