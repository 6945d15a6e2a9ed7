"""What a recipe leaves to the pictures, decided from some frames of a sample."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_high

import numpy as np
from numpy.typing import NDArray

from core.measuring.clustering import (
    AUTO,
    GREY,
    GREYS,
    K_MEANS,
    MIXTURE,
    Smoothing,
    decide_smoothing,
    group_pixels,
)
from core.measuring.defaults import diameter_of, smallest_region, suggest_target
from core.micrograph import Micrograph
from core.reporting.decisions import Decision
from core.reporting.recipe import Recipe

CLUSTERINGS: Mapping[str, str] = {GREY: GREY, "features": K_MEANS, "mixture": MIXTURE}
Mask = NDArray[np.bool_]
_MOST_ZOOM = 4  # frames whose scales differ more share no smallest length
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A micrograph after the recipe's filters, and what of it does not count."""

    micrograph: Micrograph
    exclude: NDArray[np.bool_] | None
    nm_per_px: float | None


def settled(recipe: Recipe, sample: str, filtered: Micrograph, exclude: Mask | None) -> Recipe:
    """Return the recipe with what was decided for a sample; a frame of no known one decides."""
    decided = recipe.for_sample(sample)
    if decided is not None:
        return decided
    size = filtered.pixel_size
    alone = Frame(filtered, exclude, size.to("nm") if size else None)
    found = replace(recipe, decided=(decide_sample(recipe, [alone], sample),)).for_sample(sample)
    assert found is not None
    return found


def decide_sample(recipe: Recipe, frames: Sequence[Frame], sample: str = "") -> Decision:
    """Return what holds for a sample, from some of its frames.

    The greater of two middle values of the averaging that noise asks for; the cluster that stands
    out in most frames, the brighter of two that do so equally often.
    """
    by = CLUSTERINGS[recipe.clustering]
    smoothing = recipe.smoothing
    if smoothing.kind == AUTO:
        asked = [_sigma(frame, recipe, by) for frame in frames]
        sigma_px = median_high(asked) if asked else 0.0
        smoothing = Smoothing(GREYS, sigma_px=sigma_px) if sigma_px else Smoothing()
    votes = Counter(_target(frame, recipe, smoothing, by) for frame in frames)
    votes.pop(None, None)
    target = max(votes, key=lambda number: (votes[number], number or 0)) if votes else recipe.target
    if recipe.target_cluster is not None:
        target = recipe.target
    smallest_px, smallest_nm = _smallest(recipe, smoothing, frames)
    return Decision(
        sample,
        int(target or 0),
        smoothing,
        smallest_px,
        smallest_nm,
        votes.total(),
        votes[target],
    )


def open_frame(
    micrograph: Micrograph,
    exclude: Mask | None,
    recipe: Recipe,
    others: Mapping[str, Micrograph] | None,
) -> Frame:
    """Return a micrograph as its clusters are made of it."""
    filtered = recipe.pipeline(micrograph, exclude=exclude, others=others)
    size = micrograph.pixel_size
    return Frame(filtered, uncounted(micrograph, exclude), size.to("nm") if size else None)


def _sigma(frame: Frame, recipe: Recipe, by: str) -> float:
    found = decide_smoothing(frame.micrograph, recipe.clusters, by, exclude=frame.exclude)
    return found.sigma_px if found.kind == GREYS else 0.0


def _target(frame: Frame, recipe: Recipe, smoothing: Smoothing, by: str) -> int | None:
    """Return the cluster that stands out in a frame; None where it has too few greys."""
    if recipe.target_cluster is not None:
        return recipe.target
    try:
        found = group_pixels(
            frame.micrograph,
            recipe.clusters,
            by,
            exclude=frame.exclude,
            features=recipe.features,
            seed=recipe.cluster_seed,
            smoothing=smoothing,
        )
        return suggest_target(found.labels, found.k, found.centers)
    except Exception as error:  # its row will say so
        log.info("%s: no cluster stands out: %s", frame.micrograph.name, type(error).__name__)
        return None


def _smallest(
    recipe: Recipe, smoothing: Smoothing, frames: Sequence[Frame]
) -> tuple[int, float | None]:
    """Return the smallest region in px and, where all frames have about one scale, in nm."""
    if recipe.smallest_region_by == "stated":
        return recipe.smallest_region_px, recipe.smallest_region_nm
    by_noise = smoothing.kind == GREYS and recipe.smoothing.kind == AUTO
    area_px = smallest_region(smoothing.sigma_px if by_noise else 0.0, recipe.smallest_region_px)
    scales = [frame.nm_per_px for frame in frames]
    known = [scale for scale in scales if scale is not None]
    if recipe.smallest_region_nm is not None or not known or len(known) < len(scales):
        return area_px, recipe.smallest_region_nm
    if max(known) > _MOST_ZOOM * min(known):
        return area_px, None
    return area_px, diameter_of(area_px) * max(known)


def uncounted(micrograph: Micrograph, exclude: Mask | None) -> Mask | None:
    """Return where nothing was recorded or what shows is not specimen.

    A filter that makes a mask turns pixels that are not finite into dark ones, hence from here.
    """
    if micrograph.pixels.dtype.kind != "f":
        return exclude
    hollow: Mask = ~np.isfinite(micrograph.pixels)
    return hollow if exclude is None else hollow | exclude
