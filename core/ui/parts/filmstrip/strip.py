"""A row of small pictures; click one, or go on with the arrow keys, or with , and . in the viewer.

The pictures are fetched from Streamlit's media store, and only those near the current one are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts.viewer import media

_HERE = Path(__file__).parent
_MOST = 25  # pictures at once, the current one in the middle
_PICTURE_PX = 112  # longer side: 56 px on a screen of two pixels per CSS pixel

_mount = st.components.v2.component(
    "micrographia_filmstrip",
    html='<div class="strip" role="group" aria-label="Loaded micrographs"></div>',
    css=(_HERE / "strip.css").read_text(encoding="utf-8"),
    js="\n".join(
        (_HERE / name).read_text(encoding="utf-8") for name in ("pictures.js", "strip.js")
    ),
)


def draw(
    micrographs: Sequence[Micrograph], current: Micrograph, on_choose: Callable[[str], None]
) -> None:
    """Draw the strip; nothing for a single micrograph.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        All that are loaded, in their order.
    current : Micrograph
        One of them.
    on_choose : callable
        Called with the digest of the one chosen, before the page runs again.
    """
    if len(micrographs) < 2:
        return
    digests = [each.sha256 for each in micrographs]
    place = digests.index(current.sha256)

    def report() -> None:
        chosen = (st.session_state.get("filmstrip") or {}).get("chosen")
        if chosen in digests:
            on_choose(chosen)

    near = around(place, len(micrographs))
    data = {
        "current": current.sha256,
        "before": digests[place - 1],
        "after": digests[(place + 1) % len(digests)],
        "pictures": [_picture(micrographs[number], number, len(digests)) for number in near],
    }
    _mount(key="filmstrip", data=data, on_chosen_change=report)


def around(place: int, count: int, most: int = _MOST) -> range:
    """Return the places of at most `most` neighbours, `place` in the middle where it can be."""
    first = max(0, min(place - most // 2, count - most))
    return range(first, min(count, first + most))


def _picture(micrograph: Micrograph, number: int, count: int) -> dict[str, str]:
    png = cache.thumbnail_png(micrograph, _PICTURE_PX)
    name = f"{micrograph.name} ({number + 1} of {count})"
    url = media.address(png, "image/png", f"small {micrograph.key}", f"filmstrip/{number}")
    return {"of": micrograph.sha256, "name": name, "url": url}
