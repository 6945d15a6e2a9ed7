"""What a recipe says of the way to phases, where clusters are not meant, and the phases by it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from annotated_types import Interval, Predicate
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.overlays import find_overlays
from core.measuring.by_hand import Shape, paint
from core.measuring.segmentation import (
    GROUND,
    MOST_NAME,
    OBJECTS,
    Segmentation,
    from_classes,
    from_objects,
    from_strokes,
)
from core.measuring.strokes import (
    MOST_PHASES,
    UNLIKE,
    Familiar,
    PixelClassifier,
    describe_pixels,
    learn_familiar,
    learn_pixels,
)
from core.micrograph import Micrograph
from core.reporting.mending import Edits
from core.reporting.schema import Must, checked

if TYPE_CHECKING:
    from core.reporting.recipe import Recipe

CLUSTERS: Final = "clusters"
THRESHOLD: Final = "threshold"
STROKES: Final = "strokes"
PARTICLES: Final = "particles"
MOST_STROKED = 100  # micrographs with strokes
MOST_STROKES = 2_000  # on one of them
PHASES_BY, UNLIKE_PAINTED = "phases_by", "unlike_painted_percent"  # columns of a batch
PARTICLES_BY: Final = {"network": "particle network", "shape": "particles by threshold and shape"}
_MOST_NUMBERS = 40_002
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SEEDS = (0, 2**31 - 1)

Mask = NDArray[np.bool_]
Stroke = tuple[float, ...]
Stroked = tuple[str, tuple[Stroke, ...]]


def _are_names(names: tuple[str, ...]) -> bool:
    known = len(names) <= MOST_PHASES and len(set(names)) == len(names)
    return known and all(0 < len(n) <= MOST_NAME and n.isprintable() and n.strip() for n in names)


def _are_strokes(stroked: tuple[Stroked, ...]) -> bool:
    digests = [digest for digest, _ in stroked]
    if len(digests) > MOST_STROKED or len(set(digests)) < len(digests):
        return False
    return all(
        _DIGEST.fullmatch(digest) and len(strokes) <= MOST_STROKES and all(map(_is_stroke, strokes))
        for digest, strokes in stroked
    )


def _is_stroke(stroke: Stroke) -> bool:
    """Tell whether numbers are a phase, a width, and places (row, column) in turn."""
    if not 4 <= len(stroke) <= _MOST_NUMBERS or len(stroke) % 2:
        return False
    if not all(math.isfinite(value) and abs(value) < 1e6 for value in stroke):
        return False
    return stroke[0] in range(MOST_PHASES + 1) and stroke[1] > 0


Names = Annotated[
    tuple[str, ...],
    Predicate(_are_names),
    Must(f"be at most {MOST_PHASES} different names of 1 to {MOST_NAME} characters"),
]
Strokes = Annotated[
    tuple[Stroked, ...],
    Predicate(_are_strokes),
    Must(
        "be pairs of a micrograph's digest and its strokes, each a list of phase (0 takes away), "
        "width in px, and row and column of its places"
    ),
]


@dataclass(frozen=True, slots=True)
class SegmentBy:
    """How the phases of a micrograph are found.

    Parameters
    ----------
    way : str
        "clusters": as the recipe's other fields say. "threshold": the recipe's filters end in one.
        "strokes": what was painted on some micrographs teaches. "particles": by a network, or by
        threshold and shape in frames too small or too narrow for one.
    phases : tuple of str
        Names of the phases in order; they take the places of clusters 0, 1, … in tables.
    dark : bool or None
        Of a threshold: whether the phase lies below it; None is the side that stands out.
    seed : int
        Of the trees that strokes teach.
    strokes : tuple of (str, tuple of tuple of float)
        Digest of each painted micrograph, and its strokes in order: phase (from 1; 0 takes away),
        width in px, then row and column of each place. Trees are grown from them anew.
    edits : tuple of (str, str)
        Digest of each micrograph whose objects a hand changed, and its edits as JSON.
    """

    way: Literal["clusters", "threshold", "strokes", "particles"] = CLUSTERS
    phases: Names = ()
    dark: bool | None = None
    seed: Annotated[int, Interval(ge=_SEEDS[0], le=_SEEDS[1])] = 0
    strokes: Strokes = ()
    edits: Edits = ()

    def __post_init__(self) -> None:
        checked(SegmentBy, {field.name: getattr(self, field.name) for field in fields(self)})
        if (self.way == STROKES) != bool(self.strokes):
            raise ValueError("strokes belong to the way strokes, which needs some")

    @property
    def count(self) -> int:
        """How many phases there are; 0 where clusters are counted."""
        if self.way == CLUSTERS:
            return 0
        painted = [int(stroke[0]) for _, strokes in self.strokes for stroke in strokes]
        return max([2, *painted])

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each phase."""
        first = ("particle", GROUND) if self.way == PARTICLES else ("phase", GROUND)
        start = self.phases or (first if self.way != STROKES else ())
        more = (f"phase {n + 1}" for n in range(len(start), self.count))
        return (*start, *more)[: self.count]

    @property
    def digests(self) -> tuple[str, ...]:
        """Digests of the micrographs that were painted."""
        return tuple(digest for digest, _ in self.strokes)

    def describe(self) -> str:
        """Return in a sentence what the numbers of clusters stand for; empty for clusters."""
        if self.way == CLUSTERS:
            return ""
        plural = "" if len(self.strokes) == 1 else "s"
        how = {
            THRESHOLD: "a threshold",
            STROKES: f"strokes painted on {len(self.strokes)} micrograph{plural}",
            PARTICLES: "particles as objects",
        }[self.way]
        named = ", ".join(f"cluster {number} is {name}" for number, name in enumerate(self.names))
        return f"Phases were found by {how}: {named}."


def read_segmentation(value: object) -> object:
    """Return JSON's lists as tuples, as a `SegmentBy` has them; the rest is checked there."""
    if not isinstance(value, dict):
        return value
    return {name: _frozen(each, 4) for name, each in value.items()}


def _frozen(value: Any, depth: int) -> Any:
    if isinstance(value, list) and depth:
        return tuple(_frozen(each, depth - 1) for each in value)
    return value


def strokes_of(shapes: tuple[Shape, ...]) -> tuple[Stroke, ...]:
    """Return what a brush and an eraser drew, as a recipe holds it."""
    found = []
    for shape in shapes:
        if shape.kind in ("brush", "eraser"):
            places = (round(value, 1) for point in shape.points for value in point)
            phase = shape.phase if shape.kind == "brush" else 0
            found.append((float(phase), float(shape.width_px), *places))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """Phases in the place of clusters.

    Attributes
    ----------
    labels : ndarray of shape (H, W), int16
        0 to k - 1, -1 where nothing counts.
    fractions : ndarray of shape (k,), float64
    k : int
    objects : ndarray of shape (H, W), int32, or None
        Numbers of the objects of phase 0, where the way finds these.
    by : str
        The way, for a cell of a table.
    unlike : float
        Of strokes: share of pixels unlike those of the painted micrographs, 0 to 1; else NaN.
    """

    labels: NDArray[np.int16]
    fractions: NDArray[np.float64]
    k: int
    objects: NDArray[np.int32] | None = None
    by: str = ""
    unlike: float = math.nan

    @property
    def values(self) -> dict[str, Any]:
        """Columns of a batch's row, those of `list_phase_columns`."""
        values: dict[str, Any] = {PHASES_BY: self.by}
        if self.by == STROKES:
            values[UNLIKE_PAINTED] = round(100 * self.unlike, 4)
        return values


def phase_titles(by: SegmentBy, clusters: int) -> tuple[str, ...]:
    """Return what clusters 0 to `clusters` - 1 are called, or the phases in their place."""
    if by.way == CLUSTERS:
        return tuple(f"cluster {number}" for number in range(clusters))
    return tuple(by.names[:clusters])


def list_phase_columns(by: SegmentBy) -> list[str]:
    """Return the columns that say how a row's phases were found; none for clusters."""
    if by.way == CLUSTERS:
        return []
    return [PHASES_BY, *([UNLIKE_PAINTED] if by.way == STROKES else [])]


def is_unlike_painted(row: Mapping[str, Any]) -> bool:
    """Tell whether a row's micrograph is unlike those whose strokes taught its phases."""
    return bool((row.get(UNLIKE_PAINTED) or 0.0) > 100 * UNLIKE)  # NaN and None: nothing says so


def find_phases(
    micrograph: Micrograph,
    uncounted: Mask | None,
    recipe: Recipe,
    others: Mapping[str, Micrograph] | None = None,
) -> Phases:
    """Return the phases that a recipe asks for, by another way than clusters.

    Parameters
    ----------
    micrograph : Micrograph
        After the recipe's filters.
    uncounted : ndarray of shape (H, W), bool, optional
    recipe : Recipe
    others : mapping, optional
        By digest, the micrographs that were painted.

    Raises
    ------
    UserError
        If one that was painted is not there, or the filters do not end in a threshold.
    """
    by = recipe.segmentation
    if by.way == STROKES:
        return _by_strokes(micrograph, uncounted, recipe, others or {})
    if by.way == PARTICLES:
        return _particles(micrograph, uncounted, by.count)
    found = from_classes(micrograph, micrograph, exclude=uncounted, dark=by.dark)
    return replace(_in_place_of_clusters(found, by.count), by=THRESHOLD)


def _by_strokes(
    micrograph: Micrograph,
    uncounted: Mask | None,
    recipe: Recipe,
    others: Mapping[str, Micrograph],
) -> Phases:
    by = recipe.segmentation
    classifier, familiar = _taught(recipe, others)
    maps = describe_pixels(micrograph, uncounted)
    found, _ = from_strokes(classifier, micrograph, by.names, exclude=uncounted, described=maps)
    phases = _in_place_of_clusters(found, by.count)
    return replace(phases, by=STROKES, unlike=familiar.unlike(maps))


def _particles(micrograph: Micrograph, uncounted: Mask | None, count: int) -> Phases:
    # Here, since it imports torch: other recipes need none.
    from core.learning.particles import find_particles, way_to_particles

    labels = find_particles(micrograph, exclude=uncounted)
    found = from_objects(labels, micrograph, exclude=uncounted)
    return replace(
        _in_place_of_clusters(found, count), by=PARTICLES_BY[way_to_particles(micrograph)]
    )


def _in_place_of_clusters(found: Segmentation, count: int) -> Phases:
    if found.kind == OBJECTS:
        phases = np.where(found.labels > 0, 0, 1)
        labels = np.where(found.included, phases, -1).astype(np.int16)
        objects = found.labels
    else:
        labels, objects = np.where(found.included, found.labels - 1, -1).astype(np.int16), None
    area = np.bincount(labels[labels >= 0], minlength=count).astype(np.float64)
    return Phases(labels, area / max(1.0, area.sum()), count, objects)


def _taught(recipe: Recipe, others: Mapping[str, Micrograph]) -> tuple[PixelClassifier, Familiar]:
    missing = [digest for digest in recipe.segmentation.digests if digest not in others]
    if missing:
        raise UserError(
            f"The strokes were painted on the micrograph with the digest {missing[0][:12]}…, which "
            "is not in this batch. Add that file to it, or name it with --with."
        )
    painted = tuple(others[digest] for digest in recipe.segmentation.digests)
    return _learn(_Painted(recipe.segmentation, recipe, painted))


@dataclass(frozen=True, slots=True)
class _Painted:
    """What teaches: told apart by strokes, filters and pixels."""

    by: SegmentBy
    recipe: Recipe
    micrographs: tuple[Micrograph, ...]

    def __hash__(self) -> int:
        return hash((self.by, tuple(m.sha256 for m in self.micrographs)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Painted)
            and self.by == other.by
            and self.recipe.filters == other.recipe.filters
            and self.recipe.exclude_overlays == other.recipe.exclude_overlays
            and [m.key for m in self.micrographs] == [m.key for m in other.micrographs]
        )


@lru_cache(maxsize=4)
def _learn(painted: _Painted) -> tuple[PixelClassifier, Familiar]:
    """Return the classifier and what its pictures are like; every frame of a batch asks for it."""
    masks = [
        find_overlays(each) if painted.recipe.exclude_overlays else None
        for each in painted.micrographs
    ]
    filtered = [
        painted.recipe.pipeline(each, exclude=mask)
        for each, mask in zip(painted.micrographs, masks, strict=True)
    ]
    paints = [
        paint(_shapes(strokes), each.shape)
        for each, (_, strokes) in zip(filtered, painted.by.strokes, strict=True)
    ]
    maps = [describe_pixels(each, mask) for each, mask in zip(filtered, masks, strict=True)]
    classifier = learn_pixels(filtered, paints, seed=painted.by.seed, exclude=masks, described=maps)
    return classifier, learn_familiar(maps)


def _shapes(strokes: tuple[Stroke, ...]) -> list[Shape]:
    found = []
    for phase, width, *places in strokes:
        points = tuple(zip(places[::2], places[1::2], strict=True))
        kind = "brush" if phase else "eraser"
        found.append(Shape(kind, points, phase=int(phase), width_px=width))
    return found
