"""Why it answers so."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.imaging import display
from core.imaging.display import legends, saving
from core.micrograph import Micrograph
from core.reporting import figures
from core.reporting.batch import list_versions
from core.ui.cache.shared import (
    BY_KEY,
    encode,
    excluded,
    model,
    overlays,
    picture,
    with_scale_bar,
)

if TYPE_CHECKING:
    from core.learning.explaining import Explanation, LayerFacts
    from core.learning.trust import TrustCard

Tell = Callable[[float, str], None]  # share done, what is going on

TILE_PX = 256
_TILE_WIDTH_PX = 420


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained, and how.

    `layers` are names of the model's layers, none for the last one, several to be fused; with
    `tiled` the frame keeps its native resolution.
    """

    model_name: str
    method: str = "grad-cam"
    target: str | None = None
    exclude: bool = True
    layers: tuple[str, ...] = ()
    contrast: str | None = None
    channels: int | None = None
    tiled: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How a heat map is laid over its micrograph; `contour` is a share of the maximum, or None."""

    opacity: float = 0.6
    colormap: str = "inferno"
    contour: float | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the gallery; methods that must coincide share it."""

    methods: tuple[str, ...]
    png: bytes
    has_evidence: bool
    points_nowhere: bool


@st.cache_data(max_size="128MB", show_spinner="Explaining …", hash_funcs=BY_KEY)
def explanation(micrograph: Micrograph, question: Question) -> Explanation:
    """Return where the model finds evidence for a class."""
    from core.learning.explaining import fuse

    layers = question.layers or (None,)
    found = [_explain(micrograph, question, layer) for layer in layers]
    return found[0] if len(found) == 1 else fuse(found)


def _explain(micrograph: Micrograph, question: Question, layer: str | None) -> Explanation:
    from core.learning.explaining import explain, explain_tiled

    network, mask = model(question.model_name), excluded(micrograph, question.exclude)
    asked = (network, micrograph, question.method, question.target, layer)
    if question.tiled:
        return explain_tiled(*asked, tile_px=TILE_PX, exclude=mask)
    return explain(*asked, exclude=mask, contrast=question.contrast, channels=question.channels)


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def heatmap_png(
    micrograph: Micrograph, question: Question, look: Look, full: bool = False
) -> bytes:
    """Return the micrograph under its heat map; with every pixel it carries a colour bar."""
    found = explanation(micrograph, question)
    shown = picture(micrograph, full)
    blended = _blend(shown, found, look, 1.0)
    if not full:
        return encode(blended, micrograph)
    barred = with_scale_bar(blended, micrograph)
    ends = ("no evidence", f"strongest ({float(found.raw.max()):.3g})")
    return display.png_bytes(legends.add_color_bar(barred, ends, look.opacity, look.colormap))


@st.cache_data(max_size="16MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def small_heatmap_png(
    micrograph: Micrograph, question: Question, look: Look, width_px: int
) -> bytes:
    """Return a small micrograph under its heat map, at most so wide."""
    height, width = micrograph.shape
    shown = display.thumbnail(micrograph, max(1, width_px * max(height, width) // width))
    return display.png_bytes(_blend(shown, explanation(micrograph, question), look, 1.0))


def _blend(
    shown: display.Picture, found: Explanation, look: Look, strength: float
) -> display.Picture:
    """Return a picture under a heat map of some strength, with contour and frame."""
    from core.learning.explaining import to_frame

    scale = np.array(shown.shape * 2) / np.array(found.heatmap.shape * 2)
    top, left, bottom, right = (round(v) for v in np.array(found.seen_box) * scale)
    box = (top, left, bottom, right)
    heat = strength * to_frame(found.raw, shown.shape, box)
    blended = display.blend_heatmap(shown, heat, look.opacity, look.colormap)
    if look.contour is not None and found.has_evidence:
        blended = legends.draw_contour(blended, heat, look.contour * strength)
    if box != (0, 0, *shown.shape):
        blended = legends.outline_box(blended, box)
    return blended


@st.cache_data(max_size="64MB", show_spinner="Explaining by every method …", hash_funcs=BY_KEY)
def gallery(
    micrograph: Micrograph,
    question: Question,
    methods: tuple[str, ...],
    look: Look,
    one_scale: bool,
) -> tuple[Tile, ...]:
    """Return one small picture per method; one scale compares the raw values of all of them."""
    from core.learning.explaining import explain_all

    layer = question.layers[0] if len(question.layers) == 1 else None
    maps = explain_all(
        model(question.model_name),
        micrograph,
        target=question.target,
        layer=layer,
        exclude=excluded(micrograph, question.exclude),
        methods=methods,
        contrast=question.contrast,
        channels=question.channels,
    )
    alike = coinciding(question.model_name, layer)
    groups = [tuple(m for m in methods if m in alike)] if set(alike) & set(methods) else []
    groups += [(m,) for m in methods if m not in alike]
    shown = display.thumbnail(micrograph, _TILE_WIDTH_PX)
    most = max((float(maps[m].raw.max()) for m in methods), default=0.0)
    tiles = []
    for group in groups:
        found = maps[group[0]]
        strength = max(0.0, float(found.raw.max())) / most if one_scale and most > 0 else 1.0
        png = display.png_bytes(_blend(shown, found, look, strength))
        tiles.append(Tile(group, png, found.has_evidence, found.points_nowhere))
    return tuple(tiles)


@st.cache_data(max_entries=64, show_spinner=False)
def coinciding(model_name: str, layer: str | None) -> tuple[str, ...]:
    """Return the methods that must give one map at this layer."""
    from core.learning.explaining import coinciding_methods

    return coinciding_methods(model(model_name), layer)


@st.cache_data(max_entries=16, show_spinner=False)
def fitting(model_name: str) -> dict[str, str]:
    """Return the methods that this model allows, id to title."""
    from core.learning.explaining import EVERY_METHOD, fitting_methods

    return {name: EVERY_METHOD[name].title for name in fitting_methods(model(model_name))}


def tileable() -> tuple[str, ...]:
    """Return the methods that can be drawn in tiles."""
    from core.learning.explaining import ONE_PASS

    return tuple(name for name in ONE_PASS if name != "finer-cam")


def slow_methods() -> tuple[str, ...]:
    """Return the methods that run the network many times."""
    from core.learning.explaining import EVERY_METHOD, Cost

    return tuple(name for name, each in EVERY_METHOD.items() if each.cost is Cost.MANY_PASSES)


def baselines() -> tuple[str, ...]:
    """Return the methods that know nothing of the network."""
    from core.learning.explaining import BASELINES

    return BASELINES


@st.cache_data(max_entries=64, show_spinner="Looking at the layers …")
def layer_facts(model_name: str, shape: tuple[int, int]) -> tuple[LayerFacts, ...]:
    """Return size and receptive field of every layer for frames of a shape."""
    from core.learning.explaining import describe_layers

    return describe_layers(model(model_name), shape)


@st.cache_data(max_size="32MB", show_spinner=False, hash_funcs=BY_KEY)
def evidence_figure(
    micrograph: Micrograph, question: Question, colormap: str, dark: bool
) -> go.Figure:
    """Return the evidence with place, value and grey level under the pointer."""
    found = explanation(micrograph, question)
    return figures.evidence_map(micrograph, found.heatmap, colormap=colormap, dark=dark)


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_KEY)
def evidence_histogram(micrograph: Micrograph, question: Question, dark: bool) -> go.Figure:
    """Return how often each value of the signed map occurs."""
    return figures.evidence_histogram(explanation(micrograph, question).raw, dark=dark)


def overlay_evidence_share(micrograph: Micrograph, question: Question) -> float:
    """Return which share of the evidence lies on info bar, scale bar and letters, 0 to 1."""
    from core.learning.trust import evidence_share

    return evidence_share(explanation(micrograph, question), overlays(micrograph))


@st.cache_data(max_size="32MB", show_spinner=False, hash_funcs=BY_KEY)
def trust(micrograph: Micrograph, question: Question, thorough: bool, _tell: Tell) -> TrustCard:
    """Return how far a map of the whole frame can be trusted."""
    from core.learning.trust import trust_card

    found = explanation(micrograph, question)
    network, mask = model(question.model_name), excluded(micrograph, question.exclude)
    shown = overlays(micrograph)
    return trust_card(
        network,
        micrograph,
        found,
        exclude=mask,
        overlays=shown,
        thorough=thorough,
        on_progress=_tell,
    )


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_KEY)
def trust_of_methods(
    micrographs: tuple[Micrograph, ...],
    model_name: str,
    layer: str | None,
    exclude: bool,
    _tell: Tell,
) -> pd.DataFrame:
    """Return how faithful each method is on average over micrographs."""
    from core.learning.trust import compare_methods

    return compare_methods(
        model(model_name),
        micrographs,
        layer=layer,
        excludes=[excluded(each, exclude) for each in micrographs],
        on_progress=_tell,
    )


@st.cache_data(max_entries=64, show_spinner=False)
def heat_legend_png(look: Look) -> bytes:
    """Return how evidence from none (left) to the strongest (right) looks over middle grey."""
    heat = np.tile(np.linspace(0, 1, 256), (14, 1))
    grey = np.full(heat.shape, 128, np.uint8)
    return display.png_bytes(display.blend_heatmap(grey, heat, look.opacity, look.colormap))


def raw_map_npy(found: Explanation) -> bytes:
    """Return the signed map at its own resolution as a NumPy file."""
    return saving.save_npy_bytes(found.raw)


@st.cache_data(max_size="96MB", show_spinner=False, hash_funcs=BY_KEY)
def evidence_tiff(micrograph: Micrograph, question: Question) -> bytes:
    """Return the evidence, 0 to 1 in 32 bits, at the micrograph's own size and scale."""
    found = explanation(micrograph, question)
    return saving.save_tiff_bytes(replace(micrograph, pixels=found.heatmap))


@st.cache_data(max_size="64MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def evidence_levels(micrograph: Micrograph, question: Question) -> NDArray[np.uint8]:
    """Return the evidence over the whole frame in 256 levels, for a screen."""
    return np.rint(255 * explanation(micrograph, question).heatmap).astype(np.uint8)


@st.cache_data(max_size="32MB", show_spinner=False, hash_funcs=BY_KEY)
def evidence_contour(
    micrograph: Micrograph, question: Question, level: float
) -> list[NDArray[np.float32]]:
    """Return the lines around where the evidence reaches a share of its maximum, (row, column)."""
    return legends.contour_lines(explanation(micrograph, question).heatmap, level)


def explanation_json(micrograph: Micrograph, question: Question) -> bytes:
    """Return what made the map, so that anyone can make it again."""
    from core.learning.explaining import EVERY_METHOD

    found, card = explanation(micrograph, question), model(question.model_name).card
    method = EVERY_METHOD[found.method]
    facts = {
        "micrograph": {"name": micrograph.name, "sha256": micrograph.sha256},
        "model": {"name": card.name, "sha256": card.sha256},
        "method": {"id": found.method, "title": method.title, "reference": method.reference},
        "formula": method.formula,
        "layer": found.layer,
        "class": found.target,
        "told apart from": found.contrast or None,
        "overlays hidden from the network": question.exclude,
        "tiles_px": TILE_PX if question.tiled else None,
        "channels tried": question.channels,
        "part seen by the network (top, left, bottom, right in px)": found.seen_box,
        "map (rows, columns)": found.raw.shape,
        "raw values (smallest, largest)": _ends(found.raw),
        "versions": list_versions(),
    }
    return json.dumps(facts, indent=2, ensure_ascii=False).encode()


def _ends(values: NDArray[np.float32]) -> Sequence[float]:
    return float(values.min()), float(values.max())
