"""Segmentations, what a hand changed in them, and what is measured of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.by_hand import paint
from core.measuring.exchange import region_files
from core.measuring.regions import measure_labels, trace_regions
from core.measuring.segmentation import (
    OBJECTS,
    Edit,
    Replayed,
    Segmentation,
    add_mask,
    from_file,
    from_objects,
    from_strokes,
    objects_of,
    replay,
)
from core.measuring.statistics import Interval
from core.measuring.strokes import (
    LeftOut,
    PixelMaps,
    describe_pixels,
    learn_familiar,
    learn_pixels,
    leave_strokes_out,
    paint_next,
    unsureness,
)
from core.micrograph import Micrograph
from core.ui.cache.clustering import RegionChoice, clusters
from core.ui.cache.shared import BY_KEY, excluded
from core.ui.cache.ways import (
    CHAIN,
    CLUSTERS,
    FILE,
    PARTICLES,
    PROMPTED,
    STROKES,
    Given,
    SegmentChoice,
    by_chain,
    by_clusters,
    by_network,
    within_limits,
)

if TYPE_CHECKING:
    from core.learning.prompting import PromptedNetwork, Seen

_FOUND_BY = {
    "network": "Found by the particle network.",
    "shape": "Found by threshold and shape: the frame is too small or too narrow for the particle "
    "network, or none is installed.",
}
_STRIDE = 8  # edits that are made again at most when one is added


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """A segmentation, sentences about it, and of strokes: doubt (255 is full), where to go on."""

    found: Segmentation
    notes: tuple[str, ...] = ()
    doubt: NDArray[np.uint8] | None = None
    next_places: tuple[tuple[int, int], ...] = ()


@st.cache_data(max_size="256MB", show_spinner=False, hash_funcs=BY_KEY)
def segmented(micrograph: Micrograph, choice: SegmentChoice, _given: Given) -> Segmented:
    """Return the phases or objects of a micrograph as they are found.

    Raises
    ------
    UserError
        If the way needs what is not there yet.
    """
    mask = excluded(micrograph, choice.exclude)
    makers: dict[str, Callable[[], Segmented]] = {
        CHAIN: lambda: Segmented(by_chain(micrograph, choice, _given, mask)),
        CLUSTERS: lambda: Segmented(
            by_clusters(micrograph, choice, lambda asked: clusters(micrograph, asked))
        ),
        STROKES: lambda: _by_strokes(micrograph, choice, _given),
        PARTICLES: lambda: _by_network(micrograph, choice),
        FILE: lambda: _by_file(micrograph, choice, _given),
        PROMPTED: lambda: _by_prompts(micrograph, choice),
    }
    return makers[choice.way]()


def _by_strokes(micrograph: Micrograph, choice: SegmentChoice, given: Given) -> Segmented:
    taught, paints, maps = _painted(micrograph, choice, given)
    masks = [excluded(each, choice.exclude) for each in taught]
    classifier = learn_pixels(
        taught, paints, seed=choice.seed, exclude=masks, preview=choice.preview, described=maps
    )
    found, probabilities = from_strokes(
        classifier,
        micrograph,
        choice.names,
        exclude=excluded(micrograph, choice.exclude),
        described=described(micrograph, choice.exclude),
        parameters={"seed": choice.seed, "strokes": choice.strokes, "preview": choice.preview},
    )
    doubt = np.rint(255 * unsureness(probabilities)).astype(np.uint8)
    return Segmented(found, (), doubt, paint_next(probabilities))


def _painted(
    micrograph: Micrograph, choice: SegmentChoice, given: Given
) -> tuple[list[Micrograph], list[NDArray[np.int32]], list[PixelMaps]]:
    """Return the micrographs with strokes, these as arrays, and what surrounds their pixels."""
    taught = [each for each, _ in given.strokes]
    paints = [paint(shapes, each.shape) for each, shapes in given.strokes]
    # What another micrograph is like is not kept: its strokes are few, its maps are large.
    maps = [
        described(each, choice.exclude)
        if each.key == micrograph.key
        else describe_pixels(each, excluded(each, choice.exclude), keep=False)
        for each in taught
    ]
    return taught, paints, maps


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=BY_KEY)
def described(micrograph: Micrograph, exclude: bool) -> PixelMaps:
    """Return what surrounds each pixel of a micrograph; nobody changes it."""
    return describe_pixels(micrograph, excluded(micrograph, exclude))


@st.cache_data(max_entries=256, show_spinner="Leaving strokes out …", hash_funcs=BY_KEY)
def strokes_left_out(micrograph: Micrograph, choice: SegmentChoice, _given: Given) -> LeftOut:
    """Return how strokes that were left out are told.

    Raises
    ------
    UserError
        If a phase has fewer than two.
    """
    taught, paints, maps = _painted(micrograph, choice, _given)
    return leave_strokes_out(taught, paints, seed=choice.seed, described=maps)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=BY_KEY)
def unlike_painted(micrograph: Micrograph, choice: SegmentChoice, _given: Given) -> float:
    """Return which share of pixels is unlike those of the painted micrographs, see `Familiar`."""
    familiar = learn_familiar(_painted(micrograph, choice, _given)[2])
    return familiar.unlike(described(micrograph, choice.exclude))


def _by_network(micrograph: Micrograph, choice: SegmentChoice) -> Segmented:
    found, way = by_network(micrograph, excluded(micrograph, choice.exclude))
    return Segmented(found, (_FOUND_BY[way],))


@st.cache_resource(max_entries=1, show_spinner="Opening the network …")
def _network(path: Path, changed_ns: int) -> PromptedNetwork:
    from core.learning.prompting import open_sam

    return open_sam(path)


@st.cache_resource(max_entries=2, show_spinner="The network looks …", hash_funcs=BY_KEY)
def _seen(micrograph: Micrograph, exclude: bool, path: Path, changed_ns: int) -> Seen:
    return _network(path, changed_ns).look(micrograph, excluded(micrograph, exclude))


def _look(micrograph: Micrograph, exclude: bool) -> Seen:
    from core.learning.prompting import find_weights, how_to_get

    path = find_weights()
    if path is None:
        raise UserError(how_to_get())
    return _seen(micrograph, exclude, path, path.stat().st_mtime_ns)


def prompted(
    micrograph: Micrograph,
    exclude: bool,
    *,
    place: tuple[float, float] | None = None,
    box: tuple[float, float, float, float] | None = None,
) -> Edit:
    """Return the edit that adds what is clicked on, (row, column), or lies in a box.

    Raises
    ------
    UserError
        If the weights cannot be used, or nothing is found there.
    """
    seen = _look(micrograph, exclude)
    return add_mask(seen.mask([place] if place else [], box=box))


def _by_prompts(micrograph: Micrograph, choice: SegmentChoice) -> Segmented:
    labels, hidden = np.zeros(micrograph.shape, np.int32), excluded(micrograph, choice.exclude)
    if choice.everything:
        from core.learning.prompting import find_everything

        labels = find_everything(_look(micrograph, choice.exclude), exclude=hidden)
    said = {"everything": choice.everything}
    found = from_objects(
        labels, micrograph, way="prompts", name="object", exclude=hidden, parameters=said
    )
    return Segmented(found)


def _by_file(micrograph: Micrograph, choice: SegmentChoice, given: Given) -> Segmented:
    name, data = given.file
    mask = excluded(micrograph, choice.exclude)
    return Segmented(*from_file(data, micrograph, name, exclude=mask))


@st.cache_data(max_size="128MB", show_spinner=False, hash_funcs=BY_KEY)
def _objects(
    micrograph: Micrograph, choice: SegmentChoice, phase: int, found_by: RegionChoice, _given: Given
) -> Segmentation:
    found = segmented(micrograph, choice, _given).found
    return objects_of(found, phase, **found_by.labelling)


@st.cache_data(max_size="128MB", show_spinner=False, hash_funcs=BY_KEY)
def _replayed(
    micrograph: Micrograph,
    choice: SegmentChoice,
    phase: int,
    found_by: RegionChoice,
    edits: tuple[Edit, ...],
    _given: Given,
) -> Replayed:
    """Return labels after edits; some earlier steps are kept, so that one more is made at once."""
    before = None
    earlier = edits[: _kept_before(len(edits))]
    if earlier:
        before = _replayed(micrograph, choice, phase, found_by, earlier, _given)
    found = _objects(micrograph, choice, phase, found_by, _given)
    return replay(found, edits, micrograph.pixels, before=before)


def _kept_before(edits: int) -> int:
    """Return after how many edits the labels are kept from which so many are made.

    The last digit, to the base of the stride, that is not 0 is taken away: most edits cost a few
    others again, and thousands are reached over a handful of kept steps, not over hundreds.
    """
    step = _STRIDE
    while edits and edits % step == 0:
        step *= _STRIDE
    return edits - edits % step


@dataclass(frozen=True, slots=True)
class Objects:
    """Which objects of which micrograph are meant, with all that a hand changed."""

    choice: SegmentChoice
    phase: int
    found_by: RegionChoice
    edits: tuple[Edit, ...] = ()


@st.cache_data(max_size="128MB", show_spinner=False, hash_funcs=BY_KEY)
def objects(micrograph: Micrograph, asked: Objects, _given: Given) -> Segmentation:
    """Return the numbered objects after all edits that still apply; limits of size included."""
    found_by = asked.found_by.all_sizes
    found = _objects(micrograph, asked.choice, asked.phase, found_by, _given)
    if asked.edits:
        made = _replayed(micrograph, asked.choice, asked.phase, found_by, asked.edits, _given)
        found = made.onto(found, asked.edits)
    return found


@st.cache_data(max_size="32MB", show_spinner="Measuring …", hash_funcs=BY_KEY)
def object_table(micrograph: Micrograph, asked: Objects, _given: Given) -> pd.DataFrame:
    """Return one row per object, within the limits of size and shape."""
    found = objects(micrograph, asked, _given)
    size = micrograph.pixel_size
    table = measure_labels(found.labels, size, micrograph, included=found.included)
    table = within_limits(table, asked.found_by, size)
    if asked.found_by.whole:
        table = table[~table["touches_border"]].reset_index(drop=True)
    return table


@st.cache_data(max_size="48MB", show_spinner=False, hash_funcs=BY_KEY)
def object_outlines(
    micrograph: Micrograph, asked: Objects, _given: Given
) -> list[tuple[int, NDArray[np.float32]]]:
    """Return the outlines of the objects that have a row."""
    found = objects(micrograph, asked, _given)
    return trace_regions(found.labels, object_table(micrograph, asked, _given)["label"])


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_KEY)
def phase_fractions(
    micrograph: Micrograph, choice: SegmentChoice, _given: Given
) -> tuple[Interval, ...]:
    """Return the share of each phase with its interval; none for objects."""
    found = segmented(micrograph, choice, _given).found
    if found.kind == OBJECTS:
        return ()
    return tuple(found.fraction(number) for number in range(1, len(found.phases) + 1))


def object_files(
    micrograph: Micrograph, asked: Objects, given: Given
) -> dict[str, Callable[[], bytes]]:
    """Return what makes the objects as files of other programs, see `region_files`."""
    found = objects(micrograph, asked, given)
    table = object_table(micrograph, asked, given)
    return region_files(micrograph, lambda: found.labels, table, found.phases[0].name)


def phase_values(found: Segmentation) -> NDArray[np.uint8]:
    """Return the number of the phase of each pixel for the viewer, 0 where nothing counts."""
    return np.where(found.included, found.labels, 0).astype(np.uint8)
