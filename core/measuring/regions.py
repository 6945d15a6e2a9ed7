"""Regions of a mask, measured in physical units where the pixel size is known.

Connected pixels, diagonal ones included, form a region. Definitions follow scikit-image's region
properties, but are worked out for all regions together where possible: thousands take a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skimage import measure

from core.micrograph import Micrograph, PixelSize

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Labels = NDArray[np.int32]

# Length of outline per outline pixel, by how it meets its neighbours on the outline: 2 for each
# that shares a side, 10 for each that shares a corner, 1 for itself (Benkrid & Crookes).
_NEIGHBOURS = np.array([[10, 2, 10], [2, 1, 2], [10, 2, 10]], np.uint8)
_STRAIGHT, _DIAGONAL, _BENT = (5, 7, 15, 17, 25, 27), (21, 33), (13, 23)


def measure_regions(
    mask: NDArray[Any],
    pixel_size: PixelSize | None = None,
    intensity: Micrograph | NDArray[Any] | None = None,
    *,
    min_area_px: int = 1,
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

    Returns
    -------
    DataFrame
        label (as in `label_regions`), area_U2, equivalent_diameter_U (of a circle of that area),
        perimeter_U, circularity (4 pi area / perimeter², 1 for a circle; digital outlines of small
        regions come out short, so that it may exceed 1; NaN for single pixels), feret_max_U
        (longest distance across, pixel edges included), aspect_ratio (long by short axis of the
        ellipse with the same second moments; NaN where the region is a straight line),
        eccentricity (of that ellipse), solidity (area / area of the convex hull), orientation_deg
        (long axis against the horizontal, counter-clockwise as seen, -90 to 90), mean_grey,
        centroid_row_px, centroid_col_px, touches_border. U is "px", "nm" or "µm". Without any
        region the frame is empty and has the same columns.

    Raises
    ------
    ValueError
        If the mask, the intensity or the least area is not as described.

    References
    ----------
    Benkrid, Crookes (2000), Design and FPGA implementation of a perimeter estimator, Irish Machine
    Vision and Image Processing Conference, 51-57.
    """
    labels = label_regions(mask, min_area_px=min_area_px)
    runs = _find_runs(labels)
    unit = "px" if pixel_size is None else pixel_size.length_unit
    edge = 1.0 if pixel_size is None else pixel_size.to(unit)
    area, perimeter = runs.area, _perimeters(labels, runs.count)
    feret, hull_area = _hulls(runs)
    row, col, ellipses = _ellipses(runs)
    columns: dict[str, NDArray[Any]] = {
        "label": np.arange(1, runs.count + 1),
        "area_px" if pixel_size is None else f"area_{unit}2": area * edge**2,
        f"equivalent_diameter_{unit}": np.sqrt(4 * area / np.pi) * edge,
        f"perimeter_{unit}": perimeter * edge,
        "circularity": _ratio(4 * np.pi * area, perimeter**2),
        f"feret_max_{unit}": feret * edge,
        **ellipses,
        "solidity": area / hull_area,
    }
    if intensity is not None:
        columns["mean_grey"] = _mean_grey(intensity, labels, runs.count)
    columns["centroid_row_px"], columns["centroid_col_px"] = row, col
    columns["touches_border"] = _touches_border(labels, runs.count)
    return pd.DataFrame(columns)


def label_regions(mask: NDArray[Any], *, min_area_px: int = 1) -> Labels:
    """Number the regions of a mask from 1 in reading order of their first pixel; 0 elsewhere.

    Parameters and errors as in `measure_regions`, whose ``label`` column refers to this image.
    """
    if isinstance(min_area_px, bool) or not isinstance(min_area_px, int | np.integer):
        raise TypeError(f"min_area_px must be an integer, got {min_area_px!r}")
    if min_area_px < 1:
        raise ValueError(f"min_area_px must be at least 1, got {min_area_px}")
    labels = _label(_as_bool(mask))
    if min_area_px == 1:
        return labels
    keep = np.bincount(labels.ravel()) >= min_area_px
    keep[0] = False
    return np.asarray(np.where(keep, np.cumsum(keep), 0).astype(np.int32)[labels])


def _label(inside: NDArray[np.bool_]) -> Labels:
    """Number connected pixels, diagonal neighbours included."""
    label: Any = measure.label  # untyped
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


def _perimeters(labels: Labels, count: int) -> Floats:
    """Return the outline length of each region.

    Regions never touch, not even at corners, so that one pass over all of them sees no neighbour
    from another region.
    """
    inside = np.pad(labels > 0, 1)
    core = inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1]
    core &= inside[1:-1, :-2] & inside[1:-1, 2:]
    outline = (inside[1:-1, 1:-1] & ~core).astype(np.uint8)
    code = cv2.filter2D(outline, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    lengths = np.zeros(256)
    lengths[list(_STRAIGHT)] = 1
    lengths[list(_DIAGONAL)] = np.sqrt(2)
    lengths[list(_BENT)] = (1 + np.sqrt(2)) / 2
    where = outline > 0
    owner = labels[where] - 1
    return np.bincount(owner, lengths[code[where]], minlength=count).astype(np.float64)


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

    def totals(self, values: NDArray[Any]) -> Floats:
        """Add one value per run up over each region."""
        return np.bincount(self.owner, weights=values, minlength=self.count).astype(np.float64)


def _find_runs(labels: Labels) -> _Runs:
    """Cut labelled regions into runs; between two runs in a row there is always a gap."""
    inside = np.pad(labels > 0, ((0, 0), (1, 1)))
    middle = inside[:, 1:-1]
    row, first = np.nonzero(middle & ~inside[:, :-2])
    last = np.nonzero(middle & ~inside[:, 2:])[1]
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


def _hulls(runs: _Runs) -> tuple[Floats, Floats]:
    """Return the longest distance across each region, and the pixels in its convex hull.

    The middles of the outer pixel edges span the hull; runs have all that matter at their ends.
    Coordinates are doubled (x, y), so that these middles are whole.
    """
    x, y = 2 * np.stack([runs.first, runs.last]), 2 * np.stack([runs.row, runs.row])
    outwards = np.array([[-1], [1]])
    points = np.stack(
        [np.concatenate([x + outwards, x, x]), np.concatenate([y, y - 1, y + 1])], axis=-1
    ).astype(np.int32)
    bounds = np.searchsorted(runs.owner, np.arange(runs.count + 1))
    feret = np.zeros(runs.count)
    hulls = []
    for index in range(runs.count):
        part = points[:, bounds[index] : bounds[index + 1]].reshape(-1, 2)
        hull = cv2.convexHull(np.ascontiguousarray(part)).reshape(-1, 2).astype(np.float64)
        apart = hull[:, None, :] - hull[None, :, :]
        feret[index] = np.sqrt((apart**2).sum(axis=2).max()) / 2
        hulls.append(hull)
    return feret, _count_pixels(hulls)


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


def _touches_border(labels: Labels, count: int) -> NDArray[np.bool_]:
    """Return which regions have a pixel in the outermost rows or columns."""
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.bincount(rim, minlength=count + 1)[1:] > 0


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Divide, giving NaN where the divisor is 0."""
    return np.asarray(above / np.where(below == 0, np.nan, below))
