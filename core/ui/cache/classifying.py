"""What the network answers, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.imaging import display
from core.imaging.display import class_tiles
from core.micrograph import Micrograph
from core.reporting.batch import Bin, reliability_bins
from core.ui.cache.shared import BY_KEY, encode, excluded, model, overlays, picture

if TYPE_CHECKING:
    from core.learning.classifying import Classification, LabelStability, OverlayCheck, TileMap

_RELIABILITY_BINS = 10


@st.cache_data(max_size="16MB", show_spinner="Classifying …", hash_funcs=BY_KEY)
def classification(
    micrograph: Micrograph, model_name: str, exclude: bool, level: float | None = None
) -> Classification:
    """Return the model's answer for one micrograph."""
    from core.learning.classifying import classify

    masks = [excluded(micrograph, exclude)]
    return classify(model(model_name), [micrograph], excludes=masks, level=level)[0]


@dataclass(frozen=True, slots=True)
class Preparations:
    """Answers in each of the usual preparations: a table, and whether they differ much."""

    frame: pd.DataFrame
    differ: bool


@st.cache_data(max_size="4MB", show_spinner="Trying …", hash_funcs=BY_KEY)
def try_preparations(
    micrographs: tuple[Micrograph, ...], model_name: str, exclude: bool
) -> Preparations:
    """Return what a model from elsewhere answers when frames are prepared in the usual ways."""
    from core.learning.classifying import disagree, try_preparations

    network = model(model_name)
    masks = [excluded(each, exclude) for each in micrographs]
    tried = try_preparations(network, micrographs, excludes=masks)
    rows = [
        {
            "Preparation": each.title,
            **{
                micrograph.name: f"{network.card.display_name(a.label)}, {a.probability:.0%}"
                for micrograph, a in zip(micrographs, each.answers, strict=True)
            },
        }
        for each in tried
    ]
    return Preparations(pd.DataFrame(rows), disagree(tried))


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_KEY)
def network_input_png(micrograph: Micrograph, model_name: str, exclude: bool) -> bytes:
    """Return what a network sees of a micrograph, before grey levels are normalised."""
    prepared = model(model_name).preparation(micrograph, excluded(micrograph, exclude))
    low, high = float(prepared.min()), float(prepared.max())
    scaled = (prepared - min(low, 0.0)) / max(high - min(low, 0.0), 1e-6)
    return display.png_bytes(np.rint(255 * scaled).astype(np.uint8))


def overlay_check(
    micrograph: Micrograph, model_name: str, level: float | None = None
) -> OverlayCheck | None:
    """Return the answers with overlays shown and hidden; None where there are none."""
    from core.learning.classifying import OverlayCheck

    if not overlays(micrograph).any():
        return None
    shown, hidden = (
        classification(micrograph, model_name, exclude, level) for exclude in (False, True)
    )
    return OverlayCheck(shown, hidden)


@st.cache_data(max_size="8MB", show_spinner="Trying small changes …", hash_funcs=BY_KEY)
def label_stability(micrograph: Micrograph, model_name: str, exclude: bool) -> LabelStability:
    """Return how the label fares under flips, shifts and noise."""
    from core.learning.classifying import check_stability

    network, mask = model(model_name), excluded(micrograph, exclude)
    return check_stability(network, micrograph, mask)


def magnification_caution(micrograph: Micrograph, model_name: str) -> str:
    """Return in words how the scale differs from that of the training micrographs; "" when not."""
    from core.learning.classifying import check_magnification

    return check_magnification(model(model_name).card, micrograph)


@st.cache_data(max_size="64MB", show_spinner=False, hash_funcs=BY_KEY)
def tile_map(
    micrograph: Micrograph,
    model_name: str,
    tile_px: int,
    exclude: bool,
    _tell: Callable[[float], None],
) -> TileMap:
    """Return the class of every tile."""
    from core.learning.classifying import map_tiles

    network, mask = model(model_name), excluded(micrograph, exclude)
    return map_tiles(network, micrograph, tile_px, exclude=mask, on_progress=_tell)


def tile_map_png(micrograph: Micrograph, tiles: TileMap) -> bytes:
    """Return the micrograph under the colours of its tiles."""
    drawn = class_tiles.draw_class_tiles(
        picture(micrograph, full=False), *tiles.at_pixels(), len(tiles.classes)
    )
    return encode(drawn, micrograph)


def tile_values(micrograph: Micrograph, tiles: TileMap, exclude: bool) -> NDArray[np.uint8]:
    """Return class and certainty of each pixel's tile, see `display.class_tiles.pack`."""
    values = class_tiles.pack(*tiles.at_pixels(), len(tiles.classes))
    mask = excluded(micrograph, exclude)
    return values if mask is None else np.where(mask, 0, values).astype(np.uint8)


@st.cache_data(max_entries=16, show_spinner=False)
def reliability(model_name: str) -> tuple[Bin, ...]:
    """Return the reliability diagram of held-out answers; empty when the model keeps none."""
    from core.learning.classifying import cool_by_group, softmax

    kept = model(model_name).reference
    if kept is None or not len(kept.heldout_logits):
        return ()
    logits = kept.heldout_logits.astype(float)
    cooled = cool_by_group(logits, kept.heldout_targets, kept.heldout_groups)
    answers = softmax(cooled)
    right = answers.argmax(axis=1) == kept.heldout_targets
    return reliability_bins(answers.max(axis=1), right, _RELIABILITY_BINS)
