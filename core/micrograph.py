"""The one noun that everything passes on: a micrograph with its scale and its provenance."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

OVERLAY_CHOICE = "overlays"  # metadata: a person's correction of what is not specimen
PIXEL_TYPES = ("uint8", "uint16", "float32")

# The one table of units: in small letters, after `plain_unit`.
_NANOMETRES = {
    "fm": 1e-6,
    "pm": 1e-3,
    "å": 0.1,
    "a": 0.1,
    "ang": 0.1,
    "angstrom": 0.1,
    "nm": 1.0,
    "um": 1e3,
    "micron": 1e3,
    "microm": 1e3,
    "mm": 1e6,
    "cm": 1e7,
    "dm": 1e8,
    "thou": 2.54e4,
    "mil": 2.54e4,
    "in": 2.54e7,
    "inch": 2.54e7,
    "m": 1e9,
    "km": 1e12,
}
_PIXEL_UNITS = ("pm", "Å", "A", "nm", "µm", "um", "μm", "mm", "cm", "m")
_PREFIXES = {"pico": "p", "nano": "n", "micro": "u", "milli": "m", "centi": "c", "kilo": "k"}
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")  # ImageJ writes every other letter like this
_METRE = re.compile(r"^(pico|nano|micro|milli|centi|kilo|u|)met(?:er|re)s?$")
_MISREAD = {"Â": "", "Î¼": "u", "Ã\x85": "å", "Ã…": "å"}  # UTF-8 taken for Latin-1
_SPELLINGS = {"ångström": "å", "ångstrom": "å", "angström": "å"}
_UNIT_CHARACTERS = 60


def plain_unit(unit: object) -> str:
    """Return a unit in small letters, the micro sign as "u", whatever a program made of it.

    Understood are escapes ("\\u00B5m", "&#181;m", "&Aring;"), both micro signs, the Ångström as a
    letter and as a sign, UTF-8 taken for Latin-1, "[n_m]", "nm/px", and names in British or
    American English.
    """
    text = html.unescape(str(unit)[:_UNIT_CHARACTERS])
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    for wrong, right in _MISREAD.items():
        text = text.replace(wrong, right)
    text = unicodedata.normalize("NFKC", text).strip().lower().replace("μ", "u")
    text = re.sub(r"[\s_\[\]{}]", "", text)
    text = re.sub(r"(?:/|per)(?:px|pix|pixel)s?$", "", text).rstrip(".")
    match = _METRE.match(text)
    if match:
        return _PREFIXES.get(match[1], match[1]) + "m"
    singular = text.removesuffix("es" if text == "inches" else "s") if len(text) > 3 else text
    return _SPELLINGS.get(singular, singular)


def nanometres(unit: object) -> float | None:
    """Return how many nanometres a unit of length has; None when it is not one."""
    return _of_text(str(unit)[:_UNIT_CHARACTERS])


@lru_cache(maxsize=256)
def _of_text(unit: str) -> float | None:
    mega = unit.strip() == "Mm"  # else letters' size does not matter: NM, Um
    return None if mega else _NANOMETRES.get(plain_unit(unit))


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
        if self.unit not in _PIXEL_UNITS:
            raise ValueError(f"a pixel size needs a unit of length, got {self.unit!r}")

    def to(self, unit: str) -> float:
        """Return the edge of one pixel in another unit of length."""
        own, other = nanometres(self.unit), nanometres(unit)
        if own is None or other is None or unit not in _PIXEL_UNITS:
            raise ValueError(f"{unit!r} is not a unit of length")
        return self.value * own / other

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
        Kept read-only: what others could write to is copied, and a foreign byte order converted.
        Floats may hold NaN where nothing was recorded.
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
        if not pixels.dtype.isnative:
            pixels = pixels.astype(pixels.dtype.newbyteorder("="))
        pixels = _own(np.ascontiguousarray(pixels))
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


def _own(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return read-only pixels that nobody else can write to: a copy of what others may change."""
    owner: Any = pixels
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            pixels = pixels.copy()
            pixels.flags.writeable = False
            break
        owner = owner.base
    return pixels


def digest_pixels(pixels: NDArray[Any]) -> str:
    """Return the SHA-256 of an array's values, shape and dtype."""
    header = f"{pixels.dtype.str}{pixels.shape}".encode()
    return hashlib.sha256(header + np.ascontiguousarray(pixels).tobytes()).hexdigest()
