"""Strokes of a brush on the Segment page: names of phases, what is painted, how right it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import streamlit as st

from core.errors import UserError
from core.measuring.by_hand import PAINT, Shape
from core.measuring.segmentation import MOST_NAME
from core.measuring.strokes import MOST_PHASES, LeftOut
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import say, viewer
from core.ui.shell import workspace

_NAMES, _SEEN = "segment_stroke_names", "segment_strokes_seen"
_CHECKED = "segment_strokes_checked"
_START = "particle, ground"
_PAYS = 0.01  # of the pixels: a smaller gain from half as many strokes again is none

Painted = tuple[tuple[Micrograph, tuple[Shape, ...]], ...]


def ask_names() -> tuple[str, ...]:
    """Draw the names of the phases and return 2 to 8 of them."""
    said = st.text_input(
        "Phases to paint",
        _START,
        max_chars=300,
        key=_NAMES,
        persist_state="session",
        help="Two to eight names by commas. Choose the name beside the brush above the picture, "
        "and paint a little of it in several places.",
    )
    every = (
        "".join(c for c in name if c.isprintable()).strip()[:MOST_NAME] for name in said.split(",")
    )
    names = list(dict.fromkeys(name for name in every if name))[:MOST_PHASES]
    while len(names) < 2:
        names.append(f"phase {len(names) + 1}")
    return tuple(names)


def painted(micrograph: Micrograph, *, every: bool) -> Painted:
    """Return the micrographs with strokes, this one first, and their strokes in order."""
    others = [m for m in workspace.every() if m.key != micrograph.key] if every else []
    found = ((m, _strokes(m)) for m in (micrograph, *others))
    return tuple((m, drawn) for m, drawn in found if drawn)


def _strokes(micrograph: Micrograph) -> tuple[Shape, ...]:
    return tuple(s for s in viewer.kept.shapes(micrograph) if s.kind in PAINT)


def digest(found: Painted) -> str:
    """Return what tells strokes apart; empty where there are none."""
    if not found:
        return ""
    said = [[m.key, [shape.to_dict() for shape in shapes]] for m, shapes in found]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def have_changed(micrograph: Micrograph, shapes: Sequence[Shape]) -> bool:
    """Tell whether what is painted is another than at the last run of the page."""
    own = tuple(shape for shape in shapes if shape.kind in PAINT)
    return digest(((micrograph, own),)) != st.session_state.get(_SEEN)


def remember(micrograph: Micrograph) -> None:
    """Note what is painted now."""
    st.session_state[_SEEN] = digest(((micrograph, _strokes(micrograph)),))


def draw_advice(
    micrograph: Micrograph, choice: cache.SegmentChoice, given: cache.Given, names: Sequence[str]
) -> None:
    """Say how right the map is away from the strokes, and whether more strokes would pay."""
    counts = _counts(given)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        say.caption(
            "{strokes} strokes on {places}: {counts}.",
            strokes=sum(counts),
            places=_places(len(given.strokes)),
            counts=", ".join(f"{n} {name}" for n, name in zip(counts, names, strict=False)),
        )
        st.button(
            "Clear the strokes",
            icon=":material/format_paint:",
            key="segment_strokes_clear",
            type="tertiary",
            on_click=_clear,
            args=(micrograph,),
        )
    if not st.toggle(
        "How right is it?",
        key=_CHECKED,
        persist_state="session",
        help="Leaves strokes out in turn and looks whether the others tell them rightly. It takes "
        "a second or two after each stroke.",
    ):
        return
    try:
        found = cache.strokes_left_out(micrograph, choice, given)
    except UserError as error:
        say.info("{error}", error=str(error), icon=":material/brush:")
        return
    say.markdown("{words}", words=describe(found))


def describe(found: LeftOut) -> say.Line:
    """Return sentences on the error by strokes left out, and whether more strokes pay."""
    right = found.right
    low, high = max(0.0, right.low), min(1.0, right.high)
    told = say.line(
        "**{right:.0f} % of the pixels of strokes that were left out are told rightly** "
        "(95 %: {low:.0f} to {high:.0f} %, {n} strokes). It speaks of places like those painted.",
        right=100 * right.estimate,
        low=100 * low,
        high=100 * high,
        n=found.strokes,
    )
    return say.line("{told} {pays}", told=told, pays=_pays(found))


def _pays(found: LeftOut) -> say.Line:
    (fewer, before), (more, now) = found.curve[-3], found.curve[-1]
    if more <= fewer or found.strokes < 2 * 4:
        return say.line("Eight strokes and more show whether further ones pay.")
    if now - before > _PAYS:
        return say.line(
            "More strokes still pay: {fewer} told {before:.0f} %, {more} tell {now:.0f} %.",
            fewer=fewer,
            before=100 * before,
            more=more,
            now=100 * now,
        )
    return say.line("More strokes of this kind hardly pay: paint where the map is in doubt.")


def _counts(given: cache.Given) -> list[int]:
    """Return how many strokes each phase has."""
    phases = [s.phase for _, shapes in given.strokes for s in shapes if s.kind == "brush"]
    return [phases.count(number) for number in range(1, max(phases, default=0) + 1)]


def _places(micrographs: int) -> str:
    return "this micrograph" if micrographs == 1 else f"{micrographs} micrographs"


def _clear(micrograph: Micrograph) -> None:
    drawn = viewer.kept.shapes(micrograph)
    viewer.kept.put(micrograph, tuple(s for s in drawn if s.kind not in PAINT))
