"""Where a session keeps the region of interest, and how a link writes it."""

from __future__ import annotations

import re

import streamlit as st

from core.measuring.selection import Point, Region
from core.micrograph import Micrograph

WHOLE, BOX, LASSO, TYPED = "Whole", "Box", "Lasso", "Typed"
WAY = "cluster_region_way"
SIDES = ("top", "left", "bottom", "right")  # of a typed box: two corners, row before column
MOST_CORNERS = 400  # a lasso that a hand draws has more, closer than a pixel
CORNERS = "cluster_region_corners"  # sha256 -> corners of what was drawn on that frame
_HELD = "cluster_region_held"
_FARTHEST_PX = 1e6  # a place further out is no place on a frame
_MOST_TEXT = 4000  # characters; browsers and mail programs cut longer addresses
_PLACE = re.compile(r"-?\d{1,6}(\.\d)?", re.ASCII)


def drawn() -> dict[str, tuple[Point, ...]]:
    """Return the corners of what was drawn, by the digest of its frame."""
    found: dict[str, tuple[Point, ...]] = st.session_state.setdefault(CORNERS, {})
    return found


def corners_from(stated: object) -> tuple[Point, ...]:
    """Return the corners that a file states; none where it states anything else."""
    if not isinstance(stated, list) or not 3 <= len(stated) <= MOST_CORNERS:
        return ()
    try:
        found = tuple((float(row), float(col)) for row, col in stated)
    except (TypeError, ValueError, OverflowError):
        return ()
    return found if all(abs(place) < _FARTHEST_PX for each in found for place in each) else ()


def hold(found: Region | None) -> None:
    """Note the region that clusters were last measured in, None for a whole frame."""
    st.session_state[_HELD] = found is not None


def is_held() -> bool:
    """Tell whether clusters were last measured in a region."""
    return bool(st.session_state.get(_HELD))


def side_key(side: str, micrograph: Micrograph) -> str:
    """Return where one side of the typed box is kept."""
    return f"cluster_{side}_{micrograph.sha256}"


def write(micrograph: Micrograph) -> str:
    """Return the region that holds on a frame as text; empty when the whole frame counts."""
    way = st.session_state.get(WAY)
    if way == TYPED:
        corners = [st.session_state.get(side_key(side, micrograph)) for side in SIDES]
    else:
        corners = [place for corner in drawn().get(micrograph.sha256, ()) for place in corner]
    if way not in (BOX, LASSO, TYPED) or not corners or None in corners:
        return ""
    text = "~".join([way, *(f"{place:g}" for place in corners)])
    return text if len(text) <= _MOST_TEXT else ""


def take(micrograph: Micrograph, text: str) -> None:
    """Set the region that a link states.

    Raises
    ------
    ValueError
        If it is none.
    UserError
        If it holds no pixel of the frame.
    """
    way, *said = text[: _MOST_TEXT + 1].split("~")
    if len(text) > _MOST_TEXT or not all(_PLACE.fullmatch(place) for place in said):
        raise ValueError("not a region")
    places = [float(place) for place in said]
    fewest, most = (6, 2 * MOST_CORNERS) if way == LASSO else (4, 4)
    if way not in (BOX, LASSO, TYPED) or len(places) % 2 or not fewest <= len(places) <= most:
        raise ValueError("not a region")
    corners = tuple(zip(places[::2], places[1::2], strict=True))
    Region(corners).mask(micrograph.shape)  # tells whether any pixel lies inside
    if way == TYPED:
        _take_typed(micrograph, places)
    else:
        drawn()[micrograph.sha256] = corners
    st.session_state[WAY] = way


def _take_typed(micrograph: Micrograph, places: list[float]) -> None:
    for side, place, most in zip(SIDES, places, 2 * micrograph.shape, strict=True):
        if not (place.is_integer() and 0 <= place < most):
            raise ValueError("not a row or column of the frame")
        st.session_state[side_key(side, micrograph)] = int(place)
