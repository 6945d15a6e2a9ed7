"""A label image of a micrograph: named phases or numbered objects, and how it came to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.measuring.statistics import Interval, area_fraction

if TYPE_CHECKING:
    from core.measuring.segmentation.edits import Edit

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
PHASES, OBJECTS = "phases", "objects"
GROUND = "ground"
MOST_PHASES = 20
MOST_NAME = 40
# The viewer's brush has the first eight (4_scene.js): what is painted orange stays orange.
COLOURS = (
    "#e8590c",
    "#1c7ed6",
    "#2f9e44",
    "#ae3ec9",
    "#f2c200",
    "#0ca6a6",
    "#f06595",
    "#868e96",
)


@dataclass(frozen=True, slots=True)
class Phase:
    """What a label stands for.

    Parameters
    ----------
    name : str
        1 to 40 printable characters.
    colour : str
        "#rrggbb".
    """

    name: str
    colour: str = COLOURS[0]

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= MOST_NAME and self.name.isprintable()):
            raise ValueError(f"a phase's name has 1 to {MOST_NAME} characters, got {self.name!r}")
        digits = self.colour.removeprefix("#")
        if len(self.colour) != 7 or set(digits.lower()) - set("0123456789abcdef"):
            raise ValueError(f'a colour is "#rrggbb", got {self.colour!r}')


@dataclass(frozen=True, slots=True)
class Origin:
    """How a label image was found.

    Parameters
    ----------
    way : str
        "clusters", "chain", "strokes", "particles" or "file".
    parameters : mapping
        All choices, as plain values.
    digests : tuple of str
        SHA-256 of the pictures that it was found in, and of those that taught it.
    """

    way: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """A label image with what its labels stand for.

    Attributes
    ----------
    labels : ndarray of shape (H, W), int32
        Phases: 1 to K, one per entry of `phases`, 0 where nothing counts. Objects: 1 to N without
        gaps, 0 where there is none.
    phases : tuple of Phase
        Of the labels, or (for objects) the one that all of them are of.
    kind : str
        `PHASES` or `OBJECTS`.
    origin : Origin
    included : ndarray of shape (H, W), bool
        What counts: the specimen, in a region of interest if there is one.
    edits : tuple of Edit
        What a person changed, in order; they are in the labels already.
    not_applied : tuple of str
        Sentences on edits that did not fit these labels, and are not in them.
    changed, removed : int
        Objects that a hand made or changed, and those that it took away.
    """

    labels: Labels
    phases: tuple[Phase, ...]
    kind: str
    origin: Origin
    included: Mask
    edits: tuple[Edit, ...] = ()
    not_applied: tuple[str, ...] = ()
    changed: int = 0
    removed: int = 0

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.dtype != np.int32:
            raise ValueError(
                f"labels must be (H, W) int32, got {self.labels.shape} {self.labels.dtype}"
            )
        if self.included.shape != self.labels.shape or self.included.dtype != np.bool_:
            raise ValueError(f"included must be bool of {self.labels.shape}")
        if self.kind not in (PHASES, OBJECTS):
            raise ValueError(f"kind must be {PHASES!r} or {OBJECTS!r}, got {self.kind!r}")
        most = int(self.labels.max(initial=0))
        if not self.phases or (self.kind == PHASES and most > len(self.phases)):
            raise ValueError(f"{most} labels need as many phases, got {len(self.phases)}")

    @property
    def count(self) -> int:
        """How many objects there are; of phases, how many of these."""
        return int(self.labels.max(initial=0)) if self.kind == OBJECTS else len(self.phases)

    def mask(self, number: int) -> Mask:
        """Return where a phase lies, counted from 1; of objects, where any of them lies."""
        if self.kind == OBJECTS:
            return np.asarray((self.labels > 0) & self.included)
        return np.asarray((self.labels == number) & self.included)

    def fraction(self, number: int = 1) -> Interval:
        """Return the share of what counts that a phase, or the objects, cover: from tiles."""
        return area_fraction(self.mask(number), self.included)

    def renamed(self, names: Sequence[str]) -> Segmentation:
        """Return the same with other names of the phases; empty ones stay as they are."""
        pairs = zip(self.phases, names, strict=False)
        new = tuple(replace(p, name=n.strip()[:MOST_NAME] or p.name) for p, n in pairs)
        return replace(self, phases=new + self.phases[len(new) :])

    def describe_edits(self) -> str:
        """Return in a sentence what a hand changed: "3 of 104 outlines were changed by hand"."""
        return say_by_hand(self.changed, self.removed, self.count) + "." if self.edits else ""


def say_by_hand(changed: int, removed: int, total: int) -> str:
    """Return in words, without a full stop, what a hand did to outlines of which `total` are left.

    "3 of 104 outlines were changed by hand, 2 removed"; of a hand that only took away: "2 outlines
    were removed by hand, 152 are left".
    """
    if changed == 0 and removed:
        gone = f"{removed} outline{' was' if removed == 1 else 's were'} removed by hand"
        return f"{gone}, {total or 'none'} {'is' if total == 1 else 'are'} left"
    if changed == 0:
        return "No outline was changed by hand"
    said = f"{changed} of {total} outlines {'was' if changed == 1 else 'were'} changed by hand"
    return said + (f", {removed} removed" if removed else "")


def name_phases(names: Sequence[str]) -> tuple[Phase, ...]:
    """Return phases of these names, each in a colour of its own."""
    return tuple(
        Phase(name[:MOST_NAME], COLOURS[place % len(COLOURS)]) for place, name in enumerate(names)
    )
