"""The model's card for people: what it is, what it learnt from, how good and how honest it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.reporting import figures
from core.ui import cache
from core.ui.parts import say, show

if TYPE_CHECKING:
    from core.learning.models import Classifier, ModelCard

_CHANGES = {
    "overlays_shown": "info bar and letters shown",
    "contrast_inverted": "contrast inverted",
    "aspect_wider": "a quarter wider",
    "aspect_narrower": "a fifth narrower",
}


def draw(model: Classifier, model_name: str) -> None:
    """Draw the card in an expander."""
    with st.expander(
        say.line("About the model {name}", name=model.name), icon=":material/description:"
    ):
        card = model.card
        classes = ", ".join(card.display_name(name) for name in card.classes)
        say.markdown(
            "**Classes:** {classes}. **Network:** {architecture}.",
            classes=classes,
            architecture=card.architecture,
        )
        if said := cache.missing_in_model(model_name):
            say.info("{said}", said=said, icon=":material/help:")
        scores = card.metrics.get("whole_frames") or card.metrics.get("pictures")
        if scores and "confusion_matrix" in scores:
            _scores(card, scores)
        _honesty(model_name)
        _robustness(card)
        _data(card)


def _scores(card: ModelCard, scores: Mapping[str, Any]) -> None:
    low, high = scores["balanced_accuracy_interval_95"]
    say.markdown(
        "**On {pictures} held-out micrographs** from {groups} originals: balanced "
        "accuracy {balanced_accuracy:.0f} % ({low:.0f} to {high:.0f} %). {get}.",
        pictures=scores["pictures"],
        groups=scores["groups"],
        balanced_accuracy=100 * scores["balanced_accuracy"],
        low=100 * low,
        high=100 * high,
        get=card.metrics.get("protocol", ""),
    )
    left, right = st.columns(2, gap="medium")
    dark = show.is_dark()
    with left:
        st.markdown("**What it took for what**")
        matrix = np.array(scores["confusion_matrix"])
        figure = figures.confusion(matrix, card.classes, card.display_names, dark=dark)
        show.chart(figure, "classify_confusion", "Confusion matrix of held-out micrographs")
    with right:
        st.markdown("**How many of each class it finds**")
        figure = figures.recalls(scores["recall"], card.display_names, dark=dark)
        show.chart(figure, "classify_recall", "Recall of every class with its 95 % interval")


def _honesty(model_name: str) -> None:
    bins = cache.reliability(model_name)
    metrics = cache.model(model_name).card.metrics
    left, right = st.columns(2, gap="medium")
    with left:
        if bins:
            st.markdown("**How honest its probabilities are**")
            figure = figures.reliability(bins, dark=show.is_dark())
            show.chart(figure, "classify_reliability", "Share of right answers per probability")
            scores = metrics.get("whole_frames") or metrics.get("pictures") or {}
            if "expected_calibration_error" in scores:
                say.caption(
                    "Held-out micrographs; on the dashed line it is as often right as it says. "
                    "Mean distance {points:.1f} points.",
                    points=100 * scores["expected_calibration_error"],
                )
    with right:
        if sets := metrics.get("prediction_sets"):
            st.markdown("**What its prediction sets deliver**")
            table = pd.DataFrame(
                {
                    "level (%)": [100 * entry["level"] for entry in sets],
                    "true class in the set (%)": [100 * entry["covered"] for entry in sets],
                    "classes in a set": [entry["mean_size"] for entry in sets],
                    "one class only (%)": [100 * entry["one_class"] for entry in sets],
                }
            )
            show.table(table, "classify_coverage")
            st.caption("Measured on groups of originals that had no say in the sets.")


def _robustness(card: ModelCard) -> None:
    metrics = card.metrics
    if novelty := metrics.get("novelty"):
        say.markdown(
            "**Unlike the training micrographs:** against {foreign_pictures} simulated "
            "pictures of {foreign_kinds} foreign kinds the novelty has an AUROC of "
            "{auroc:.2f} ({auroc_held_out:.2f} with networks that had not seen the "
            "originals); it warns of {foreign_beyond:.0f} % of them and of "
            "{held_out_beyond:.0f} % of held-out originals. No warning proves nothing.",
            foreign_pictures=novelty["foreign_pictures"],
            foreign_kinds=novelty["foreign_kinds"],
            auroc=novelty["auroc"],
            auroc_held_out=novelty["auroc_held_out"],
            foreign_beyond=100 * novelty["foreign_beyond"],
            held_out_beyond=100 * novelty["held_out_beyond"],
        )
    if shortcuts := metrics.get("shortcuts"):
        moved = "; ".join(
            f"{_CHANGES.get(name, name)} {points:+.1f}".replace("-", "−")
            for name, points in shortcuts["points"].items()
        )
        say.markdown(
            "**What must not matter** moves the balanced accuracy by (points): {moved}.",
            moved=moved,
        )
    if sources := metrics.get("held_out_sources"):
        st.markdown("**Sources it never saw**")
        table = pd.DataFrame(sources)[["source", "class", "right", "pictures"]]
        table["class"] = table["class"].map(card.display_name)
        show.table(table, "classify_sources")
        if metrics.get("held_out_sources_views") == 0:
            st.caption(
                "Each source left out in turn, by a linear head on the features of the start: "
                "simpler than this network, so rather a lower bound."
            )
        elif views := metrics.get("held_out_sources_views"):
            say.caption(
                "Left out a few at a time, each time by a network fine-tuned on {views:,} views of "
                "the rest.",
                views=views,
            )
    curve = metrics.get("learning_curve", ())
    if len(curve) > 1:
        say.markdown(
            "**Learning curve{head}:** from {least:.0f} % to all of the originals the balanced "
            "accuracy goes from {low:.0f} to {high:.0f} %.",
            head="" if curve[0].get("views") else " of a linear head",
            least=100 * curve[0]["share"],
            low=100 * curve[0]["balanced_accuracy"],
            high=100 * curve[-1]["balanced_accuracy"],
        )


def _data(card: ModelCard) -> None:
    if card.data:
        st.markdown("**Learnt from**")
        table = pd.DataFrame(card.data)
        if "class" in table:
            table["class"] = table["class"].map(card.display_name)
        show.table(table, "classify_data")
    for limit in card.limits:
        say.markdown("- {limit}", limit=limit)
