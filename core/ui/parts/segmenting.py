"""What another page hands to Segment: clusters to be measured, with what counts as a region."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.ui.cache import CLUSTERS, ClusterChoice, RegionChoice

PAGE = "pages/5_Segment.py"
WAY, PHASE = "segment_way", "segment_phase"  # keys of what Segment asks
_HANDED = "segment_handed"


@dataclass(frozen=True, slots=True)
class Handed:
    """How pixels are grouped, which cluster is measured, and what counts as a region of it."""

    clusters: ClusterChoice
    target: int
    regions: RegionChoice


def hand_over(clusters: ClusterChoice, target: int, regions: RegionChoice) -> None:
    """Let Segment begin with these clusters when it is opened next."""
    st.session_state[_HANDED] = Handed(clusters, target, regions)
    st.session_state[WAY] = CLUSTERS
    st.session_state.pop(PHASE, None)


def handed() -> Handed | None:
    """Return what was handed over last."""
    found: Handed | None = st.session_state.get(_HANDED)
    return found


def forget_region() -> None:
    """Use whole frames from now on: a region of interest belongs to the frame it was drawn on."""
    found = handed()
    if found is not None:
        st.session_state[_HANDED] = replace(found, clusters=replace(found.clusters, region=None))
