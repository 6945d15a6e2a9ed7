"""A chart's own button: the chart as PNG, SVG or PDF in the width and the look of figures.

The browser lays the chart out anew for paper with the plotly.js that the Python package carries,
fetched from this server when somebody first wants to save: letters keep their size in points
instead of being shrunk with the chart. A PDF is made here of the browser's SVG.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import UserError
from core.ui.parts.paper import kept
from core.ui.parts.viewer import media

_HERE = Path(__file__).parent
_MOST_TURN = 1_000_000

_mount = st.components.v2.component(
    "micrographia_chart_saver",
    html=(_HERE / "chart.html").read_text(encoding="utf-8"),
    css=(_HERE / "buttons.css").read_text(encoding="utf-8"),
    js=(_HERE / "chart.js").read_text(encoding="utf-8"),
)


@st.fragment
def draw_saver(key: str, alt: str) -> None:
    """Draw the button of the chart that stands in the container `key`."""
    from core.reporting.paper import DPIS, FONTS, THEMES, WIDTHS_MM

    own, opened = f"{key}_saver", f"{key}_saver_opened"

    def report_style() -> None:
        kept.set_style((st.session_state.get(own) or {}).get("style"))

    def report_opened() -> None:
        st.session_state[opened] = True

    said = (st.session_state.get(own) or {}).get("svg")
    _mount(
        key=own,
        data={
            "chart": key,
            "alt": alt,
            "style": kept.style().to_dict(),
            "widths": WIDTHS_MM,
            "dpis": DPIS,
            "fonts": FONTS,
            "themes": THEMES,
            "looks": _looks(),
            "plotly": _plotly(own) if st.session_state.get(opened) else "",
            "pdf": _pdf(said, own),
        },
        on_style_change=report_style,
        on_opened_change=report_opened,
        on_svg_change=lambda: None,
    )


def _pdf(said: Any, own: str) -> dict[str, Any]:
    """Return where the browser fetches the PDF of an SVG that it sent, or why there is none."""
    from core.reporting.paper import chart_pdf

    if not isinstance(said, dict) or not isinstance(said.get("svg"), str):
        return {}
    turn = said.get("turn")
    if not isinstance(turn, int) or not 0 <= turn < _MOST_TURN:
        return {}
    try:
        content = chart_pdf(said["svg"].encode("utf-8", "replace"), kept.style())
    except UserError as error:
        return {"turn": turn, "problem": str(error)}
    url = media.address(content, "application/pdf", f"pdf {turn}", f"chart {own} pdf")
    return {"turn": turn, "url": url}


def _plotly(own: str) -> str:
    content = resources.files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    return media.address(content, "text/javascript", "plotly.js", f"chart {own} script")


@cache
def _looks() -> str:
    """Return both looks of charts: template and ink on light and on dark ground."""
    from core.reporting.figures import look

    return json.dumps({name: look(dark=name == "Dark") for name in ("White", "Dark")})
