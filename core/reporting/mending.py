"""What a hand changed on some micrographs, in a recipe and in the rows of a batch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Predicate
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.segmentation import (
    Edit,
    edits_json,
    from_objects,
    read_edits,
    replay,
    say_by_hand,
)
from core.micrograph import Micrograph
from core.reporting.schema import Must

CHANGED, REMOVED = "outlines_changed_by_hand", "outlines_removed_by_hand"  # columns of a batch
UNFIT = "edits_that_did_not_fit"
MOST_EDITED = 1_000  # micrographs
_DIGEST = re.compile(r"[0-9a-f]{64}")
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]


def _are_edits(edited: tuple[tuple[str, str], ...]) -> bool:
    digests = [digest for digest, _ in edited]
    if len(digests) > MOST_EDITED or len(set(digests)) < len(digests):
        return False
    try:
        return all(_DIGEST.fullmatch(digest) and read_edits(text) for digest, text in edited)
    except UserError:
        return False


Edits = Annotated[
    tuple[tuple[str, str], ...],
    Predicate(_are_edits),
    Must("be pairs of a micrograph's digest and its edits as JSON, as Segment saves them"),
]


def edits_of(done: Mapping[str, tuple[Edit, ...]]) -> tuple[tuple[str, str], ...]:
    """Return edits by digest, as a recipe holds them."""
    return tuple((digest, edits_json(edits)) for digest, edits in sorted(done.items()) if edits)


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """Objects after the edits that a recipe holds for their micrograph.

    Attributes
    ----------
    labels : ndarray of shape (H, W), int32
    changed, removed, unfit : int
        Objects that a hand changed, took away, and edits that did not fit these labels.
    """

    labels: Labels
    changed: int = 0
    removed: int = 0
    unfit: int = 0

    @property
    def values(self) -> dict[str, int]:
        """Columns of a batch's row."""
        return {CHANGED: self.changed, REMOVED: self.removed, UNFIT: self.unfit}


def mend(
    labels: Labels,
    micrograph: Micrograph,
    uncounted: Mask | None,
    edited: tuple[tuple[str, str], ...],
) -> Mended | None:
    """Make the edits of a micrograph again; None where a recipe holds none for it.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int32
        Its objects as found.
    micrograph : Micrograph
        As recorded.
    uncounted : ndarray of shape (H, W), bool, optional
    edited : tuple of (str, str)
        Digest of a micrograph, and its edits as JSON.
    """
    text = dict(edited).get(micrograph.sha256)
    if text is None:
        return None
    edits = read_edits(text)
    found = from_objects(labels, micrograph, exclude=uncounted)
    made = replay(found, edits, micrograph.pixels).onto(found, edits)
    return Mended(made.labels, made.changed, made.removed, len(made.not_applied))


def list_mending_columns(edited: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the columns that say what a hand changed; none for a recipe without edits."""
    return [CHANGED, REMOVED, UNFIT] if edited else []


def describe_mending(rows: Any) -> str:
    """Return what a hand changed in a batch: "3 of 104 outlines were changed by hand …".

    Parameters
    ----------
    rows : DataFrame
        Of a batch; empty words where no hand changed anything in it.
    """
    if CHANGED not in rows or not rows[CHANGED].notna().any():
        return ""
    mended = rows[rows[CHANGED].notna()]
    changed, removed, unfit = (int(mended[name].sum()) for name in (CHANGED, REMOVED, UNFIT))
    total, count = int(mended["regions"].sum()), len(mended)
    said = say_by_hand(changed, removed, total)
    said += f", in {count} micrograph{'' if count == 1 else 's'}."
    if unfit:
        said += f" Left out, since they did not fit: {unfit} edit{'' if unfit == 1 else 's'}."
    return said
