"""Pictures as PNG and JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from core.imaging.display.pictures import Picture, _shrink


def png_bytes(picture: Picture, max_width_px: int | None = None) -> bytes:
    """Encode a picture as PNG, without loss but for the size.

    Parameters
    ----------
    picture : ndarray of shape (H, W), (H, W, 3) or (H, W, 4), uint8
        Colours in the order red, green, blue, opacity.
    max_width_px : int or None
        A wider picture is averaged down to this width; None keeps the size.

    Returns
    -------
    bytes

    Raises
    ------
    TypeError
        If the picture is not uint8: sixteen bits must be windowed first (`to_display`).
    """
    if picture.dtype != np.uint8:
        raise TypeError(f"a picture for the screen is uint8, got {picture.dtype}")
    if max_width_px is not None:
        picture = _shrink(picture, max_width_px / picture.shape[1])
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(picture.shape[-1], []) if picture.ndim == 3 else []
    stored = np.ascontiguousarray(picture[..., order] if order else picture)
    done, encoded = cv2.imencode(".png", stored)
    if not done:
        raise ValueError(f"cannot encode an array of shape {picture.shape} as PNG")
    return encoded.tobytes()


def jpeg_bytes(picture: Picture, quality: int = 82) -> bytes:
    """Encode a small picture as JPEG, where many have to travel at once; pixels change a little.

    Parameters
    ----------
    picture : ndarray of shape (H, W) or (H, W, 3), uint8
    quality : int
        1 to 100.
    """
    stored = np.ascontiguousarray(picture[..., ::-1] if picture.ndim == 3 else picture)
    done, encoded = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode an array of shape {picture.shape} as JPEG")
    return encoded.tobytes()
