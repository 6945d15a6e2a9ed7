"""A button that puts a picture on the clipboard."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st

from core.ui.parts.viewer import media

_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "micrographia_copy",
    html='<button type="button">Copy figure</button><span role="status"></span>',
    css=(_HERE / "buttons.css").read_text(encoding="utf-8"),
    js=(_HERE / "copy.js").read_text(encoding="utf-8"),
)


def draw(png: bytes, key: str) -> None:
    """Draw the button; the browser fetches the picture when it is shown."""
    name = f"copy {hashlib.sha256(png).hexdigest()[:16]}"
    _mount(key=key, data={"url": media.address(png, "image/png", name, f"copy {key}")})
