"""At which scales the pictures of a training show their specimens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.learning.classifying import FIELD, PIXEL
from core.learning.training.pictures import LabelledPicture
from core.micrograph import Micrograph


def training_range(
    pictures: Sequence[LabelledPicture], views: Mapping[str, Sequence[tuple[Micrograph, Any]]]
) -> dict[str, Any]:
    """Return the range of scales of training frames whose pixel size is known, for a card.

    Pixel sizes come from the files, or from a column `pixel_size_nm` of labels.csv, which is about
    the whole frames where there are some. Empty when no scale is known.
    """
    frames = views.get("whole_frames", views["pictures"])
    known: list[tuple[float, float]] = []
    for picture, (frame, _) in zip(pictures, frames, strict=True):
        stated = frame.pixel_size.to("nm") if frame.pixel_size else picture.pixel_size_nm
        if stated:
            known.append((stated, stated * frame.shape[1]))
    if not known:
        return {}
    pixels, fields = zip(*known, strict=True)
    return {
        PIXEL: [_rounded(min(pixels)), _rounded(max(pixels))],
        FIELD: [_rounded(min(fields)), _rounded(max(fields))],
        "frames": len(known),
        "of": len(frames),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
