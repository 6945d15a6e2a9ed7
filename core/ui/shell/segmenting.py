"""What another page hands to Segment: clusters to be measured, with what counts as a region."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.ui.cache import CLUSTERS, ClusterChoice, RegionChoice

PAGE = "pages/5_Segment.py"
WAY, PHASE = "segment_way", "segment_phase"  # keys of what Segment asks
_HANDED = "segment_handed"


@dataclass(frozen=True, slots=True)
class Handed:
    """Key of the micrograph, its clusters, which is measured, and what counts as a region of it."""

    of: str
    clusters: ClusterChoice
    target: int
    regions: RegionChoice


def hand_over(of: str, clusters: ClusterChoice, target: int, regions: RegionChoice) -> None:
    """Let Segment begin with these clusters when it is opened next."""
    st.session_state[_HANDED] = Handed(of, clusters, target, regions)
    st.session_state[WAY] = CLUSTERS
    st.session_state.pop(PHASE, None)


def handed() -> Handed | None:
    """Return what was handed over last."""
    found: Handed | None = st.session_state.get(_HANDED)
    return found
