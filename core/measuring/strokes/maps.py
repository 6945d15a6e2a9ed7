"""What a pixel is like, for strokes: the maps of clustering, and ridges and blobs at each scale."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import blur
from core.measuring.clustering import FeatureSet, describe_rows

Map = NDArray[np.float32]
FEATURES = FeatureSet(laplacian=True, structure=True, scales_px=(1, 2, 4, 8, 16), window_px=15)
_BAND_PX = 1 << 19  # described at once: all maps of a megapixel take 180 MB


def bands(shape: tuple[int, int]) -> list[slice]:
    """Return the rows of a frame in parts that are described one after the other."""
    step = max(1, _BAND_PX // shape[1])
    return [slice(top, min(top + step, shape[0])) for top in range(0, shape[0], step)]


def describe_band(grey: Map, rows: slice) -> NDArray[np.float32]:
    """Return all maps of some rows, as they are when the whole frame is described.

    Parameters
    ----------
    grey : ndarray of shape (H, W), float32
        Shares of the frame's range, as `prepare_grey` gives them.
    rows : slice

    Returns
    -------
    ndarray of shape (rows, W, maps), float32
    """
    maps = list(describe_rows(grey, FEATURES, rows).values())
    reach = FEATURES.reach_px
    top, bottom = max(0, rows.start - reach), min(grey.shape[0], rows.stop + reach)
    inner = slice(rows.start - top, rows.stop - top)
    maps.extend(each[inner] for each in _ridges_and_blobs(grey[top:bottom]))
    return np.stack(maps, axis=-1)


def _ridges_and_blobs(grey: Map) -> Iterator[Map]:
    """Yield both eigenvalues of the Hessian at each scale, and differences between scales.

    Frangi et al. (1998), MICCAI, doi:10.1007/BFb0056195; Lindeberg (1998), International Journal
    of Computer Vision 30, 79-116, doi:10.1023/A:1008045108935.
    """
    before = grey
    for scale in FEATURES.scales_px:
        smooth = blur(grey, scale)
        xx, xy, yy = (
            cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=scale * scale / 4)
            for order in ((2, 0), (1, 1), (0, 2))
        )
        middle, apart = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
        yield np.asarray(middle + apart, np.float32)
        yield np.asarray(middle - apart, np.float32)
        yield before - smooth
        before = smooth
