"""The small pictures that a batch keeps of a micrograph: in its table, its report, its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display import (
    blend_heatmap,
    color_labels,
    draw_scale_bar,
    png_bytes,
    thumbnail,
)
from core.imaging.overlays import clear_place
from core.measuring.clustering import Clustering
from core.micrograph import Micrograph
from core.reporting.segmenting import Phases

PREVIEW_PX = 256
PLATE_PX = 640
THUMBNAIL_PX = 72
OUTLINE_RGB = (255, 214, 10)  # reads on dark, on bright and in print
OVERLAY_PX = 1024
JPEG_QUALITY = 82
Mask = NDArray[np.bool_]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Preview:
    """Small JPEG pictures of one micrograph, with scale bars where the scale is known.

    `field`, `outlines` and `heat` are larger: the micrograph, its target outlined, the evidence.
    """

    original: bytes
    overlay: bytes
    clusters: bytes
    thumbnail: bytes
    field: bytes = b""
    outlines: bytes = b""
    heat: bytes = b""


class Shown:
    """All pictures of one micrograph, from one stretch to eight bits."""

    def __init__(
        self,
        micrograph: Micrograph,
        heatmap: NDArray[np.float32],
        clustering: Clustering | Phases,
        painted: Mask | None,
        target: Mask,
    ) -> None:
        self.micrograph = micrograph
        self.target = target
        self.painted = painted
        self.clustering = clustering
        self.picture = thumbnail(micrograph, OVERLAY_PX)
        self.heat = np.clip(_resize(heatmap, self.picture.shape, cv2.INTER_AREA), 0, 1)

    def overlay_png(self) -> bytes:
        """Return the heat map over the micrograph."""
        return png_bytes(self._barred(blend_heatmap(self.picture, self.heat)))

    def preview(self) -> Preview:
        """Return the small pictures of the report."""
        small_hw = self._fit(PREVIEW_PX)
        small = _resize(self.picture, small_hw, cv2.INTER_AREA)
        labels = _resize(self.clustering.labels, small_hw, cv2.INTER_NEAREST)
        pictures = (
            small,
            blend_heatmap(small, _resize(self.heat, small_hw, cv2.INTER_AREA)),
            color_labels(labels, self.clustering.k),
        )
        tiny = _resize(small, self._fit(THUMBNAIL_PX), cv2.INTER_AREA)
        original, overlay, clusters = (_jpeg(self._barred(p)) for p in pictures)
        return Preview(original, overlay, clusters, _jpeg(tiny), *self._plate())

    def _plate(self) -> tuple[bytes, bytes, bytes]:
        """Return the micrograph, its target outlined, and its evidence, larger."""
        shape_hw = self._fit(PLATE_PX)
        plain = _resize(self.picture, shape_hw, cv2.INTER_AREA)
        target = _resize(self.target.astype(np.uint8), shape_hw, cv2.INTER_AREA)
        outlines, _ = cv2.findContours(target, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        outlined = np.repeat(plain[..., None], 3, axis=2) if plain.ndim == 2 else plain.copy()
        cv2.drawContours(outlined, outlines, -1, OUTLINE_RGB, 1)
        heat = blend_heatmap(plain, _resize(self.heat, shape_hw, cv2.INTER_AREA))
        drawn = (plain, outlined, heat)
        field, outlined_jpeg, heat_jpeg = (_jpeg(self._barred(each)) for each in drawn)
        return field, outlined_jpeg, heat_jpeg

    def _barred(self, picture: Picture) -> Picture:
        return _with_bar(picture, self.micrograph, self.painted)

    def _fit(self, size_px: int) -> tuple[int, ...]:
        scale = min(1.0, size_px / max(self.picture.shape))
        return tuple(max(1, round(side * scale)) for side in self.picture.shape)


def _with_bar(picture: Picture, micrograph: Micrograph, painted: Mask | None) -> Picture:
    place = None if painted is None else clear_place(painted, picture.shape)
    return draw_scale_bar(picture, micrograph.pixel_size, micrograph.shape[1], place)


def _resize(array: NDArray[Any], shape_hw: tuple[int, ...], interpolation: int) -> NDArray[Any]:
    height, width = shape_hw
    resized: NDArray[Any] = cv2.resize(array, (width, height), interpolation=interpolation)
    return resized


def _jpeg(picture: Picture) -> bytes:
    stored = np.ascontiguousarray(picture[..., ::-1] if picture.ndim == 3 else picture)
    done, encoded = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"cannot encode an array of shape {picture.shape} as JPEG")
    return encoded.tobytes()
