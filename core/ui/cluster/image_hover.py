"""Pictures that appear beside the pointer on the points of a plotly chart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.ui.parts import data_url

_mount = st.components.v2.component(
    "micrographia_image_hover",
    html="<span></span>",
    js=Path(__file__).with_name("image_hover.js").read_text(encoding="utf-8"),
)


def attach(chart_key: str, names: Sequence[str], jpegs: Sequence[bytes]) -> None:
    """Show pictures on the chart with this key.

    Parameters
    ----------
    chart_key : str
        Key of the `st.plotly_chart`; its points carry the number of their image as the first value
        of `customdata`.
    names : sequence of str
        What the pictures show, for those who cannot see them.
    jpegs : sequence of bytes
        A small JPEG per image.
    """
    pictures = [
        {"name": name, "url": data_url(jpeg, "image/jpeg")}
        for name, jpeg in zip(names, jpegs, strict=True)
    ]
    _mount(key=f"{chart_key}_hover", data=json.dumps({"chart": chart_key, "pictures": pictures}))
