"""A file, one decoded frame, and how its values become the grey levels of a micrograph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.micrograph import PixelSize

HEAD_BYTES = 256  # enough to tell every format
_ORIENTATIONS = {  # transpose first, then flip up-down, then left-right
    2: (False, False, True, "mirrored left to right"),
    3: (False, True, True, "turned by 180°"),
    4: (False, True, False, "mirrored top to bottom"),
    5: (True, False, False, "mirrored along the diagonal"),
    6: (True, False, True, "turned by 90° clockwise"),
    7: (True, True, True, "mirrored along the other diagonal"),
    8: (True, True, False, "turned by 90° counter-clockwise"),
}
_LEAST_STEPS = 1000  # that 32-bit floats should offer between the darkest and the brightest value
SEVERAL_HUES = "several hues"  # a note that says: no signal of electrons alone
_TINT, _DARK = 0.15, 0.15  # of a pixel's brightest channel; of the picture's brightest pixel
_TINTED_SHARE, _OTHER_SHARE, _LEAST_SHARE = 0.05, 0.1, 0.02
_HUE_APART = np.pi / 5
_BRIGHTNESSES, _OFF_COLOR, _OFF_SHARE = 48, 0.05, 0.1
_EXACT_IN_FLOAT32 = 2**24  # integers up to here survive the conversion to 32-bit float


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Grey levels of one frame with what the file says about them.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), uint8, uint16 or float32
    pixel_size : PixelSize or None
    metadata : mapping
        Plain values; "format", "bit_depth" and, where something was changed, "conversion".
    stored_shape : (rows, columns) or None
        Before it was turned for the screen; None when it was not.
    """

    pixels: NDArray[Any]
    pixel_size: PixelSize | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    stored_shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A whole file and what lay beside it.

    Parameters
    ----------
    data : bytes
    name : str
        The file's name; compared with those of companions, never used as a path.
    companions : mapping of str to bytes
        Files by name that may belong to this one: an .emi, a .ser, a .txt with settings.
    """

    data: bytes = field(repr=False)
    name: str = ""
    companions: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Decoder:
    """One family of formats.

    Parameters
    ----------
    recognises : callable
        From the first `HEAD_BYTES` of a file to whether this decoder reads it.
    labels : callable
        From a file to a name for each of its frames, without decoding any.
    decode : callable
        From a file and a frame number to that frame and the number of frames.
    """

    recognises: Callable[[bytes], bool]
    labels: Callable[[Source], list[str]]
    decode: Callable[[Source, int], tuple[Frame, int]]


def to_grey(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Return grey levels in a native depth, and what had to be done to get there.

    Parameters
    ----------
    values : ndarray of shape (H, W) or (H, W, C), any number
        Two channels are grey and alpha, three are colour, four are colour and alpha. Complex
        values, such as Fourier transforms, become log(1 + magnitude).

    Returns
    -------
    pixels : ndarray of shape (H, W), uint8, uint16 or float32
        Equal colour channels give that channel; others the luminance of ITU-R BT.601.
    notes : list of str
        Empty when the values are as stored.

    Raises
    ------
    UnreadableMicrograph
        If the values are no numbers, or none of them is finite.
    """
    values, complex_notes = log_magnitude(values)
    values, depth_notes = _to_native(values)
    depth_notes = complex_notes or depth_notes
    values, color_notes = _drop_color(values)
    if values.dtype == np.float32:
        values, finite_notes = _drop_infinities(values)
        return values, depth_notes + color_notes + finite_notes
    return values, depth_notes + color_notes


def upright(pixels: NDArray[Any], orientation: int) -> tuple[NDArray[Any], list[str]]:
    """Turn a picture as its orientation tag (TIFF 6.0 and Exif, 1 to 8) says.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
    orientation : int
        Anything but 2 to 8 leaves the picture alone.

    Returns
    -------
    pixels : ndarray of shape (H, W) or (W, H)
    notes : list of str
        What was done; empty when nothing was.
    """
    if orientation not in _ORIENTATIONS:
        return pixels, []
    transposed, up_down, left_right, words = _ORIENTATIONS[orientation]
    turned = pixels.T if transposed else pixels
    turned = turned[:: -1 if up_down else 1, :: -1 if left_right else 1]
    return np.ascontiguousarray(turned), [f"{words}, as its orientation tag says"]


def log_magnitude(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Replace complex values by log(1 + magnitude), 32-bit float; leave others alone."""
    if values.dtype.kind != "c":
        return values, []
    with np.errstate(over="ignore", invalid="ignore"):
        magnitude = np.log1p(np.abs(values)).astype(np.float32)
    return magnitude, ["complex values to log(1 + magnitude)"]


def _to_native(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Convert to uint8, uint16 or float32 in native byte order."""
    kind, dtype = values.dtype.kind, values.dtype.name
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255), ["1-bit as 0 and 255"]
    if dtype in ("uint8", "uint16", "float32"):
        return values.astype(dtype, copy=False), []
    if kind not in "iuf":
        raise UnreadableMicrograph(
            f"The file holds {dtype} values, not grey levels; export the picture as 16-bit TIFF."
        )
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and then NaN
        converted = values.astype(np.float32)
    exact = dtype in ("int8", "int16", "float16") or (
        kind in "iu" and max(-int(values.min()), int(values.max())) <= _EXACT_IN_FLOAT32
    )
    return converted, [f"{dtype} to 32-bit float, {'exact' if exact else _loss(values)}"]


def _loss(values: NDArray[Any]) -> str:
    """Return "rounded", and a warning where 32 bits are too coarse for what the values span."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    step = 2.0 ** (np.floor(np.log2(max(-low, high, 1e-300))) - 23)  # a mantissa has 24 bits
    if low == high or (high - low) / step > _LEAST_STEPS:
        return "rounded"
    return (
        f"rounded to steps of {step:.3g}, coarse for a range of {high - low:.3g}: subtract the "
        "offset of the values before export"
    )


def _drop_color(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Reduce colour to one channel and leave out transparency."""
    if values.ndim == 2:
        return values, []
    notes = ["transparency left out"] if values.shape[2] in (2, 4) else []
    if values.shape[2] < 3:
        return values[..., 0], notes
    red = values[..., 0]
    if all(np.array_equal(red, values[..., i], equal_nan=red.dtype.kind == "f") for i in (1, 2)):
        return red, notes
    import cv2  # here, so that the decoding process does without it as a rule

    color = np.ascontiguousarray(values[..., :3])
    grey = np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY))
    return grey, [*notes, "colour to luminance (ITU-R BT.601)", *_say_hues(color)]


def _say_hues(color: NDArray[Any]) -> list[str]:
    """Say when a picture has several hues: electrons have no colour, so it is none of them alone.

    One hue is a tint or a mark, and a colour scale gives every grey level one colour. Several hues,
    or many colours of one brightness, are a photograph, a stain or a map of elements.
    """
    step = max(1, round((color.shape[0] * color.shape[1] / 100_000) ** 0.5))
    seen = color[::step, ::step].astype(np.float32).reshape(-1, 3)
    seen = seen[np.isfinite(seen).all(axis=1)]
    brightest = float(seen.max(initial=0.0))
    if brightest <= 0:
        return []
    several = _has_hues(seen, brightest) or _has_colors_of_one_brightness(seen / brightest)
    return [SEVERAL_HUES] if several else []


def _has_hues(seen: NDArray[np.float32], brightest: float) -> bool:
    """Tell whether a tenth of the tinted pixels is of another hue than most of them."""
    high, low = seen.max(axis=1), seen.min(axis=1)
    tinted = (high - low > _TINT * high) & (high > _DARK * brightest)
    if tinted.mean() < _TINTED_SHARE:
        return False
    red, green, blue = seen[tinted].T
    angle = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    most = np.histogram(angle, 24, (-np.pi, np.pi))[0].argmax() * np.pi / 12 - np.pi + np.pi / 24
    apart = np.abs(np.angle(np.exp(1j * (angle - most)))) > _HUE_APART
    share = float(apart.mean())
    return share > _OTHER_SHARE and share * float(tinted.mean()) > _LEAST_SHARE


def _has_colors_of_one_brightness(seen: NDArray[np.float32]) -> bool:
    """Tell whether many pixels have another colour than most of their brightness have."""
    grey = seen @ np.array([0.299, 0.587, 0.114], np.float32)
    chroma = seen[:, [0, 2]] - grey[:, None]
    order = grey.argsort()
    away = [
        np.abs(part - np.median(part, axis=0)).max(axis=1)
        for part in np.array_split(chroma[order], _BRIGHTNESSES)
        if len(part)
    ]
    return bool((np.concatenate(away) > _OFF_COLOR).mean() > _OFF_SHARE)


def _drop_infinities(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Mark infinite pixels as not recorded; refuse a frame without a single finite one."""
    finite = np.isfinite(values)
    if not finite.any():
        raise UnreadableMicrograph(
            "No pixel of the picture holds a number (all are NaN or infinite); export it again."
        )
    infinite = int(np.count_nonzero(np.isinf(values)))
    if infinite == 0:
        return values, []
    return np.where(finite, values, np.float32(np.nan)), [f"{infinite} infinite pixels as NaN"]
