"""What a person asks on the Explain page: class, method, layer, and how to draw the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import tables
from core.ui.shell import exclude_overlays

if TYPE_CHECKING:
    from core.learning.classifying import Classification

FEW_CHANNELS = 14
_LARGE = 4  # times as many pixels as the network takes: tiles then show more


def ask(
    micrograph: Micrograph, model_name: str
) -> tuple[cache.Question, cache.Look, Classification]:
    """Draw the controls; return the question, how to draw, and the network's own answer."""
    exclude = exclude_overlays()
    answer = cache.classification(micrograph, model_name, exclude)
    target = _class("Evidence for the class", answer, answer.ranking, model_name, micrograph)
    titles = cache.fitting(model_name)
    method = st.selectbox(
        "Method",
        titles,
        format_func=titles.__getitem__,
        key="explain_method",
        persist_state="session",
        help="All methods side by side are under “All methods” on the page.",
    )
    contrast = None
    if method == "finer-cam":
        others = tuple(name for name in answer.ranking if name != target)
        contrast = _class("Rather than", answer, others, model_name, micrograph)
    channels = _channels(method)
    layers = _layers(model_name, micrograph.shape)
    tiled = _tiled(model_name, method, micrograph)
    question = cache.Question(
        model_name, method, target, exclude, layers, contrast, channels, tiled
    )
    return question, _look(), answer


def _class(
    label: str,
    answer: Classification,
    names: tuple[str, ...],
    model_name: str,
    micrograph: Micrograph,
) -> str:
    card = cache.model(model_name).card
    sure = {name: tables.percent(p) for name, p in answer.probabilities.items()}
    key = f"explain_{'target' if len(names) == len(sure) else 'contrast'}_{micrograph.sha256}"
    if st.session_state.get(key) not in names:  # another model's, or a stranger's link
        st.session_state.pop(key, None)
    chosen: str = st.selectbox(
        label,
        names,
        format_func=lambda name: f"{card.display_name(name)} ({sure[name]})",
        key=key,
        persist_state="session",
        help="The most probable class comes first.",
    )
    return chosen


def _channels(method: str) -> int | None:
    if method not in ("score-cam", "ablation-cam"):
        return None
    every = st.toggle(
        "Try every channel",
        key="explain_every_channel",
        persist_state="session",
        help=f"Off: only the {FEW_CHANNELS} channels with the largest effect by gradient are "
        "tried, which is ten times faster; the others are estimated from those.",
    )
    return None if every else FEW_CHANNELS


def _layers(model_name: str, shape: tuple[int, int]) -> tuple[str, ...]:
    """Draw the choice of layers; several are fused."""
    facts = {each.name: each for each in cache.layer_facts(model_name, shape)}
    last = next(reversed(facts))
    chosen = st.pills(
        "Layer",
        list(reversed(facts)),
        selection_mode="multi",
        default=[last],
        format_func=lambda name: f"{name} · {facts[name].map_hw[1]} × {facts[name].map_hw[0]}",
        key=f"explain_layers_{model_name}",
        persist_state="session",
        help=f"None chosen: {last}, the last. Maps of early layers are finer and know less of the "
        "class. Several layers are fused: each is scaled to its strongest place, then averaged. "
        + " ".join(f"{n}: a cell sees {f.field_px:.0f} px." for n, f in facts.items()),
    )
    return tuple(name for name in facts if name in chosen)


def _tiled(model_name: str, method: str, micrograph: Micrograph) -> bool:
    height, width = cache.model(model_name).preparation.size_hw(micrograph.shape)
    if method not in cache.tileable() or micrograph.pixels.size < _LARGE * height * width:
        return False
    return st.toggle(
        "Native resolution, in tiles",
        key="explain_tiled",
        persist_state="session",
        help=f"The frame enters the network at {width} × {height} px. In tiles of "
        f"{cache.TILE_PX} px it is looked at without being shrunk: finer, slower, and each tile "
        "knows nothing of the others.",
    )


def _look() -> cache.Look:
    opacity = (
        st.slider("Opacity (%)", 0, 100, 60, 5, key="explain_opacity", persist_state="session")
        / 100
    )
    colormap = st.selectbox(
        "Colours", cache.COLORMAPS, index=1, key="explain_colormap", persist_state="session"
    )
    contour = st.slider(
        "Contour at (% of the strongest)",
        0,
        95,
        0,
        5,
        key="explain_contour",
        persist_state="session",
        help="Draws a line around the places with at least this much evidence; 0 draws none.",
    )
    return cache.Look(opacity, colormap, contour / 100 if contour else None)
