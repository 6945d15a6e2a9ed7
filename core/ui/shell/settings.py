"""The settings that hold for all pages."""

from __future__ import annotations

import streamlit as st

EXCLUDE_KEY = "workspace_exclude_overlays"


def exclude_overlays() -> bool:
    """Draw the switch that leaves out what is not specimen; it holds for all pages."""
    return st.toggle(
        "Leave out info bar and letters",
        value=True,
        key=EXCLUDE_KEY,
        persist_state="session",
        help="The info bar, the scale bar and burned-in text are found and take no part: neither "
        "in what the network sees nor in grey levels and areas.",
    )


def target_cluster(k: int, key: str) -> int:
    """Return the cluster to measure; the choice starts at the brightest for every k."""
    from core.ui.parts import tables  # with pandas: Home opens without

    chosen: int = st.selectbox(
        "Target cluster",
        range(k),
        index=k - 1,
        format_func=lambda number: tables.cluster_title(number, k),
        key=f"{key}_{k}",
        persist_state="session",
        help="Measured in every table. Clusters are numbered from dark to bright.",
    )
    return chosen


def smallest_region_px() -> int:
    """Draw the size below which a region counts as noise; it holds for all pages."""
    value: int = st.number_input(
        "Smallest region (px)",
        1,
        1_000_000,
        10,
        key="workspace_smallest_region_px",
        persist_state="session",
        help="Smaller regions are taken for noise: they count as area, not as regions.",
    )
    return value
