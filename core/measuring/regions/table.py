"""Regions of a mask, measured in physical units where the pixel size is known.

Definitions follow scikit-image's region properties except for the perimeter, and are worked out for
all regions together: hundred thousands take seconds. A region that the frame's edge, an info bar,
lettering or a region of interest cuts is a border region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.regions.border import as_included, border_weights, touches_border
from core.measuring.regions.labels import label_regions
from core.measuring.regions.outlines import measure_outlines
from core.micrograph import Micrograph, PixelSize

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Labels = NDArray[np.int32]

_FEW_RUNS = 6  # regions of up to so many rows of pixels are looked up among those already seen


def measure_regions(
    mask: NDArray[Any],
    pixel_size: PixelSize | None = None,
    intensity: Micrograph | NDArray[Any] | None = None,
    *,
    included: NDArray[Any] | None = None,
    min_area_px: int = 1,
    split: bool = False,
    drop_border: bool = False,
    connectivity: int = 8,
    fill_holes: bool = False,
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
    included : ndarray of shape (H, W), bool, optional
        True for what counts: specimen, within the region of interest. Nothing is measured
        elsewhere, and a region beside a pixel that does not count is cut: a border region. All
        counts by default.
    min_area_px : int
        Smaller regions are left out.
    split : bool
        Separate touching regions at their necks, see `label_regions`.
    drop_border : bool
        Leave out regions that are cut. They still count as neighbours, and labels stay those of
        `label_regions`. Large regions are then missing more often than small ones; ``weight`` makes
        up for it.
    connectivity, fill_holes
        See `label_regions`.

    Returns
    -------
    DataFrame
        The columns of `measure_labels`.

    Raises
    ------
    ValueError
        If the mask, the intensity or the least area is not as described.
    """
    labels = label_regions(
        mask,
        included=included,
        min_area_px=min_area_px,
        split=split,
        connectivity=connectivity,
        fill_holes=fill_holes,
    )
    frame = measure_labels(labels, pixel_size, intensity, included=included)
    return frame[~frame["touches_border"]].reset_index(drop=True) if drop_border else frame


def measure_labels(
    labels: NDArray[Any],
    pixel_size: PixelSize | None = None,
    intensity: Micrograph | NDArray[Any] | None = None,
    *,
    included: NDArray[Any] | None = None,
) -> pd.DataFrame:
    """Measure every label of an image, one row each; labels may touch each other.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing, else the number of the region: 1 to N without gaps.
    pixel_size, intensity
        As in `measure_regions`.
    included : ndarray of shape (H, W), bool, optional
        True for what counts; labels beside other pixels are border regions.

    Returns
    -------
    DataFrame
        label, area_U2 (without holes), equivalent_diameter_U (of a circle of that area),
        perimeter_U (of the outer edge, worked out from chords: within 1.3 % for discs and ellipses
        from 15 px across, where scikit-image's is 5 % too long; corners of small angular shapes are
        cut by half a pixel each), circularity (4 pi area with holes / perimeter²: of the outline, 1
        for a circle; NaN for single pixels), outline_too_short (True where the pixels give so short
        an outline that circularity came out above 1 and was set to 1), feret_max_U and feret_min_U
        (longest and shortest distance across, between the middles of outer pixel edges; 0.71 px for
        a single pixel or a diagonal line; up to 9 % too long for discs of 2 to 5 px radius),
        aspect_ratio (long by short axis of the ellipse with the same second moments; NaN where the
        region is a straight line), eccentricity (of that ellipse), solidity (area / area of the
        convex hull), holes (their number), hole_area_U2, orientation_deg (long axis against the
        horizontal, counter-clockwise as seen, -90 to 90), mean_grey, centroid_row_px,
        centroid_col_px, nearest_neighbour_U (to the closest other centroid; NaN for a single
        region), touches_border (cut by the frame's edge or by what does not count), weight (how
        many regions a whole one stands for once cut ones are left out, see
        `core.measuring.regions.border`; NaN for cut ones). U is "px", "nm" or "µm". Without any
        region the frame is empty and has the same columns.

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
    square = "px" if pixel_size is None else f"{unit}2"
    edge = 1.0 if pixel_size is None else pixel_size.to(unit)
    counted = as_included(included, numbers.shape)
    area = runs.area
    perimeter, holes, hole_area = measure_outlines(numbers, runs.count)
    longest, shortest, hull_area = _hulls(runs)
    row, col, ellipses = _ellipses(runs)
    roundness = np.where(
        area > 1, 4 * np.pi * (area + hole_area) / np.maximum(perimeter, 1) ** 2, np.nan
    )
    columns: dict[str, NDArray[Any]] = {
        "label": np.arange(1, runs.count + 1),
        f"area_{square}": area * edge**2,
        f"equivalent_diameter_{unit}": np.sqrt(4 * area / np.pi) * edge,
        f"perimeter_{unit}": perimeter * edge,
        "circularity": np.minimum(roundness, 1),
        "outline_too_short": roundness > 1,
        f"feret_max_{unit}": longest * edge,
        f"feret_min_{unit}": shortest * edge,
        **ellipses,
        "solidity": area / hull_area,
        "holes": holes,
        f"hole_area_{square}": hole_area * edge**2,
    }
    if intensity is not None:
        columns["mean_grey"] = _mean_grey(intensity, numbers, runs.count)
    columns["centroid_row_px"], columns["centroid_col_px"] = row, col
    columns[f"nearest_neighbour_{unit}"] = _nearest(row, col) * edge
    cut = touches_border(numbers, runs.count, counted)
    columns["touches_border"] = cut
    whole = border_weights(*runs.spans(), numbers.shape, counted)
    columns["weight"] = np.where(cut, np.nan, whole)
    return pd.DataFrame(columns)


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

    def spans(self) -> tuple[Integers, Integers]:
        """Return height and width of the smallest box around each region, in px."""
        if not self.count:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        starts = np.searchsorted(self.owner, np.arange(self.count))
        top, left = (np.minimum.reduceat(a, starts) for a in (self.row, self.first))
        bottom, right = (np.maximum.reduceat(a, starts) for a in (self.row, self.last))
        return bottom - top + 1, right - left + 1

    def rows(self) -> _Runs:
        """Return one run per row of a region, from its first pixel to its last."""
        if not self.count:
            return self
        new = np.ones(self.row.size, np.bool_)
        new[1:] = (np.diff(self.owner) != 0) | (np.diff(self.row) != 0)
        starts = np.flatnonzero(new)
        last = self.last[np.append(starts[1:], self.row.size) - 1]
        return _Runs(self.row[starts], self.first[starts], last, self.owner[starts], self.count)

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

    The middles of the outer pixel edges span the hull; rows have all that matter at their ends.
    Coordinates are doubled (x, y), so that these middles are whole.
    """
    runs = runs.rows()
    x, y = 2 * np.stack([runs.first, runs.last]), 2 * np.stack([runs.row, runs.row])
    outwards = np.array([[-1], [1]])
    points = np.stack(
        [np.concatenate([x + outwards, x, x]), np.concatenate([y, y - 1, y + 1])], axis=-1
    ).astype(np.int32)
    bounds = np.searchsorted(runs.owner, np.arange(runs.count + 1))
    models, which = _shapes(runs, bounds)
    longest, shortest = np.zeros(models.size), np.zeros(models.size)
    hulls = []
    for place, index in enumerate(models):
        part = points[:, bounds[index] : bounds[index + 1]].reshape(-1, 2)
        hull = cv2.convexHull(np.ascontiguousarray(part)).reshape(-1, 2).astype(np.float64)
        longest[place], shortest[place] = _widths(hull)
        hulls.append(hull)
    return longest[which] / 2, shortest[which] / 2, _count_pixels(hulls)[which]


def _shapes(runs: _Runs, bounds: Integers) -> tuple[Integers, Integers]:
    """Return a region for each different shape, and which of these each region has.

    Specks are many and alike: only those of a few rows are compared, all others are their own.
    """
    sizes = np.diff(bounds)
    few = np.flatnonzero(sizes <= _FEW_RUNS)
    slot = np.minimum(bounds[few, None] + np.arange(_FEW_RUNS), bounds[few + 1, None] - 1)
    start = bounds[few]
    rows = runs.row[slot] - runs.row[start][:, None]
    left = runs.first[start][:, None]
    keys = np.concatenate([rows, runs.first[slot] - left, runs.last[slot] - left], axis=1)
    digest = _digest(keys)
    _, model, which_few = np.unique(digest, return_index=True, return_inverse=True)
    alone = np.flatnonzero(sizes > _FEW_RUNS)
    which = np.empty(runs.count, np.int64)
    which[few], which[alone] = which_few, model.size + np.arange(alone.size)
    return np.concatenate([few[model], alone]), which


def _digest(keys: Integers) -> NDArray[Any]:
    """Return rows of whole numbers as single values that are equal where the rows are."""
    rows = np.ascontiguousarray(keys)
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()


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


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Divide, giving NaN where the divisor is 0."""
    return np.asarray(above / np.where(below == 0, np.nan, below))
