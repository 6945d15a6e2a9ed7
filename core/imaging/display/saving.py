"""Micrographs and arrays as files that other programs open."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from core.imaging.display.colours import cluster_colors
from core.imaging.display.encoding import png_bytes
from core.imaging.display.pictures import to_display
from core.micrograph import Micrograph, PixelSize

_IMAGEJ_UNITS = {"nm": "nm", "µm": "um"}  # the names that ImageJ itself writes
_EXCLUDED, _EXCLUDED_GREY = 255, 128
LONGEST_STEM = 60


def file_stem(
    name: str, *, joint: str = "_", ascii_only: bool = False, longest: int = LONGEST_STEM
) -> str:
    """Return what a name leaves for a file name of ours: letters, digits, dash and underscore.

    Parameters
    ----------
    name : str
        A micrograph's name; its ending goes.
    joint : str
        Stands where something else stood.
    ascii_only : bool
        Whether letters lose their accents, and those that are not Latin go.
    longest : int
        Characters that are kept.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name)
    if ascii_only:
        stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^\w-]+", joint, stem).strip("-_")[:longest] or "micrograph"


def save_tiff_bytes(micrograph: Micrograph) -> bytes:
    """Return a TIFF file with the micrograph's own pixels and pixel size.

    Parameters
    ----------
    micrograph : Micrograph
        Its depth is kept: uint8, uint16 or float32.

    Returns
    -------
    bytes
        An ImageJ TIFF. The pixel size stands in the resolution tags, as pixels per nm or per µm,
        with the unit in ImageJ's description; without a pixel size neither is written.
    """
    return _imagej_bytes(micrograph.pixels, micrograph.pixel_size)


def checked_labels(labels: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return a label image as it is.

    Raises
    ------
    ValueError
        If the labels are not (H, W) integers from 0.
    """
    given = np.asarray(labels)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "iu" or given.min() < 0:
        raise ValueError(f"labels must be (H, W) integers from 0, got {given.shape} {given.dtype}")
    return given


def save_labels_bytes(labels: NDArray[np.integer], pixel_size: PixelSize | None = None) -> bytes:
    """Return a label image as a TIFF file that ImageJ, Fiji and napari open with its scale.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing, else a number from 1, as `label_regions` gives them. Clusters
        start at 0: pass ``clustering.labels + 1``, so that 0 means excluded.
    pixel_size : PixelSize, optional
        Written as in `save_tiff_bytes`.

    Returns
    -------
    bytes
        An ImageJ TIFF of 16 bits, or of 32-bit floats above 65,535 labels (ImageJ has no other
        type for whole numbers that large). On the screen it is shown from 0 to the last label.

    Raises
    ------
    ValueError
        If the labels are not (H, W) integers from 0.
    """
    given = checked_labels(labels)
    last = int(given.max())
    kind = np.uint16 if last <= np.iinfo(np.uint16).max else np.float32
    shown = {"min": 0.0, "max": float(max(last, 1))}
    return _imagej_bytes(given.astype(kind), pixel_size, shown)


def save_mask_bytes(mask: NDArray[np.bool_]) -> bytes:
    """Return a mask (H, W) as a PNG file in white on black (255 and 0), every pixel of it."""
    inside = np.asarray(mask)
    if inside.ndim != 2 or inside.dtype != np.bool_:
        raise ValueError(f"mask must be (H, W) bool, got {inside.shape} {inside.dtype}")
    return png_bytes(inside.astype(np.uint8) * np.uint8(255))


def save_palette_bytes(labels: NDArray[np.integer], k: int) -> bytes:
    """Return clusters as an indexed PNG file: visible to the eye, and numbers for a program.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int in [-1, k)
        Dark to bright; -1 where excluded.
    k : int
        Number of clusters, 1 to 20.

    Returns
    -------
    bytes
        A PNG with a palette. A pixel's number is its cluster, in the colours of `cluster_colors`;
        number 255, in grey, is what was excluded.

    Raises
    ------
    ValueError
        If a label is outside of [-1, k).
    """
    given = np.asarray(labels)
    if given.ndim != 2 or given.dtype.kind not in "iu" or given.min() < -1 or given.max() >= k:
        raise ValueError(f"labels must be (H, W) integers from -1 to {k - 1}, got {given.dtype}")
    indices = np.where(given < 0, _EXCLUDED, given).astype(np.uint8)
    palette = np.full((256, 3), _EXCLUDED_GREY, np.uint8)
    palette[:k] = [tuple(bytes.fromhex(color.removeprefix("#"))) for color in cluster_colors(k)]
    picture = Image.fromarray(indices)
    picture.putpalette(palette.ravel().tolist())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _imagej_bytes(
    pixels: NDArray[Any], pixel_size: PixelSize | None, metadata: dict[str, Any] | None = None
) -> bytes:
    """Return an ImageJ TIFF with its scale where it is known."""
    buffer = io.BytesIO()
    options: dict[str, Any] = {"metadata": metadata} if metadata else {}
    if pixel_size is not None:
        unit = pixel_size.length_unit
        per_unit = 1 / pixel_size.to(unit)
        options = {
            "resolution": (per_unit, per_unit),
            "resolutionunit": "NONE",
            "metadata": {"unit": _IMAGEJ_UNITS[unit], **(metadata or {})},
        }
    tifffile.imwrite(buffer, pixels, imagej=True, **options)
    return buffer.getvalue()


def to_sixteen_bits(micrograph: Micrograph) -> Micrograph:
    """Return the micrograph in 16 bits, for programs that read no others.

    Parameters
    ----------
    micrograph : Micrograph

    Returns
    -------
    Micrograph
        16 bits stay as they are. 8 bits are multiplied by 257, which loses nothing. Floats are
        spread from their smallest to their largest value over 0 to 65,535 (NaN becomes 0); the
        history says which values these were.
    """
    pixels = micrograph.pixels
    if pixels.dtype == np.uint16:
        return micrograph
    if pixels.dtype == np.uint8:
        return micrograph.with_pixels(pixels.astype(np.uint16) * np.uint16(257), "16 bits: × 257")
    finite = np.isfinite(pixels)
    values = pixels[finite].astype(np.float64)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    levels = np.zeros(pixels.shape, np.uint16)
    if high > low:
        levels[finite] = np.rint((values - low) * (65_535 / (high - low)))
    step = f"16 bits: 0 is {low:.6g}, 65535 is {high:.6g}"
    return micrograph.with_pixels(levels, step)


def save_png_bytes(micrograph: Micrograph) -> bytes:
    """Return a PNG file with every pixel.

    Parameters
    ----------
    micrograph : Micrograph

    Returns
    -------
    bytes
        8- and 16-bit levels as they are. PNG holds no floats: those are stretched to eight bits,
        as on the screen. A PNG states no pixel size.
    """
    if micrograph.pixels.dtype.kind == "f":
        return png_bytes(to_display(micrograph))
    done, encoded = cv2.imencode(".png", micrograph.pixels)
    if not done:
        raise ValueError(f"cannot encode {micrograph.shape} pixels as PNG")
    return encoded.tobytes()


def save_npy_bytes(array: NDArray[Any]) -> bytes:
    """Return an array of any shape as a NumPy file (.npy), values and dtype as they are."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
