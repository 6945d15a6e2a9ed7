"""Micrographs and arrays as files that other programs open."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from core.imaging.display import png_bytes, to_display
from core.micrograph import Micrograph

_IMAGEJ_UNITS = {"nm": "nm", "µm": "um"}  # the names that ImageJ itself writes


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
    buffer = io.BytesIO()
    options: dict[str, Any] = {}
    if micrograph.pixel_size is not None:
        unit = micrograph.pixel_size.length_unit
        per_unit = 1 / micrograph.pixel_size.to(unit)
        options = {
            "resolution": (per_unit, per_unit),
            "resolutionunit": "NONE",
            "metadata": {"unit": _IMAGEJ_UNITS[unit]},
        }
    tifffile.imwrite(buffer, micrograph.pixels, imagej=True, **options)
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
    """Return an array as a NumPy file (.npy), values and dtype as they are."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
