"""All ways of preparing a micrograph: from a card's values, from the usual ones, from a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.errors import UserError
from core.learning.models.preparation import CENTRE_CROP, CentreCrop, Preparation
from core.learning.models.preparing.stated import IMAGENET_MEAN, IMAGENET_STD, STATED, Stated

AnyPreparation = Preparation | CentreCrop | Stated

# What networks of others are usually trained with; tried in this order where a file is silent.
USUAL: Mapping[str, str] = {
    "imagenet": "ImageNet’s mean and standard deviation, centre",
    "imagenet-whole": "ImageNet’s mean and standard deviation, whole frame",
    "0-1": "Grey levels 0 to 1, centre",
    "0-1-whole": "Grey levels 0 to 1, whole frame",
    "plus-minus-1": "Grey levels −1 to 1, centre",
    "plus-minus-1-whole": "Grey levels −1 to 1, whole frame",
    "0-255": "Grey levels 0 to 255, centre",
    "visual-ccc": "As Visual-CCC: 0 to 1, central 256 px of 307",
    "standardised": "Whole frame, zero mean and unit variance",
}
_LEVELS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "0-1": ((0.0,), (1.0,)),
    "plus-minus-1": ((0.5,), (0.5,)),
    "0-255": ((0.0,), (1 / 255,)),
}
_KEYS = ("size", "short", "way", "mean", "std")
_HOW = (
    "Write one of {names}, or size=224,short=256,way=bilinear,mean=0.485/0.456/0.406,"
    "std=0.229/0.224/0.225 (short=0 squeezes the whole frame)."
)


def make_preparation(values: Mapping[str, Any]) -> AnyPreparation:
    """Return the preparation that a model card describes; without a kind, the whole frame.

    Raises
    ------
    ValueError, TypeError
        If there is no such kind, or a value cannot be.
    """
    options = dict(values)
    kind = options.pop("kind", None)
    if kind == CENTRE_CROP:
        return CentreCrop(**options)
    if kind == STATED:
        return Stated.from_dict(options)
    if kind is not None:
        raise ValueError(f"there is no preparation {kind!r:.40}")
    return Preparation(**options)


def usual_preparation(name: str, size_px: int = 224) -> AnyPreparation:
    """Return one of the `USUAL` ways for a network that takes a square of `size_px`."""
    if name == "visual-ccc":
        return CentreCrop()
    if name == "standardised":
        return Preparation()
    levels = name.removesuffix("-whole")
    mean, std = _LEVELS[levels]
    short = 0 if name.endswith("-whole") else round(size_px * 256 / 224)
    return Stated(size_px, size_px, short, mean=mean, std=std)


def read_preparation(text: str, size_px: int = 224) -> AnyPreparation:
    """Return the preparation that a person wrote: a name of `USUAL`, or its values.

    Parameters
    ----------
    text : str
        Such as "imagenet" or "size=224,short=256,mean=0.5,std=0.5".
    size_px : int
        What the network was made for, where the text does not say.

    Raises
    ------
    UserError
        If the text is none.
    """
    if text in USUAL:
        return usual_preparation(text, size_px)
    how = _HOW.format(names=", ".join(USUAL))
    pairs = dict(part.partition("=")[::2] for part in text.replace(" ", "").split(","))
    if not pairs or set(pairs) - set(_KEYS) or not all(pairs.values()):
        raise UserError(f"“{text[:60]}” is no way to prepare frames. {how}")
    try:
        size = int(pairs.get("size", size_px))
        return Stated(
            size,
            size,
            int(pairs.get("short", round(size * 256 / 224))),
            pairs.get("way", "bilinear"),
            _numbers(pairs.get("mean", "0.485/0.456/0.406")),
            _numbers(pairs.get("std", "0.229/0.224/0.225")),
        )
    except ValueError as error:
        raise UserError(f"“{text[:60]}” is no way to prepare frames: {error}. {how}") from error


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in re.split("[/;]", text))


def describe_preparation(preparation: AnyPreparation) -> str:
    """Return a preparation as a phrase."""
    if isinstance(preparation, Stated):
        return preparation.words()
    if isinstance(preparation, CentreCrop):
        crop = preparation.crop_px
        return f"short side {preparation.short_px} px, central {crop} × {crop} px, grey levels 0–1"
    return "the whole frame with zero mean and unit variance"


_SAID = "Frames are prepared"
_BY = {
    "nobody": f"{_SAID} as is usual, for nobody has said how",
    "a person": f"{_SAID} as a person chose",
    "the file": f"{_SAID} as the file says",
}
_CROP_LIMIT = "It sees only the central square of a frame, as in its own program."


def with_preparation(
    limits: tuple[str, ...], preparation: AnyPreparation, by: str
) -> tuple[str, ...]:
    """Return a card's limits with what a person must know of the preparation in front.

    Parameters
    ----------
    limits : tuple of str
    preparation : AnyPreparation
    by : str
        Who said so: "the file", "a person" or "nobody".
    """
    others = [each for each in limits if not each.startswith(_SAID) and each != _CROP_LIMIT]
    said = f"{_BY.get(by, _SAID)}: {describe_preparation(preparation)}."
    return (said, *others, *(() if preparation.sees_whole_frames else (_CROP_LIMIT,)))
