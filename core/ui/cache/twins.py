"""How wrong a measurement is on a micrograph, by look-alikes of which the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.imaging.filtering import Pipeline
from core.measuring.by_hand import paint
from core.measuring.clustering import GREYS, NONE, group_pixels, smooth_labels
from core.measuring.regions import filter_regions, measure_labels
from core.measuring.segmentation import (
    Segmentation,
    from_chain,
    from_clusters,
    from_objects,
    from_strokes,
    name_clusters,
    objects_of,
)
from core.measuring.strokes import learn_pixels
from core.measuring.twins import Judgement, judge, judge_settings, simulate_twins
from core.micrograph import Micrograph
from core.ui.cache.clustering import ClusterChoice, unit_of
from core.ui.cache.segmenting import CHAIN, CLUSTERS, FILE, STROKES, Given, Objects, SegmentChoice
from core.ui.cache.shared import BY_KEY, excluded

MOST_SIDE_PX = 1024  # of the part that is imitated: twins of more take minutes
Find = Callable[[Micrograph], Segmentation]
Kept = dict[str, Segmentation]  # by digest of the picture
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A judgement, the part of the micrograph that it is of, and one look-alike."""

    judgement: Judgement
    part: Micrograph
    twin: Micrograph


def can_be_judged(choice: SegmentChoice) -> bool:
    """Tell whether a way to segment can be done again on other pictures."""
    return choice.way != FILE


@st.cache_data(max_size="64MB", show_spinner=False, hash_funcs=BY_KEY)
def judged(
    micrograph: Micrograph,
    asked: Objects,
    count: int,
    _given: Given,
    _tell: Callable[[float, str], None],
) -> Judged:
    """Return how wrong the numbers are, found without what a hand changed.

    Of large micrographs the middle is imitated, unless the way needs the whole frame.

    Raises
    ------
    UserError
        If nothing was found, or the way cannot be done again.
    """
    part, exclude = _imitated(micrograph, asked.choice, _given)
    measure = _measure(micrograph, asked, _given, exclude)
    said = judge(part, measure, count=count, exclude=exclude, on_progress=_steps(_tell))
    twin = simulate_twins(part, measure, count=1, exclude=exclude)[0]
    return Judged(said, part, twin.micrograph)


@st.cache_data(max_size="16MB", show_spinner=False, hash_funcs=BY_KEY)
def judged_beside(
    micrograph: Micrograph,
    asked: Objects,
    others: tuple[tuple[str, Objects], ...],
    count: int,
    _given: Given,
    _tell: Callable[[float, str], None],
) -> dict[str, Judgement]:
    """Return how wrong the numbers are (""), and would be by other settings, on the same twins.

    Raises
    ------
    UserError
        As `judged` does.
    """
    part, exclude = _imitated(micrograph, asked.choice, _given)
    kept: Kept = {}
    measures = {
        name: _measure(
            micrograph, each, _given, exclude, kept if each.choice == asked.choice else None
        )
        for name, each in (("", asked), *others)
    }
    return judge_settings(part, measures, count=count, exclude=exclude, on_progress=_steps(_tell))


def _steps(tell: Callable[[float, str], None]) -> Callable[[int, int], None]:
    return lambda done, total: tell(done / total, f"{done} of {total}")


def _imitated(
    micrograph: Micrograph, choice: SegmentChoice, given: Given
) -> tuple[Micrograph, Mask]:
    """Return the part of a micrograph that is imitated, and where it is not specimen."""
    window = _window(micrograph, choice, given)
    part = micrograph.with_pixels(micrograph.pixels[window], f"part {window}")
    whole = excluded(micrograph, choice.exclude)
    return part, np.zeros(part.shape, np.bool_) if whole is None else whole[window]


def _window(micrograph: Micrograph, choice: SegmentChoice, given: Given) -> tuple[slice, ...]:
    """Return the rows and columns that are imitated."""
    bound = given.others or (choice.clusters is not None and choice.clusters.region is not None)
    if bound:
        return (slice(None), slice(None))
    cut = []
    for side in micrograph.shape:
        kept = min(side, MOST_SIDE_PX)
        first = (side - kept) // 2
        cut.append(slice(first, first + kept))
    return tuple(cut)


def _measure(
    micrograph: Micrograph, asked: Objects, given: Given, exclude: Mask, seen: Kept | None = None
) -> Callable[[Micrograph], NDArray[np.int32]]:
    """Return what finds the same objects in another picture of the part's shape.

    Phases that were found may be kept for measurements that differ in what an object is.
    """
    find = _finder(micrograph, asked.choice, given, exclude)
    found_by = asked.found_by

    def measure(other: Micrograph) -> NDArray[np.int32]:
        phases = None if seen is None else seen.get(other.sha256)
        if phases is None:
            phases = find(other)
        if seen is not None:
            seen[other.sha256] = phases
        found = objects_of(phases, asked.phase, **found_by.all_sizes.labelling)
        size = other.pixel_size
        table = measure_labels(found.labels, size, included=found.included)
        limits = found_by.limits.columns(unit_of(table), size.to("nm") if size else None)
        if not limits:
            return found.labels
        kept = np.zeros(len(table) + 1, np.bool_)
        kept[filter_regions(table, **limits)["label"]] = True
        return np.where(kept[found.labels], found.labels, 0)

    return measure


def _finder(micrograph: Micrograph, choice: SegmentChoice, given: Given, exclude: Mask) -> Find:
    """Return the way to segment as a function of a picture; strokes teach once."""
    if choice.way == CHAIN:
        chain = Pipeline.from_json(choice.chain)
        return lambda other: from_chain(
            other, chain, exclude=exclude, others=given.others, dark=choice.dark
        )
    if choice.way == CLUSTERS and choice.clusters is not None:
        return _by_clusters(choice.clusters, choice.names, exclude)
    if choice.way == STROKES:
        return _by_strokes(choice, given, exclude)
    from core.learning.particles import find_particles  # torch: only this way needs it

    return lambda other: from_objects(
        find_particles(other, exclude=exclude), other, exclude=exclude
    )


def _by_clusters(choice: ClusterChoice, names: tuple[str, ...], exclude: Mask) -> Find:
    greys = choice.smoothing.kind in (NONE, GREYS)

    def find(other: Micrograph) -> Segmentation:
        asked: Any = choice if greys else choice.unsmoothed
        found = group_pixels(
            other,
            choice.k,
            choice.group_by,
            exclude=exclude,
            region=choice.region,
            features=choice.features,
            seed=choice.seed,
            smoothing=asked.smoothing,
        )
        if not greys:
            found = smooth_labels(found, other.pixels, choice.smoothing)
        return from_clusters(found, name_clusters(found.k, names), other)

    return find


def _by_strokes(choice: SegmentChoice, given: Given, exclude: Mask) -> Find:
    taught = [each for each, _ in given.strokes]
    paints = [paint(shapes, each.shape) for each, shapes in given.strokes]
    masks = [excluded(each, choice.exclude) for each in taught]
    classifier = learn_pixels(
        taught, paints, seed=choice.seed, exclude=masks, preview=choice.preview
    )
    return lambda other: from_strokes(classifier, other, choice.names, exclude=exclude)[0]
