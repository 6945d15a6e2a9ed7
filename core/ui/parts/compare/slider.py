"""A slider that uncovers one picture over another, drawn by a small component of our own.

The two PNG files travel in the element's own message, as they are: lossless, and nothing is fetched
from elsewhere. Streamlit sends an unchanged message only once, so a rerun costs a few bytes.
"""

from __future__ import annotations

import io
import json
import re
import struct
import threading
from pathlib import Path

import streamlit as st
from PIL import Image

_HERE = Path(__file__).parent
_SIZE = struct.Struct(">II")  # width and height stand at byte 16 of every PNG file
_PILLOW_LIMIT = threading.Lock()
_NOT_PLAIN = re.compile(r"[^\w %().,-]")  # JuxtaposeJS writes its labels into script text

OURS = "Built in"
JUXTAPOSE = "JuxtaposeJS (needs the internet)"
CHOICES = (OURS, JUXTAPOSE)
CHOICE_KEY = "settings_comparison"

_mount = st.components.v2.component(
    "micrographia_compare",
    html=(_HERE / "slider.html").read_text(encoding="utf-8"),
    css=(_HERE / "slider.css").read_text(encoding="utf-8"),
    js=(_HERE / "slider.js").read_text(encoding="utf-8"),
)


def slider(
    left_png: bytes,
    right_png: bytes,
    *,
    labels: tuple[str, str],
    key: str,
    alt: str = "",
    caption: str = "",
) -> None:
    """Show two pictures of one size under a movable divide.

    Parameters
    ----------
    left_png, right_png : bytes
        Two PNG files of the same width and height.
    labels : tuple of str
        What is on the left and on the right; shown on the pictures.
    key : str
        Names this slider; its position is kept under it across reruns and changes of page.
    alt : str
        What the pictures show, for those who cannot see them.
    caption : str
        Plain text below the pictures.

    Raises
    ------
    ValueError
        If the pictures differ in size.
    """
    if png_size(left_png) != png_size(right_png):
        raise ValueError(
            f"the pictures differ in size: {png_size(left_png)} and {png_size(right_png)}"
        )
    if st.session_state.get(CHOICE_KEY) == JUXTAPOSE:
        _juxtapose(left_png, right_png, labels, caption)
    else:
        _mount(key=key, data=pack(left_png, right_png, labels, key, alt, caption))


def png_size(png: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels as a PNG file states them."""
    width_px, height_px = _SIZE.unpack_from(png, 16)
    return width_px, height_px


def pack(
    left_png: bytes,
    right_png: bytes,
    labels: tuple[str, str],
    key: str,
    alt: str,
    caption: str,
) -> bytes:
    """Return one message: the header's length (4 bytes), the header as JSON, both PNG files."""
    width_px, height_px = png_size(left_png)
    header = json.dumps(
        {
            "key": key,
            "labels": labels,
            "alt": alt,
            "caption": caption,
            "width_px": width_px,
            "height_px": height_px,
            "left_bytes": len(left_png),
        }
    ).encode()
    return struct.pack("<I", len(header)) + header + left_png + right_png


def _juxtapose(left_png: bytes, right_png: bytes, labels: tuple[str, str], caption: str) -> None:
    """Show the pictures with streamlit-image-comparison, or side by side without it."""
    try:
        _call_image_comparison(left_png, right_png, labels)
    except Exception:
        # Whatever fails in the other slider, the two pictures themselves can still be shown.
        for column, png, label in zip(st.columns(2), (left_png, right_png), labels, strict=True):
            column.image(png, caption=label, alt=label, width="stretch", output_format="PNG")
    if caption:
        st.text(caption)


def _call_image_comparison(left_png: bytes, right_png: bytes, labels: tuple[str, str]) -> None:
    """Call the other package, and put back the Pillow limit that it takes away."""
    from streamlit_image_comparison import image_comparison

    with _PILLOW_LIMIT:
        limit = Image.MAX_IMAGE_PIXELS
        try:
            image_comparison(
                img1=Image.open(io.BytesIO(left_png)),
                img2=Image.open(io.BytesIO(right_png)),
                label1=_NOT_PLAIN.sub("", labels[0]),
                label2=_NOT_PLAIN.sub("", labels[1]),
                in_memory=True,  # else it writes to ./temp and deletes what others wrote there
            )
        finally:
            Image.MAX_IMAGE_PIXELS = limit
