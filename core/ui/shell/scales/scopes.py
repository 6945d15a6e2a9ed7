"""For which micrographs a pixel size is set at once: one, all of its size, all of its sample."""

from __future__ import annotations

import streamlit as st

from core.imaging.scale import words
from core.micrograph import Micrograph
from core.ui.shell import grouping, workspace

THIS, ALIKE, SAMPLE = "this", "size", "folder"


def pick(micrograph: Micrograph, where: str) -> str:
    """Draw the choice where there is one, and return it: THIS, ALIKE or SAMPLE."""
    counts = {scope: len(members(micrograph, scope)) for scope in (THIS, ALIKE, SAMPLE)}
    offered = [scope for scope, count in counts.items() if scope == THIS or count > 1]
    if len(offered) == 1:
        return THIS
    height, width = micrograph.shape
    labels = {
        THIS: "For this micrograph",
        ALIKE: f"For all {counts[ALIKE]} of {width} × {height} px",
        SAMPLE: f"For all {counts[SAMPLE]} of {_group(micrograph)}",
    }
    chosen: str = st.selectbox(
        "Set it for",
        offered,
        format_func=labels.__getitem__,
        key=f"{where}_scope_{micrograph.sha256}",
        label_visibility="collapsed",
    )
    return chosen


def _group(micrograph: Micrograph) -> str:
    """Return the sample of a micrograph, else the folder that it came from."""
    return grouping.sample_of(micrograph) or workspace.folder_of(micrograph)


def _of_group(micrograph: Micrograph) -> list[str]:
    group = _group(micrograph)
    return [each.sha256 for each in workspace.every() if group and _group(each) == group]


def members(micrograph: Micrograph, scope: str) -> list[str]:
    """Return the digests that a choice stands for, the micrograph's own first.

    Where a file states its scale, or a picture surely, what is set for many leaves that alone.
    """
    groups = {ALIKE: workspace.alike, SAMPLE: _of_group}
    found = groups[scope](micrograph) if scope in groups else []
    open_ones = {
        each.sha256
        for each in workspace.every()
        if each.pixel_size is None or words.is_set_by_hand(each)
    }
    others = [sha256 for sha256 in found if sha256 in open_ones and sha256 != micrograph.sha256]
    return [micrograph.sha256, *others]
