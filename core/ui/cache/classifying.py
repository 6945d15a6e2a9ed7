"""What the network answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.micrograph import Micrograph
from core.ui.cache.shared import BY_KEY, excluded, model

if TYPE_CHECKING:
    from core.learning.classification import Classification


@st.cache_data(max_size="16MB", show_spinner="Classifying …", hash_funcs=BY_KEY)
def classification(micrograph: Micrograph, model_name: str, exclude: bool) -> Classification:
    """Return the model's answer for one micrograph."""
    from core.learning.classification import classify

    masks = [excluded(micrograph, exclude)]
    return classify(model(model_name), [micrograph], excludes=masks)[0]
