"""Shapes that a person drew, kept with their micrograph for the session."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.measuring.by_hand import Shape, read_shapes
from core.micrograph import Micrograph

BAR = "scale bar"  # name of a ruler whose ends are those of a scale bar that is asked about
_SHAPES = "viewer_shapes"  # digest -> tuple of shapes
_TURNS = "viewer_turns"  # digest -> how often the page, not the hand, changed them
_AWAITED = "viewer_awaited"
_KINDS_OF_PAINT = ("brush", "eraser")


def shapes(micrograph: Micrograph) -> tuple[Shape, ...]:
    """Return what is drawn on a micrograph."""
    return _all().get(micrograph.sha256, ())


def turn(micrograph: Micrograph) -> int:
    """Return how often `put` changed the shapes: the viewer then takes them over."""
    turns: dict[str, int] = st.session_state.setdefault(_TURNS, {})
    return turns.get(micrograph.sha256, 0)


def put(micrograph: Micrograph, drawn: tuple[Shape, ...]) -> None:
    """Set the shapes of a micrograph from the page; the viewer can undo it."""
    put_by_digest(micrograph.sha256, drawn)


def put_by_digest(sha256: str, drawn: tuple[Shape, ...]) -> None:
    """Set the shapes of a micrograph that may not be loaded yet."""
    _all()[sha256] = drawn
    turns: dict[str, int] = st.session_state.get(_TURNS, {})
    st.session_state[_TURNS] = {**turns, sha256: turns.get(sha256, 0) + 1}


def await_shapes(micrograph: Micrograph, waits: bool) -> None:
    """Say whether something beside the viewer waits for what is drawn: then the page runs again."""
    st.session_state[_AWAITED] = micrograph.sha256 if waits else ""


def is_awaited(micrograph: Micrograph) -> bool:
    """Tell whether the page waits for what is drawn on a micrograph."""
    awaited = st.session_state.get(_AWAITED) == micrograph.sha256
    return bool(awaited or bar_ends(micrograph))


def bar_ends(micrograph: Micrograph) -> tuple[int, int, int] | None:
    """Return row, left and right end in px of the ruler that was laid along a scale bar."""
    for shape in shapes(micrograph):
        if (shape.kind, shape.name) == ("ruler", BAR):
            (row, one), (other_row, other) = shape.points[0], shape.points[-1]
            ends = sorted((round(one + 0.5), round(other + 0.5)))
            return round((row + other_row) / 2), ends[0], ends[1]
    return None


def lay_bar(micrograph: Micrograph, ends: tuple[int, int, int] | None) -> None:
    """Lay a ruler along a scale bar, whose ends can then be dragged; None takes it away."""
    others = tuple(each for each in shapes(micrograph) if each.name != BAR)
    if ends is None and len(others) == len(shapes(micrograph)):
        return
    row, left, right = ends or (0, 0, 0)
    number = 1 + max((each.number for each in others), default=0)
    points = (float(row), left - 0.5), (float(row), right - 0.5)
    laid = (Shape("ruler", points, BAR, number),) if ends else ()
    put(micrograph, (*others, *laid))


def take(micrograph: Micrograph, said: Any) -> bool:
    """Take over what a viewer reports; return whether it belongs to this micrograph."""
    if not isinstance(said, dict) or said.get("of") != micrograph.sha256:
        return False
    _all()[micrograph.sha256] = from_viewer(said.get("shapes"))
    return True


def from_viewer(said: Any) -> tuple[Shape, ...]:
    """Return the shapes that a viewer reports: it counts from the frame's corner, x before y."""
    return read_shapes([_turned(each) for each in said] if isinstance(said, list) else ())


def to_viewer(shape: Shape) -> dict[str, Any]:
    """Return a shape as the viewer writes it."""
    said: dict[str, Any] = {
        "id": shape.number,
        "kind": shape.kind,
        "name": shape.name,
        "points": [[col + 0.5, row + 0.5] for row, col in shape.points],
    }
    if shape.kind in _KINDS_OF_PAINT:
        said |= {"cls": shape.phase, "size": shape.width_px}
    return said


def _turned(said: Any) -> Any:
    try:
        return {
            "kind": said["kind"],
            "points": [(y - 0.5, x - 0.5) for x, y in said["points"]],
            "name": said.get("name", ""),
            "number": said["id"],
            "phase": said.get("cls") or 0,
            "width_px": said.get("size") or 0.0,
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _all() -> dict[str, tuple[Shape, ...]]:
    found: dict[str, tuple[Shape, ...]] = st.session_state.setdefault(_SHAPES, {})
    return found
