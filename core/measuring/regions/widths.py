"""How thick fibres, walls, layers and pores are, and which way they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.imaging.distances import distance_inside
from core.measuring.regions.border import as_included
from core.measuring.statistics import both_masks
from core.micrograph import PixelSize

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Map = NDArray[np.float32]

EDGE_SIGMA_PX = 0.8  # smooths the stairs of slanted edges, leaves straight ones where they are
# Distances are taken on a grid finer by these factors, up to so many pixels of the frame.
FINE = ((1 << 19, 4), (1 << 24, 2))
STEP = 1.06  # ratio of the diameters that local thickness takes together, as their mean
NEAR_JUNCTION = 1.5  # radii around a crossing or an end that are neither of the fibres
_RIDGE = 0.3  # fine pixels that the middle of a fibre lies off the grid, both sides together
_WITHIN = 0.9  # of the way to a neighbour by which its disc must be larger to hold another
_COARSE_FROM = 12.0  # px; larger discs are laid on a coarser grid
_AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Widths:
    """Widths along the middle of what a mask shows, and its thickness everywhere.

    Attributes
    ----------
    widths : ndarray of shape (N,), float64
        At N points of the medial axis that belong to one fibre, wall or pore: not within 1.5 radii
        of a crossing or an end, nor where the frame or what does not count hides an edge.
    directions_deg : ndarray of shape (N,), float64
        Of the axis there: 0 along the rows, counter-clockwise as seen, from -90 up to 90.
    thickness : ndarray of shape (H, W), float32
        Diameter of the largest disc within the mask that holds the pixel; 0 outside, NaN where
        nothing counts.
    unit : str
        "nm", "µm" or "px".
    """

    widths: Floats
    directions_deg: Floats
    thickness: Map
    unit: str

    def __post_init__(self) -> None:
        if self.widths.shape != self.directions_deg.shape or self.widths.ndim != 1:
            raise ValueError(
                f"need one direction a width, got {self.widths.shape}, {self.directions_deg.shape}"
            )

    @property
    def order(self) -> float:
        """Order parameter in the plane: 1 where all axes are parallel, 0 for no preference."""
        return order_parameter(self.directions_deg)[0]

    @property
    def main_direction_deg(self) -> float:
        """Direction along which most of the axis lies; NaN without any."""
        return order_parameter(self.directions_deg)[1]

    def rose(self, bin_deg: int = 10) -> pd.DataFrame:
        """Return which share of the axis lies within each range of directions.

        Columns from_deg, to_deg, share_pct.
        """
        edges = np.arange(-90, 91, bin_deg)
        counts = np.histogram(self.directions_deg, edges)[0]
        shares = 100 * counts / max(1, counts.sum())
        return pd.DataFrame({"from_deg": edges[:-1], "to_deg": edges[1:], "share_pct": shares})

    def to_frame(self) -> pd.DataFrame:
        """Return one row: points, mean and quantiles of the widths, thickness by area, order."""
        inside = self.thickness[self.thickness > 0]
        parts = np.quantile(self.widths, [0.1, 0.5, 0.9]) if self.widths.size else [np.nan] * 3
        unit = self.unit
        return pd.DataFrame(
            {
                "axis_points": [self.widths.size],
                f"width_mean_{unit}": [self.widths.mean() if self.widths.size else np.nan],
                f"width_d10_{unit}": [parts[0]],
                f"width_d50_{unit}": [parts[1]],
                f"width_d90_{unit}": [parts[2]],
                f"thickness_mean_{unit}": [float(inside.mean()) if inside.size else np.nan],
                "order_parameter": [self.order],
                "main_direction_deg": [self.main_direction_deg],
            }
        )


def measure_widths(
    mask: NDArray[Any],
    pixel_size: PixelSize | None = None,
    *,
    included: NDArray[Any] | None = None,
) -> Widths:
    """Return widths and directions of fibres, walls, layers or pores.

    Edges are smoothed over less than a pixel and distances taken on a finer grid, so that drawn
    fibres from 4 px come out within 3 % at every angle. The outside of the frame and what does not
    count are neither inside nor outside.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool
        For pores, pass what is not the phase.
    pixel_size : PixelSize, optional
    included : ndarray of shape (H, W), bool, optional
        True for what counts.

    Raises
    ------
    ValueError
        If a mask is not of shape (H, W).

    References
    ----------
    Hildebrand, Rüegsegger (1997), A new method for the model-independent assessment of thickness in
    three-dimensional images, Journal of Microscopy 185:67, doi:10.1046/j.1365-2818.1997.1340694.x.
    Zhang, Suen (1984), A fast parallel algorithm for thinning digital patterns, Communications of
    the ACM 27:236, doi:10.1145/357994.358023. Bigün, Granlund (1987), Optimal orientation detection
    of linear symmetry, ICCV, 433 (directions).
    """
    inside, counts = both_masks(mask, included)
    counted = as_included(counts, inside.shape)
    smooth = _smooth(inside, counted)
    inside = smooth > 0.5
    if counted is not None:
        inside &= counted
    diameters = _diameters(smooth, inside, counted)
    axis = _fibre_axis(inside, diameters, counted)
    scale, unit = (
        (pixel_size.to(pixel_size.length_unit), pixel_size.length_unit)
        if (pixel_size)
        else (1.0, "px")
    )
    thickness = local_thickness(diameters) * np.float32(scale)
    thickness[~inside] = 0
    if counted is not None:
        thickness[~counted] = np.nan
    # The axis may run one pixel beside the ridge of the distances.
    ridge = cv2.dilate(diameters, _AROUND)
    return Widths(
        ridge[axis].astype(np.float64) * scale,
        _directions(smooth, axis, ridge[axis]),
        thickness,
        unit,
    )


def order_parameter(directions_deg: NDArray[Any]) -> tuple[float, float]:
    """Return the order, 0 to 1, of directions (N,) in a plane and the one around which they lie.

    <cos 2 (direction - main direction)>: 1 for parallel axes, 0 for none preferred.

    References
    ----------
    Frisken, Bergersen, Palffy-Muhoray (1987), Molecular Crystals and Liquid Crystals 148:45 (two
    dimensions); Mardia, Jupp (2000), Directional statistics, section 9.6 (axes).
    """
    angles = np.asarray(directions_deg, np.float64)
    if not angles.size:
        return float("nan"), float("nan")
    mean = np.exp(2j * np.deg2rad(angles)).mean()
    return float(abs(mean)), float(np.rad2deg(np.angle(mean)) / 2)


def local_thickness(diameters: Map) -> Map:
    """Return for each pixel the largest diameter of the discs that hold it.

    Parameters
    ----------
    diameters : ndarray of shape (H, W), float32
        Of the largest disc around each pixel, in px; 0 for none.
    """
    found = np.zeros_like(diameters)
    middles = _middles(diameters)
    sizes = diameters[middles]
    if not sizes.size:
        return found
    bins = np.floor(np.log(sizes) / np.log(STEP))
    for place in np.unique(bins)[::-1]:  # larger discs lie over smaller ones
        size = float(sizes[bins == place].mean())
        seeds = np.zeros(diameters.shape, np.bool_)
        seeds[middles] = bins == place
        _lay_discs(found, seeds, size)
    return found


def _middles(diameters: Map) -> Mask:
    """Return pixels whose disc is not within that of a neighbour."""
    padded = np.pad(diameters, 1)
    height, width = diameters.shape
    within = np.zeros(diameters.shape, np.bool_)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        apart = 2 * np.hypot(down, right) * _WITHIN
        for sign in (1, -1):
            row, col = 1 + sign * down, 1 + sign * right
            within |= padded[row : row + height, col : col + width] >= diameters + apart
    return (diameters > 0) & ~within


def _lay_discs(found: Map, seeds: Mask, size: float) -> None:
    """Write a size wherever a disc around a seed reaches and no larger one did."""
    coarse = 1 if size < _COARSE_FROM else 2 if size < 4 * _COARSE_FROM else 4
    height, width = seeds.shape
    small_wh = (-(-width // coarse), -(-height // coarse))
    free = (~seeds).astype(np.uint8)
    if coarse > 1:
        padded = np.pad(free, ((0, -height % coarse), (0, -width % coarse)), constant_values=1)
        free = padded.reshape(small_wh[1], coarse, small_wh[0], coarse).min(axis=(1, 3))
    away = distance_inside(free)
    near = np.repeat(np.repeat(away * coarse <= size / 2, coarse, axis=0), coarse, axis=1)
    found[near[:height, :width] & (found == 0)] = size


def _smooth(inside: Mask, counted: Mask | None) -> Map:
    """Return the mask with soft edges, 0 to 1; what does not count has no part in it."""

    def blur(values: NDArray[Any]) -> Map:
        blurred: Map = cv2.GaussianBlur(
            values.astype(np.float32), (0, 0), EDGE_SIGMA_PX, borderType=cv2.BORDER_REPLICATE
        ).astype(np.float32)
        return blurred

    if counted is None:
        return blur(inside)
    return np.asarray(blur(inside & counted) / np.maximum(blur(counted), 1e-6), np.float32)


def _diameters(smooth: Map, inside: Mask, counted: Mask | None) -> Map:
    """Return twice the distance of each pixel from the nearest edge, in px; 0 outside."""
    fine = next((factor for most, factor in FINE if smooth.size <= most), 1)
    height, width = smooth.shape
    large_wh = (width * fine, height * fine)
    outside = cv2.resize(smooth, large_wh, interpolation=cv2.INTER_LINEAR) <= 0.5
    if counted is not None:
        outside &= (
            cv2.resize(counted.astype(np.uint8), large_wh, interpolation=cv2.INTER_NEAREST) > 0
        )
    if not outside.any():
        return np.zeros_like(smooth)
    away = distance_inside(~outside)
    best = away.reshape(height, fine, width, fine).max(axis=(1, 3))
    return np.asarray(np.where(inside, np.maximum(2 * best - _RIDGE, 0) / fine, 0), np.float32)


def _fibre_axis(inside: Mask, diameters: Map, counted: Mask | None) -> Mask:
    """Return the points of the medial axis at which an edge is seen on both sides."""
    from skimage import morphology

    thin: Callable[[Mask], Mask] = morphology.skeletonize
    axis = thin(_without_spurs(thin(inside), diameters))
    neighbours = _neighbours(axis)
    near = axis & ((neighbours >= 3) | (neighbours <= 1))
    keep = axis & ~_around(near, diameters * (NEAR_JUNCTION / 2))
    hidden = np.zeros(inside.shape, np.bool_)
    hidden[[0, -1]] = hidden[:, [0, -1]] = True
    if counted is not None:
        hidden |= ~counted
    seen = distance_inside(~hidden)
    # The axis may lie a pixel off the middle: an edge must be seen beyond doubt.
    return np.asarray(keep & (seen > diameters / 2 + 1.5) & (diameters > 0))


def _neighbours(axis: Mask) -> NDArray[np.uint8]:
    """Return how many of the eight neighbours are on the axis."""
    kernel = _AROUND.copy()
    kernel[1, 1] = 0
    return np.asarray(
        cv2.filter2D(axis.astype(np.uint8), -1, kernel, borderType=cv2.BORDER_CONSTANT)
    )


def _without_spurs(axis: Mask, diameters: Map) -> Mask:
    """Return an axis without branches that end within a radius of where they begin."""
    neighbours = _neighbours(axis)
    knots = cv2.dilate((axis & (neighbours >= 3)).astype(np.uint8), _AROUND) > 0
    branches, count = scipy.ndimage.label(axis & ~knots, np.ones((3, 3)))
    if not count:
        return axis
    at = branches > 0
    number = branches[at]
    length = np.bincount(number, minlength=count + 1)
    ends, begins = np.zeros(count + 1, np.bool_), np.zeros(count + 1, np.float32)
    np.logical_or.at(ends, number, neighbours[at] <= 1)
    beside = cv2.dilate(np.where(knots & axis, diameters, 0).astype(np.float32), _AROUND)
    np.maximum.at(begins, number, beside[at])
    short = ends & (begins > 0) & (length < begins / 2 + 1)
    return np.asarray(axis & ~short[branches])


def _around(points: Mask, radii: Map) -> Mask:
    """Return what lies within its radius of any point; radii in octaves, rounded up."""
    found = np.zeros(points.shape, np.bool_)
    octaves = np.ceil(2 * np.log2(np.maximum(radii, 1))).astype(np.int64)
    for octave in np.unique(octaves[points]):
        chosen = points & (octaves == octave)
        away = distance_inside(~chosen)
        found |= away <= 2 ** (octave / 2)
    return found


def _directions(smooth: Map, axis: Mask, widths: NDArray[Any]) -> Floats:
    """Return the direction of the axis in degrees, at each of its points."""
    if not widths.size:
        return np.zeros(0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REPLICATE)
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REPLICATE)
    sigma = max(1.5, 0.6 * float(np.median(widths)))
    mixed, across, along = (
        cv2.GaussianBlur(each, (0, 0), sigma)[axis].astype(np.float64)
        for each in (down * right, right * right, down * down)
    )
    normal = 0.5 * np.arctan2(2 * mixed, across - along)
    # Rows count downwards, and an axis lies across the normal of its edges.
    turned = 90 - np.rad2deg(normal)
    return np.asarray((turned + 90) % 180 - 90)
