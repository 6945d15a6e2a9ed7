"""What a pixel is like, beyond its own grey: its surroundings at several scales, as maps.

All maps are local but for one range of grey levels, which is that of the whole frame, so that a
large frame can be described band by band.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.display import robust_range
from core.imaging.filtering import (
    blur,
    gaussian_edge,
    glcm_maps,
    painted_over,
    structure_tensor,
)
from core.measuring.clustering.result import Mask

Map = NDArray[np.float32]
Maps = dict[str, Map]
SCALES_PX = (0.5, 64.0)  # a wider blur would take more than the surroundings
MOST_SCALES = 12
TEXTURE_LEVELS, TEXTURE_PROPERTIES = 8, ("contrast", "homogeneity")
_RANGE_PCT = (0.1, 99.9)
_BAND_PX = 1 << 20  # of maps that are only looked at: what is described at once
_FARTHEST = 1e6  # in ranges of the greys
_DERIVATIVE_EDGE_PX = 4  # how far Scharr's and Laplace's kernels reach, with room


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Which maps describe a pixel.

    Parameters
    ----------
    intensity : bool
        The pixel's own grey.
    smoothed : bool
        Grey smoothed by a Gaussian, one map per scale.
    gradient, laplacian : bool
        How steep and how curved the smoothed grey is, one map each per scale.
    structure : bool
        The structure tensor at each scale: root of its larger eigenvalue (strength) and how much
        one direction prevails (coherence).
    texture : bool
        Standard deviation, and contrast and homogeneity of co-occurring greys (8 levels, mean of
        four directions), in a square window.
    position : bool
        Row and column: clusters then keep together in space.
    scales_px : tuple of float
        Standard deviations of the Gaussians, in px, ascending; 0.5 to 64, at most 12 of them.
    window_px : int
        Side of the window of the texture, odd, 3 to 63.
    position_weight : float
        Standard deviation of row and column where all other maps have 1; above 0, up to 10.

    Raises
    ------
    UserError
        If no map is chosen.
    ValueError
        If a number is out of range.
    """

    intensity: bool = True
    smoothed: bool = True
    gradient: bool = True
    laplacian: bool = False
    structure: bool = False
    texture: bool = True
    position: bool = False
    scales_px: tuple[float, ...] = (1.0, 2.0, 4.0)
    window_px: int = 9
    position_weight: float = 0.5

    def __post_init__(self) -> None:
        scales = tuple(float(scale) for scale in self.scales_px)
        object.__setattr__(self, "scales_px", scales)
        if not self.chosen:
            raise UserError("No feature is chosen. Choose at least one, such as the intensity.")
        if not 0 < len(scales) <= MOST_SCALES or sorted(set(scales)) != list(scales):
            raise ValueError(f"scales_px must ascend, 1 to {MOST_SCALES} of them")
        if scales[0] < SCALES_PX[0] or scales[-1] > SCALES_PX[1]:
            raise ValueError(f"scales_px must lie in {SCALES_PX}, got {self.scales_px}")
        if not 3 <= self.window_px <= 63 or self.window_px % 2 == 0:
            raise ValueError(f"window_px must be odd, from 3 to 63, got {self.window_px}")
        if not 0 < self.position_weight <= 10:
            raise ValueError(f"position_weight must be in (0, 10], got {self.position_weight}")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the families of maps that are switched on."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) is True)

    @property
    def reach_px(self) -> int:
        """How far away a pixel can change a map."""
        widest = self.scales_px[-1]
        blurred = gaussian_edge(widest) // 2 + _DERIVATIVE_EDGE_PX
        if self.structure:
            blurred += gaussian_edge(2 * widest) // 2
        return max(blurred, self.window_px)


DEFAULT = FeatureSet()


def feature_maps(
    image: NDArray[Any], features: FeatureSet = DEFAULT, *, exclude: Mask | None = None
) -> Maps:
    """Return the maps that a set of features stands for, for a look at them.

    Parameters
    ----------
    image : ndarray of shape (H, W), integers or floats
    features : FeatureSet
    exclude : ndarray of shape (H, W), bool, optional
        True where something else than specimen shows: its greys are replaced by the nearest of
        the specimen, so that the edge of an info bar is no feature of it.

    Returns
    -------
    dict of str to ndarray of shape (H, W), float32
        By name, in a fixed order. Greys are shares of the specimen's range; not standardised.
    """
    return describe_rows(prepare_grey(image, exclude), features, slice(0, image.shape[0]))


def small_feature_maps(
    image: NDArray[Any],
    features: FeatureSet = DEFAULT,
    *,
    exclude: Mask | None = None,
    longest_px: int = 512,
) -> Maps:
    """Return the maps as `feature_maps` does, shrunk to about `longest_px` by means over squares.

    A large frame is described band by band: all its maps at once may not fit into the memory.
    """
    grey = prepare_grey(image, exclude)
    height, width = grey.shape
    step = max(1, -(-max(height, width) // longest_px))
    band = max(1, _BAND_PX // (width * step)) * step
    parts: dict[str, list[Map]] = {}
    for top in range(0, height, band):
        rows = slice(top, min(top + band, height))
        size_wh = -(-width // step), -(-(rows.stop - top) // step)
        for name, values in describe_rows(grey, features, rows).items():
            small = cv2.resize(np.ascontiguousarray(values), size_wh, interpolation=cv2.INTER_AREA)
            parts.setdefault(name, []).append(np.asarray(small, np.float32))
    return {name: np.concatenate(bands) for name, bands in parts.items()}


def prepare_grey(image: NDArray[Any], exclude: Mask | None = None) -> Map:
    """Return grey levels as shares of the range of what counts, shape (H, W), float32.

    The range is that of all but one in a thousand at either end, so that a hot pixel does not
    squeeze all others together; floats end a million ranges away, where squares still have a
    number. Values that are not finite, and excluded ones, get the grey of the
    nearest pixel that counts.
    """
    left_out = None if exclude is None else np.asarray(exclude)
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        hollow = ~np.isfinite(image)
        left_out = hollow if left_out is None else left_out | hollow
    counted = image if left_out is None else image[~left_out]
    if counted.size == 0:
        return np.zeros(image.shape, np.float32)
    low, high = robust_range(counted, *_RANGE_PCT)
    span = (high - low) or 1.0
    safe = image if left_out is None else np.where(left_out, counted[0], image)
    shares = (safe - np.float64(low)) / span
    if image.dtype.kind == "f":
        np.clip(shares, -_FARTHEST, _FARTHEST, out=shares)
    return painted_over(shares.astype(np.float32), left_out)


def describe_rows(grey: Map, features: FeatureSet, rows: slice) -> Maps:
    """Return the maps of some rows of a frame, as they are when the whole frame is described."""
    reach = features.reach_px
    top, bottom = max(0, rows.start - reach), min(grey.shape[0], rows.stop + reach)
    inner = slice(rows.start - top, rows.stop - top)
    maps = {name: values[inner] for name, values in each_map(grey[top:bottom], features)}
    if features.position:
        down, right = np.indices((rows.stop - rows.start, grey.shape[1]), np.float32)
        maps |= {"row": down + np.float32(rows.start), "column": right}
    return maps


def each_map(grey: Map, features: FeatureSet) -> Iterator[tuple[str, Map]]:
    """Yield name and map of all features but the position, one after the other."""
    if features.intensity:
        yield "intensity", grey
    for scale in features.scales_px:
        smooth = blur(grey, scale)
        if features.smoothed:
            yield f"smoothed {scale:g} px", smooth
        yield from _derivatives(smooth, scale, features)
    if features.texture:
        yield from _textures(grey, features.window_px)


def _derivatives(smooth: Map, scale: float, features: FeatureSet) -> Iterator[tuple[str, Map]]:
    """Yield slope, curvature and structure of a smoothed image."""
    if features.gradient or features.structure:
        right = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32), np.float32)
        down = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32), np.float32)
        if features.gradient:
            yield f"gradient {scale:g} px", np.sqrt(right * right + down * down)
        if features.structure:
            yield from _structure(right, down, scale)
    if features.laplacian:
        yield f"Laplacian {scale:g} px", np.asarray(cv2.Laplacian(smooth, cv2.CV_32F, ksize=3))


def _structure(right: Map, down: Map, scale: float) -> Iterator[tuple[str, Map]]:
    """Yield strength and coherence from the gradient's products, averaged at twice the scale.

    Bigün & Granlund (1987), ICCV, 433-438.
    """
    xx, xy, yy = structure_tensor(right, down, 2 * scale)
    total, apart = xx + yy, np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    yield f"strength {scale:g} px", np.sqrt((total + apart) / 2)
    flat = total <= np.float32(1e-12)  # of a range of 1: no slope, hence no direction
    share = np.divide(apart, total, out=np.zeros_like(total), where=~flat)
    yield f"coherence {scale:g} px", np.minimum(share, np.float32(1))


def _textures(grey: Map, window_px: int) -> Iterator[tuple[str, Map]]:
    """Yield spread, contrast and homogeneity in a window around each pixel.

    Haralick, Shanmugam, Dinstein (1973), doi:10.1109/TSMC.1973.4309314.
    """
    size_wh, edge = (window_px, window_px), cv2.BORDER_REFLECT
    mean = np.asarray(cv2.boxFilter(grey, cv2.CV_64F, size_wh, borderType=edge))
    square = np.asarray(cv2.sqrBoxFilter(grey, cv2.CV_64F, size_wh, borderType=edge))
    spread = np.sqrt(np.maximum(square - mean * mean, 0)).astype(np.float32)
    yield f"deviation {window_px} px", spread
    levels = np.clip(grey * TEXTURE_LEVELS, 0, TEXTURE_LEVELS - 1).astype(np.uint8)
    found = glcm_maps(
        levels, TEXTURE_PROPERTIES, window=window_px, levels=TEXTURE_LEVELS, angle_deg="mean"
    )
    for name, values in found.items():
        yield f"{name} {window_px} px", values.astype(np.float32)
