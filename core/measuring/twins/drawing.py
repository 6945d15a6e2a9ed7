"""Look-alikes of a micrograph: the same kind of objects elsewhere, with known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.overlays import find_overlays
from core.measuring.twins.look import Floats, Look, average, learn_look, seams_of
from core.measuring.twins.truth import (
    Labels,
    Mask,
    as_objects,
    number_anew,
    signed_distance,
    spread_numbers,
    suppose_objects,
)
from core.micrograph import Micrograph

Measure = Callable[[Micrograph], NDArray[Any]]
MAX_PIXELS = 20_000_000
_WARP = 0.08  # of the median diameter: outlines move by so much, and not together
_MOST_WARP_PX = 8.0
_MOST_OVERLAY = 0.02  # share left out above which a twin is not turned upside down
_TRIES = 30  # places looked at for an object that is added
_SMOOTH_PX = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """A look-alike and what is true of it.

    Attributes
    ----------
    micrograph : Micrograph
        Of the original's shape, depth and pixel size; its metadata say ``simulated``.
    labels : ndarray of shape (H, W), int32
        The objects that were drawn, from 1 without gaps; 0 is ground.
    counted : ndarray of shape (H, W), bool
        True for what counts: not where the original has an overlay, which is shown here as there.
    """

    micrograph: Micrograph
    labels: Labels
    counted: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """A measured micrograph, what is supposed to be true of it and how it looks.

    Attributes
    ----------
    micrograph : Micrograph
    objects : ndarray of shape (H, W), int32
        As measured.
    believed : ndarray of shape (H, W), int32
        Those of them that noise has not invented, numbered anew.
    truth : ndarray of shape (H, W), int32
        As supposed: outlines without noise, at the true edge.
    look : Look
    counted : ndarray of shape (H, W), bool
    """

    micrograph: Micrograph
    objects: Labels
    believed: Labels
    truth: Labels
    look: Look
    counted: Mask


def simulate_twins(
    micrograph: Micrograph,
    labels: NDArray[Any] | Measure,
    *,
    count: int = 8,
    seed: int = 0,
    exclude: NDArray[np.bool_] | None = None,
) -> list[Twin]:
    """Return look-alikes of a micrograph, each with other objects of the same kind in it.

    The objects that were measured are taken as a first guess of what is there (see
    `core.measuring.twins.truth`). Each twin shows them mirrored and bent a little, with the
    profile across their edges, tones, seams, texture, shading and noise of the original. The same
    arguments give the same bytes.

    Parameters
    ----------
    micrograph : Micrograph
        At most 20 megapixels.
    labels : ndarray of shape (H, W), bool or integers; or a function of a micrograph
        What was measured in it: 0 is ground; a mask, or numbered objects.
    count : int
        1 to 500.
    seed : int
        Non-negative.
    exclude : ndarray of shape (H, W), bool, optional
        True where the picture is not specimen; by default what `find_overlays` finds.

    Returns
    -------
    list of Twin
        `count` of them: a micrograph of the same shape and depth, and the labels that are true in
        it.

    Raises
    ------
    UserError
        If nothing was measured, or all of the picture was, or it is too large.
    ValueError
        If `count` or `seed` is out of range.
    """
    if not 1 <= count <= 500 or seed < 0:
        raise ValueError(f"count must be 1 to 500 and seed at least 0, got {count} and {seed}")
    found = labels(micrograph) if callable(labels) else labels
    original = study(micrograph, found, exclude)
    return [draw_twin(original, seed, number) for number in range(count)]


def study(
    micrograph: Micrograph, found: NDArray[Any], exclude: NDArray[np.bool_] | None = None
) -> Original:
    """Return what can be known of a micrograph from what was measured in it.

    Raises
    ------
    UserError
        See `simulate_twins`.
    """
    counted = counted_of(micrograph, exclude)
    objects = as_objects(found, counted)
    covered = np.count_nonzero(objects)
    if not covered:
        raise UserError("Nothing was measured in this picture, so there is nothing to imitate.")
    if covered >= 0.995 * np.count_nonzero(counted):
        raise UserError("All of this picture is one object; without ground there is no edge.")
    return supposed(micrograph, objects, objects, counted)


def supposed(
    micrograph: Micrograph,
    objects: Labels,
    believed: Labels,
    counted: Mask,
    *,
    are_cut: bool = False,
) -> Original:
    """Return how a picture looks and what is true of it, if the believed objects are in it.

    Parameters
    ----------
    micrograph : Micrograph
    objects, believed : ndarray of shape (H, W), int32
        As measured, and as believed; both from 1 without gaps.
    counted : ndarray of shape (H, W), bool
    are_cut : bool
        Objects that touch are believed to be as many as they are.
    """
    look = learn_look(micrograph.pixels, believed, counted)
    truth = suppose_objects(believed, look.seams_show or are_cut, look.edge_px)
    return Original(micrograph, objects, believed, truth, look, counted)


def without_invented(original: Original, times: NDArray[np.float64]) -> Original:
    """Return an original without the supposed objects that noise may have invented.

    What was taken for an object is then learned as what it is: noise of the ground.

    Parameters
    ----------
    original : Original
    times : ndarray of shape (objects of the truth + 1,), float64
        How often each must be drawn, see `times_drawn`; below a half it is not believed.
    """
    real = (times >= 0.5)[original.truth] & (original.truth > 0)
    seen = np.bincount(original.believed.ravel())
    backed = np.bincount(original.believed[real], minlength=seen.size)
    believed = backed >= 0.3 * seen
    believed[0] = False
    if believed[1:].all() or not believed.any():
        return original
    kept = number_anew(np.where(believed[original.believed], original.believed, 0))[0]
    return supposed(original.micrograph, original.objects, kept, original.counted)


def counted_of(micrograph: Micrograph, exclude: NDArray[np.bool_] | None) -> Mask:
    """Return which pixels are specimen and have a value: bool (H, W)."""
    if micrograph.pixels.size > MAX_PIXELS:
        raise UserError(
            f"Twins are drawn of pictures up to 20 megapixels; this one has "
            f"{micrograph.pixels.size / 1e6:.0f}. Measure a part of it."
        )
    exclude = find_overlays(micrograph) if exclude is None else np.asarray(exclude, np.bool_)
    if exclude.shape != micrograph.shape:
        raise ValueError(f"exclude must have shape {micrograph.shape}, got {exclude.shape}")
    counted: Mask = ~exclude & np.isfinite(micrograph.pixels)
    if np.count_nonzero(counted) < 64:
        raise UserError("Fewer than 64 pixels of this picture are specimen: too few for twins.")
    return counted


def draw_twin(
    original: Original, seed: int, number: int, keep: NDArray[np.float64] | None = None
) -> Twin:
    """Return one look-alike.

    Parameters
    ----------
    original : Original
    seed, number : int
        Choose what is random.
    keep : ndarray of shape (objects of the truth + 1,), float64, optional
        How many times each object is drawn on average; below 1 some are left out, above 1 some
        are put down on free ground as well.
    """
    rng = np.random.default_rng([seed, number])
    truth, source = original.truth, np.arange(original.truth.max() + 1)
    if keep is not None:
        truth, source = _draw_more_or_less(truth, keep, original.counted, rng)
    truth, texture, tones = _elsewhere(original, truth, source, rng)
    distance: Any = cv2.GaussianBlur(signed_distance(truth > 0), (0, 0), _SMOOTH_PX)
    truth, former = number_anew(spread_numbers(truth, distance > 0))
    tones = tones[former]
    pixels = _render(original, distance, truth, tones, texture, rng)
    name = f"twin {number + 1} of {original.micrograph.name}"
    made = original.micrograph.with_pixels(pixels, f"twin {number + 1}, seed {seed}")
    metadata = {**made.metadata, "simulated": True}
    twin = Micrograph(name, made.pixels, made.pixel_size, metadata, made.sha256)
    labels = number_anew(np.where(original.counted, truth, 0))[0]
    return Twin(twin, labels, original.counted)


def _draw_more_or_less(
    truth: Labels, keep: NDArray[np.float64], counted: Mask, rng: np.random.Generator
) -> tuple[Labels, NDArray[np.int64]]:
    """Return objects some of which were left out or drawn again, and which each one was."""
    times = np.floor(keep + rng.random(keep.size)).astype(np.int64)
    times[0] = 1
    drawn = np.where((times > 0)[truth], truth, 0).astype(np.int32)
    source = [*range(int(truth.max()) + 1)]
    free = counted & (cv2.dilate((drawn > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)
    boxes = _boxes(truth)
    for each in np.repeat(np.flatnonzero(times > 1), times[times > 1] - 1):
        if _put_down(drawn, free, truth, boxes[each], int(each), len(source), rng):
            source.append(int(each))
    return drawn, np.array(source)


def _boxes(truth: Labels) -> list[tuple[slice, slice] | None]:
    """Return the box around each object; None for the ground."""
    return [None, *scipy.ndimage.find_objects(truth)]


def _put_down(
    drawn: Labels,
    free: Mask,
    truth: Labels,
    box: tuple[slice, slice] | None,
    each: int,
    number: int,
    rng: np.random.Generator,
) -> bool:
    """Draw an object once more on free ground; whether there was room."""
    if box is None:
        return False
    shape = truth[box] == each
    if rng.random() < 0.5:
        shape = shape[::-1]
    if rng.random() < 0.5:
        shape = shape[:, ::-1]
    room = np.array(drawn.shape) - shape.shape
    for _ in range(_TRIES):
        row, col = (int(rng.integers(0, most + 1)) for most in room)
        window = (slice(row, row + shape.shape[0]), slice(col, col + shape.shape[1]))
        if free[window][shape].all():
            drawn[window][shape] = number
            free[window][shape] = False
            return True
    return False


def _elsewhere(
    original: Original, truth: Labels, source: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Labels, Floats, Floats]:
    """Return objects, texture and tones mirrored and bent a little, all in the same way."""
    left_out = 1 - np.count_nonzero(original.counted) / original.counted.size
    flips = [1] if rng.random() < 0.5 else []
    flips += [0] if rng.random() < 0.5 and left_out < _MOST_OVERLAY else []
    axes = tuple(flips)
    truth, mirrored = np.flip(truth, axes), np.flip(original.look.texture, axes)
    x, y = _bend(original, rng)
    moved = cv2.remap(
        np.ascontiguousarray(truth).astype(np.float32), x, y, cv2.INTER_NEAREST, borderMode=4
    ).astype(np.int32)
    texture = cv2.remap(np.ascontiguousarray(mirrored), x, y, cv2.INTER_LINEAR, borderMode=4)
    labels, former = number_anew(moved)
    tones = _own_tones(original)[source[former]]
    tones[0] = 0
    return labels, np.asarray(texture), tones


def _own_tones(original: Original) -> Floats:
    """Return the tone of each supposed object: of the measured one that it lies in for most."""
    truth, objects, look = original.truth, original.believed, original.look
    both = truth > 0
    values = look.tones[objects[both]]
    area = np.bincount(truth[both], minlength=int(truth.max()) + 1)
    sums = np.bincount(truth[both], weights=values, minlength=area.size)
    return np.asarray(sums / np.maximum(area, 1), np.float32)


def _bend(original: Original, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return where each pixel of a twin is taken from, in x and y: a smooth distortion."""
    areas = np.bincount(original.truth.ravel())[1:]
    diameter = float(np.sqrt(np.median(areas) * 4 / np.pi)) if areas.size else 10.0
    height, width = original.truth.shape
    amount = min(_WARP * diameter + 0.5, _MOST_WARP_PX)
    nodes = [max(3, int(edge / max(2 * diameter, 24)) + 2) for edge in (height, width)]
    x, y = (
        cv2.resize(
            (amount * rng.standard_normal(nodes)).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(2)
    )
    x = x + np.arange(width, dtype=np.float32)
    y = y + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _render(
    original: Original,
    distance: Floats,
    truth: Labels,
    tones: Floats,
    texture: Floats,
    rng: np.random.Generator,
) -> NDArray[Any]:
    """Return the picture of objects, in the original's depth, with its overlays."""
    look, pixels = original.look, original.micrograph.pixels
    grey = look.greys(distance) + texture
    everywhere = np.ones(truth.shape, np.bool_)
    grey += average(tones[truth], everywhere, 0.7)
    if look.seam:
        grey += look.seam * seams_of(truth)
    white = rng.standard_normal(truth.shape, dtype=np.float32)
    noise = cv2.filter2D(white, cv2.CV_32F, look.kernel, borderType=cv2.BORDER_REFLECT)
    grey += noise * np.interp(grey, look.levels, look.sigmas).astype(np.float32)
    grey = np.clip(grey, look.low, look.high)
    if pixels.dtype.kind == "u":
        grey = np.rint(grey)
    return np.where(original.counted, grey.astype(pixels.dtype), pixels)
