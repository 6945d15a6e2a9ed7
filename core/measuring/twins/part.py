"""Which part of a large picture is imitated."""

from __future__ import annotations

from collections.abc import Sequence

MOST_SIDE_PX = 1024  # twins of more take minutes


def middle(shape: Sequence[int], most_px: int = MOST_SIDE_PX) -> tuple[slice, ...]:
    """Return the rows and columns in the middle of a picture, at most so many."""
    cut = []
    for side in shape:
        kept = min(side, most_px)
        first = (side - kept) // 2
        cut.append(slice(first, first + kept))
    return tuple(cut)
