"""The map of micrographs as a component: pictures in a plane, chosen by a click or by a loop."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.measuring.embedding import Projection
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui import cache
from core.ui.parts import viewer

_HERE = Path(__file__).parent
_PICKED = "{}_picked"

_mount = st.components.v2.component(
    "micrographia_cloud",
    html=(_HERE / "cloud.html").read_text(encoding="utf-8"),
    css=(_HERE / "cloud.css").read_text(encoding="utf-8"),
    js=(_HERE / "cloud.js").read_text(encoding="utf-8"),
)


def draw(
    key: str,
    micrographs: Sequence[Micrograph],
    names: Sequence[str],
    kinds: Sequence[str],
    projection: Projection,
) -> None:
    """Draw a picture for every micrograph; what is chosen is told by `picked`.

    Parameters
    ----------
    key : str
    micrographs : sequence of N Micrograph
    names, kinds : sequences of N str
        What each is called, and what the colour of its frame stands for.
    projection : Projection
        With N points.
    """
    colors = figures.kind_colors(kinds)
    order = list(colors)
    places = _unit(projection.points)
    up, across = figures.axis_titles(projection)
    points = [
        {
            "of": each.sha256,
            "name": name,
            "kind": order.index(kind),
            "x": float(place[0]),
            "y": float(place[1]),
            "url": _address(key, number, each),
        }
        for number, (each, name, kind, place) in enumerate(
            zip(micrographs, names, kinds, places, strict=True)
        )
    ]

    def report() -> None:
        take(key, (st.session_state.get(key) or {}).get("picked"))

    _mount(
        key=key,
        data={
            "points": points,
            "kinds": [{"name": kind, "color": color} for kind, color in colors.items()],
            "picked": [each.sha256 for each in picked(key, micrographs)],
            "across": across,
            "up": up,
        },
        on_picked_change=report,
    )


def picked(key: str, micrographs: Sequence[Micrograph]) -> list[Micrograph]:
    """Return those that are chosen, in their own order."""
    chosen = set(st.session_state.get(_PICKED.format(key), ()))
    return [each for each in micrographs if each.sha256 in chosen]


def take(key: str, digests: Any) -> None:
    """Choose micrographs by their digests; whatever a browser says is taken for text."""
    chosen = digests if isinstance(digests, list) else []
    st.session_state[_PICKED.format(key)] = tuple(str(each) for each in chosen)


def _unit(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points of a plane between 0 and 1; in the middle where an axis has one value."""
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    shares = np.divide(points - low, span, out=np.full(points.shape, nan), where=span > 0)
    return np.asarray(np.nan_to_num(shares, nan=0.5))


def _address(key: str, number: int, micrograph: Micrograph) -> str:
    jpeg = cache.card_jpeg(micrograph)
    return viewer.media.address(jpeg, "image/jpeg", f"card {micrograph.key}", f"{key}/{number}")
