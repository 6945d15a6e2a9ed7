"""Regions of a mask, measured in physical units where the pixel size is known.

Definitions follow scikit-image's region properties except for the perimeter, and are worked out for
all regions together: hundred thousands take seconds. A region that the frame's edge, an info bar,
lettering or a region of interest cuts is a border region.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.defaults import NECK_DEPTH_PX
from core.measuring.regions.border import as_included, border_weights, touches_border
from core.measuring.regions.labels import label_regions
from core.measuring.regions.runs import Floats, Labels, Runs, find_runs
from core.measuring.regions.shapes.circles import inscribed_diameters
from core.measuring.regions.shapes.hulls import measure_hulls
from core.measuring.regions.shapes.outlines import measure_outlines
from core.micrograph import Micrograph, PixelSize


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
    neck_depth_px: float = NECK_DEPTH_PX,
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
    connectivity : int
        8: pixels that meet at a corner belong to one region; 4: those that share an edge.
    fill_holes : bool
        Holes become part of the regions around them.
    neck_depth_px : float
        How deep a neck is at which `split` cuts, see `label_regions`.

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
        neck_depth_px=neck_depth_px,
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
    pixel_size : PixelSize, optional
        Lengths and areas are then in its `length_unit`, else in px; the column names say which.
    intensity : Micrograph or ndarray of shape (H, W), optional
        Grey levels for the column ``mean_grey``; values that are not finite do not count.
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
        inscribed_diameter_U (of the largest circle within it and no hole; up to 1.5 px short),
        circumscribed_diameter_U (of the smallest circle around the middles of outer pixel edges),
        aspect_ratio (long by short axis of the ellipse with the same second moments; NaN where the
        region is a straight line), eccentricity (of that ellipse), solidity (area / area of the
        convex hull), convexity (length of the convex hull / perimeter, at most 1; NaN for single
        pixels), holes (their number), hole_area_U2, orientation_deg (long axis against the
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
    ISO 9276-6:2008, Descriptive and quantitative representation of particle shape. Dorst, Smeulders
    (1987), Length estimators for digitized contours, Computer Vision, Graphics, and Image
    Processing 40:311, doi:10.1016/S0734-189X(87)80145-7. Clark, Evans (1954), Distance to nearest
    neighbor as a measure of spatial relationships, Ecology 35:445, doi:10.2307/1931034.
    """
    numbers = _as_labels(labels)
    runs = find_runs(numbers)
    unit = "px" if pixel_size is None else pixel_size.length_unit
    square = "px" if pixel_size is None else f"{unit}2"
    edge = 1.0 if pixel_size is None else pixel_size.to(unit)
    counted = as_included(included, numbers.shape)
    area = runs.area
    perimeter, holes, hole_area = measure_outlines(numbers, runs.count)
    hulls = measure_hulls(runs)
    row, col, ellipses = _ellipses(runs)
    roundness = _roundness(area + hole_area, perimeter, area)
    columns: dict[str, NDArray[Any]] = {
        "label": np.arange(1, runs.count + 1),
        f"area_{square}": area * edge**2,
        f"equivalent_diameter_{unit}": np.sqrt(4 * area / np.pi) * edge,
        f"perimeter_{unit}": perimeter * edge,
        "circularity": np.minimum(roundness, 1),
        "outline_too_short": roundness > 1,
        f"feret_max_{unit}": hulls.longest * edge,
        f"feret_min_{unit}": hulls.shortest * edge,
        f"inscribed_diameter_{unit}": inscribed_diameters(numbers, runs) * edge,
        f"circumscribed_diameter_{unit}": hulls.circle * edge,
        **ellipses,
        "solidity": area / hulls.pixels,
        "convexity": np.where(area > 1, np.minimum(hulls.around / perimeter, 1), np.nan),
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


def measure_sizes(
    labels: NDArray[Any], included: NDArray[Any] | None = None
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Measure of each region what takes little time, as `measure_labels` does.

    Parameters
    ----------
    labels, included
        As there.

    Returns
    -------
    tuple of ndarray of shape (regions,)
        Equivalent diameter in px, circularity (NaN for one pixel), and whether a border cuts it.
    """
    numbers = _as_labels(labels)
    count = int(numbers.max())
    area = np.bincount(numbers.ravel(), minlength=count + 1)[1:].astype(np.float64)
    perimeter, _, hole_area = measure_outlines(numbers, count)
    circularity = np.minimum(_roundness(area + hole_area, perimeter, area), 1)
    cut = touches_border(numbers, count, as_included(included, numbers.shape))
    return np.sqrt(4 * area / np.pi), circularity, cut


def _roundness(filled: Floats, perimeter: Floats, area: Floats) -> Floats:
    return np.where(area > 1, 4 * np.pi * filled / np.maximum(perimeter, 1) ** 2, np.nan)


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


def _ellipses(runs: Runs) -> tuple[Floats, Floats, dict[str, Floats]]:
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
