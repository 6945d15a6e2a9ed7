"""What was learnt: the honest score first, then where it errs, and the way to use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.reporting import figures
from core.ui import cache
from core.ui.parts import say, show
from core.ui.train import sources, to_top
from core.ui.train.learn import Result

if TYPE_CHECKING:
    from core.learning.models import ModelCard
    from core.learning.training import LabelledPicture

_WORST = 6
_PICTURE_PX = 150


def answer(result: Result) -> None:
    """Draw the score and the ways to use the model: they stand above what it learnt from."""
    card = cache.model(result.model_name).card
    to_top.scroll(result.turn)
    st.subheader("How good it is", anchor=False)
    _score(card)
    _use(result, card)


def draw(result: Result, pictures: list[LabelledPicture]) -> None:
    """Draw where a model errs, and whether more pictures would pay."""
    card = cache.model(result.model_name).card
    if "pictures" in card.metrics:
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown("**What it took for what**")
            matrix = np.array(card.metrics["pictures"]["confusion_matrix"])
            figure = figures.confusion(
                matrix, card.classes, card.display_names, dark=show.is_dark()
            )
            show.chart(figure, "train_confusion", "Confusion matrix of held-out pictures")
        with right:
            _curve(card)
        _worst(result, pictures)


def _score(card: ModelCard) -> None:
    metrics = card.metrics
    found = metrics.get("pictures")
    if found:
        low, high = found["balanced_accuracy_interval_95"]
        with st.container(horizontal=True, gap="medium"):
            say.metric(
                "Right on originals held out",
                _percent(found["balanced_accuracy"]),
                delta=f"95\u00a0% interval: {100 * low:.0f} to {_percent(high)}",
                delta_color="off",
                delta_arrow="off",
            )
            say.metric("By chance", _percent(metrics["chance"]))
            say.metric("By grey levels alone", _percent(metrics["grey_histogram"]))
    say.caption("{said}", said=cache.test_sentence(card))
    if seen := card.training.get("seen_by_start"):
        say.warning(
            "{start} has learnt from {seen} of these pictures, or from close copies: its features "
            "know them, so the score is too good.",
            start=card.training["start"]["source"],
            seen=seen,
            icon=":material/visibility:",
        )
    low_counts = [what for key, what in _NEEDS.items() if key not in card.calibration]
    if low_counts:
        say.caption("Too few originals for {what}.", what=", ".join(low_counts))


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


_NEEDS = {
    "temperature": "calibrated probabilities",
    "conformal_level": "prediction sets of a stated level",
    "novelty_threshold": "a warning of unlike pictures",
}


def _use(result: Result, card: ModelCard) -> None:
    say.success(
        "{name} is on your list of models and chosen, on every page.",
        name=card.name,
        icon=":material/check:",
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.page_link("pages/1_Classify.py", label="Classify with it", icon=":material/category:")
        st.page_link("pages/2_Explain.py", label="Explain", icon=":material/visibility:")
        st.page_link("pages/6_Batch_Report.py", label="Batch", icon=":material/lab_profile:")
        show.download(
            "Model folder (ZIP)",
            lambda: cache.zip_model(result.model_name),
            f"{result.model_name}.zip",
            "application/zip",
            "train_zip",
        )
    st.caption("It stays on this server until it stops. Add the ZIP under Model another time.")


def _curve(card: ModelCard) -> None:
    if "learning_curve" not in card.metrics:  # fits of minutes each: not drawn after tuning
        return
    st.markdown("**Would more pictures pay?**")
    curve = card.metrics["learning_curve"]
    figure = figures.learning_curve(curve, card.metrics["chance"], dark=show.is_dark())
    show.chart(figure, "train_curve", "Held-out score against pictures learnt from", legend=False)
    say.caption("{said}", said=cache.curve_sentence(card))


def _worst(result: Result, pictures: list[LabelledPicture]) -> None:
    rows = cache.worst_pictures(result.model_name, _WORST)
    by_digest = {picture.micrograph.sha256: picture.micrograph for picture in pictures}
    shown = [
        (by_digest[result.digests[row.place]], row)
        for row in rows
        if row.place < len(result.digests) and result.digests[row.place] in by_digest
    ]
    if not shown:
        st.markdown("No held-out picture was taken for another class.")
        return
    st.markdown("**The worst pictures: is the label right?**")
    grid = st.grid(6, min_column_width=_PICTURE_PX, gap="small")
    for micrograph, row in shown:
        with grid.cell():
            st.image(
                cache.square_png(micrograph),
                width=_PICTURE_PX - 10,
                output_format="PNG",
                alt=micrograph.name,
            )
            say.caption(
                "taken for {said} with {probability:.0f} %",
                said=row.said,
                probability=100 * row.probability,
            )
            sources.choose(micrograph.sha256, micrograph.name, "worst")
