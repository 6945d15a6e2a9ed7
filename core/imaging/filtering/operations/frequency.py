"""Frequencies: the power spectrum, what lies between two sizes, and spots taken out of it.

Filters mirror the image at its edges first, so that opposite edges do not meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.operations.bands import by_rows, row_bands
from core.imaging.filtering.operations.base import Floats, Mask, Pixels, counted, to_depth_of

_MOST_PADDING_PX = 128
_LEAST_FOR_PEAKS_PX = 8  # in fewer there is nothing between the bins
Spots = tuple[tuple[float, float], ...]
Gain = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class RadialPower:
    """Power at each spatial frequency, averaged over all directions.

    Parameters
    ----------
    frequency : ndarray of shape (n,), float64
        Cycles per px, rising, above 0 and at most 0.5.
    power : ndarray of shape (n,), float64
        Mean squared amplitude; grey levels squared.
    """

    frequency: Floats
    power: Floats


def power_spectrum(pixels: Pixels, exclude: Mask = None, *, taper: str = "hann") -> Pixels:
    """Return the logarithm (base 10) of the power at each frequency, 0 in the middle.

    As 32-bit floats of the image's own shape. The mean is subtracted; excluded pixels count as
    the mean; "hann" fades the image out towards its edges, which removes the cross they leave.
    """
    return np.log10(spectrum(pixels, exclude, taper=taper) + 1).astype(np.float32)


def spectrum(pixels: Pixels, exclude: Mask = None, *, taper: str = "hann") -> NDArray[np.float32]:
    """Return the power at each frequency, zero frequency in the middle, of shape (H, W)."""
    mean = float(np.mean(counted(pixels, exclude), dtype=np.float64))
    grey = (pixels - np.float64(mean)).astype(np.float32)
    if exclude is not None:
        grey[exclude] = 0
    if taper == "hann":
        grey *= np.outer(*(_hann(side) for side in grey.shape))
    half = scipy.fft.rfft2(grey, norm="ortho")
    power = np.square(half.real) + np.square(half.imag)
    return np.asarray(scipy.fft.fftshift(_mirrored(power, grey.shape[1])))


def _hann(side: int) -> NDArray[np.float32]:
    """Return a Hann window of mean square 1, which leaves the power of noise as it is."""
    window = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    return np.asarray(window / np.sqrt(np.mean(window**2)), np.float32)


def _mirrored(half: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the whole spectrum of a real image from its half: f and -f have the same power."""
    full = np.empty((half.shape[0], width), half.dtype)
    full[:, : half.shape[1]] = half
    rest = width - half.shape[1]
    if rest:
        rows = -np.arange(half.shape[0]) % half.shape[0]
        full[:, half.shape[1] :] = half[rows][:, rest:0:-1]
    return full


def radial_power(pixels: Pixels, exclude: Mask = None) -> RadialPower:
    """Return the mean power at each frequency over all directions, from a windowed spectrum.

    Pixels are (H, W) floats; frequencies are in cycles per px, up to 0.5.
    """
    power = spectrum(pixels, exclude)
    down, right = (scipy.fft.fftshift(scipy.fft.fftfreq(side)) for side in power.shape)
    radius = np.hypot(down[:, None], right[None, :])
    rings = max(2, max(power.shape) // 2)
    number = np.rint(radius * 2 * rings).astype(np.int64)
    inside = (number > 0) & (number <= rings)
    counts = np.bincount(number[inside], minlength=rings + 1)
    sums = np.bincount(number[inside], power[inside], minlength=rings + 1)
    kept = np.flatnonzero(counts)
    return RadialPower(kept / (2 * rings), sums[kept] / counts[kept])


def low_pass(pixels: Pixels, exclude: Mask = None, *, smallest_px: float) -> Pixels:
    """Remove structure smaller than a size (full period), with a Gaussian edge."""
    return _filtered(pixels, lambda down, right: _passed(down, right, smallest_px))


def high_pass(pixels: Pixels, exclude: Mask = None, *, largest_px: float) -> Pixels:
    """Remove structure larger than a size (full period), keep the mean grey level."""
    return _filtered(pixels, lambda down, right: 1 - _passed(down, right, largest_px))


def band_pass(
    pixels: Pixels, exclude: Mask = None, *, smallest_px: float, largest_px: float
) -> Pixels:
    """Keep structure between two sizes (full periods), and the mean grey level."""
    if smallest_px >= largest_px:
        raise UserError(
            f"The smallest size ({smallest_px:g} px) must be below the largest one "
            f"({largest_px:g} px). Move them apart."
        )
    return _filtered(
        pixels,
        lambda down, right: (
            _passed(down, right, smallest_px) * (1 - _passed(down, right, largest_px))
        ),
    )


def notch(pixels: Pixels, exclude: Mask = None, *, spots: Spots, radius_per_px: float) -> Pixels:
    """Take spots out of the spectrum, each with its opposite: periodic patterns go."""
    if not spots:
        return pixels.copy()

    def gain(down: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
        kept = np.ones((down.size, right.size), np.float32)
        for row, col in spots:
            for sign in (1, -1):
                away = np.square(_wrapped(down - sign * row)) + np.square(
                    _wrapped(right - sign * col)
                )
                kept *= 1 - np.exp(-away / (2 * radius_per_px**2))
        return kept

    return _filtered(pixels, gain)


def _wrapped(frequency: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a difference of frequencies on the circle: 0.5 and -0.5 are one."""
    return np.asarray((frequency + 0.5) % 1 - 0.5, np.float32)


def _passed(
    down: NDArray[np.float32], right: NDArray[np.float32], period_px: float
) -> NDArray[np.float32]:
    """Return a Gaussian that halves the amplitude at a period."""
    squares = (np.square(down) + np.square(right)) * np.float32(period_px) ** 2
    return np.exp2(-squares)


def _filtered(pixels: Pixels, gain: Gain) -> Pixels:
    """Multiply the spectrum of the mirrored image by a gain; the mean stays."""
    mean = np.float64(np.mean(pixels, dtype=np.float64))
    padded, corner = _mirror_edges((pixels - mean).astype(np.float32))
    down = scipy.fft.fftfreq(padded.shape[0]).astype(np.float32)[:, None]
    right = scipy.fft.rfftfreq(padded.shape[1]).astype(np.float32)[None, :]
    half = scipy.fft.rfft2(padded, overwrite_x=True)
    size = padded.shape
    del padded
    for band in row_bands(half.shape):
        half[band] *= gain(down[band], right)
    back = scipy.fft.irfft2(half, size, overwrite_x=True)
    del half
    (top, left), width = corner, pixels.shape[1]

    def lifted(band: Pixels, place: slice) -> Pixels:
        inner = back[top + place.start : top + place.stop, left : left + width]
        return to_depth_of(band, inner + mean)

    return by_rows(pixels, lifted)


def _mirror_edges(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Enlarge by mirrored edges to a size that transforms fast; return where the image starts."""
    more = []
    for side in grey.shape:
        wanted = side + 2 * min(_MOST_PADDING_PX, max(1, side // 4))
        extra = scipy.fft.next_fast_len(wanted, real=True) - side
        more.append((extra // 2, extra - extra // 2))
    (top, bottom), (left, right) = more
    padded = cv2.copyMakeBorder(grey, top, bottom, left, right, cv2.BORDER_REFLECT)
    return np.asarray(padded), (top, left)


def nearest_peak(
    pixels: Pixels, exclude: Mask, spot: tuple[float, float], reach_per_px: float = 0.008
) -> tuple[float, float]:
    """Return the strongest frequency near a spot, which a click hits only roughly.

    Resolved between the bins of the spectrum, to a hundredth of a bin.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        Finite.
    exclude : ndarray of shape (H, W), bool, or None
    spot : tuple of float
        (down, right) in cycles per px, -0.5 to 0.5.
    reach_per_px : float
        How far to look, in both directions.
    """
    power = spectrum(pixels, exclude)
    places = []
    for side, frequency in zip(power.shape, spot, strict=True):
        middle, half = side // 2 + round(frequency * side), max(1, round(reach_per_px * side))
        places.append((max(0, middle - half), min(side, middle + half + 1)))
    (top, bottom), (left, right) = places
    part = power[top:bottom, left:right]
    if part.size == 0:
        return spot
    row, col = np.unravel_index(int(np.argmax(part)), part.shape)
    return _between_bins(_for_peaks(pixels, exclude), (top + int(row), left + int(col)))


def strongest_peaks(pixels: Pixels, exclude: Mask = None, *, count: int = 5) -> Spots:
    """Return the strongest frequencies, strongest first, one of each pair of opposites.

    A peak is the highest bin within three bins; the lowest two frequencies are background.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        Finite.
    exclude : ndarray of shape (H, W), bool, or None
    count : int
        At most so many.

    Returns
    -------
    tuple of (down, right)
        In cycles per px, resolved between bins as in `nearest_peak`.
    """
    power = spectrum(pixels, exclude)
    middle = [side // 2 for side in power.shape]
    highest = (cv2.dilate(power, np.ones((7, 7), np.uint8)) == power) & (power > 0)
    rows, cols = np.nonzero(highest)
    down, right = rows - middle[0], cols - middle[1]
    half = (down > 0) | ((down == 0) & (right > 0))
    half &= np.hypot(down, right) > 2
    order = np.argsort(-power[rows[half], cols[half]], kind="stable")[:count]
    grey = _for_peaks(pixels, exclude)
    places = zip(rows[half][order].tolist(), cols[half][order].tolist(), strict=True)
    return tuple(_between_bins(grey, place) for place in places)


def spacing_of(spot: tuple[float, float]) -> tuple[float, float]:
    """Return the spacing in px, and the direction of the planes' normal in degrees, of a frequency.

    0° points right, 90° up; from 0 to below 180°. The spacing of frequency 0 is infinite.
    """
    length = float(np.hypot(*spot))
    angle = float(np.degrees(np.arctan2(-spot[0], spot[1]))) % 180.0
    return (1 / length if length else float("inf")), angle


def _for_peaks(pixels: Pixels, exclude: Mask) -> Floats:
    """Return the image without its mean, faded out at its edges."""
    grey = pixels - np.mean(counted(pixels, exclude), dtype=np.float64)
    if exclude is not None:
        grey[exclude] = 0
    return np.asarray(grey * np.outer(*(_hann(side) for side in grey.shape)), np.float64)


def _between_bins(grey: Floats, place: tuple[int, int]) -> tuple[float, float]:
    """Return the frequency of the highest power near a bin, from a Fourier transform zoomed in.

    Twice a matrix of 21 × 21 frequencies around the last best one: to a hundredth of a bin (Guizar-
    Sicairos, Thurman, Fienup 2008, Optics Letters 33, 156-158, doi:10.1364/OL.33.000156).
    """
    sides = grey.shape
    at = [(bin_ - side // 2) / side for bin_, side in zip(place, sides, strict=True)]
    if min(sides) < _LEAST_FOR_PEAKS_PX or not grey.any():
        return at[0], at[1]
    for step in (0.1, 0.01):
        grids = [f + np.arange(-10, 11) * step / side for f, side in zip(at, sides, strict=True)]
        left = np.exp(-2j * np.pi * np.outer(grids[0], np.arange(sides[0])))
        right = np.exp(-2j * np.pi * np.outer(np.arange(sides[1]), grids[1]))
        power = np.abs(left @ grey @ right)
        row, col = np.unravel_index(int(np.argmax(power)), power.shape)
        at = [float(grids[0][row]), float(grids[1][col])]
    return at[0], at[1]
