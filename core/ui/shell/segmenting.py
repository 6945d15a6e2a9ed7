"""What pages hand to Segment, and Segment to a batch: clusters to measure, and its own recipe."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.reporting.recipe import Recipe
from core.ui.cache import CLUSTERS, ClusterChoice, RegionChoice

PAGE = "pages/5_Segment.py"
WAY, PHASE = "segment_way", "segment_phase"  # keys of what Segment asks
_HANDED = "segment_handed"
_RECIPE = "segment_recipe_kept"


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


def offer_recipe(recipe: Recipe | None) -> None:
    """Let a batch find what Segment shows, changes by hand included; None: nothing for a batch."""
    st.session_state[_RECIPE] = recipe


def recipe() -> Recipe | None:
    """Return what finds the objects that Segment showed last; None where it showed none."""
    found: Recipe | None = st.session_state.get(_RECIPE)
    return found
