"""Regions of a mask, measured in physical units where the pixel size is known.

Connected pixels, diagonal ones included, form a region; touching ones can be split. Definitions
follow scikit-image's region properties except for the perimeter, and are worked out for all regions
together where possible: thousands take a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
import scipy
import skimage
from numpy.typing import NDArray

from core.micrograph import Micrograph, PixelSize

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Labels = NDArray[np.int32]

# Steps of an outline that one chord spans. Discs and ellipses from 15 px across come out within
# 1.3 %; longer chords cut more off corners.
_STRIDE = 3
NECK = 0.8  # width of a neck by that of the narrower part; two discs that overlap a third in
_ROUGH_PX = 1.0  # added to widths before they are compared: one pixel of roughness is no neck


def measure_regions(
    mask: NDArray[Any],
    pixel_size: PixelSize | None = None,
    intensity: Micrograph | NDArray[Any] | None = None,
    *,
    min_area_px: int = 1,
    split: bool = False,
    drop_border: bool = False,
) -> pd.DataFrame:
    """Measure every region of a mask, one row each.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool, or integers that are 0 or one other value
        True where there is something to measure. For a cluster, pass ``labels == cluster``.
    pixel_size : PixelSize, optional
        Lengths and areas are then in its `length_unit`, else in px; the column names say which.
    intensity : Micrograph or ndarray of shape (H, W), optional
        Grey levels for the column ``mean_grey``; values that are not finite do not count.
    min_area_px : int
        Smaller regions are left out.
    split : bool
        Separate touching regions at their necks, see `label_regions`.
    drop_border : bool
        Leave out regions that the frame cuts. They still count as neighbours, and labels stay
        those of `label_regions`.

    Returns
    -------
    DataFrame
        The columns of `measure_labels`.

    Raises
    ------
    ValueError
        If the mask, the intensity or the least area is not as described.
    """
    labels = label_regions(mask, min_area_px=min_area_px, split=split)
    frame = measure_labels(labels, pixel_size, intensity)
    return frame[~frame["touches_border"]].reset_index(drop=True) if drop_border else frame


def measure_labels(
    labels: NDArray[Any],
    pixel_size: PixelSize | None = None,
    intensity: Micrograph | NDArray[Any] | None = None,
) -> pd.DataFrame:
    """Measure every label of an image, one row each; labels may touch each other.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing, else the number of the region: 1 to N without gaps.
    pixel_size, intensity
        As in `measure_regions`.

    Returns
    -------
    DataFrame
        label, area_U2, equivalent_diameter_U (of a circle of that area), perimeter_U (of
        the edge and of holes, worked out from chords: within 1.3 % for discs and ellipses from
        15 px across, where scikit-image's is 5 % too long; corners of small angular shapes are cut
        by half a pixel each), circularity (4 pi area / perimeter², 1 for a circle; NaN for single
        pixels), outline_too_short (True where the pixels give so short an outline that circularity
        came out above 1 and was set to 1), feret_max_U and feret_min_U (longest and shortest
        distance across, between the middles of outer pixel edges; 0.71 px for a single pixel or a
        diagonal line), aspect_ratio (long by short axis of the ellipse with
        the same second moments; NaN where the region is a straight line), eccentricity (of that
        ellipse), solidity (area / area of the convex hull), orientation_deg (long axis against the
        horizontal, counter-clockwise as seen, -90 to 90), mean_grey, centroid_row_px,
        centroid_col_px, nearest_neighbour_U (to the closest other centroid; NaN for a single
        region), touches_border. U is "px", "nm" or "µm". Without any region the frame is empty and
        has the same columns.

    Raises
    ------
    ValueError
        If the labels or the intensity are not as described.

    References
    ----------
    Dorst, Smeulders (1987), Length estimators for digitized contours, Computer Vision, Graphics,
    and Image Processing 40:311, doi:10.1016/S0734-189X(87)80145-7. Clark, Evans (1954), Distance to
    nearest neighbor as a measure of spatial relationships, Ecology 35:445, doi:10.2307/1931034.
    """
    numbers = _as_labels(labels)
    runs = _find_runs(numbers)
    unit = "px" if pixel_size is None else pixel_size.length_unit
    edge = 1.0 if pixel_size is None else pixel_size.to(unit)
    area, perimeter = runs.area, _perimeters(numbers, runs)
    longest, shortest, hull_area = _hulls(runs)
    row, col, ellipses = _ellipses(runs)
    roundness = np.where(area > 1, 4 * np.pi * area / np.maximum(perimeter, 1) ** 2, np.nan)
    columns: dict[str, NDArray[Any]] = {
        "label": np.arange(1, runs.count + 1),
        "area_px" if pixel_size is None else f"area_{unit}2": area * edge**2,
        f"equivalent_diameter_{unit}": np.sqrt(4 * area / np.pi) * edge,
        f"perimeter_{unit}": perimeter * edge,
        "circularity": np.minimum(roundness, 1),
        "outline_too_short": roundness > 1,
        f"feret_max_{unit}": longest * edge,
        f"feret_min_{unit}": shortest * edge,
        **ellipses,
        "solidity": area / hull_area,
    }
    if intensity is not None:
        columns["mean_grey"] = _mean_grey(intensity, numbers, runs.count)
    columns["centroid_row_px"], columns["centroid_col_px"] = row, col
    columns[f"nearest_neighbour_{unit}"] = _nearest(row, col) * edge
    columns["touches_border"] = _touches_border(numbers, runs.count)
    return pd.DataFrame(columns)


def label_regions(mask: NDArray[Any], *, min_area_px: int = 1, split: bool = False) -> Labels:
    """Number the regions of a mask from 1 in reading order of their first pixel; 0 elsewhere.

    Parameters
    ----------
    mask, min_area_px
        As in `measure_regions`.
    split : bool
        Separate touching regions: a neck narrower than 0.8 of the narrower part (plus one pixel
        each, so that rough outlines stay whole) is cut along the watershed of the distance to the
        outline. No pixel is lost: the parts touch each other.

    Returns
    -------
    ndarray of shape (H, W), int32

    Raises
    ------
    ValueError, TypeError
        As in `measure_regions`.

    References
    ----------
    Beucher, Lantuejoul (1979), Use of watersheds in contour detection, International workshop on
    image processing, Rennes. Soille (2003), Morphological image analysis, chapter 6 (h-maxima).
    """
    if isinstance(min_area_px, bool) or not isinstance(min_area_px, int | np.integer):
        raise TypeError(f"min_area_px must be an integer, got {min_area_px!r}")
    if min_area_px < 1:
        raise ValueError(f"min_area_px must be at least 1, got {min_area_px}")
    inside = _as_bool(mask)
    labels = _split(inside) if split else _label(inside)
    if min_area_px == 1:
        return labels
    keep = np.bincount(labels.ravel()) >= min_area_px
    keep[0] = False
    return np.asarray(np.where(keep, np.cumsum(keep), 0).astype(np.int32)[labels])


def _split(inside: NDArray[np.bool_]) -> Labels:
    """Number the parts of a mask between its necks, in reading order.

    On a logarithmic scale "narrower than 0.8 of" is the same depth for large and small parts. What
    lies outside the frame is unknown, so that a border is no outline.
    """
    if inside.all():  # there is no outline to measure a distance from
        return np.ones(inside.shape, np.int32)
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # The last digits of a logarithm depend on where an array lies in memory, and with them the cut.
    height = np.round(np.log(distance.astype(np.float64) + _ROUGH_PX), 6).astype(np.float32)
    floor = np.where(inside, np.maximum(height + np.float32(np.log(NECK)), 0), np.float32(0))
    ski: Any = skimage  # it loads its parts when they are first used; these are untyped
    reconstruct = ski.morphology.reconstruction
    find_maxima = ski.morphology.local_maxima
    flood = ski.segmentation.watershed
    peaks = find_maxima(reconstruct(floor, height), connectivity=2) & inside
    return _in_reading_order(flood(-height, _label(peaks), connectivity=2, mask=inside))


def _in_reading_order(labels: NDArray[Any]) -> Labels:
    """Number labels from 1 by their first pixel."""
    found, first = np.unique(labels, return_index=True)
    order = np.argsort(first[found > 0])
    numbers = np.zeros(int(found.max()) + 1, np.int32)
    numbers[found[found > 0][order]] = np.arange(1, order.size + 1)
    return np.asarray(numbers[labels])


def _label(inside: NDArray[np.bool_]) -> Labels:
    """Number connected pixels, diagonal neighbours included."""
    label: Any = skimage.measure.label  # untyped
    return np.asarray(label(inside, connectivity=2), dtype=np.int32)


def _as_bool(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the mask as bool, refusing what is no mask."""
    given = np.asarray(mask)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "biu":
        raise ValueError(
            f"mask must be a non-empty (H, W) array of bool, got {given.shape} {given.dtype}"
        )
    inside: NDArray[np.bool_] = given != 0
    if given.dtype != np.bool_ and inside.any():
        values = given[inside]
        if values.min() != values.max():
            raise ValueError("mask holds several labels; pass one of them, as labels == number")
    return inside


def _as_labels(labels: NDArray[Any]) -> Labels:
    """Return a label image as int32, refusing what is none."""
    given = np.asarray(labels)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be a non-empty (H, W) array of integers, got {given.shape} {given.dtype}"
        )
    if given.min() < 0 or np.any(np.bincount(given.ravel())[1:] == 0):
        raise ValueError("labels must run from 1 to N without gaps, with 0 elsewhere")
    return given.astype(np.int32, copy=False)


def _perimeters(labels: Labels, runs: _Runs) -> Floats:
    """Return the length of the edges of each region, holes included, as if it were alone."""
    contours, owner, beyond = [], [], []
    for index, box in enumerate(runs.boxes()):
        alone = (labels[box] == index + 1).astype(np.uint8)
        traced, kinds = cv2.findContours(alone, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        contours += traced
        owner += [index] * len(traced)
        beyond += [np.pi if parent < 0 else -np.pi for _, _, _, parent in kinds[0]]
    if not contours:
        return np.zeros(runs.count)
    lengths = _lengths(contours) + np.asarray(beyond)
    return np.bincount(owner, lengths, runs.count).astype(np.float64)


def _lengths(contours: Sequence[NDArray[np.integer]]) -> Floats:
    """Return the length of each closed chain of pixel centres, (points, 1, 2).

    Chords over three steps are taken for the steps themselves, whose length in a slanting line is
    up to 8 % too long. Half a pixel further out, where the edge lies, any closed line is pi longer
    (Steiner), around a hole pi shorter.
    """
    points = np.concatenate(contours)[:, 0].astype(np.float64)
    sizes = np.array([len(contour) for contour in contours])
    strides = np.clip(sizes // 8, 1, _STRIDE)
    chain = np.repeat(np.arange(sizes.size), sizes)
    start = (np.cumsum(sizes) - sizes)[chain]
    ahead = start + (np.arange(len(points)) - start + strides[chain]) % sizes[chain]
    chords = np.hypot(*(points[ahead] - points).T)
    return np.asarray(np.bincount(chain, chords, sizes.size) / strides, np.float64)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Unbroken rows of pixels, in order of the region they belong to.

    `row`, `first` and `last` locate each run, `owner` is its region, from 0 to `count` - 1.
    """

    row: Integers
    first: Integers
    last: Integers
    owner: Integers
    count: int

    @property
    def length(self) -> Integers:
        """Pixels in each run."""
        return self.last - self.first + 1

    @property
    def area(self) -> Floats:
        """Pixels in each region."""
        return self.totals(self.length)

    def boxes(self) -> list[tuple[slice, slice]]:
        """Return the smallest box (rows, columns) around each region."""
        if not self.count:
            return []
        starts = np.searchsorted(self.owner, np.arange(self.count))
        top, left = (np.minimum.reduceat(a, starts) for a in (self.row, self.first))
        bottom, right = (np.maximum.reduceat(a, starts) + 1 for a in (self.row, self.last))
        return [
            (slice(t, b), slice(le, r))
            for t, b, le, r in zip(top, bottom, left, right, strict=True)
        ]

    def totals(self, values: NDArray[Any]) -> Floats:
        """Add one value per run up over each region."""
        return np.bincount(self.owner, weights=values, minlength=self.count).astype(np.float64)


def _find_runs(labels: Labels) -> _Runs:
    """Cut labelled regions into runs."""
    framed = np.pad(labels, ((0, 0), (1, 1)))
    middle = framed[:, 1:-1]
    row, first = np.nonzero((middle > 0) & (middle != framed[:, :-2]))
    last = np.nonzero((middle > 0) & (middle != framed[:, 2:]))[1]
    owner = labels[row, first].astype(np.int64) - 1
    order = np.argsort(owner, kind="stable")
    count = int(labels.max())
    return _Runs(row[order], first[order], last[order], owner[order], count)


def _ellipses(runs: _Runs) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Return centroids (row, col), and the shape and direction of the ellipses around them.

    The ellipses have the regions' second moments: of whole runs around the centroid, plus those
    of the pixels of a run around its own middle.
    """
    length, middle, area = runs.length, (runs.first + runs.last) / 2, runs.area
    row, col = runs.totals(length * runs.row) / area, runs.totals(length * middle) / area
    down, right = runs.row - row[runs.owner], middle - col[runs.owner]
    var_down = runs.totals(length * down**2) / area
    var_right = runs.totals(length * (right**2 + (length**2 - 1) / 12)) / area
    # Rows count downwards, angles upwards; taking from 0 avoids -0 and with it -90°.
    both = 0.0 - runs.totals(length * down * right) / area
    mean, half = (var_down + var_right) / 2, np.hypot((var_down - var_right) / 2, both)
    longest, shortest = mean + half, np.maximum(mean - half, 0)
    shortest[shortest < 1e-9 * longest] = 0  # rounding, on straight lines
    flatness = shortest / np.where(longest > 0, longest, 1)
    shapes = {
        "aspect_ratio": np.sqrt(_ratio(longest, shortest)),
        "eccentricity": np.where(longest > 0, np.sqrt(1 - flatness), 0.0),
        "orientation_deg": np.degrees(np.arctan2(2 * both, var_right - var_down)) / 2,
    }
    return row, col, shapes


def _hulls(runs: _Runs) -> tuple[Floats, Floats, Floats]:
    """Return longest and shortest distance across each region, and pixels in its convex hull.

    The middles of the outer pixel edges span the hull; runs have all that matter at their ends.
    Coordinates are doubled (x, y), so that these middles are whole.
    """
    x, y = 2 * np.stack([runs.first, runs.last]), 2 * np.stack([runs.row, runs.row])
    outwards = np.array([[-1], [1]])
    points = np.stack(
        [np.concatenate([x + outwards, x, x]), np.concatenate([y, y - 1, y + 1])], axis=-1
    ).astype(np.int32)
    bounds = np.searchsorted(runs.owner, np.arange(runs.count + 1))
    longest, shortest = np.zeros(runs.count), np.zeros(runs.count)
    hulls = []
    for index in range(runs.count):
        part = points[:, bounds[index] : bounds[index + 1]].reshape(-1, 2)
        hull = cv2.convexHull(np.ascontiguousarray(part)).reshape(-1, 2).astype(np.float64)
        longest[index], shortest[index] = _widths(hull)
        hulls.append(hull)
    return longest / 2, shortest / 2, _count_pixels(hulls)


def _widths(hull: Floats) -> tuple[float, float]:
    """Return the longest distance across a convex polygon, and the shortest.

    The shortest lies between one of its edges and the corner furthest from it.
    """
    apart = hull[:, None, :] - hull[None, :, :]
    edges = np.roll(hull, -1, axis=0) - hull
    across = apart[..., 0] * edges[None, :, 1] - apart[..., 1] * edges[None, :, 0]
    heights = np.abs(across).max(axis=0) / np.hypot(*edges.T)
    return float(np.sqrt((apart**2).sum(axis=2).max())), float(heights.min())


def _count_pixels(hulls: list[Floats]) -> Floats:
    """Count the pixel centres in or on convex polygons given in doubled (x, y) coordinates.

    Every edge is followed through the pixel rows it crosses; the outermost crossings of a row
    bound the pixels that count.
    """
    if not hulls:
        return np.zeros(0)
    owner = np.repeat(np.arange(len(hulls)), [len(hull) for hull in hulls])
    x, y = np.concatenate(hulls).T
    next_x, next_y = np.concatenate([np.roll(hull, -1, axis=0) for hull in hulls]).T
    top, bottom = np.ceil(np.minimum(y, next_y) / 2), np.floor(np.maximum(y, next_y) / 2)
    crossed = np.maximum(bottom - top + 1, 0).astype(np.int64)  # 0 for edges between two rows
    edge = np.repeat(np.arange(owner.size), crossed)
    row = top[edge] + np.arange(edge.size) - np.repeat(np.cumsum(crossed) - crossed, crossed)
    slope = (next_x - x)[edge] / (next_y - y)[edge]
    column = (x[edge] + (2 * row - y[edge]) * slope) / 2
    rows = int(row.max()) + 1
    lines, line = np.unique(owner[edge] * rows + row.astype(np.int64), return_inverse=True)
    left, right = np.full(lines.size, np.inf), np.full(lines.size, -np.inf)
    np.minimum.at(left, line, column)
    np.maximum.at(right, line, column)
    inside = np.floor(right + 1e-9) - np.ceil(left - 1e-9) + 1  # within rounding of the edge
    return np.bincount(lines // rows, weights=inside).astype(np.float64)


def _mean_grey(intensity: Micrograph | NDArray[Any], labels: Labels, count: int) -> Floats:
    """Return the mean of the finite grey levels in each region; NaN where there are none."""
    grey = intensity.pixels if isinstance(intensity, Micrograph) else np.asarray(intensity)
    if grey.shape != labels.shape or grey.dtype.kind not in "biuf":
        raise ValueError(
            f"intensity must hold numbers of shape {labels.shape}, got {grey.dtype} {grey.shape}"
        )
    counted = (labels > 0) & np.isfinite(grey)
    owner = labels[counted] - 1
    total = np.bincount(owner, weights=grey[counted].astype(np.float64), minlength=count)
    return _ratio(total, np.bincount(owner, minlength=count))


def _nearest(row: Floats, col: Floats) -> Floats:
    """Return the distance from each centroid to the closest other one; NaN where there is none."""
    if row.size < 2:
        return np.full(row.size, np.nan)
    points = np.stack([row, col], axis=1)
    return np.asarray(scipy.spatial.cKDTree(points).query(points, k=2)[0][:, 1], dtype=np.float64)


def _touches_border(labels: Labels, count: int) -> NDArray[np.bool_]:
    """Return which regions have a pixel in the outermost rows or columns."""
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.bincount(rim, minlength=count + 1)[1:] > 0


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Divide, giving NaN where the divisor is 0."""
    return np.asarray(above / np.where(below == 0, np.nan, below))
