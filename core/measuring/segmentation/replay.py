"""Edits made again on a label image, one after the other; those that do not fit are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import UserError
from core.measuring.exchange import fill_rings
from core.measuring.regions import filter_regions, label_regions, measure_labels
from core.measuring.segmentation.edits import KINDS, Edit, Point
from core.measuring.segmentation.growing import grow
from core.measuring.segmentation.result import OBJECTS, Labels, Mask, Segmentation

_OTHER = 1.6  # times larger or smaller: the object at that place is another one
_LEAST_PX = 3  # of a piece that a hand makes; less is a slip
_NONE_THERE = "no object lies there now"
_MOST_PASSES = 2_000  # over the frame, that all edits together may cost: minutes
_WHOLE = 20  # passes of an edit that looks at every object
Box = tuple[slice, slice]


class _DoesNotFit(Exception):
    """Why an edit cannot be made on these labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """Labels after some edits, from which further edits can go on.

    Attributes
    ----------
    labels : ndarray of shape (H, W), int32
        Numbers stay with their objects: they may have gaps, new objects get new ones.
    touched : frozenset of int
        Numbers of objects that a hand made or changed and that are still there.
    removed : int
        Objects that a hand took away.
    not_applied : tuple of (int, str)
        Which edit, counted from 0, did not fit, and why.
    edits : int
        How many were looked at.
    most : int
        The highest number that was ever given: it is not given again.
    """

    labels: Labels
    touched: frozenset[int] = frozenset()
    removed: int = 0
    not_applied: tuple[tuple[int, str], ...] = ()
    edits: int = 0
    most: int = 0

    def onto(self, found: Segmentation, edits: Sequence[Edit]) -> Segmentation:
        """Return the segmentation that the edits make of the one that was found."""
        numbers = np.unique(self.labels)
        numbers = numbers[numbers > 0]
        closed = np.zeros(int(self.labels.max(initial=0)) + 1, np.int32)
        closed[numbers] = np.arange(1, len(numbers) + 1)
        left_out = {place for place, _ in self.not_applied}
        return replace(
            found,
            labels=closed[self.labels],
            edits=tuple(e for place, e in enumerate(edits) if place not in left_out),
            not_applied=tuple(
                f"Edit {place + 1} ({KINDS[edits[place].kind].verb}) was left out: {why}."
                for place, why in self.not_applied
            ),
            changed=len(self.touched),
            removed=self.removed,
        )


def replay(
    found: Segmentation,
    edits: Sequence[Edit],
    pixels: NDArray[Any] | None = None,
    *,
    before: Replayed | None = None,
) -> Replayed:
    """Make edits on the objects that were found.

    The same edits on the same labels give the same labels, whether they are made at once or
    after others (`before`).

    Parameters
    ----------
    found : Segmentation
        Of objects.
    edits : sequence of Edit
        All of them; those that `before` has seen are not made again.
    pixels : ndarray of shape (H, W), optional
        Of the micrograph; "grow" needs them.
    before : Replayed, optional
        What the first edits made of the same labels.

    Raises
    ------
    ValueError
        If `found` is of phases.
    UserError
        If the edits together would take minutes: a file of a stranger's may hold thousands that
        each change the whole frame.
    """
    if found.kind != OBJECTS:
        raise ValueError("edits by hand are made on objects, not on phases")
    start = before or Replayed(found.labels, most=found.count)
    hand = _Hand(start, found.included, pixels)
    problems = list(start.not_applied)
    for place in range(start.edits, len(edits)):
        try:
            hand.make(edits[place])
        except _DoesNotFit as why:
            problems.append((place, str(why)))
    numbers = set(np.unique(hand.labels).tolist())
    touched = frozenset(hand.touched & numbers)
    return Replayed(hand.labels, touched, hand.removed, tuple(problems), len(edits), hand.most)


def deepest(labels: Labels, number: int) -> tuple[Point, float]:
    """Return the place deepest inside an object, and its area: what an edit calls it by.

    Raises
    ------
    ValueError
        If there is no such object.
    """
    inside = labels == number
    if not inside.any():
        raise ValueError(f"there is no object {number}")
    rows, cols = np.nonzero(inside.any(axis=1))[0], np.nonzero(inside.any(axis=0))[0]
    top, left = int(rows[0]), int(cols[0])
    part = inside[top : rows[-1] + 1, left : cols[-1] + 1]
    depth = cv2.distanceTransform(np.pad(part, 1).astype(np.uint8), cv2.DIST_L2, 3)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return (float(top + row - 1), float(left + column - 1)), float(np.count_nonzero(part))


class _Hand:
    """Labels under change. Each kind of edit has a method of its name."""

    def __init__(self, start: Replayed, included: Mask, pixels: NDArray[Any] | None) -> None:
        self.labels, self.included, self.pixels = start.labels.copy(), included, pixels
        self.touched, self.removed, self.most = set(start.touched), start.removed, start.most
        self.boxes = _boxes(self.labels)
        self.work_px = 0

    def make(self, edit: Edit) -> None:
        """Make one edit, or raise `_DoesNotFit` and leave the labels as they are."""
        by_kind: dict[str, Callable[[Edit], None]] = {
            "delete": self._delete,
            "merge": self._merge,
            "cut": self._cut,
            "redraw": self._redraw,
            "add": self._add,
            "grow": self._grow,
            "fill": self._fill,
            "smooth": self._smooth,
            "drop_border": self._drop_border,
            "keep": self._keep,
        }
        if KINDS[edit.kind].places[0] == 0 and not edit.places and not edit.corners:
            self._count_work(_WHOLE * self.labels.size)
        by_kind[edit.kind](edit)

    def _count_work(self, px: int) -> None:
        self.work_px += px
        if self.work_px > _MOST_PASSES * self.labels.size:
            raise UserError(
                "The edits by hand change so large a part of the micrograph so often that they "
                "cannot be made again in minutes. Undo those that concern all objects."
            )

    def _box(self, number: int) -> Box:
        box = self.boxes[number]
        self._count_work(_area(box))
        return box

    def _at(self, edit: Edit) -> list[int]:
        """Return the objects at the places of an edit, which are those that were meant."""
        areas = edit.area_px or (0.0,) * len(edit.places)
        numbers = []
        for (row, column), area in zip(edit.places, areas, strict=True):
            height, width = self.labels.shape
            place = round(row), round(column)
            if not (0 <= place[0] < height and 0 <= place[1] < width):
                raise _DoesNotFit("it lies outside of the frame")
            number = int(self.labels[place])
            if not number:
                raise _DoesNotFit(_NONE_THERE)
            now = np.count_nonzero(self.labels[self._box(number)] == number) if area else 0
            if area and not area / _OTHER <= now <= area * _OTHER:
                raise _DoesNotFit("the object there is now another one")
            numbers.append(number)
        return numbers

    def _new(self, box: Box) -> int:
        self.most += 1
        self.touched.add(self.most)
        self.boxes[self.most] = box
        return self.most

    def _take_away(self, numbers: Sequence[int]) -> None:
        for number in dict.fromkeys(numbers):
            part = self.labels[self._box(number)]
            part[part == number] = 0
            del self.boxes[number]
        self.removed += len(numbers)

    def _delete(self, edit: Edit) -> None:
        self._take_away(self._at(edit))

    def _merge(self, edit: Edit) -> None:
        numbers = list(dict.fromkeys(self._at(edit)))
        if len(numbers) < 2:
            raise _DoesNotFit("these places lie in one object")
        for number in numbers[1:]:
            part = self.labels[self._box(number)]
            part[part == number] = numbers[0]
            self.boxes[numbers[0]] = _both(self.boxes[numbers[0]], self.boxes.pop(number))
        self._close_gap(numbers[0])
        self.touched.add(numbers[0])
        self.removed += len(numbers) - 1

    def _close_gap(self, number: int) -> None:
        """Bridge a slit of up to two pixels between the parts of a merged object."""
        box, inside = self._around(number, 3)
        square = np.ones((3, 3), np.uint8)
        closed = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, square) > 0
        self._give(number, box, closed & (self.labels[box] == 0) & self.included[box])

    def _cut(self, edit: Edit) -> None:
        line = np.zeros(self.labels.shape, np.uint8)
        self._count_work(line.size)
        places = np.rint(np.array(edit.corners)[:, ::-1] * 16).astype(np.int32)
        cv2.polylines(line, [places], isClosed=False, color=1, thickness=1, shift=4)
        crossed = np.unique(self.labels[line > 0])
        parts = [self._cut_one(int(n), line > 0) for n in crossed if n]
        if not any(parts):
            raise _DoesNotFit("the line divides no object now")

    def _cut_one(self, number: int, line: Mask) -> bool:
        """Divide one object where the line goes all through it; the line's pixels go to a side."""
        box, inside = self._around(number, 1)
        pieces = label_regions(inside & ~line[box], connectivity=4)
        sizes = np.bincount(pieces.ravel())[1:]
        large = [n for n in np.argsort(-sizes, kind="stable") + 1 if sizes[n - 1] >= _LEAST_PX]
        if len(large) < 2:
            return False
        kept = np.zeros(len(sizes) + 1, np.int32)
        kept[large] = [number, *(self._new(box) for _ in large[1:])]
        marks = kept[pieces]
        self.labels[box][inside] = _spread(marks, inside)[inside]
        self.touched.add(number)
        return True

    def _redraw(self, edit: Edit) -> None:
        number = self._at(edit)[0]
        rows, cols, inside = self._within(edit.corners)
        others = self.labels[rows, cols]
        free = inside & self.included[rows, cols] & ((others == 0) | (others == number))
        if np.count_nonzero(free) < _LEAST_PX:
            raise _DoesNotFit("nothing within the new outline is free")
        part = self.labels[self._box(number)]
        part[part == number] = 0
        self._give(number, (rows, cols), free)
        self.boxes[number] = (rows, cols)

    def _add(self, edit: Edit) -> None:
        rows, cols, inside = self._within(edit.corners)
        free = inside & self.included[rows, cols] & (self.labels[rows, cols] == 0)
        if np.count_nonzero(free) < _LEAST_PX:
            raise _DoesNotFit("all of it belongs to other objects now")
        self.labels[rows, cols][free] = self._new((rows, cols))

    def _grow(self, edit: Edit) -> None:
        if self.pixels is None:
            raise _DoesNotFit("the picture is missing")
        self._count_work(int(min((2 * edit.amount + 1) ** 2, self.labels.size)))
        corners = grow(self.pixels, edit.corners[0], edit.amount)
        if not corners:
            raise _DoesNotFit("there is no edge around that place")
        self._add(Edit("add", corners=corners))

    def _within(self, corners: Sequence[Point]) -> tuple[slice, slice, Mask]:
        ring = np.array(corners)[:, ::-1] + 0.5
        width, height = np.ptp(ring, axis=0)
        self._count_work(int(min(width * height, self.labels.size)))
        return fill_rings([ring], (self.labels.shape[0], self.labels.shape[1]))

    def _fill(self, edit: Edit) -> None:
        for number in self._at(edit) or self._numbers():
            box, inside = self._around(number, 1)
            ground, pieces = cv2.connectedComponents((~inside).astype(np.uint8), connectivity=4)
            outer = np.unique(np.r_[pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
            hole = np.ones(ground, np.bool_)
            hole[outer] = hole[0] = False
            self._give(number, box, hole[pieces] & (self.labels[box] == 0) & self.included[box])

    def _smooth(self, edit: Edit) -> None:
        for number in self._at(edit) or self._numbers():
            box, inside = self._around(number, int(3 * edit.amount) + 1)
            soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), edit.amount)
            wanted = soft > 0.5
            if np.count_nonzero(wanted) < _LEAST_PX:  # too small to have an outline to smooth
                continue
            part = self.labels[box]
            new = wanted & ((part == 0) | inside) & self.included[box]
            if not np.array_equal(new, inside):
                part[inside] = 0
                self._give(number, box, new)

    def _drop_border(self, edit: Edit) -> None:
        table = self._table()
        self._take_away(table["label"][table["touches_border"]].tolist())

    def _keep(self, edit: Edit) -> None:
        table = self._table()
        kept = filter_regions(table, **{name: (low, high) for name, low, high in edit.limits})
        self._take_away(table["label"][~table["label"].isin(kept["label"])].tolist())

    def _table(self) -> pd.DataFrame:
        """Return what is measured of every object, by the numbers that they have here."""
        numbers = np.array(self._numbers(), np.int64)
        closed = np.zeros(self.most + 1, np.int32)
        closed[numbers] = np.arange(1, len(numbers) + 1)
        table = measure_labels(closed[self.labels], included=self.included)
        return table.assign(label=numbers)

    def _numbers(self) -> list[int]:
        return [int(n) for n in np.unique(self.labels) if n]

    def _give(self, number: int, box: Box, more: Mask) -> None:
        if more.any():
            self.labels[box][more] = number
            self.boxes[number] = _both(self.boxes[number], box)
            self.touched.add(number)

    def _around(self, number: int, margin: int) -> tuple[Box, Mask]:
        """Return the box of an object with a margin, and where in it the object lies."""
        rows, cols = self._box(number)
        found = self.labels[rows, cols] == number
        box = (
            _tight(found.any(axis=1), rows.start, margin),
            _tight(found.any(axis=0), cols.start, margin),
        )
        return box, self.labels[box] == number


def _tight(seen: NDArray[np.bool_], start: int, margin: int) -> slice:
    """Return from where to where, with a margin, a side of a box holds something."""
    places = np.flatnonzero(seen) + start
    return slice(max(0, int(places[0]) - margin), int(places[-1]) + 1 + margin)


def _boxes(labels: Labels) -> dict[int, Box]:
    """Return a box that holds all of each object."""
    found = ndimage.find_objects(labels)
    return {place + 1: box for place, box in enumerate(found) if box is not None}


def _both(one: Box, other: Box) -> Box:
    """Return the box that holds two boxes."""
    first, second = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return first, second


def _area(box: Box) -> int:
    rows, cols = box
    return int((rows.stop - rows.start) * (cols.stop - cols.start))


def _spread(marks: Labels, inside: Mask) -> Labels:
    """Give every pixel inside the number of the nearest mark."""
    far = (marks == 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        far, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    by_place = np.zeros(int(nearest.max()) + 1, np.int32)
    by_place[nearest[marks > 0]] = marks[marks > 0]
    return np.where(inside, by_place[nearest], 0).astype(np.int32)
