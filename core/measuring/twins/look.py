"""How a micrograph looks: greys by distance to an edge, tones, seams, texture and noise.

Learned from the micrograph and the objects in it, so that other objects can be drawn as this
instrument would have shown them. The profile across the edge holds contrast, blur, edge brightening
and halo in one curve; texture is what the picture has beyond that, kept in place; noise is drawn
anew, as large as at this grey and as alike in neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.measuring.twins.truth import Labels, Mask, signed_distance

Floats = NDArray[np.float32]
_REACH_PX = 12.0  # as far into the ground as an edge is followed
_NEAR_PX = 4.0  # edges are followed in steps of half a pixel up to here
DEEP_PX = 2.5  # from the edge: greys there are those of objects, and of the ground
_BESIDE_PX, _WIDTHS_PX = 6.0, (1.5, 12.0)  # where an edge's width is looked for, and what it may be
_TEXTURE_PX = 5.0  # coarser than that is texture and kept, finer is noise and drawn anew
_LAG_PX = 9  # noise is alike at most so far
_TONE_FROM_PX = 30  # smaller objects have no tone of their own
_LEVELS = 12
_FEWEST = 50
_TO_SIGMA = 1.4826  # median of absolute values -> standard deviation of a normal distribution
_BINNED_PX2 = 0.3  # variance that steps of half a pixel and their smoothing add to an edge
_SEAM_PX = 1.2
_SPECK_PX = 2.0  # farther from a larger object than its frayed outline
_LARGE_SHARE = 0.1  # of the area lies in objects smaller than those that edges are learned from


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is needed to draw objects as a micrograph shows them; greys as in its pixels.

    Attributes
    ----------
    steps, profile : ndarray of shape (S,), float64
        Distances to the edge in px, positive inside, and the mean grey there.
    edge_px : float
        Where the profile is steepest: how far outside the measured outline the true edge lies.
    tones : ndarray of shape (N + 1,), float32
        By how much each object is brighter than the profile; 0 for the ground.
    seam : float
        By how much the border between touching objects is brighter.
    seams_show : bool
        Whether that is more than chance and texture make.
    texture : ndarray of shape (H, W), float32
        What remains, averaged over 5 px.
    levels, sigmas : ndarray of shape (L,), float64
        Grey, and the standard deviation of the noise there.
    kernel : ndarray of shape (2 R + 1, 2 R + 1), float32
        Makes white noise as alike in neighbours, of unit variance.
    low, high : float
        The darkest and the brightest grey of the picture.
    """

    steps: NDArray[np.float64]
    profile: NDArray[np.float64]
    edge_px: float
    tones: Floats
    seam: float
    seams_show: bool
    texture: Floats
    levels: NDArray[np.float64]
    sigmas: NDArray[np.float64]
    kernel: Floats
    low: float
    high: float

    @property
    def contrast(self) -> float:
        """By how much objects are brighter than the ground, deep in each; 0 without ground."""
        deep, ground = self.steps > DEEP_PX, self.steps < -DEEP_PX
        if not ground.any():
            return 0.0
        inside = self.profile[deep] if deep.any() else self.profile[-1:]
        return float(np.median(inside) - np.median(self.profile[ground]))

    @property
    def edge_width_px(self) -> float:
        """Over how many px greys rise from 15 to 85 % of the contrast, 1.5 to 12."""
        contrast, near = self.contrast, np.abs(self.steps) <= _BESIDE_PX
        if not contrast or not near.any():
            return _WIDTHS_PX[0]
        ground = float(np.median(self.profile[self.steps < -DEEP_PX]))
        risen, steps = (self.profile[near] - ground) / contrast, self.steps[near]
        low, high = (float(steps[np.argmax(risen >= share)]) for share in (0.15, 0.85))
        return float(np.clip(high - low, *_WIDTHS_PX))

    def greys(self, distance: Floats) -> Floats:
        """Return the mean grey at a signed distance to the true edge in px, (H, W) float32."""
        return np.interp(distance, self.steps + self.edge_px, self.profile).astype(np.float32)


def learn_look(pixels: NDArray[Any], objects: Labels, counted: Mask) -> Look:
    """Return how a picture shows its objects.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        Native greys.
    objects : ndarray of shape (H, W), int32
        As measured, from 1 without gaps.
    counted : ndarray of shape (H, W), bool
        True for what is specimen and finite; nothing is learned elsewhere.
    """
    grey = np.where(counted, pixels, 0).astype(np.float32)
    clear, distance = _clear_objects(objects)
    steps, profile = _profile(grey, distance, counted & ~_beside(objects, clear))
    edge_px = _true_edge(steps, profile, _curvature(clear))
    toned = (np.bincount(objects.ravel()) >= _TONE_FROM_PX)[objects] & (objects > 0)
    distance = signed_distance(clear | toned)
    rest = grey - np.interp(distance, steps, profile).astype(np.float32)
    tones = _tones(rest, objects, counted)
    rest -= tones[objects]
    seam, seams_show = _seam(rest, objects, counted, float(np.ptp(profile)))
    level = counted & ~_beside(objects, clear | toned)  # specks are no texture
    texture = average(rest, level, _TEXTURE_PX)
    noise = rest - texture
    quiet = counted & (np.abs(distance) > 3)
    quiet = quiet if np.count_nonzero(quiet) > 0.02 * quiet.size else counted
    levels, sigmas = _noise_by_grey(grey - noise, noise, quiet)
    kernel = _noise_kernel(noise / _at(levels, sigmas, grey - noise), quiet)
    low, high = (float(edge(pixels[counted])) for edge in (np.min, np.max))
    return Look(
        steps, profile, edge_px, tones, seam, seams_show, texture, levels, sigmas, kernel, low, high
    )


def _clear_objects(objects: Labels) -> tuple[Mask, Floats]:
    """Return the larger objects with outlines that noise does not fray, and distances to them.

    Outlines that follow single pixels of noise would show an edge that is sharp by selection.
    """
    area = np.bincount(objects.ravel())
    area[0] = 0
    order = np.sort(area[1:])
    total = np.cumsum(order)
    smallest = order[np.searchsorted(total, _LARGE_SHARE * total[-1])] if order.size else 1
    clear = (area >= smallest)[objects] & (objects > 0)
    soft = cv2.GaussianBlur(clear.astype(np.float32), (0, 0), 1.5)
    smooth = soft > 0.5
    if smooth.any():
        clear = smooth
    return clear, signed_distance(clear)


def _beside(objects: Labels, clear: Mask) -> Mask:
    """Return where smaller objects lie than those that edges are learned from, and their edges."""
    small = ((objects > 0) & ~clear).astype(np.uint8)
    lone: Mask = (cv2.dilate(small, np.ones((5, 5), np.uint8)) > 0) & ~clear
    return lone & (signed_distance(clear) < -_SPECK_PX)


def _profile(
    grey: Floats, distance: Floats, counted: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return distances and the mean grey there, in steps that widen away from the edge."""
    deepest = float(distance[counted].max())
    near = np.arange(-_NEAR_PX, _NEAR_PX + 0.1, 0.5)
    far = np.geomspace(_NEAR_PX + 1, max(deepest, _NEAR_PX + 2), 12)
    edges = np.r_[-np.inf, -_REACH_PX, -9, -7, -5.5, near, far[:-1], np.inf]
    place = np.digitize(distance[counted], edges) - 1
    many = np.bincount(place, minlength=edges.size - 1)
    with np.errstate(invalid="ignore"):
        means, steps = (
            np.bincount(place, weights=values[counted], minlength=many.size) / many
            for values in (grey, distance)
        )
    known = many >= min(_FEWEST, max(1, many.max() // 20))
    return steps[known], means[known]


def _curvature(mask: Mask) -> float:
    """Return the mean curvature of outlines in 1/px, weighted by length: 1/R for equal discs."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(each, True) for each in outlines)
    return 2 * np.pi * len(outlines) / length if length else 0.0


def _true_edge(steps: NDArray[np.float64], profile: NDArray[np.float64], curvature: float) -> float:
    """Return how far outside the outline the true edge lies, in px; at most 3.

    The grey changes fastest at the edge, but where that curves: blurred over sigma, a disc of
    radius R looks steepest about sigma² / 2 R within.
    """
    if steps.size < 4:
        return 0.0
    fine = np.arange(-3.0, 3.01, 0.1)
    curve = scipy.ndimage.gaussian_filter1d(np.interp(fine, steps, profile), 5)
    slope = np.abs(np.gradient(curve))
    if not slope.any():  # no edge shows
        return 0.0
    peak = slope >= 0.7 * slope.max()
    steepest = float(np.average(fine[peak], weights=slope[peak]))
    wide = slope >= 0.1 * slope.max()
    variance = float(np.average((fine[wide] - steepest) ** 2, weights=slope[wide]))
    blurred = max(variance - _BINNED_PX2, 0.0)
    return float(np.clip(blurred * min(curvature, 0.5) / 2 - steepest, -3, 3))


def _tones(rest: Floats, objects: Labels, counted: Mask) -> Floats:
    """Return the mean rest of each object; 0 for the ground and small ones."""
    seen = np.where(counted, objects, 0).ravel()
    area = np.bincount(seen, minlength=int(objects.max()) + 1)
    sums = np.bincount(seen, weights=rest.ravel(), minlength=area.size)
    tones = np.where(area >= _TONE_FROM_PX, sums / np.maximum(area, 1), 0)
    tones[0] = 0
    return tones.astype(np.float32)


def seams_of(objects: Labels) -> Floats:
    """Return 1 on the border between touching objects, falling off over a pixel; (H, W) float32."""
    border = np.zeros(objects.shape, np.float32)
    for axis in (0, 1):
        one, other = (np.moveaxis(objects, axis, 0)[part] for part in (slice(1, None), slice(-1)))
        meets = (one != other) & (one > 0) & (other > 0)
        view = np.moveaxis(border, axis, 0)
        view[1:][meets] = 1
        view[:-1][meets] = 1
    if border.any():
        border = cv2.GaussianBlur(border, (0, 0), _SEAM_PX).astype(np.float32, copy=False)
    return border


def _seam(rest: Floats, objects: Labels, counted: Mask, contrast: float) -> tuple[float, bool]:
    """Return the brightness of seams above their surroundings, and whether they show."""
    seams = seams_of(objects)
    on = counted & (seams > 0.5 * seams.max()) & (seams > 0)
    if np.count_nonzero(on) < _FEWEST:
        return 0.0, False
    beside = counted & (objects > 0) & (seams < 0.1 * seams.max()) & (seams > 0.001)
    around = float(rest[beside].mean()) if beside.any() else 0.0
    height = (float(rest[on].mean()) - around) / float(seams[on].mean())
    error = float(rest[on].std()) / np.sqrt(np.count_nonzero(on) / 9)
    shows = abs(height) * float(seams.max()) > max(0.2 * contrast, 3 * error)
    return (height, True) if shows else (0.0, False)


def average(values: Floats, counted: Mask, sigma_px: float) -> Floats:
    """Return the Gaussian mean of what counts, 0 where nothing near does, (H, W) float32."""
    weight = cv2.GaussianBlur(counted.astype(np.float32), (0, 0), sigma_px)
    sums = cv2.GaussianBlur(np.where(counted, values, 0).astype(np.float32), (0, 0), sigma_px)
    return np.asarray(np.where(weight > 0.01, sums / np.maximum(weight, 0.01), 0), np.float32)


def _noise_by_grey(
    grey: Floats, noise: Floats, quiet: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return greys and the standard deviation of the noise there, by the median."""
    values, sizes = grey[quiet], np.abs(noise[quiet])
    cuts = np.unique(np.percentile(values, np.linspace(0, 100, _LEVELS + 1)))
    if cuts.size < 3:
        return np.array([float(values.mean())]), np.array([_TO_SIGMA * float(np.median(sizes))])
    place = np.clip(np.digitize(values, cuts[1:-1]), 0, cuts.size - 2)
    found = [
        (float(values[place == each].mean()), _TO_SIGMA * float(np.median(sizes[place == each])))
        for each in range(cuts.size - 1)
        if np.count_nonzero(place == each) >= _FEWEST
    ]
    if not found:
        return np.array([float(values.mean())]), np.array([_TO_SIGMA * float(np.median(sizes))])
    levels, sigmas = np.array(found).T
    return levels, sigmas


def _at(levels: NDArray[np.float64], sigmas: NDArray[np.float64], grey: Floats) -> Floats:
    return np.maximum(np.interp(grey, levels, sigmas), 1e-6).astype(np.float32)


def _noise_kernel(noise: Floats, quiet: Mask) -> Floats:
    """Return a symmetric kernel that makes white noise as alike in neighbours as this one."""
    held = np.where(quiet, np.clip(noise, -4, 4), 0)
    pairs, products = (_shifted_sums(each) for each in (quiet.astype(np.float32), held))
    enough = pairs > _FEWEST
    covariance = np.where(enough, products / np.where(enough, pairs, 1), 0)
    power = np.maximum(np.fft.fft2(np.fft.ifftshift(covariance)).real, 0)
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(power)).real)
    size, lags = float(np.sqrt((kernel**2).sum())), 2 * _LAG_PX + 1
    if size <= 0 or not np.isfinite(size):
        kernel = np.zeros((lags, lags))
        kernel[_LAG_PX, _LAG_PX] = size = 1.0
    return (kernel / size).astype(np.float32)


def _shifted_sums(values: Floats) -> NDArray[np.float64]:
    """Return sums of products of values with those up to `_LAG_PX` away, by row and column."""
    shape = [
        scipy.fft.next_fast_len(max(side, _LAG_PX + 1) + _LAG_PX, real=True)
        for side in values.shape
    ]
    power = np.abs(scipy.fft.rfft2(values, shape)) ** 2
    sums = scipy.fft.irfft2(power, shape)
    near = np.roll(sums, (_LAG_PX, _LAG_PX), (0, 1))[: 2 * _LAG_PX + 1, : 2 * _LAG_PX + 1]
    return np.asarray(near, np.float64)
