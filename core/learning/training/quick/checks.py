"""What labelled pictures can and cannot teach, in words, before anything is learnt."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.learning.classifying import write_length
from core.learning.training.pictures import LabelledPicture
from core.learning.training.quick.features import Look
from core.learning.training.quick.likeness import join_groups, same_field

FEW = 5  # originals of a class from which on a score means something
_BAR = 0.01  # of a frame: an info bar or letters
_MOST_NAMED = 4
_NUMBERS = re.compile(r"[\W_]*\d+[a-z]?$", re.IGNORECASE)
By = Mapping[str, list[LabelledPicture]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before learning; `grave` where the score or the model cannot be honest."""

    text: str
    grave: bool = False


def group_by_name(name: str) -> str:
    """Return a file's name without its folder, ending and number: "a/steel_003.tif" is "steel"."""
    stem = name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name
    return _NUMBERS.sub("", stem) or stem


def check_pictures(pictures: Sequence[LabelledPicture], looks: Sequence[Look]) -> list[Finding]:
    """Return what speaks for or against learning from these pictures, the gravest first.

    Parameters
    ----------
    pictures : sequence of N LabelledPicture
    looks : sequence of N Look
        What `look` returns for their micrographs.
    """
    by: dict[str, list[LabelledPicture]] = {}
    for picture in pictures:
        by.setdefault(picture.label, []).append(picture)
    pairs = same_field(np.stack([each.print for each in looks])) if looks else []
    found = [*_counts(pictures, by, pairs), *_copies(pictures, pairs)]
    if len(by) > 1:
        found += [*_scales(by), *_sizes(by), *_overlays(pictures, looks), *_sources(by)]
    return sorted(found, key=lambda finding: not finding.grave)


def _counts(
    pictures: Sequence[LabelledPicture], by: By, pairs: Sequence[tuple[int, int]]
) -> list[Finding]:
    found = []
    if len(by) < 2:
        found.append(Finding("At least two classes with pictures are needed.", grave=True))
    groups = join_groups([picture.group for picture in pictures], pairs) if pictures else []
    for label in by:
        own = {int(g) for g, p in zip(groups, pictures, strict=True) if p.label == label}
        if len(own) == 1:
            found.append(
                Finding(
                    f"All “{label}” frames come from one series or original: the score cannot be "
                    "honest. Add pictures of another specimen.",
                    grave=True,
                )
            )
        elif len(own) < FEW:
            found.append(
                Finding(
                    f"“{label}” has {len(own)} originals; from {FEW} on a score begins to mean "
                    "something."
                )
            )
    sizes = {label: len(own) for label, own in by.items()}
    if len(sizes) > 1 and max(sizes.values()) > 4 * min(sizes.values()):
        most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
        found.append(
            Finding(
                f"“{most}” has {sizes[most]} pictures and “{least}” {sizes[least]}. Classes are "
                "weighed equally, but the small one is known badly."
            )
        )
    return found


def _copies(pictures: Sequence[LabelledPicture], pairs: Sequence[tuple[int, int]]) -> list[Finding]:
    across = [(i, j) for i, j in pairs if pictures[i].label != pictures[j].label]
    inside = [(i, j) for i, j in pairs if pictures[i].label == pictures[j].label]
    found = []
    if across:
        named = _name_pairs(pictures, across, with_class=True)
        found.append(
            Finding(
                f"The same field stands in two classes: {named}. One label of each pair is wrong.",
                grave=True,
            )
        )
    if inside:
        found.append(
            Finding(
                f"These show the same field and count as one original: "
                f"{_name_pairs(pictures, inside)}."
            )
        )
    return found


def _name_pairs(
    pictures: Sequence[LabelledPicture],
    pairs: Sequence[tuple[int, int]],
    with_class: bool = False,
) -> str:
    def name(place: int) -> str:
        picture = pictures[place]
        own = picture.micrograph.name
        return f"{own} ({picture.label})" if with_class else own

    named = [f"{name(i)} and {name(j)}" for i, j in pairs[:_MOST_NAMED]]
    more = len(pairs) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def _scales(by: By) -> list[Finding]:
    """Classes at scales that do not overlap are told apart by magnification alone."""
    ranges: dict[str, tuple[float, float]] = {}
    silent = []
    for label, own in by.items():
        known = [size for size in map(_pixel_size_nm, own) if size]
        if known:
            ranges[label] = min(known), max(known)
        if len(known) < len(own):
            silent.append(label)
    if not ranges:
        return [
            Finding(
                "No picture states its scale: whether the classes are recorded at one "
                "magnification cannot be checked."
            )
        ]
    found = [_say_scale(label, *pair) for label, pair in ranges.items() if pair[1] > 4 * pair[0]]
    ordered = sorted(ranges, key=lambda label: ranges[label])
    if not silent and len(ordered) == len(by):
        parted = [
            (fine, coarse)
            for fine, coarse in itertools.pairwise(ordered)
            if ranges[fine][1] < 0.8 * ranges[coarse][0]
        ]
        if parted:
            fine, coarse = parted[0]
            found.append(
                Finding(
                    f"“{fine}” frames have pixels up to {write_length(ranges[fine][1])} and "
                    f"“{coarse}” frames from {write_length(ranges[coarse][0])} on: magnification "
                    "alone may tell them apart. Add pictures of both at one magnification.",
                    grave=True,
                )
            )
    elif silent and len(silent) < len(by) and not any(s in ranges for s in silent):
        found.append(
            Finding(
                f"Only {_list(ranges)} frames state a scale, {_list(silent)} ones do not: they "
                "seem to come from other instruments or programs."
            )
        )
    return found


def _pixel_size_nm(picture: LabelledPicture) -> float | None:
    size = picture.micrograph.pixel_size
    return size.to("nm") if size else picture.pixel_size_nm


def _say_scale(label: str, low: float, high: float) -> Finding:
    return Finding(
        f"“{label}” is recorded at pixels of {write_length(low)} to {write_length(high)}: forms "
        "of one kind then differ in size."
    )


def _sizes(by: By) -> list[Finding]:
    """A frame size or depth that belongs to one class alone is a trace of its instrument."""
    found = []
    for what, read in _TRACES.items():
        values = {label: {read(picture) for picture in own} for label, own in by.items()}
        several = {label: own for label, own in by.items() if len(own) > 1}
        alone = [
            label
            for label in several
            if len(values[label]) == 1
            and not any(values[label] & other for name, other in values.items() if name != label)
        ]
        if alone and len(several) == len(by):
            label = alone[0]
            found.append(
                Finding(
                    f"All “{label}” frames have one {what} ({next(iter(values[label]))}) that no "
                    "other class has: it may be the instrument that is learnt, and not the form."
                )
            )
    return found


_TRACES: Mapping[str, Callable[[LabelledPicture], str]] = {
    "frame size": lambda p: f"{p.micrograph.shape[1]} × {p.micrograph.shape[0]} px",
    "bit depth": lambda p: p.micrograph.depth,
}


def _overlays(pictures: Sequence[LabelledPicture], looks: Sequence[Look]) -> list[Finding]:
    having: dict[str, list[bool]] = {}
    for picture, each in zip(pictures, looks, strict=True):
        having.setdefault(picture.label, []).append(each.overlay_share > _BAR)
    always = [label for label, own in having.items() if len(own) > 1 and all(own)]
    never = [label for label, own in having.items() if len(own) > 1 and not any(own)]
    if always and never and len(always) + len(never) == len(having):
        return [
            Finding(
                f"Only {_list(always)} frames carry an info bar or letters. They are hidden from "
                "the network, but they say that the classes come from different sources."
            )
        ]
    return []


def _sources(by: By) -> list[Finding]:
    """Names that begin alike within a class, and otherwise in every class, tell of a series."""
    found = []
    stated = {label: {p.source for p in own} for label, own in by.items()}
    if all(len(sources) == 1 for sources in stated.values()):
        together = {next(iter(sources)) for sources in stated.values()}
        if len(together) == len(by):
            found.append(
                Finding(
                    "Each class comes from a source of its own: it may be the source that is "
                    "learnt. Add pictures of all classes from one source.",
                    grave=True,
                )
            )
    stems = {label: {group_by_name(p.micrograph.name) for p in own} for label, own in by.items()}
    for label, own in by.items():
        stem = next(iter(stems[label]))
        others = set().union(*(s for name, s in stems.items() if name != label))
        if len(own) > 2 and len(stems[label]) == 1 and stem not in others:
            groups = {picture.group for picture in own}
            if len(groups) > 1:
                found.append(
                    Finding(
                        f"All “{label}” files are called “{stem} …”: if they are one specimen or "
                        "series, count them as one original, or the score is too good."
                    )
                )
    return found


def _list(labels: Sequence[str] | Mapping[str, object]) -> str:
    named = [f"“{label}”" for label in labels]
    return ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1]
