"""How wrong a measurement is on a micrograph, by look-alikes of which the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.imaging.filtering import Pipeline
from core.measuring.regions import measure_labels
from core.measuring.segmentation import Segmentation, objects_of
from core.measuring.twins import MOST_SIDE_PX, Imitation, Judgement, imitate, judge_settings, middle
from core.micrograph import Micrograph
from core.ui.cache.segmenting import Objects, objects
from core.ui.cache.shared import BY_KEY, excluded
from core.ui.cache.ways import (
    FILE,
    PARTICLES,
    PROMPTED,
    Given,
    SegmentChoice,
    finder,
    within_limits,
)

LEAST_SIDE_PX = 512  # of the part that is imitated: an answer takes some seconds
_MOST_SIDE_PX = min(800, MOST_SIDE_PX)  # with few large objects: a megapixel took 12 CPU seconds
_LEARNED_SIDE_PX = 640  # where a network measures each of them
_WANTED = 80  # objects in it, up to the largest part that is imitated
Kept = dict[str, Segmentation]  # by digest of the picture
Mask = NDArray[np.bool_]
Tell = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A judgement, the part of the micrograph that it is of, and one look-alike."""

    judgement: Judgement
    part: Micrograph
    twin: Micrograph


def can_be_judged(choice: SegmentChoice) -> bool:
    """Tell whether a way to segment can be done again on other pictures."""
    return choice.way not in (FILE, PROMPTED)


@st.cache_data(max_size="64MB", show_spinner=False, hash_funcs=BY_KEY)
def judged(
    micrograph: Micrograph, asked: Objects, count: int, _given: Given, _tell: Tell
) -> Judged:
    """Return how wrong the numbers are, found without what a hand changed.

    Of large micrographs the middle is imitated, unless the way needs the whole frame.

    Raises
    ------
    UserError
        If nothing was found, or the way cannot be done again.
    """
    known = _imitation(micrograph, asked, count, _given, _tell)
    part = known.original.micrograph
    said = judge_settings(part, {"": _nothing}, known=known)[""]
    return Judged(said, part, known.best.micrograph)


@st.cache_data(max_size="16MB", show_spinner=False, hash_funcs=BY_KEY)
def judged_beside(
    micrograph: Micrograph,
    asked: Objects,
    others: tuple[tuple[str, Objects], ...],
    count: int,
    _given: Given,
    _tell: Tell,
) -> dict[str, Judgement]:
    """Return how wrong the numbers are (""), and would be by other settings, on the same twins.

    Raises
    ------
    UserError
        As `judged` does.
    """
    known = _imitation(micrograph, asked, count, _given, _tell)
    exclude = _imitated(micrograph, asked, _given)[1]
    kept: Kept = {}
    measures = {
        name: _measure(each, _given, exclude, kept if each.choice == asked.choice else None)
        for name, each in others
    }
    part = known.original.micrograph
    asked_first = {"": _nothing, **measures}
    return judge_settings(part, asked_first, known=known, on_progress=_steps(_tell))


def _nothing(micrograph: Micrograph) -> NDArray[np.int32]:
    """Stand for a measurement that has been made."""
    raise AssertionError(micrograph.name)


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=BY_KEY)
def _imitation(
    micrograph: Micrograph, asked: Objects, count: int, _given: Given, _tell: Tell
) -> Imitation:
    """Return look-alikes and what is measured in them; a trial and its comparison share them."""
    part, exclude = _imitated(micrograph, asked, _given)
    measure = _measure(asked, _given, exclude)
    return imitate(
        part,
        measure,
        count=count,
        exclude=exclude,
        on_progress=_steps(_tell),
        whole_only=asked.found_by.whole,
    )


def _steps(tell: Tell) -> Callable[[int, int], None]:
    return lambda done, total: tell(done / total, f"{done} of {total}")


def _imitated(micrograph: Micrograph, asked: Objects, given: Given) -> tuple[Micrograph, Mask]:
    """Return the part of a micrograph that is imitated, and where it is not specimen.

    As small as holds enough objects, for the answer is waited for.
    """
    choice = asked.choice
    chain = Pipeline.from_json(choice.chain).steps if choice.chain else ()
    by_region = choice.clusters is not None and choice.clusters.region is not None
    bound = by_region or any(step.others for step in chain)
    count = int(objects(micrograph, asked, given).labels.max())
    side = int(np.sqrt(_WANTED * micrograph.pixels.size / max(count, 1)))
    most = _LEARNED_SIDE_PX if choice.way == PARTICLES else _MOST_SIDE_PX
    side = int(np.clip(side, LEAST_SIDE_PX, most))
    window = (slice(None), slice(None)) if bound else middle(micrograph.shape, side)
    part = micrograph.with_pixels(micrograph.pixels[window], f"part {window}")
    whole = excluded(micrograph, choice.exclude)
    return part, np.zeros(part.shape, np.bool_) if whole is None else whole[window]


def _measure(
    asked: Objects, given: Given, exclude: Mask, seen: Kept | None = None
) -> Callable[[Micrograph], NDArray[np.int32]]:
    """Return what finds the same objects in another picture of the part's shape.

    Phases that were found may be kept for measurements that differ in what an object is.
    """
    masks = [excluded(each, asked.choice.exclude) for each, _ in given.strokes]
    find, found_by = finder(asked.choice, given, exclude, masks), asked.found_by

    def measure(other: Micrograph) -> NDArray[np.int32]:
        phases = None if seen is None else seen.get(other.sha256)
        if phases is None:
            phases = find(other)
        if seen is not None:
            seen[other.sha256] = phases
        found = objects_of(phases, asked.phase, **found_by.all_sizes.labelling)
        if found_by.with_cut_ones == found_by.all_sizes:
            return found.labels  # without limits no table is needed
        table = measure_labels(found.labels, other.pixel_size, included=found.included)
        left = within_limits(table, found_by, other.pixel_size)
        if len(left) == len(table):
            return found.labels
        kept = np.zeros(int(found.labels.max()) + 1, np.bool_)
        kept[left["label"]] = True
        return np.where(kept[found.labels], found.labels, 0)

    return measure
