"""How far its explanations can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.micrograph import Micrograph
from core.ui.cache.explaining import Question, explanation, slow_methods
from core.ui.cache.shared import BY_KEY, excluded, model, overlays

if TYPE_CHECKING:
    from core.learning.trust.card import TrustCard
    from core.learning.trust.survey import Score

Progress = Callable[[float, str], None]


@st.cache_data(max_size="64MB", show_spinner=False, hash_funcs=BY_KEY)
def trust_card(
    micrograph: Micrograph, question: Question, thorough: bool, _progress: Progress
) -> TrustCard:
    """Return how far the map can be trusted; of a map in tiles, that of the whole frame."""
    from core.learning import faithfulness

    whole = replace(question, tiled=False)
    return faithfulness.trust_card(
        model(question.model_name),
        micrograph,
        explanation(micrograph, whole),
        exclude=excluded(micrograph, question.exclude),
        overlays=overlays(micrograph),
        channels=question.channels,
        effort=faithfulness.THOROUGH if thorough else faithfulness.FAST,
        progress=_progress,
    )


@st.cache_data(max_entries=2048, show_spinner=False, hash_funcs=BY_KEY)
def method_scores(
    micrograph: Micrograph,
    model_name: str,
    methods: tuple[str, ...],
    exclude: bool,
    _progress: Progress,
) -> tuple[Score, ...]:
    """Return how the methods explain the network's own answer for one micrograph."""
    from core.learning.faithfulness import FEW_CHANNELS
    from core.learning.trust.survey import score_methods

    return score_methods(
        model(model_name),
        micrograph,
        methods,
        exclude=excluded(micrograph, exclude),
        channels=FEW_CHANNELS if set(methods) & set(slow_methods()) else None,
        progress=_progress,
    )
