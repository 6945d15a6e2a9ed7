"""The one noun that everything passes on: a micrograph with its scale and its provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

OVERLAY_CHOICE = "overlays"  # metadata: a person's correction of what is not specimen
PIXEL_TYPES = ("uint8", "uint16", "float32")

_NANOMETRES = {
    "pm": 1e-3,
    "Å": 0.1,
    "A": 0.1,
    "nm": 1.0,
    "µm": 1e3,
    "um": 1e3,
    "μm": 1e3,  # Greek mu beside the micro sign above: both occur in files
    "mm": 1e6,
    "cm": 1e7,
    "m": 1e9,
}


@dataclass(frozen=True, slots=True)
class PixelSize:
    """Edge length of one square pixel.

    Parameters
    ----------
    value : float
        Positive and finite.
    unit : str
        A length: "pm", "Å", "nm", "µm", "mm", "cm" or "m".

    Raises
    ------
    ValueError
        If the value is not positive and finite, or the unit is not a length.
    """

    value: float
    unit: str

    def __post_init__(self) -> None:
        if not (np.isfinite(self.value) and self.value > 0):
            raise ValueError(f"a pixel size must be positive and finite, got {self.value}")
        if self.unit not in _NANOMETRES:
            raise ValueError(f"a pixel size needs a unit of length, got {self.unit!r}")

    def to(self, unit: str) -> float:
        """Return the edge of one pixel in another unit of length."""
        if unit not in _NANOMETRES:
            raise ValueError(f"{unit!r} is not a unit of length")
        return self.value * _NANOMETRES[self.unit] / _NANOMETRES[unit]

    @property
    def length_unit(self) -> str:
        """Unit for lengths measured at this scale: "nm" for pixels below 10 nm, else "µm"."""
        return "nm" if self.to("nm") < 10 else "µm"

    def __str__(self) -> str:
        nm = self.to("nm")
        return f"{nm:.4g} nm/px" if nm < 1000 else f"{nm / 1000:.4g} µm/px"


@dataclass(frozen=True, slots=True, eq=False)
class Micrograph:
    """One field of view in its native bit depth.

    Parameters
    ----------
    name : str
        A label for people; never used as a path.
    pixels : ndarray of shape (H, W), uint8, uint16 or float32
        Kept read-only. Floats may hold NaN where nothing was recorded.
    pixel_size : PixelSize or None
        None when unknown; results are then in pixels. Never guessed.
    metadata : mapping
        What the file said about the instrument; plain values.
    sha256 : str
        Digest of the bytes that the pixels came from (and of what was done to them since).

    Raises
    ------
    ValueError
        If `pixels` is not two-dimensional, empty, or of another dtype.
    """

    name: str
    pixels: NDArray[Any]
    pixel_size: PixelSize | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if pixels.ndim != 2 or pixels.size == 0:
            raise ValueError(f"pixels must be a non-empty (H, W) array, got shape {pixels.shape}")
        if pixels.dtype.name not in PIXEL_TYPES:
            raise ValueError(f"pixels must be one of {PIXEL_TYPES}, got {pixels.dtype}")
        pixels = np.ascontiguousarray(pixels).view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "metadata", dict(self.metadata))
        if not self.sha256:
            object.__setattr__(self, "sha256", digest_pixels(pixels))

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def depth(self) -> str:
        """Bit depth in words: "8-bit", "16-bit" or "32-bit float"."""
        return {"uint8": "8-bit", "uint16": "16-bit", "float32": "32-bit float"}[
            self.pixels.dtype.name
        ]

    @property
    def key(self) -> str:
        """All that results depend on, as one string: a cache key.

        A correction of what is not specimen, which travels in the metadata, is part of it.
        """
        key = f"{self.sha256}|{self.pixel_size!r}|{self.name}"
        correction = self.metadata.get(OVERLAY_CHOICE)
        return f"{key}|{correction!r}" if correction is not None else key

    def with_pixels(self, pixels: NDArray[Any], step: str) -> Micrograph:
        """Return a micrograph derived from this one; `step` says how, and joins the digest."""
        digest = hashlib.sha256(f"{self.sha256}|{step}".encode()).hexdigest()
        history = [*self.metadata.get("history", []), step]
        return replace(
            self, pixels=pixels, sha256=digest, metadata={**self.metadata, "history": history}
        )


def digest_pixels(pixels: NDArray[Any]) -> str:
    """Return the SHA-256 of an array's values, shape and dtype."""
    header = f"{pixels.dtype.str}{pixels.shape}".encode()
    return hashlib.sha256(header + np.ascontiguousarray(pixels).tobytes()).hexdigest()
