"""Eight-bit pictures for screens: windows, thumbnails, overlays, colours and scale bars.

Nothing here is ever measured. A micrograph goes from its native depth to eight bits in one step,
at the end: the display window is found and applied in native grey levels.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.micrograph import Micrograph, PixelSize

Picture = NDArray[np.uint8]

COLORMAPS = ("viridis", "inferno", "magma", "cividis")
MAX_CLUSTER_COLORS = 20

_COLORMAP_CODES = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "cividis": cv2.COLORMAP_CIVIDIS,
}
_WINDOW_SAMPLE_PX = 4_000_000  # percentiles of more pixels move by less than one display level
_BAND_PX = 1_000_000  # floats are windowed in bands, which bounds the memory in between
_EXCLUDED_GREYS = (150, 190)  # hatch of pixels that belong to no cluster
_HATCH_PERIOD_PX = 8
_LIGHTNESS_RANGE = (16.0, 91.0)  # CIE L* of the first and the last cluster colour
_PLATE_SHARE = 0.18  # how much of the picture still shows through the plate of the scale bar


def display_window(
    micrograph: Micrograph, low_pct: float = 0.5, high_pct: float = 99.5
) -> tuple[float, float]:
    """Return the grey levels shown as black and as white.

    Parameters
    ----------
    micrograph : Micrograph
        Pixels that are NaN or infinite are ignored.
    low_pct, high_pct : float
        Percentiles, 0 <= low_pct < high_pct <= 100. Above four megapixels they are taken from an
        even grid of pixels.

    Returns
    -------
    (low, high) : tuple of float
        Native grey levels, low < high always. Where the percentiles coincide the extremes are
        used; a constant picture of integers gets the whole range of its type, so that it shows
        at its own level, and a constant picture of floats shows mid-grey.

    Raises
    ------
    ValueError
        If the percentiles are out of order or out of range.
    """
    if not 0 <= low_pct < high_pct <= 100:
        raise ValueError(f"need 0 <= low_pct < high_pct <= 100, got {low_pct} and {high_pct}")
    low, high = _percentiles(_thin_out(micrograph.pixels), low_pct, high_pct)
    if low == high:
        low, high = _percentiles(micrograph.pixels, 0, 100)
    if low == high:
        return _constant_window(low, micrograph.pixels.dtype)
    return low, high


def _thin_out(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Keep every n-th row and column, so that about four million pixels remain."""
    stride = int(np.ceil(np.sqrt(pixels.size / _WINDOW_SAMPLE_PX)))
    return pixels[::stride, ::stride]


def _percentiles(
    pixels: NDArray[np.generic], low_pct: float, high_pct: float
) -> tuple[float, float]:
    """Return two percentiles of the finite pixels; (0, 0) when there are none."""
    values = pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels.ravel()
    if values.size == 0:
        return 0.0, 0.0
    # Levels that occur, not means of two: the sum of two large float32 would overflow.
    low, high = np.percentile(values, (low_pct, high_pct), method="nearest")
    return float(low), float(high)


def _constant_window(level: float, dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "u":
        return 0.0, float(np.iinfo(dtype).max)
    half = max(0.5, abs(level) * 1e-6)
    return level - half, level + half


def to_display(micrograph: Micrograph) -> Picture:
    """Return the micrograph in eight bits, stretched to its display window.

    Parameters
    ----------
    micrograph : Micrograph
        Of any depth. NaN is shown black, infinities black or white.

    Returns
    -------
    ndarray of shape (H, W), uint8
    """
    low, high = display_window(micrograph)
    pixels = micrograph.pixels
    if pixels.dtype.kind == "u":
        levels = np.arange(np.iinfo(pixels.dtype).max + 1)
        return np.take(_stretch(levels, low, high), pixels)
    picture = np.empty(pixels.shape, np.uint8)
    rows = max(1, _BAND_PX // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        picture[top : top + rows] = _stretch(pixels[top : top + rows], low, high)
    return picture


def _stretch(values: NDArray[np.generic], low: float, high: float) -> Picture:
    share = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    return np.rint(np.nan_to_num(share, nan=0.0) * 255).astype(np.uint8)


def thumbnail(micrograph: Micrograph, size_px: int = 320) -> Picture:
    """Return a small picture whose longer side is at most `size_px`; never an enlarged one.

    Parameters
    ----------
    micrograph : Micrograph
    size_px : int
        At least 1.

    Returns
    -------
    ndarray of shape (h, w), uint8
    """
    if size_px < 1:
        raise ValueError(f"size_px must be at least 1, got {size_px}")
    return _shrink(to_display(micrograph), size_px / max(micrograph.shape))


def _shrink(picture: Picture, scale: float) -> Picture:
    """Return the picture averaged down by `scale`; the picture itself when scale >= 1."""
    if scale >= 1:
        return picture
    height, width = picture.shape[:2]
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def draw_scale_bar(picture: Picture, pixel_size: PixelSize | None, source_width_px: int) -> Picture:
    """Return the picture with a scale bar and its label on a dark plate, bottom right.

    Parameters
    ----------
    picture : ndarray of shape (H, W) or (H, W, 3), uint8
        May have been resized from the micrograph.
    pixel_size : PixelSize or None
        Of the micrograph. With None nothing is drawn: a scale is never guessed.
    source_width_px : int
        Width of the micrograph that the picture shows, at least 1.

    Returns
    -------
    ndarray of the same shape, uint8
        A copy. The bar is 1, 2 or 5 times a power of ten long, near a fifth of the width. It is
        left out where it would not fit legibly (pictures below about 60 px).
    """
    if source_width_px < 1:
        raise ValueError(f"source_width_px must be at least 1, got {source_width_px}")
    height, width = picture.shape[:2]
    picture = picture.copy()
    if pixel_size is None:
        return picture
    nm_per_px = pixel_size.to("nm") * source_width_px / width
    length_nm = nice_length(nm_per_px * width / 5)
    _stamp_bar(picture, round(length_nm / nm_per_px), _length_label(length_nm), min(height, width))
    return picture


def nice_length(target: float) -> float:
    """Return 1, 2 or 5 times a power of ten, the one nearest to `target` on a log scale."""
    decade = 10.0 ** np.floor(np.log10(target))
    candidates = decade * np.array([1.0, 2.0, 5.0, 10.0])
    return float(candidates[np.argmin(np.abs(np.log(candidates / target)))])


def _length_label(length_nm: float) -> str:
    """Write a length with the unit that keeps the number between 1 and 1000 where one does."""
    for unit, nanometres in (("m", 1e9), ("mm", 1e6), ("µm", 1e3)):
        if length_nm >= nanometres * 0.999:
            return f"{length_nm / nanometres:.6g} {unit}"
    return f"{length_nm:.6g} nm"


def _stamp_bar(picture: Picture, bar_px: int, label: str, short_side_px: int) -> None:
    """Draw plate, bar and label into the picture; nothing when they do not fit."""
    height, width = picture.shape[:2]
    text_px = int(np.clip(round(0.045 * short_side_px), 11, 120))
    font = cv2.FontFace("sans")  # built into OpenCV; one per call, as it is not shared safely
    box = cv2.getTextSize((width, height), label, (0, 0), font, text_px, 500)
    _, text_top, text_width, text_height = box
    pad, thick = max(3, text_px // 3), max(2, text_px // 5)
    plate_width = max(bar_px, text_width) + 2 * pad
    plate_height = text_height + thick + 3 * pad
    left, top = width - plate_width - pad, height - plate_height - pad
    if left < 0 or top < 0:
        return
    plate = picture[top : top + plate_height, left : left + plate_width]
    plate[:] = (plate * _PLATE_SHARE).astype(np.uint8)
    centre = left + plate_width // 2
    bar_top, bar_left = top + 2 * pad + text_height, centre - bar_px // 2
    picture[bar_top : bar_top + thick, bar_left : bar_left + bar_px] = 255
    white = (255,) * (picture.shape[2] if picture.ndim == 3 else 1)
    origin = centre - text_width // 2, top + pad - text_top
    cv2.putText(picture, label, origin, white, font, text_px, 500)


@cache
def _color_table(name: str) -> Picture:
    """Return a colour map as 256 rows of red, green, blue."""
    if name not in _COLORMAP_CODES:
        raise ValueError(f"colormap must be one of {COLORMAPS}, got {name!r}")
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    table = cv2.applyColorMap(ramp, _COLORMAP_CODES[name])[:, 0, ::-1].copy()
    table.flags.writeable = False
    return np.asarray(table, np.uint8)


def blend_heatmap(
    picture: Picture,
    heatmap: NDArray[np.floating],
    opacity: float = 0.5,
    colormap: str = "inferno",
) -> Picture:
    """Lay a heat map over a grey picture, the more opaque the hotter.

    Parameters
    ----------
    picture : ndarray of shape (H, W), uint8
    heatmap : ndarray of shape (H, W), float in [0, 1]
        NaN counts as 0; values outside are clipped.
    opacity : float
        Of the heat map where it is 1, between 0 and 1. It falls off with the heat, so that the
        picture stays as it is where the heat is 0.
    colormap : str
        One of `COLORMAPS`, all perceptually uniform.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8, in the order red, green, blue

    Raises
    ------
    ValueError
        If the shapes differ, the opacity is out of range or the colour map unknown.
    """
    if picture.ndim != 2 or picture.shape != heatmap.shape:
        raise ValueError(f"need equal (H, W) shapes, got {picture.shape} and {heatmap.shape}")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be between 0 and 1, got {opacity}")
    heat = np.clip(np.nan_to_num(heatmap, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    levels = np.rint(heat * 255).astype(np.uint16)
    pairs = picture.astype(np.uint16) << 8 | levels
    return np.asarray(_blend_table(opacity, colormap).take(pairs, axis=0), np.uint8)


@lru_cache(maxsize=8)
def _blend_table(opacity: float, colormap: str) -> Picture:
    """Return the colour, shape (65536, 3), of each pair of grey level and level of heat."""
    grey = np.arange(256, dtype=np.float32)[:, None, None]
    weight = np.linspace(0, opacity, 256, dtype=np.float32)[:, None]
    blend = np.rint(grey * (1 - weight) + _color_table(colormap) * weight)
    return np.asarray(blend, np.uint8).reshape(-1, 3)


def cluster_colors(k: int) -> list[str]:
    """Return k colours for clusters numbered from dark to bright, as "#rrggbb".

    Taken from viridis at equal steps of lightness (CIE L*), so that the order reads in colour, in
    grey print and with red-green colour blindness alike. Any two colours differ by at least
    12 units of CIELAB for eight clusters and 3.4 for twenty, for each of the three kinds of
    vision. A second hue in between would widen the gaps but break the order for some.

    Parameters
    ----------
    k : int
        1 to 20.

    References
    ----------
    Smith & van der Walt (2015), viridis, https://bids.github.io/colormap/
    Machado, Oliveira & Fernandes (2009), colour vision deficiency, 10.1109/TVCG.2009.113
    """
    if not 1 <= k <= MAX_CLUSTER_COLORS:
        raise ValueError(f"k must be between 1 and {MAX_CLUSTER_COLORS}, got {k}")
    return list(_cluster_colors(k))


@cache
def _cluster_colors(k: int) -> tuple[str, ...]:
    darkest, brightest = _LIGHTNESS_RANGE
    wanted = np.linspace(darkest, brightest, k) if k > 1 else np.array([55.0])
    table = _color_table("viridis")
    lab = cv2.cvtColor(table[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    nearest = np.abs(lab[:, 0] - wanted[:, None]).argmin(axis=1)
    rows = table[nearest].tolist()
    return tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in rows)


def color_labels(labels: NDArray[np.integer], k: int) -> Picture:
    """Paint a label image in the colours of `cluster_colors`; -1 is hatched in neutral grey.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int in [-1, k)
    k : int
        Number of clusters, 1 to 20.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8, in the order red, green, blue
    """
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"labels must be a non-empty (H, W) array, got shape {labels.shape}")
    if labels.min() < -1 or labels.max() >= k:
        raise ValueError(f"labels must lie in [-1, {k}), got {labels.min()} to {labels.max()}")
    codes = [color.removeprefix("#") for color in cluster_colors(k)]
    greys = [f"{grey:02x}" * 3 for grey in _EXCLUDED_GREYS]
    table = np.frombuffer(bytes.fromhex("".join(codes + greys)), np.uint8).reshape(-1, 3)
    rows, cols = np.ogrid[: labels.shape[0], : labels.shape[1]]
    stripe = (rows + cols) % _HATCH_PERIOD_PX < _HATCH_PERIOD_PX // 2
    painted = table[np.where(labels < 0, k + stripe, labels)]
    return np.asarray(painted, np.uint8)


def png_bytes(picture: Picture, max_width_px: int | None = None) -> bytes:
    """Encode a picture as PNG, without loss but for the size.

    Parameters
    ----------
    picture : ndarray of shape (H, W) or (H, W, 3), uint8
        Colours in the order red, green, blue.
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
    stored = np.ascontiguousarray(picture[..., ::-1] if picture.ndim == 3 else picture)
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
