"""Scales that the pictures state themselves: asked for in the background, filled in where sure."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from core.imaging.scale import READ_FROM_PICTURE, ScaleBar, words
from core.micrograph import Micrograph, PixelSize
from core.ui import cache
from core.ui.shell import workspace

AUTOMATIC = 24  # without a scale: the first so many are read by themselves
_WANTED = "workspace_scales_wanted"  # digests of those that a person wants read


def want(sha256s: Iterable[str]) -> None:
    """Have the scales of micrographs read, also where no letters were found in them."""
    st.session_state.setdefault(_WANTED, set()).update(sha256s)


def is_waiting(micrograph: Micrograph) -> bool:
    """Tell whether a micrograph's scale is asked for, and was not read yet."""
    return any(each is micrograph for each in _waiting())


def outcome(micrograph: Micrograph) -> cache.Outcome | None:
    """Return what reading a picture gave; None where it was not tried yet."""
    return cache.scale_outcome(micrograph, anyway=is_wanted(micrograph))


def unscaled() -> list[Micrograph]:
    """Return the loaded micrographs that have no pixel size."""
    return [each for each in workspace.every() if each.pixel_size is None]


def look() -> int:
    """Ask for what is to be read, fill in what was read surely; return how many still wait.

    Cheap: reading goes on in a thread of its own. Where a pixel size was given or taken back by
    hand, nothing fills itself in.
    """
    if cache.reading_problem():
        return 0
    waiting = _waiting()
    for micrograph in waiting:
        if not cache.ask_for_scale(micrograph, anyway=is_wanted(micrograph)):
            break
    found = {each.sha256: _sure_size(each) for each in unscaled()}
    sure = {sha256: size for sha256, size in found.items() if size is not None}
    if sure:
        bars = {each.sha256: _bar(each) for each in unscaled() if each.sha256 in sure}
        workspace.set_pixel_sizes(sure, READ_FROM_PICTURE)
        for sha256, bar in bars.items():
            if bar is not None:
                workspace.leave_out_bar(sha256, (bar.row, bar.left, bar.right))
    return len(waiting)


def _bar(micrograph: Micrograph) -> ScaleBar | None:
    found = outcome(micrograph)
    return found.reading.bar if found and found.reading else None


def _waiting() -> list[Micrograph]:
    if cache.reading_problem():
        return []
    asked = [m for n, m in enumerate(unscaled()) if n < AUTOMATIC or is_wanted(m)]
    return [micrograph for micrograph in asked if outcome(micrograph) is None]


def _sure_size(micrograph: Micrograph) -> PixelSize | None:
    found = outcome(micrograph)
    if found is None or found.reading is None or not found.reading.is_sure:
        return None
    decided = workspace.is_settled(micrograph.sha256) or words.stated_sizes(micrograph)
    return None if decided else found.reading.pixel_size


def is_wanted(micrograph: Micrograph) -> bool:
    """Tell whether a person asked for the scale of a micrograph to be read."""
    return micrograph.sha256 in st.session_state.get(_WANTED, ())
