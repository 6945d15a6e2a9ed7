"""Text made safe for HTML: names of files, cards and recipes are written by others."""

from __future__ import annotations

import html
from unicodedata import category


def escape(text: object) -> str:
    """Return text that is safe between tags and inside attributes.

    Control and direction-changing characters, which could make a name look like another, are
    shown as a replacement character.
    """
    visible = "".join(
        c if c == "\n" or not category(c).startswith("C") else "\ufffd" for c in str(text)
    )
    return html.escape(visible, quote=True)
