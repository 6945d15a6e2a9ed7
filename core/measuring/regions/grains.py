"""Grains: boundaries between them, intercepts along lines and circles, the grain size number G."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.regions.border import as_included
from core.measuring.statistics import (
    Interval,
    draw_again,
    limits,
    mean_interval,
    tile_sums,
)
from core.micrograph import PixelSize

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]

# Steps to the next pixel of a line, by its angle counter-clockwise as seen.
DIRECTIONS = {0: (0, 1), 45: (-1, 1), 90: (1, 0), 135: (1, 1)}
CIRCLES = (1.0, 2 / 3, 1 / 3)  # diameters of Abrams' three circles, by the largest
INTERSECTIONS = 70  # that the circles of one place should meet; E112 asks for 40 to 100
FLICKER_PX = 2.5  # shorter runs of a label along a circle, between two of one label, are no grain
FEWEST_INTERCEPTS = 20  # below, tiles tell nothing of the spread


@dataclass(frozen=True, slots=True)
class Intercepts:
    """Grain size from what lines or circles cut off.

    Attributes
    ----------
    mean : Interval
        Mean lineal intercept: length of the lines within grains by the number of grains they cut;
        n is that number.
    free_path : Interval
        Mean free path between grains: length outside by the same number; 0 for grains that fill
        the field.
    by_direction : dict of int to float
        Mean intercept along lines at 0, 45, 90 and 135 degrees; empty for circles.
    unit : str
        "nm", "µm" or "px".
    unit_mm : float
        The unit in mm; NaN when the scale is unknown.
    """

    mean: Interval
    free_path: Interval
    by_direction: dict[int, float]
    unit: str
    unit_mm: float

    @property
    def g_number(self) -> Interval:
        """Return ASTM's grain size number G with its limits; NaN when the scale is unknown."""
        mean = self.mean
        size, low, high = (
            g_number(length * self.unit_mm) for length in (mean.estimate, mean.high, mean.low)
        )
        return Interval(size, low, high, mean.n)

    @property
    def anisotropy(self) -> float:
        """Return the mean intercept along the rows by that down the columns."""
        return self.by_direction.get(0, np.nan) / self.by_direction.get(90, np.nan)

    def to_frame(self) -> pd.DataFrame:
        """Return one row: intercepts, their mean, free path and G with limits, anisotropy."""
        unit, size = self.unit, self.g_number
        return pd.DataFrame(
            {
                "intercepts": [self.mean.n],
                f"mean_intercept_{unit}": [self.mean.estimate],
                f"mean_intercept_low_{unit}": [self.mean.low],
                f"mean_intercept_high_{unit}": [self.mean.high],
                f"mean_free_path_{unit}": [self.free_path.estimate],
                "grain_size_number_g": [size.estimate],
                "g_low": [size.low],
                "g_high": [size.high],
                "anisotropy": [self.anisotropy],
            }
        )


def g_number(intercept_mm: float) -> float:
    """Return ASTM's grain size number of a mean lineal intercept in mm; NaN without one.

    References
    ----------
    ASTM E112-13, table 6: G = -6.643856 log10(intercept in mm) - 3.288.
    """
    return float(-6.643856 * np.log10(intercept_mm) - 3.288) if intercept_mm > 0 else float("nan")


def grains_between(boundaries: NDArray[Any], *, included: NDArray[Any] | None = None) -> Labels:
    """Return numbered grains between boundaries that may be one pixel wide.

    Boundaries are given to the nearest grain, so that the grains touch. A boundary whose pixels
    only meet at corners still parts two grains.

    Parameters
    ----------
    boundaries : ndarray of shape (H, W), bool
        True on boundaries.
    included : ndarray of shape (H, W), bool, optional
        True for what counts; 0 elsewhere.

    Returns
    -------
    ndarray of shape (H, W), int32
        1 to N; 0 where nothing counts, or everywhere if all is boundary.
    """
    edges = np.asarray(boundaries, np.bool_)
    counted = as_included(included, edges.shape)
    free = ~edges if counted is None else ~edges & counted
    labels, count = scipy.ndimage.label(free)
    if not count:
        return np.zeros(edges.shape, np.int32)
    nearest = scipy.ndimage.distance_transform_edt(
        labels == 0, return_distances=False, return_indices=True
    )
    grown = labels[nearest[0], nearest[1]].astype(np.int32)
    return grown if counted is None else np.where(counted, grown, 0).astype(np.int32)


def heyn_intercepts(
    labels: NDArray[Any],
    pixel_size: PixelSize | None = None,
    *,
    included: NDArray[Any] | None = None,
    confidence: float = 0.95,
) -> Intercepts:
    """Return the mean lineal intercept of grains along straight lines in four directions.

    Lines run through every pixel, along the rows, down the columns and both diagonals; a grain that
    the end of a line cuts counts half. Limits come from drawing the tiles of the field again: lines
    over the same grains are no independent ones.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        Grains from 1; 0 for what lies between them. Of grains between drawn boundaries, those of
        `grains_between`.
    pixel_size : PixelSize, optional
    included : ndarray of shape (H, W), bool, optional
        True for what counts.
    confidence : float
        Between 0 and 1.

    References
    ----------
    ASTM E112-13, sections 12-13 (Heyn), and E1382-97, section 11 (by image analysis); Underwood
    (1970), Quantitative stereology, chapter 4 (mean free path).
    """
    numbers = np.asarray(labels)
    counted = as_included(included, numbers.shape)
    inside = np.ones(numbers.shape, np.bool_) if counted is None else counted
    sums = {angle: _along(numbers, inside, step) for angle, step in DIRECTIONS.items()}
    total = np.sum(list(sums.values()), axis=0)
    scale, unit, unit_mm = _scale(pixel_size)
    by_direction = {
        angle: float(_ratio(each[0].sum(), each[2].sum()) * scale) for angle, each in sums.items()
    }
    mean, free = (
        _scaled(_ratio_limits(part, total[2], confidence), scale) for part in (total[0], total[1])
    )
    return Intercepts(mean, free, by_direction, unit, unit_mm)


def abrams_intercepts(
    labels: NDArray[Any],
    pixel_size: PixelSize | None = None,
    *,
    included: NDArray[Any] | None = None,
    confidence: float = 0.95,
) -> Intercepts:
    """Return the mean lineal intercept of grains along Abrams' three concentric circles.

    The circles are as large as about 70 intersections need, or as the frame allows, and are laid
    side by side over the frame; places that reach over what does not count are left out. Places are
    the units of the limits: NaN with fewer than two.

    Parameters
    ----------
    labels, pixel_size, included, confidence
        As in `heyn_intercepts`.

    References
    ----------
    Abrams (1971), Grain size measurement by the intercept method, Metallography 4:59,
    doi:10.1016/0026-0800(71)90005-2. ASTM E112-13, section 14.
    """
    numbers = np.asarray(labels)
    counted = as_included(included, numbers.shape)
    inside = np.ones(numbers.shape, np.bool_) if counted is None else counted
    scale, unit, unit_mm = _scale(pixel_size)
    rough = heyn_intercepts(numbers, included=counted).mean.estimate
    side = min(numbers.shape)
    wanted = INTERSECTIONS * rough / (np.pi * sum(CIRCLES)) if rough > 0 else side
    across = max(8.0, min(wanted, side - 2.0))
    found = [
        _on_circles(numbers, row, col, across)
        for row, col in _places(numbers.shape, across)
        if _counts(inside, row, col, across)
    ]
    table = np.asarray(found, np.float64).reshape(-1, 3)
    within, outside, cut = table.sum(axis=0)
    per_length = mean_interval(table[:, 2] / np.maximum(table[:, 0], 1e-9), confidence)
    low, high = (float(1 / max(end, 1e-9)) for end in (per_length.high, per_length.low))
    mean = Interval(_ratio(within, cut), low, high, round(cut))
    free = Interval(_ratio(outside, cut), np.nan, np.nan, round(cut))
    return Intercepts(_scaled(mean, scale), _scaled(free, scale), {}, unit, unit_mm)


def _along(numbers: NDArray[Any], inside: Mask, step: tuple[int, int]) -> Floats:
    """Return per tile the lengths within and outside grains in px, and the grains cut.

    Shape (3, rows, columns).
    """
    down, right = step
    height, width = numbers.shape
    rows = (slice(0, height - abs(down)), slice(abs(down), height))
    rows = rows[::-1] if down < 0 else rows
    a = numbers[rows[0], : width - right]
    b = numbers[rows[1], right:]
    both = inside[rows[0], : width - right] & inside[rows[1], right:]
    grains = ((a > 0).astype(np.float32) + (b > 0)) * both
    ends = np.where((a != b) & both, grains, 0)
    full = np.zeros((3, height, width), np.float32)
    at = np.s_[:, rows[0], : width - right]
    length = float(np.hypot(down, right))
    full[at] = np.stack([grains / 2 * length, (both - grains / 2) * length, ends / 2])
    return tile_sums(full, included=inside)


def _ratio_limits(lengths: Floats, cut: Floats, confidence: float) -> Interval:
    """Return lengths by the grains cut, with limits from tiles."""
    total, n = float(lengths.sum()), float(cut.sum())
    nothing = float("nan")
    if n == 0:
        return Interval(nothing, nothing, nothing, 0)
    mean = total / n
    used = (lengths > 0) | (cut > 0)
    if n < FEWEST_INTERCEPTS or total == 0:
        end = 0.0 if total == 0 else nothing
        return Interval(mean, end, end, round(n))
    drawn = draw_again(np.stack([lengths, cut]), used=used)
    known = drawn[:, (drawn > 0).all(axis=0)]
    pull = lengths - mean * cut
    low, high = limits(np.log(mean), np.log(known[0] / known[1]), pull, confidence, used=used)
    return Interval(mean, float(np.exp(low)), float(np.exp(high)), round(n))


def _places(shape: tuple[int, ...], across: float) -> list[tuple[float, float]]:
    """Return centres of circles laid side by side over a frame."""
    counts = [max(1, int(side // across)) for side in shape]
    rows, cols = (
        (np.arange(count) + 0.5) * side / count - 0.5
        for count, side in zip(counts, shape, strict=True)
    )
    return [(float(row), float(col)) for row in rows for col in cols]


def _circle(row: float, col: float, diameter: float) -> tuple[Any, Any, float]:
    """Return pixels along a circle and the length between them."""
    points = max(16, int(np.ceil(4 * np.pi * diameter)))
    angle = 2 * np.pi * np.arange(points) / points
    rows = np.rint(row + diameter / 2 * np.sin(angle)).astype(np.int64)
    cols = np.rint(col + diameter / 2 * np.cos(angle)).astype(np.int64)
    return rows, cols, np.pi * diameter / points


def _counts(inside: Mask, row: float, col: float, across: float) -> bool:
    """Return whether all of the circles at a place lie on what counts."""
    circles = [_circle(row, col, across * part)[:2] for part in CIRCLES]
    return all(bool(inside[rows, cols].all()) for rows, cols in circles)


def _on_circles(
    numbers: NDArray[Any], row: float, col: float, across: float
) -> tuple[float, float, float]:
    """Return lengths within and outside grains, and the grains that the circles cut."""
    within = outside = cut = 0.0
    for part in CIRCLES:
        rows, cols, step = _circle(row, col, across * part)
        met = numbers[rows, cols]
        now = _without_flicker(met, int(FLICKER_PX / step))
        before = np.roll(now, 1)
        changed = now != before
        cut += 0.5 * float(((now > 0) & changed).sum() + ((before > 0) & changed).sum())
        within += step * float(np.count_nonzero(met))
        outside += step * float(np.count_nonzero(met == 0))
    return within, outside, cut


def _without_flicker(met: NDArray[Any], shortest: int) -> NDArray[Any]:
    """Return the labels along a circle as runs, without short ones between two of one label.

    A slanted boundary is a staircase of pixels, which a curve may cross three times for once.
    """
    starts = np.flatnonzero(met != np.roll(met, 1))
    runs = list(met[starts])
    lengths = list(np.diff(np.append(starts, starts[:1] + met.size)))
    place = 0
    while len(runs) > 2 and place < len(runs):
        after = (place + 1) % len(runs)
        if lengths[place] < shortest and runs[place - 1] == runs[after]:
            lengths[place - 1] += lengths[place] + lengths[after]
            for gone in sorted({place, after}, reverse=True):
                del runs[gone], lengths[gone]
            place = max(0, place - 2)
        else:
            place += 1
    return np.asarray(runs)


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")


def _scaled(value: Interval, scale: float) -> Interval:
    return Interval(value.estimate * scale, value.low * scale, value.high * scale, value.n)


def _scale(pixel_size: PixelSize | None) -> tuple[float, str, float]:
    """Return how long a pixel is, in which unit, and that unit in mm."""
    if pixel_size is None:
        return 1.0, "px", float("nan")
    unit = pixel_size.length_unit
    return pixel_size.to(unit), unit, PixelSize(1.0, unit).to("nm") / 1e6
