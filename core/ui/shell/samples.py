"""Simulated samples: the buttons that load one, and the badge that says what they are."""

from __future__ import annotations

import streamlit as st

from core.imaging.simulation import KINDS
from core.micrograph import Micrograph
from core.ui.shell import workspace
from core.ui.shell.border import user_errors


def offer(prefix: str) -> None:
    """Draw one button per simulated sample; a click loads it and makes it the current one."""
    with st.container(horizontal=True, gap="xsmall"):
        for kind in KINDS:
            label = f"Simulated {kind.replace('_', ' & ')}"
            key = f"{prefix}_sample_{kind}"
            if st.button(label, key=key, icon=":material/science:", type="tertiary"):
                _load(kind)


def _load(kind: str) -> None:
    taken = {micrograph.name for micrograph in workspace.every()}
    seed = 0
    while workspace.sample_name(kind, seed) in taken:
        seed += 1
    with user_errors():
        with st.spinner("Simulating …"):
            workspace.add_sample(kind, seed)
        st.rerun()


def badge(micrograph: Micrograph) -> None:
    """Say so when the micrograph on this page was simulated."""
    if workspace.is_simulated(micrograph):
        st.badge("simulated micrograph", icon=":material/science:", color="orange")
