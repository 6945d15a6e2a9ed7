"""A mask -> numbered parts: what is connected, cut at its necks.

Here because thresholds, networks and regions all need it, and those of `learning` and of
`measuring` never import each other.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
NECK = 0.8  # width of a neck by that of the narrower part; two discs that overlap a third in
_ROUGH_PX = 1.0  # added to widths before they are compared: one pixel of roughness is no neck
_MOST_ROUNDS = (
    400  # ridges that need more (longer than that in px, of one width) are left to skimage
)


def without_holes(inside: Mask, connectivity: int = 8) -> Mask:
    """Return a mask with its holes filled."""
    ground = (~inside).astype(np.uint8)
    count, holes = cv2.connectedComponents(ground, connectivity=12 - connectivity, ltype=cv2.CV_32S)
    fill = np.ones(count, np.bool_)
    fill[np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])] = False
    fill[0] = True
    return np.asarray(fill[holes]) if np.count_nonzero(fill) > 1 else inside


def part_at_necks(inside: Mask, connectivity: int = 8, depth_px: float = 0.0) -> Labels:
    """Number the parts of a mask between its necks, in reading order.

    On a logarithmic scale "narrower than 0.8 of" is the same depth for large and small parts. What
    lies outside the frame is unknown, so that a border is no outline.
    """
    if inside.all():  # there is no outline to measure a distance from
        return number_connected(inside, connectivity)
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
    seeds = number_connected(peaks)
    if depth_px > 0:  # a region that is nowhere so deep is one part
        whole = number_connected(inside, connectivity)
        without = np.ones(int(whole.max()) + 1, np.bool_)
        without[whole[peaks]] = without[0] = False
        seeds = np.where(without[whole], whole + seeds.max(), seeds)
    parts = flood(-height, seeds, connectivity=steps, mask=inside)
    return in_reading_order(parts)


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


def in_reading_order(labels: NDArray[Any]) -> Labels:
    """Number labels from 1 by their first pixel."""
    flat = labels.ravel()
    first = np.full(int(flat.max()) + 1, flat.size)
    first[flat[::-1]] = np.arange(flat.size)[::-1]  # the last one written stays
    first[0] = -1
    numbers = np.zeros(first.size, np.int32)
    numbers[np.argsort(first, kind="stable")] = np.arange(first.size)
    return np.asarray(numbers[labels])


def number_connected(inside: Mask, connectivity: int = 8) -> Labels:
    """Number connected pixels."""
    label: Any = skimage.measure.label  # untyped
    return np.asarray(label(inside, connectivity=1 if connectivity == 4 else 2), dtype=np.int32)
