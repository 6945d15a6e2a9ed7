"""All loaded micrographs in one table: picture, class, how sure, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.micrograph import Micrograph
from core.reporting.batch import csv_bytes
from core.ui import cache
from core.ui.classify import checks
from core.ui.classify.settings import ALL
from core.ui.parts import show, tables

if TYPE_CHECKING:
    from core.learning.classifying import Classification
    from core.learning.models import ModelCard

_THUMBNAIL_PX = 128


def draw(loaded: Sequence[Micrograph], model_name: str, exclude: bool, level: float | None) -> None:
    """Draw the switch, and when it is on the table of every loaded micrograph and its CSV."""
    if len(loaded) < 2 or not ALL.draw(f"Classify all {len(loaded)} loaded micrographs"):
        return
    answers = _classify_all(loaded, model_name, exclude, level)
    card = cache.model(model_name).card
    doubts = [
        "; ".join(checks.doubts(micrograph, model_name, answer))
        for micrograph, answer in zip(loaded, answers, strict=True)
    ]
    table = _for_people(loaded, answers, doubts, card)
    st.dataframe(
        table,
        hide_index=True,
        row_height=64,
        key="classify_table",
        column_config={
            **show.formats(table),
            "picture": st.column_config.ImageColumn("", width=72),
            "novelty": st.column_config.NumberColumn(
                format="%.2f", help="Above 1: unlike the training micrographs."
            ),
            "probability (%)": st.column_config.ProgressColumn(
                format="%.1f", min_value=0, max_value=100
            ),
        },
    )
    data = csv_bytes(_for_programs(loaded, answers, doubts))
    show.download("Table (CSV)", data, "classes.csv", "text/csv", "classify_csv")


def _classify_all(
    loaded: Sequence[Micrograph], model_name: str, exclude: bool, level: float | None
) -> list[Classification]:
    place, answers = st.empty(), []
    for number, micrograph in enumerate(loaded):
        place.progress(number / len(loaded), f"Classifying {number + 1} of {len(loaded)} …")
        answers.append(cache.classification(micrograph, model_name, exclude, level))
    place.empty()
    return answers


def _for_people(
    loaded: Sequence[Micrograph],
    answers: Sequence[Classification],
    doubts: Sequence[str],
    card: ModelCard,
) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "picture": [
                tables.data_url(cache.thumbnail_png(each, _THUMBNAIL_PX), "image/png")
                for each in loaded
            ],
            "micrograph": [each.name for each in loaded],
            "class": [_named(a, card) for a in answers],
            "probability (%)": [100 * a.probability for a in answers],
            "runner-up": [card.display_name(a.runner_up) for a in answers],
            "runner-up (%)": [100 * a.runner_up_probability for a in answers],
            "not excluded": [", ".join(map(card.display_name, a.prediction_set)) for a in answers],
            "novelty": [a.novelty for a in answers],
            "doubts": list(doubts),
        }
    )
    unused = ["novelty"] if table["novelty"].isna().all() else []
    if any(a.present_above is not None for a in answers):  # nothing is second of several
        unused += ["runner-up", "runner-up (%)", "not excluded"]
    return table.drop(columns=unused)


def _named(answer: Classification, card: ModelCard) -> str:
    """Return the classes that an answer names, in words."""
    names = () if answer.shows_nothing else answer.present
    return ", ".join(map(card.display_name, names)) or "none"


def _for_programs(
    loaded: Sequence[Micrograph], answers: Sequence[Classification], doubts: Sequence[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "micrograph": micrograph.name,
                "class": "" if answer.shows_nothing else " | ".join(answer.present),
                "probability": answer.probability,
                **{f"p_{name}": p for name, p in answer.probabilities.items()},
                "prediction_set": " | ".join(answer.prediction_set),
                "novelty": answer.novelty,
                "doubts": doubt,
                "calibrated": answer.calibrated,
                "model": answer.model,
                "sha256": micrograph.sha256,
            }
            for micrograph, answer, doubt in zip(loaded, answers, doubts, strict=True)
        ]
    )
