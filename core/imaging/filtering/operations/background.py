"""Background: uneven illumination, charging, curtains and scan lines."""

from __future__ import annotations

from itertools import product
from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.operations.bands import by_rows, row_bands
from core.imaging.filtering.operations.base import (
    Floats,
    Mask,
    Pixels,
    close_disc,
    counted,
    grey_range,
    open_disc,
    share_of_range,
    ski,
    to_depth_of,
    wide_blur,
)

_FIT_PX = 250_000  # a plane through every n-th pixel is as good
_EVEN = 0.15  # of both sides together: about as far
_OBJECTS = 0.1  # squared, the weight of what lies on the objects' side
_ROUNDS = 30
_BALL_GREYS = 255  # the ball is as high as it is wide when the grey range is cut in 255


def rolling_ball(
    pixels: Pixels, exclude: Mask = None, *, radius_px: int, ground: str = "dark"
) -> Pixels:
    """Subtract the surface that a ball touches when it rolls below the image.

    On bright ground (dark particles, as in bright-field TEM) it rolls above: the image is inverted
    in its own range, and inverted back. "auto" asks `pick_ground`; where that sees neither, the
    ground is dark.

    Height is measured in 255ths of the image's own grey range, so that every depth gives the same.
    As in ImageJ a large ball rolls on a reduced image, of the darkest pixels of each block.
    """
    low, high = grey_range(pixels, exclude)
    if low == high:
        return np.zeros_like(pixels)
    share = share_of_range(pixels, low, high) * np.float32(_BALL_GREYS)
    picked = ground_of(pixels, exclude, ground=ground).get("ground", ground)
    inverted = picked == "bright"
    if inverted:
        share = _BALL_GREYS - share
    factor = _reduction(radius_px, min(pixels.shape))
    small = _darkest_of_blocks(share, factor)
    surface = ski.restoration.rolling_ball(small, radius=radius_px / factor)
    height, width = pixels.shape
    surround = cv2.resize(
        surface.astype(np.float32),
        (small.shape[1] * factor, small.shape[0] * factor),
        interpolation=cv2.INTER_LINEAR,
    )[:height, :width]
    lifted = (share - np.minimum(surround, share)) * ((high - low) / _BALL_GREYS)
    return to_depth_of(pixels, high - lifted if inverted else lifted)


def pick_ground(pixels: Pixels, exclude: Mask = None) -> str:
    """Return "dark", "bright", or "all" where neither is: which greys the objects stand on.

    Once a bowl is subtracted, objects pull one end of the greys (1st and 99th percentile, so that
    hot pixels have no say) further from the middle than the other; the ground is at the near end.
    "all" means that both ends are about as far, as without any objects. Pixels are (H, W) floats;
    those of `exclude`, bool (H, W), do not count.
    """
    places, chosen, wanted = _sample(pixels, exclude)
    terms = _terms(places, 2)[chosen]
    rest = wanted - terms @ np.linalg.lstsq(terms, wanted, rcond=None)[0]
    low, middle, high = np.percentile(rest, [1, 50, 99])
    above, below = high - middle, middle - low
    if abs(above - below) <= _EVEN * (above + below):
        return "all"
    return "dark" if above > below else "bright"


def ground_of(pixels: Pixels, exclude: Mask = None, *, ground: str, **_: object) -> dict[str, str]:
    """Return the setting in place of "auto"; nothing where a person chose."""
    return {"ground": pick_ground(pixels, exclude)} if ground == "auto" else {}


def _reduction(radius_px: int, shorter_px: int) -> int:
    """Return by how much an image is reduced for a ball of this radius: ImageJ's steps."""
    factor = 1 if radius_px <= 10 else 2 if radius_px <= 30 else 4 if radius_px <= 100 else 8
    return factor if shorter_px >= 4 * factor else 1


def _darkest_of_blocks(values: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    rows, cols = (-side % factor for side in values.shape)
    padded = np.pad(values, ((0, rows), (0, cols)), mode="edge")
    height, width = padded.shape
    blocks = padded.reshape(height // factor, factor, width // factor, factor)
    return np.asarray(blocks.min(axis=(1, 3)))


def white_tophat(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Keep bright detail smaller than a disc and drop the background under it."""
    return pixels - open_disc(pixels, radius_px)


def black_tophat(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Keep dark detail smaller than a disc, shown bright, and drop what surrounds it."""
    return close_disc(pixels, radius_px) - pixels


def subtract_gaussian(pixels: Pixels, exclude: Mask = None, *, sigma_px: float) -> Pixels:
    """Subtract a wide blur and put the mean grey level back; excluded pixels do not leak in."""
    mean = np.float32(np.mean(counted(pixels, exclude), dtype=np.float64))
    centred = pixels.astype(np.float32)
    centred -= mean
    if exclude is not None:
        centred[exclude] = 0
    ground = wide_blur(centred, sigma_px)
    del centred
    if exclude is not None:
        ground /= np.maximum(wide_blur((~exclude).astype(np.float32), sigma_px), 1e-6)
    return by_rows(pixels, lambda band, place: _less(band, ground[place]))


def _less(band: Pixels, ground: NDArray[Any]) -> Pixels:
    return to_depth_of(band, band.astype(np.float32) - ground)


def tophat(pixels: Pixels, exclude: Mask = None, *, radius_px: int, ground: str = "auto") -> Pixels:
    """Keep detail smaller than a disc, shown bright: bright detail on dark ground, or dark on it.

    "auto" asks `pick_ground`.
    """
    picked = ground_of(pixels, exclude, ground=ground).get("ground", ground)
    return (black_tophat if picked == "bright" else white_tophat)(pixels, radius_px=radius_px)


def subtract_surface(
    pixels: Pixels, exclude: Mask = None, *, degree: int, ground: str = "all"
) -> Pixels:
    """Subtract the best polynomial surface and put the mean grey level back.

    Least squares over the counted pixels (at most 250,000 of them, evenly spaced). On dark or
    bright ground the objects hardly count: what lies on their side of the surface weighs a
    hundredth of what lies on the other, until the surface stays (asymmetric least squares).
    "auto" asks `pick_ground`; "all" weighs all alike. Pixels are (H, W) floats, as is the result.

    References
    ----------
    Eilers (2004), Parametric time warping, Analytical Chemistry 76:404, doi:10.1021/ac034800e
    (asymmetric least squares).
    """
    picked = ground_of(pixels, exclude, ground=ground).get("ground", ground)
    places, chosen, wanted = _sample(pixels, exclude)
    terms = _terms(places, degree)[chosen]
    weights, *_ = np.linalg.lstsq(terms, wanted, rcond=None)
    sign = {"dark": 1.0, "bright": -1.0}.get(picked, 0.0)
    for _ in range(_ROUNDS if sign else 0):
        side = np.where(sign * (wanted - terms @ weights) > 0, _OBJECTS, 1.0)
        before = weights
        weights = np.linalg.lstsq(terms * side[:, None], wanted * side, rcond=None)[0]
        if np.allclose(weights, before, rtol=1e-6, atol=0):
            break
    mean = float((terms @ weights).mean())
    rows, cols = _axes(pixels.shape)

    def level(band: Pixels, place: slice) -> Pixels:
        surface = _surface([rows[place], cols], degree, np.asarray(weights, np.float64))
        return to_depth_of(pixels, band - surface + mean)

    return by_rows(pixels, level)


def _sample(pixels: Pixels, exclude: Mask) -> tuple[list[Floats], NDArray[np.bool_], Floats]:
    """Return coordinates from -1 to 1 of a thin grid, which of its pixels count, and their grey."""
    stride = max(1, int(np.ceil(np.sqrt(pixels.size / _FIT_PX))))
    kept = np.ones(pixels.shape, bool) if exclude is None else ~exclude
    counted(pixels, exclude)
    step = stride if kept[::stride, ::stride].any() else 1
    places = [axis[::step] for axis in _axes(pixels.shape)]
    chosen = kept[::step, ::step]
    return places, chosen.ravel(), pixels[::step, ::step][chosen].astype(np.float64)


def _axes(shape: tuple[int, ...]) -> list[Floats]:
    return [np.linspace(-1, 1, side) if side > 1 else np.zeros(1) for side in shape]


def _powers(degree: int) -> list[tuple[int, int]]:
    every = product(range(degree + 1), repeat=2)
    return [(down, right) for down, right in every if down + right <= degree]


def _terms(places: list[Floats], degree: int) -> Floats:
    """Return the terms of a polynomial at each pixel of a grid, (pixels, terms)."""
    rows, cols = places
    columns = [np.outer(rows**down, cols**right).ravel() for down, right in _powers(degree)]
    return np.stack(columns, axis=1)


def _surface(places: list[Floats], degree: int, weights: Floats) -> Floats:
    rows, cols = places
    surface = np.zeros((rows.size, cols.size))
    for weight, (down, right) in zip(weights, _powers(degree), strict=True):
        surface += np.outer(weight * rows**down, cols**right)
    return surface


def flat_field(pixels: Pixels, exclude: Mask = None, *, other: Pixels) -> Pixels:
    """Divide by another image of even illumination, scaled so that its mean changes nothing.

    Where that image is black the pixel stays as it is.
    """
    if other.shape != pixels.shape:
        raise UserError(
            f"The flat field has {other.shape[1]} × {other.shape[0]} px and the micrograph "
            f"{pixels.shape[1]} × {pixels.shape[0]} px. Choose one of the same size."
        )
    mean = float(np.mean(counted(other, exclude), dtype=np.float64))

    def even_out(band: Pixels, place: slice) -> Pixels:
        flat = other[place].astype(np.float64)
        gain = np.where(flat > 0, mean / np.where(flat > 0, flat, 1), 1)
        return to_depth_of(pixels, band * gain)

    return by_rows(pixels, even_out)


def destripe(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    stripes: str,
    method: str,
    width_px: int,
) -> Pixels:
    """Remove stripes along the rows (scan lines) or the columns (curtains).

    "median" shifts each line so that its median follows that of the lines around it; "fourier"
    damps what does not change along the stripes. Both keep whatever varies across the stripes
    over more than `width_px`.
    """
    lying = pixels if stripes == "horizontal" else pixels.T
    masked = exclude if exclude is None or stripes == "horizontal" else exclude.T
    offsets = _line_medians if method == "median" else _line_spectrum
    off = offsets(lying, masked, width_px)
    clean = by_rows(lying, lambda band, place: to_depth_of(band, band - off[place]))
    return clean if stripes == "horizontal" else np.ascontiguousarray(clean.T)


def _line_medians(pixels: Pixels, exclude: Mask, width_px: int) -> NDArray[np.float64]:
    """Return, per row, how far its median lies from the smooth course of medians."""
    medians = np.zeros(pixels.shape[0])
    kept = np.zeros(pixels.shape[0], np.bool_)
    for band in row_bands(pixels.shape):
        grey = pixels[band].astype(np.float64)
        if exclude is not None:
            grey[exclude[band]] = np.nan
        some = np.isfinite(grey).any(axis=1)
        kept[band] = some
        medians[band][some] = np.nanmedian(grey[some], axis=1)
    places = np.arange(medians.size)
    medians = np.interp(places, places[kept], medians[kept]) if kept.any() else medians
    course = scipy.ndimage.gaussian_filter1d(medians, width_px, mode="nearest")
    return np.asarray(np.where(kept, medians - course, 0)[:, None])


def _line_spectrum(pixels: Pixels, exclude: Mask, width_px: int) -> NDArray[np.float64]:
    """Return the part of the image that hardly changes along the rows but fast across them.

    A cosine transform, so that the edges are mirrored: kept are wavelengths along the rows above
    about the width, and across them below `width_px`. Excluded pixels are first filled with the
    mean of their row.
    """
    grey = pixels.astype(np.float64)
    if exclude is not None:
        kept = (~exclude).sum(axis=1, keepdims=True)
        means = np.where(exclude, 0, grey).sum(axis=1, keepdims=True) / np.maximum(kept, 1)
        grey = np.where(exclude, np.where(kept > 0, means, grey.mean()), grey)
    height, width = grey.shape
    across = 1 - np.exp(-0.5 * (np.pi * width_px / height * np.arange(height)) ** 2)
    along = np.exp(-0.5 * (np.pi / 8 * np.arange(width)) ** 2)
    spectrum = scipy.fft.dctn(grey, type=2, norm="ortho")
    return np.asarray(scipy.fft.idctn(spectrum * np.outer(across, along), type=2, norm="ortho"))
