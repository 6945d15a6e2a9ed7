"""A row of small pictures with a word below each: a click chooses one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.ui.parts.viewer import media

_HERE = Path(__file__).parent


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "micrographia_picks",
    html='<div class="strip" role="group"></div>',
    css=_read("strip.css", "picks.css"),
    js=_read("pictures.js", "picks.js"),
)


@dataclass(frozen=True, slots=True)
class Pick:
    """One that can be chosen; `instead` is written where there is no picture.

    Parameters
    ----------
    of : str
        What is reported when it is chosen.
    name : str
        What is written below.
    png : bytes
        Its picture; none when empty.
    key : str
        All that the picture depends on.
    """

    of: str
    name: str
    png: bytes = b""
    key: str = ""
    instead: str = ""


def draw(
    picks: Sequence[Pick], current: str, label: str, key: str, on_choose: Callable[[str], None]
) -> None:
    """Draw the row.

    Parameters
    ----------
    picks : sequence of Pick
    current : str
        What is chosen now.
    label : str
        Read aloud.
    key : str
        Names this row.
    on_choose : callable
        Called with the `of` of the one chosen, before the page runs again.
    """
    offered = {pick.of for pick in picks}

    def report() -> None:
        chosen = (st.session_state.get(key) or {}).get("chosen")
        if chosen in offered:
            on_choose(chosen)

    data = {
        "label": label,
        "current": current,
        "pictures": [_entry(pick, key) for pick in picks],
    }
    _mount(key=key, data=data, on_chosen_change=report)


def _entry(pick: Pick, key: str) -> dict[str, str]:
    url = ""
    if pick.png:
        url = media.address(pick.png, "image/png", f"pick {pick.key}", f"{key}/{pick.of}")
    return {"of": pick.of, "name": pick.name, "url": url, "instead": pick.instead}
