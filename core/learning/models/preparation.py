"""Micrograph -> what a network sees: the whole frame, one channel, standardised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.imaging.display import pictures
from core.imaging.memory import require_memory
from core.micrograph import Micrograph

Array = NDArray[Any]
Box = tuple[int, int, int, int]
CENTRE_CROP = "centre-crop"
MOST_PX = 4096 * 4096  # of a frame that is cut after it was resized
MOST_INPUT_PX = 1024 * 1024  # of a network's input: a card may come from anywhere
BATCH = 16
_BATCH_PX = 80_000 * BATCH  # as many as of ordinary inputs enter together
_ORDINARY_PX = 4 * 256 * 256
_BYTES_PER_PX = 400  # of a pass: VisualCNN keeps three maps of 32 channels at full resolution
_LARGEST_SUMMABLE = 1e28  # 100 million float32 pixels of this size still have a finite sum


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a micrograph is brought to a network's resolution; kept in the model card.

    Parameters
    ----------
    area_px : int
        The frame is resized, aspect kept, to about this many pixels.
    multiple_px : int
        Height and width are rounded to a multiple of this (the network's stride).
    longest_px : int
        Neither side grows beyond this; only frames far from square lose their aspect.
    clip_sd : float
        Standardised grey levels are limited to ± this many standard deviations.
    """

    area_px: int = 256 * 256
    multiple_px: int = 16
    longest_px: int = 1024
    clip_sd: float = 4.0

    def __post_init__(self) -> None:
        """Refuse what no network here takes: a card may come from anywhere."""
        check_range("area_px", self.area_px, 16, MOST_INPUT_PX)
        check_range("multiple_px", self.multiple_px, 1, 64)
        check_range("longest_px", self.longest_px, 2 * self.multiple_px, 4096)
        check_range("clip_sd", self.clip_sd, 0.1, 1e6)

    def size_hw(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) in px at which a frame of this shape enters the network."""
        scale = float(np.sqrt(self.area_px / (shape[0] * shape[1])))
        step = self.multiple_px
        sides = [round(side * scale / step) * step for side in shape]
        height, width = (min(max(side, 2 * step), self.longest_px) for side in sides)
        return height, width

    def __call__(self, micrograph: Micrograph, exclude: Array | None = None) -> Array:
        """Return the network's input.

        Parameters
        ----------
        micrograph : Micrograph
            Any depth; it is converted to float once, here, without an 8-bit step.
        exclude : ndarray of shape (H, W), bool, optional
            True where the frame is not specimen; filled with the median of the rest, so that it
            carries no information.

        Returns
        -------
        ndarray of shape (h, w), float32
            Zero mean and unit variance, limited to ± `clip_sd`; all zero for a constant frame.
        """
        pixels = fill_excluded(micrograph.pixels, exclude)
        if micrograph.pixels.dtype.kind == "f":  # whole numbers are far from overflowing
            peak = float(np.abs(pixels).max())
            if peak > _LARGEST_SUMMABLE:
                pixels = pixels / np.float32(peak)
        height, width = self.size_hw(micrograph.shape)
        shrinks = height * width < pixels.size
        resized = cv2.resize(
            pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return standardise(resized, self.clip_sd)

    def native(self, micrograph: Micrograph, exclude: Array | None = None) -> Array:
        """Return the frame as a network would see it without resizing, (H, W) float32."""
        return standardise(fill_excluded(micrograph.pixels, exclude), self.clip_sd)

    @property
    def sees_whole_frames(self) -> bool:
        """Whether no part of a frame is cut away."""
        return True

    def seen_box(self, shape: tuple[int, int]) -> Box:
        """Return (top, left, bottom, right) in px of what the network sees: the whole frame."""
        return (0, 0, *shape)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the model card."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CentreCrop:
    """Visual-CCC's own way: eight-bit grey levels, short side resized, a square of the centre.

    What lies outside the square is not seen by the network (`seen_box`).

    Parameters
    ----------
    short_px : int
        The short side after resizing.
    crop_px : int
        Edge of the central square that enters the network.
    """

    short_px: int = 307
    crop_px: int = 256

    def __post_init__(self) -> None:
        """Refuse what no network here takes: a card may come from anywhere."""
        check_range("short_px", self.short_px, 1, 4096)
        check_range("crop_px", self.crop_px, 1, min(self.short_px, 1024))

    def size_hw(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) in px of the network's input, whatever the frame."""
        return self.crop_px, self.crop_px

    def native(self, micrograph: Micrograph, exclude: Array | None = None) -> Array:
        """Return the frame as a network would see it without resizing, (H, W) float32."""
        return eight_bits(micrograph, exclude).astype(np.float32) / np.float32(255)

    @property
    def sees_whole_frames(self) -> bool:
        """Whether no part of a frame is cut away."""
        return False

    def seen_box(self, shape: tuple[int, int]) -> Box:
        """Return (top, left, bottom, right) in px of the frame: the central square, rounded."""
        resized, corner = self._resized_hw(shape), self._corner(shape)
        scales = [side / new for side, new in zip(shape, resized, strict=True)]
        top, left = (round(c * s) for c, s in zip(corner, scales, strict=True))
        bottom, right = (round((c + self.crop_px) * s) for c, s in zip(corner, scales, strict=True))
        return top, left, min(bottom, shape[0]), min(right, shape[1])

    def _resized_hw(self, shape: tuple[int, int]) -> tuple[int, int]:
        short = min(shape)
        height, width = (int(self.short_px * side / short) for side in shape)
        return height, width

    def _corner(self, shape: tuple[int, int]) -> tuple[int, int]:
        top, left = (round((side - self.crop_px) / 2) for side in self._resized_hw(shape))
        return top, left

    def __call__(self, micrograph: Micrograph, exclude: Array | None = None) -> Array:
        """Return the network's input, shape (crop_px, crop_px), float32 in [0, 1].

        Eight-bit frames enter as they are; deeper ones as they are displayed. Excluded pixels are
        filled with the median of the rest.
        """
        pixels = eight_bits(micrograph, exclude)
        height, width = self._resized_hw(micrograph.shape)
        top, left = self._corner(micrograph.shape)
        frame, crop = Image.fromarray(pixels), self.crop_px
        if height * width <= MOST_PX:
            resized = frame.resize((width, height), Image.Resampling.BILINEAR)
            resized = resized.crop((left, top, left + crop, top + crop))
        else:  # a line of pixels would become gigabytes, and the crop a sliver of it
            across, down = frame.width / width, frame.height / height
            right, bottom = (left + crop) * across, (top + crop) * down
            seen = left * across, top * down, min(right, frame.width), min(bottom, frame.height)
            resized = frame.resize((crop, crop), Image.Resampling.BILINEAR, box=seen)
        return np.asarray(resized, dtype=np.float32) / np.float32(255)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the model card."""
        return {"kind": CENTRE_CROP, **asdict(self)}


def eight_bits(micrograph: Micrograph, exclude: Array | None) -> NDArray[np.uint8]:
    """Return eight-bit pixels, deeper ones as they are displayed, excluded ones as the median."""
    pixels: Array = micrograph.pixels
    if pixels.dtype != np.uint8:
        pixels = pictures.to_display(micrograph)
    if exclude is not None:
        pixels = np.rint(fill_excluded(pixels, exclude))
    return np.asarray(pixels, np.uint8)


def batch_size(size_hw: Sequence[int], most: int = BATCH) -> int:
    """Return how many inputs of a height and width (px) enter a network together, 1 to `most`."""
    return max(1, min(most, _BATCH_PX // max(1, size_hw[0] * size_hw[1])))


def require_room(size_hw: Sequence[int]) -> None:
    """Make sure that a network can take an input of this height and width (px).

    Ordinary ones are not asked about: what they take is part of every estimate.

    Raises
    ------
    OutOfMemory
    """
    pixels = size_hw[0] * size_hw[1]
    if pixels > _ORDINARY_PX:
        require_memory(pixels * _BYTES_PER_PX)


def check_range(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number from `low` to `high`.

    Raises
    ------
    ValueError
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]
        raise ValueError(f"{name} must be from {low:g} to {high:g}, got {value!r:.40}")


def fill_excluded(pixels: Array, exclude: Array | None) -> Array:
    """Return float32 pixels with excluded and non-finite ones set to the median of the others."""
    filled: Array = pixels.astype(np.float32)
    hidden = ~np.isfinite(filled) if pixels.dtype.kind == "f" else None
    if exclude is not None:
        hidden = exclude if hidden is None else hidden | exclude
    if hidden is not None and hidden.any():
        filled[hidden] = np.median(filled[~hidden]) if not hidden.all() else 0.0
    return filled


def standardise(image: Array, clip_sd: float) -> Array:
    """Return float32 values with zero mean and unit variance, limited to ± `clip_sd`."""
    centred = image.astype(np.float64) - image.mean(dtype=np.float64)
    spread = float(centred.std())
    # 1e-6 of the largest grey level: what is left of a constant frame after rounding is no signal.
    if spread <= 1e-6 * max(1.0, float(np.abs(image).max())):
        return np.zeros(image.shape, np.float32)
    return np.asarray(np.clip(centred / spread, -clip_sd, clip_sd), dtype=np.float32)


def shift(image: Array, down: int, right: int) -> Array:
    """Return an image (H, W) moved by whole pixels, its uncovered edge mirrored."""
    height, width = image.shape
    down = max(-height + 1, min(height - 1, down))
    right = max(-width + 1, min(width - 1, right))
    reach = abs(down), abs(right)
    padded = cv2.copyMakeBorder(image, reach[0], reach[0], reach[1], reach[1], cv2.BORDER_REFLECT)
    top, left = reach[0] - down, reach[1] - right
    return np.ascontiguousarray(padded[top : top + height, left : left + width])
