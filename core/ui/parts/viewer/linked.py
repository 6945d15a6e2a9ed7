"""One or two pictures that zoom and move together, and report where a person clicked.

Drawn by a small component of our own, like the comparison slider: PNG files travel as they are and
nothing is fetched from elsewhere. Zooming and moving run nothing on the server.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.ui.parts.compare.slider import png_size

_HERE = Path(__file__).parent
Point = tuple[float, float]  # (right, down) as shares of the picture


@dataclass(frozen=True, slots=True)
class Lattice:
    """What turns a place in a spectrum into the spacing of a lattice.

    Parameters
    ----------
    shape : (H, W)
        Of the micrograph: it says where frequency 0 is.
    edge : float
        Of its pixels, in `unit`.
    unit : str
        "nm", "µm" or "px".
    """

    shape: tuple[int, int]
    edge: float
    unit: str

    def header(self) -> dict[str, Any]:
        """Return the place of frequency 0 (right, down) as shares, and the pixel."""
        height, width = self.shape
        zero = [(side // 2 + 0.5) / side for side in (width, height)]
        return {"zero": zero, "edge": self.edge, "unit": self.unit}


HINTS = {
    "zoom": "Click a picture, then scroll to zoom and drag to move.",
    "line": "Click the two ends of the line. Drag moves, + and − zoom.",
    "spots": "Click a spot to take it out, click it again to put it back.",
}

_mount = st.components.v2.component(
    "micrographia_viewer",
    html=(_HERE / "linked.html").read_text(encoding="utf-8"),
    css=(_HERE / "linked.css").read_text(encoding="utf-8"),
    js=(_HERE / "linked.js").read_text(encoding="utf-8"),
)


def show(
    pngs: Sequence[bytes],
    *,
    labels: Sequence[str],
    key: str,
    mode: str = "zoom",
    line: Sequence[Point] = (),
    spots: Sequence[Point] = (),
    alt: str = "",
    caption: str = "",
    lattice: Lattice | None = None,
    on_line: Callable[[Point, Point], None] | None = None,
    on_spot: Callable[[Point], None] | None = None,
) -> None:
    """Show pictures of one size under one view.

    Parameters
    ----------
    pngs : sequence of bytes
        One or two PNG files of the same proportions.
    labels : sequence of str
        What each is called; shown on it.
    key : str
        Names this viewer; its view is kept under it across reruns and changes of page.
    mode : str
        What a click does: "zoom" nothing, "line" sets an end of the line, "spots" a spot.
    line, spots : sequence of points
        What is drawn over the pictures.
    alt, caption : str
    lattice : Lattice, optional
        The picture is a spectrum: the spacing and direction at the pointer are said.
    on_line, on_spot : callable, optional
        Called before the page runs again, with what a person clicked.
    """

    def report() -> None:
        found = st.session_state.get(key) or {}
        ends, spot = _points(found.get("line"), 2), _points([found.get("spot")], 1)
        if ends and on_line is not None:
            on_line(ends[0], ends[1])
        if spot and on_spot is not None:
            on_spot(spot[0])

    data = pack(pngs, labels, key, mode, line, spots, alt, caption, lattice)
    _mount(key=key, data=data, on_line_change=report, on_spot_change=report)


def pack(
    pngs: Sequence[bytes],
    labels: Sequence[str],
    key: str,
    mode: str,
    line: Sequence[Point],
    spots: Sequence[Point],
    alt: str,
    caption: str,
    lattice: Lattice | None = None,
) -> bytes:
    """Return one message: the header's length (4 bytes), the header as JSON, the PNG files."""
    width_px, height_px = png_size(pngs[0])
    header = json.dumps(
        {
            "key": key,
            "labels": list(labels),
            "mode": mode,
            "line": list(line) or None,
            "spots": list(spots),
            "alt": alt,
            "caption": caption,
            "hint": HINTS[mode],
            "lattice": None if lattice is None else lattice.header(),
            "width_px": width_px,
            "height_px": height_px,
            "bytes": [len(png) for png in pngs],
        }
    ).encode()
    return struct.pack("<I", len(header)) + header + b"".join(pngs)


def _points(value: Any, count: int) -> list[Point]:
    """Return the points that a browser reports; none where it reports something else."""
    if not isinstance(value, list | tuple) or len(value) != count:
        return []
    found = []
    for point in value:
        if not isinstance(point, list | tuple) or len(point) != 2:
            return []
        if not all(isinstance(share, int | float) and math.isfinite(share) for share in point):
            return []
        right, down = (min(max(float(share), 0.0), 1.0) for share in point)
        found.append((right, down))
    return found
