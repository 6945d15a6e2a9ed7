"""How networks from elsewhere want their pictures: grey levels scaled, cut or squeezed, normalised.

torchvision, timm and Hugging Face prepare pictures in a few steps that a model's own program states
in numbers. A grey micrograph is given to every channel. Its grey levels enter as 0–1 here; what is
subtracted and divided by (`mean`, `std`) is applied where the channels are made (`Classifier`), so
that everything that changes a picture works on one grey channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from core.learning.models.preparation import (
    MOST_PX,
    Array,
    Box,
    check_range,
    eight_bits,
)
from core.micrograph import Micrograph

STATED = "stated"
PILLOW, TORCHVISION = "pillow", "torchvision"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_WAYS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


_OF_TENSORS = ("nearest", "bilinear", "bicubic")


@dataclass(frozen=True, slots=True)
class Stated:
    """Short side resized and the centre cut out, or the whole frame squeezed to the size.

    Parameters
    ----------
    height_px, width_px : int
        What enters the network.
    short_px : int
        The short side after resizing, before the centre is cut out; 0 squeezes the whole frame to
        the size, whatever its aspect.
    way : str
        Of resizing: bilinear, bicubic, nearest, lanczos, box or hamming, as named by Pillow.
    mean, std : tuple of floats
        Of grey levels 0–1, one for all channels or one each.
    keeps_aspect : bool
        Whether the frame keeps its aspect before the cut; else both sides become `short_px`.
    by : str
        Whose resizing it is: pillow's, or that of torchvision for 8-bit tensors, which Hugging
        Face's programs use and which rounds some pixels to the next grey level.
    """

    height_px: int = 224
    width_px: int = 224
    short_px: int = 256
    way: str = "bilinear"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    keeps_aspect: bool = True
    by: str = PILLOW

    def __post_init__(self) -> None:
        """Refuse what no network here takes: a card may come from anywhere."""
        check_range("height_px", self.height_px, 1, 1024)
        check_range("width_px", self.width_px, 1, 1024)
        if self.short_px:
            check_range("short_px", self.short_px, max(self.height_px, self.width_px), 4096)
        if self.way not in _WAYS:
            raise ValueError(f"there is no way of resizing {self.way!r:.20}")
        if self.by not in (PILLOW, TORCHVISION):
            raise ValueError(f"nothing resizes as {self.by!r:.20}")
        if not isinstance(self.keeps_aspect, bool):
            raise ValueError("keeps_aspect must be true or false")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, 3):
                raise ValueError(f"{name} must be 1 or 3 numbers, got {len(values)}")
            for value in values:
                check_range(name, value, -1e4 if name == "mean" else 1e-6, 1e4)

    def size_hw(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) in px of the network's input, whatever the frame."""
        return self.height_px, self.width_px

    def native(self, micrograph: Micrograph, exclude: Array | None = None) -> Array:
        """Return the frame as a network would see it without resizing, (H, W) float32."""
        return eight_bits(micrograph, exclude).astype(np.float32) / np.float32(255)

    @property
    def sees_whole_frames(self) -> bool:
        """Whether no part of a frame is cut away."""
        return not self.short_px

    def seen_box(self, shape: tuple[int, int]) -> Box:
        """Return (top, left, bottom, right) in px of the frame: what the network sees of it."""
        if not self.short_px:
            return (0, 0, *shape)
        resized, (top, left) = self._resized_hw(shape), self._corner(shape)
        down, across = shape[0] / resized[0], shape[1] / resized[1]
        bottom, right = (top + self.height_px) * down, (left + self.width_px) * across
        return (
            round(top * down),
            round(left * across),
            min(round(bottom), shape[0]),
            min(round(right), shape[1]),
        )

    def _resized_hw(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the frame's size before the cut: of the long side, fractions are dropped."""
        if not self.keeps_aspect:
            return self.short_px, self.short_px
        short = min(shape)
        height, width = (int(self.short_px * side / short) for side in shape)
        return height, width

    def _corner(self, shape: tuple[int, int]) -> tuple[int, int]:
        height, width = self._resized_hw(shape)
        return round((height - self.height_px) / 2), round((width - self.width_px) / 2)

    def __call__(self, micrograph: Micrograph, exclude: Array | None = None) -> Array:
        """Return the network's input before normalisation, (height_px, width_px) float32, 0–1.

        Eight-bit frames enter as they are; deeper ones as they are displayed. Excluded pixels are
        filled with the median of the rest.
        """
        frame = Image.fromarray(eight_bits(micrograph, exclude))
        size_wh = self.width_px, self.height_px
        if not self.short_px:
            seen = self._resize(frame, size_wh)
        else:
            height, width = self._resized_hw(micrograph.shape)
            top, left = self._corner(micrograph.shape)
            right, bottom = left + self.width_px, top + self.height_px
            if height * width <= MOST_PX:
                seen = self._resize(frame, (width, height)).crop((left, top, right, bottom))
            else:  # a line of pixels would become gigabytes, and the crop a sliver of it
                across, down = frame.width / width, frame.height / height
                box = (left * across, top * down, right * across, bottom * down)
                inside = (*box[:2], min(box[2], frame.width), min(box[3], frame.height))
                seen = frame.resize(size_wh, _WAYS[self.way], box=inside)
        return np.asarray(seen, dtype=np.float32) / np.float32(255)

    def _resize(self, frame: Image.Image, size_wh: tuple[int, int]) -> Image.Image:
        if self.by == PILLOW or self.way not in _OF_TENSORS:
            return frame.resize(size_wh, _WAYS[self.way])
        import torch
        from torchvision.transforms.v2.functional import InterpolationMode, resize

        tensor = torch.from_numpy(np.array(frame, np.uint8))[None]
        way = InterpolationMode(self.way)
        return Image.fromarray(resize(tensor, list(size_wh[::-1]), way, antialias=True)[0].numpy())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the model card."""
        return {"kind": STATED, **asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Stated:
        """Return the preparation that `to_dict` wrote, without its kind.

        Raises
        ------
        ValueError, TypeError
            If a value cannot be.
        """
        options = dict(values)
        for name in ("mean", "std"):
            if name in options:
                options[name] = tuple(options[name])
        return cls(**options)

    def words(self) -> str:
        """Return the preparation as a phrase."""
        way = self.way if self.by == PILLOW else f"{self.way} by {self.by}"
        size = f"{self.width_px} × {self.height_px} px"
        if self.short_px:
            kept = "short side" if self.keeps_aspect else "both sides"
            how = f"{kept} {self.short_px} px ({way}), central {size}"
        else:
            how = f"the whole frame squeezed to {size} ({way})"
        return f"{how}, {describe_levels(self.mean, self.std)}"


def describe_levels(mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """Return what normalising grey levels 0–1 makes of them, in words."""
    if (mean, std) == (IMAGENET_MEAN, IMAGENET_STD):
        return "normalised as for ImageNet"
    if len({*mean}) == 1 and len({*std}) == 1:
        low, high = (0 - mean[0]) / std[0], (1 - mean[0]) / std[0]
        return f"grey levels {low:.4g} to {high:.4g}"
    means, stds = (", ".join(f"{v:.4g}" for v in values) for values in (mean, std))
    return f"mean {means} and standard deviation {stds} of grey levels 0–1"
