"""What a person asks on the Explain page: class, method, layer, and how to draw the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.imaging.display import COLORMAPS
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import Choice, Setting, Switch, Whole, Words, say, tables
from core.ui.shell import EXCLUDE

if TYPE_CHECKING:
    from core.learning.classifying import Classification

FEW_CHANNELS = 14
_LARGE = 4  # times as many pixels as the network takes: tiles then show more
VALUES, ALL_METHODS, TRUST = "Values under the pointer", "All methods", "How far to trust it"
_BY_CHANNEL, _AGAINST = ("score-cam", "ablation-cam"), "finer-cam"
_WORDS = "explain_class_words"  # in which each choice of a class was drawn last

METHOD = Choice(
    name="method",
    key="explain_method",
    label="Method",
    help="The row of pictures below the map chooses it, too.",
    default="grad-cam",
    options=cache.method_titles,
    recipe="method",
)
EVERY_CHANNEL = Switch(
    name="every-channel",
    key="explain_every_channel",
    label="Try every channel",
    help=f"Off: only the {FEW_CHANNELS} channels with the largest effect by gradient are "
    "tried, which is ten times faster; the others are estimated from those.",
)
TILED = Switch(name="tiled", key="explain_tiled", label="Native resolution, in tiles")
OPACITY = Whole(
    name="opacity",
    key="explain_opacity",
    label="Opacity (%)",
    default=60,
    low=0,
    high=100,
    step=5,
)
COLOURS = Choice(
    name="colours",
    key="explain_colormap",
    label="Colours",
    default=COLORMAPS[1],
    options={name: name for name in COLORMAPS},
)
CONTOUR = Whole(
    name="contour",
    key="explain_contour",
    label="Contour at (% of the strongest)",
    help="Draws a line around the places with at least this much evidence; 0 draws none.",
    default=50,
    low=0,
    high=95,
    step=5,
)
SECTION = Choice(
    name="section",
    key="explain_section",
    label="Look closer",
    options={title: title for title in (VALUES, ALL_METHODS, TRUST)},
    texts={VALUES: "values", ALL_METHODS: "methods", TRUST: "trust"},
    in_row=True,
)
TARGET = Words(name="class", key="explain_target", label="Evidence for the class", of="sample")
CONTRAST = Words(name="rather-than", key="explain_contrast", label="Rather than", of="sample")
LAYERS = Words(name="layers", key="explain_layers", label="Layer", of="model", several=True)
SETTINGS: tuple[Setting, ...] = (
    METHOD,
    EVERY_CHANNEL,
    TILED,
    OPACITY,
    COLOURS,
    CONTOUR,
    SECTION,
    TARGET,
    CONTRAST,
    LAYERS,
)


def ask(
    micrograph: Micrograph, model_name: str
) -> tuple[cache.Question, cache.Look, Classification]:
    """Draw the controls; return the question, how to draw, and the network's own answer."""
    exclude = EXCLUDE.draw()
    answer = cache.classification(micrograph, model_name, exclude)
    target = _class(TARGET, answer, answer.ranking, model_name, micrograph)
    with st.expander("Method and layer", icon=":material/layers:"):
        method = METHOD.draw(cache.fitting(model_name))
        contrast = None
        if method == _AGAINST:
            others = tuple(name for name in answer.ranking if name != target)
            contrast = _class(CONTRAST, answer, others, model_name, micrograph)
        channels = _channels(method)
        layers = _layers(model_name, micrograph.shape)
        tiled = _tiled(model_name, method, micrograph)
    question = cache.Question(
        model_name, method, target, exclude, layers, contrast, channels, tiled
    )
    return question, _look(), answer


def _class(
    setting: Words,
    answer: Classification,
    names: tuple[str, ...],
    model_name: str,
    micrograph: Micrograph,
) -> str:
    card = cache.model(model_name).card
    sure = {name: tables.percent(p) for name, p in answer.probabilities.items()}
    key = setting.key_of(micrograph.sha256)
    words = {name: f"{card.display_name(name)} ({sure[name]})" for name in names}
    _renew(setting, key, words)
    chosen: str = st.selectbox(
        setting.label,
        names,
        format_func=words.__getitem__,
        key=key,
        persist_state="session",
        help="The most probable class comes first.",
    )
    return chosen


def _renew(setting: Words, key: str, words: dict[str, str]) -> None:
    """Choose the first class where the one chosen is another model's or a stranger's link's.

    A browser shows a choice in the words that it was made in, until it is told again: with another
    model, or other pixels, a class has another probability, or is none.
    """
    before = st.session_state.setdefault(_WORDS, {})
    if key in st.session_state:
        chosen = st.session_state[key]
        if chosen not in words:
            st.session_state[key] = next(iter(words))
        elif before.get(setting.name, (key, words)) != (key, words):
            st.session_state[key] = chosen
    before[setting.name] = (key, words)


def _channels(method: str) -> int | None:
    if method not in _BY_CHANNEL:
        return None
    return None if EVERY_CHANNEL.draw() else FEW_CHANNELS


def _layers(model_name: str, shape: tuple[int, int]) -> tuple[str, ...]:
    """Draw the choice of layers; several are fused."""
    facts = {each.name: each for each in cache.layer_facts(model_name, shape)}
    last = next(reversed(facts))
    chosen = st.pills(
        LAYERS.label,
        list(reversed(facts)),
        selection_mode="multi",
        default=[last],
        format_func=lambda name: f"{name} · {facts[name].map_hw[1]} × {facts[name].map_hw[0]}",
        key=LAYERS.key_of(model_name),
        persist_state="session",
        help=say.line(
            "None chosen: {last}, the last. Maps of early layers are finer and know less of the "
            "class. Several layers are fused: each is scaled to its strongest place, then "
            "averaged. {fields}",
            last=last,
            fields=say.joined(
                say.line(
                    "{name}: a cell sees {field_px:.0f} px.", name=name, field_px=fact.field_px
                )
                for name, fact in facts.items()
            ),
        ),
    )
    return tuple(name for name in facts if name in chosen)


def _tiled(model_name: str, method: str, micrograph: Micrograph) -> bool:
    height, width = cache.model(model_name).preparation.size_hw(micrograph.shape)
    if method not in cache.tileable() or micrograph.pixels.size < _LARGE * height * width:
        return False
    return TILED.draw(
        help=f"The frame enters the network at {width} × {height} px. In tiles of "
        f"{cache.TILE_PX} px it is looked at without being shrunk: finer, slower, and each tile "
        "knows nothing of the others.",
    )


def _look() -> cache.Look:
    with st.expander("How it is drawn", icon=":material/palette:"):
        opacity, colours, contour = OPACITY.draw(), COLOURS.draw(), CONTOUR.draw()
    return cache.Look(opacity / 100, colours, contour / 100 if contour else None)
