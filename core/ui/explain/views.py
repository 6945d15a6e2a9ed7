"""What the Explain page shows beside the overlay: facts, values, all methods, downloads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.imaging import display
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cache import Look, Question
from core.ui.explain.settings import METHOD
from core.ui.parts import filmstrip, say, show, tables, viewer

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.learning.classifying import Classification
    from core.learning.explaining import Explanation

_COLUMNS = 4


def answer(micrograph: Micrograph, question: Question, answer: Classification) -> DeltaGenerator:
    """Draw the one answer: for which class the map is evidence, and what the network gives it.

    Returns the place for the badge that says how far to trust it.
    """
    card = cache.model(question.model_name).card
    found = cache.explanation(micrograph, question)
    sure = {name: tables.percent(p) for name, p in answer.probabilities.items()}
    against = f" rather than {card.display_name(found.contrast)}" if found.contrast else ""
    say.metric("Evidence for", card.display_name(found.target) + against)
    if answer.shows_nothing:
        more = say.line(" The map shows what moves the network, not what is in the frame.")
        show.nothing(answer, more)
        return st.container()
    own = ""
    if found.target != answer.label:
        name = card.display_name(answer.label)
        own = say.line(" Its own answer is {name} with {sure}.", name=name, sure=sure[answer.label])
    given = sure[found.target]
    say.caption("The network gives this class {given}.{own}", given=given, own=own)
    return st.container()


def facts(micrograph: Micrograph, question: Question, look: Look, answer: Classification) -> None:
    """Draw the colours of the map and what to be careful about."""
    card = cache.model(question.model_name).card
    found = cache.explanation(micrograph, question)
    if not answer.calibrated:
        st.caption("This model has no calibration: its probabilities may be too sure.")
    if found.has_evidence:
        legend = cache.heat_legend_png(look)
        with st.container(gap="xxsmall"):
            st.image(legend, width="stretch", alt="From no evidence to the strongest in this frame")
            st.caption(
                "no evidence → strongest in this frame",
                help="Relative to this frame: other frames differ.",
            )
        if found.points_nowhere:
            st.caption(
                "Nearly the same everywhere: every place has more than half of the strongest "
                "evidence, so this map points at none."
            )
    else:
        say.info(
            "No positive evidence for {target} at this layer: no part of this frame speaks "
            "for it, and the map is empty.",
            target=card.display_name(found.target),
            icon=":material/visibility_off:",
        )
    _cautions(micrograph, question)
    with st.popover("About this map", icon=":material/info:", key="explain_about"):
        _about(question, found)


def _about(question: Question, found: Explanation) -> None:
    """Write how the map was made, and what it must agree with."""
    rows, cols = found.raw.shape
    model = cache.model(question.model_name)
    titles = cache.fitting(question.model_name)
    say.caption(
        "{model_name} at the layer “{layer}”, {cols} × {rows} values; the raw map keeps "
        "their signs. Model {name} on {device}.",
        model_name=titles[found.method],
        layer=found.layer,
        cols=cols,
        rows=rows,
        name=model.card.name,
        device=model.device.upper(),
    )
    alike = cache.coinciding(question.model_name, _single_layer(question))
    if found.method in alike:
        others = [titles[name] for name in alike if name != found.method]
        say.caption(
            "At this layer {others} and {others_2} must give the same map: that they agree "
            "is arithmetic, not evidence.",
            others=", ".join(others[:-1]),
            others_2=others[-1],
        )
    if found.method in cache.baselines():
        st.caption("A baseline: this map knows nothing of the network.")


def _cautions(micrograph: Micrograph, question: Question) -> None:
    from core.learning.trust import OVERLAY_ALARM

    found = cache.explanation(micrograph, question)
    share = cache.overlay_evidence_share(micrograph, question)
    if share > OVERLAY_ALARM:
        say.warning(
            "{share:.0f} % of the evidence lies on the info bar, scale bar or letters.",
            share=100 * share,
            icon=":material/warning:",
        )
    if found.seen_box != (0, 0, *micrograph.shape):
        top, left, bottom, right = found.seen_box
        seen = (bottom - top) * (right - left) / micrograph.pixels.size
        say.warning(
            "This network sees only the middle of the frame, {seen:.0f} % of it. The rest is "
            "shown darker and says nothing.",
            seen=100 * seen,
            icon=":material/crop:",
        )


def _single_layer(question: Question) -> str | None:
    """Return the one layer asked for; fused layers count as another than the last."""
    if len(question.layers) > 1:
        return question.layers[0]
    return question.layers[0] if question.layers else None


def layers(micrograph: Micrograph, question: Question, look: Look) -> list[viewer.Layer]:
    """Return what lies over the micrograph: the evidence, its contour, what the network skips."""
    found = cache.explanation(micrograph, question)
    name = f"{micrograph.key} {question!r}"
    over: list[viewer.Layer] = [
        viewer.Raster(
            "Evidence",
            f"evidence {name}",
            cache.evidence_levels(micrograph, question),
            viewer.fade_in(display.color_table(look.colormap)),
            smooth=True,
            opacity=look.opacity,
            reads="evidence",
            step=100 / 255,
            unit="%",
        )
    ]
    if found.seen_box != (0, 0, *micrograph.shape):
        top, left, bottom, right = found.seen_box
        unseen = np.ones(micrograph.shape, np.uint8)
        unseen[top:bottom, left:right] = 0
        dark = viewer.class_colours(["#000000"], 0.5, first=1)
        over.append(viewer.Raster("Not seen", f"unseen {name}", unseen, dark))
    if look.contour is not None and found.has_evidence:
        lines = cache.evidence_contour(micrograph, question, look.contour)
        over.append(
            viewer.Outlines(
                f"Contour at {100 * look.contour:.0f} %",
                f"contour {look.contour} {name}",
                [(number, line) for number, line in enumerate(lines, 1)],
                colour="#ffffff",
                numbered=False,
            )
        )
    return over


def values(micrograph: Micrograph, question: Question, look: Look) -> None:
    """Draw the evidence with numbers under the pointer, and how they spread."""
    dark = show.is_dark()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        figure = cache.evidence_figure(micrograph, question, look.colormap, dark)
        show.chart(figure, "explain_values", "evidence, place and grey level under the pointer")
    with right:
        figure = cache.evidence_histogram(micrograph, question, dark)
        show.chart(figure, "explain_histogram", "how the values of the signed map spread")
        st.caption("Each cell of the signed map counts once. Only what speaks for the class shows.")


def all_methods(micrograph: Micrograph, question: Question, look: Look) -> None:
    """Draw every method side by side."""
    with st.container(horizontal=True):
        one_scale = st.toggle(
            "One colour scale",
            key="explain_one_scale",
            persist_state="session",
            help="Colours compare the raw values of all maps. Off: each map is scaled to its own "
            "strongest place. Methods differ in units, so this is fair among Grad-CAM, HiResCAM, "
            "LayerCAM and XGrad-CAM.",
        )
        slow = st.toggle(
            "Slow methods, too",
            key="explain_slow",
            persist_state="session",
            help="Score-CAM, Ablation-CAM, occlusion and integrated gradients run the network many "
            "times: some seconds.",
        )
    titles = cache.fitting(question.model_name)
    known = cache.baselines()  # last, as what the others must beat
    wanted = tuple(name for name in titles if slow or name not in cache.slow_methods())
    wanted = tuple(sorted(wanted, key=known.__contains__))
    tiles = cache.gallery(micrograph, question, wanted, look, one_scale)
    for start in range(0, len(tiles), _COLUMNS):
        for column, tile in zip(
            st.columns(_COLUMNS), tiles[start : start + _COLUMNS], strict=False
        ):
            names = " = ".join(titles[name] for name in tile.methods)
            column.image(tile.png, caption=names, alt=names, width="stretch", output_format="PNG")
            if len(tile.methods) > 1:
                column.caption("These must coincide here.")
            if not tile.has_evidence:
                column.caption("No positive evidence.")
            if tile.points_nowhere:
                column.caption("Nearly the same everywhere.")


def methods(micrograph: Micrograph, question: Question) -> None:
    """Draw every method as a small picture, in one look; a click chooses it."""
    titles = cache.fitting(question.model_name)
    slow = cache.slow_methods()
    plain = replace(question, method="grad-cam", contrast=None, channels=None, tiled=False)
    fast = tuple(name for name in titles if name not in slow)
    tiles = cache.gallery(micrograph, plain, fast, Look(), False)  # however the map is drawn
    pngs = {name: tile.png for tile in tiles for name in tile.methods}
    filmstrip.picks.draw(
        [
            filmstrip.picks.Pick(
                name,
                title.removesuffix(" (baseline)"),
                pngs.get(name, b""),
                f"{name} {micrograph.key} {plain!r}",
                "takes longer",
            )
            for name, title in titles.items()
        ],
        question.method,
        "Method of the explanation",
        "explain_methods",
        METHOD.put,
    )


def save(micrograph: Micrograph, question: Question, look: Look) -> None:
    """Draw the menu of what can be taken home, a figure first."""
    found = cache.explanation(micrograph, question)
    stem = f"{show.file_stem(micrograph)}_{found.method}_{found.target}"
    with st.popover("Save …", icon=":material/download:", key="explain_save"):
        if st.button(
            "Figure for a paper", icon=":material/image:", key="explain_figure", width="stretch"
        ):
            viewer.open_figure(micrograph, layers(micrograph, question, look))
        show.download(
            "Heat map (PNG)",
            lambda: cache.heatmap_png(micrograph, question, look, full=True),
            f"{stem}.png",
            "image/png",
            "explain_png",
        )
        show.download(
            "Raw map (NPY)",
            lambda: cache.raw_map_npy(found),
            f"{stem}.npy",
            "application/octet-stream",
            "explain_npy",
        )
        show.download(
            "Evidence (32-bit TIFF)",
            lambda: cache.evidence_tiff(micrograph, question),
            f"{stem}.tif",
            "image/tiff",
            "explain_tiff",
        )
        show.download(
            "How it was made (JSON)",
            lambda: cache.explanation_json(micrograph, question),
            f"{stem}.json",
            "application/json",
            "explain_json",
        )
