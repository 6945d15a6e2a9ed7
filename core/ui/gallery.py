"""The gallery on the start page: one card per micrograph."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.imaging import instrument
from core.micrograph import Micrograph
from core.ui import cache, show, workspace

_CARDS_PER_PAGE = 6
_CARD_PX = 280  # at least
_PICTURE_WH = (266, 200)  # px
_MARKED_SHARE = 0.01  # of saturated pixels, from which a badge says so


def draw() -> None:
    """Draw how many there are and how much memory they take, then their cards."""
    micrographs = workspace.every()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap=None, width="stretch"):
            st.subheader(f"Loaded ({len(micrographs)})", anchor=False)
            used, most = workspace.used_bytes() / 2**20, workspace.MOST_BYTES // 2**20
            st.caption(f"{used:.3g} MB of {most} MB in memory")
        if st.button("Clear all", icon=":material/delete_sweep:", key="home_clear"):
            workspace.clear()
            st.rerun()
    cards = st.grid(min_column_width=_CARD_PX)
    first = _turn_pages(len(micrographs))
    current = workspace.current()
    with cards:
        for micrograph in micrographs[first : first + _CARDS_PER_PAGE]:
            _card(micrograph, chosen=micrograph is current)


def _turn_pages(total: int) -> int:
    """Draw the choice of a page where one is not enough; return the place of its first card."""
    pages = -(-total // _CARDS_PER_PAGE)
    if pages < 2:
        return 0
    page = st.pagination(pages, key="home_page", persist_state="session")
    return _CARDS_PER_PAGE * (min(page, pages) - 1)


def prepare(micrograph: Micrograph) -> None:
    """Compute what a card shows, so that the gallery appears at once."""
    cache.thumbnail_png(micrograph, 2 * max(_PICTURE_WH))
    cache.window(micrograph)
    cache.saturated(micrograph)


def badges(micrograph: Micrograph) -> None:
    """Say in a word each what deserves attention."""
    show.simulated_badge(micrograph)
    if micrograph.pixel_size is None:
        reason = str(micrograph.metadata.get("calibration", ""))
        st.badge("no pixel size", color="orange", help=show.plain(reason) or None)
    elif instrument.is_set_by_hand(micrograph):
        st.badge("pixel size by hand", color="blue")
    if any(cache.info_bars(micrograph)):
        st.badge("info bar found", color="blue")
    if cache.holds_lettering(micrograph):
        st.badge("letters or scale bar found", color="blue")
    share = cache.saturated(micrograph)
    if share > _MARKED_SHARE:
        st.badge(
            f"saturated {100 * share:.0f}\u00a0%",
            color="red",
            help="Share of the specimen's pixels at a grey level where the signal was cut off.",
        )


def _card(micrograph: Micrograph, chosen: bool) -> None:
    with st.container(border=True, height="stretch", vertical_alignment="distribute"):
        with st.container(gap="xxsmall"):
            with st.container(height=_PICTURE_WH[1], border=False, horizontal_alignment="center"):
                st.image(
                    cache.thumbnail_png(micrograph, 2 * max(_PICTURE_WH)),
                    width=_fit_width(micrograph),
                    alt=micrograph.name,
                )
            st.markdown(f"**{show.plain(micrograph.name)}**")
            for line in _facts(micrograph):
                st.caption(show.plain(line))
            with st.container(horizontal=True, gap="xxsmall"):
                badges(micrograph)
        _buttons(micrograph.sha256, chosen)


def _facts(micrograph: Micrograph) -> list[str]:
    """Return size, depth and scale; field and instrument where known; the display window."""
    lines = [workspace.describe(micrograph).replace(" · no pixel size", "")]
    if micrograph.pixel_size is not None:
        lines.append("Field {} × {}".format(*instrument.field_of_view(micrograph)))
    scope = instrument.describe_instrument(micrograph).get("Microscope")
    if scope:
        lines[-1] += f" · {scope}"
    low, high = cache.window(micrograph)
    levels = ".0f" if micrograph.pixels.dtype.kind != "f" or 1e3 <= abs(high) < 1e7 else ".4g"
    return [*lines, f"Shown from grey {low:{levels}} to {high:{levels}}"]


def _buttons(sha256: str, chosen: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button(
            "Chosen" if chosen else "Choose",
            f"home_choose_{sha256}",
            icon=":material/check:" if chosen else None,
            disabled=chosen,
            on_click=partial(workspace.select, sha256),
        )
        st.button(
            "",
            f"home_remove_{sha256}",
            "Remove",
            icon=":material/close:",
            type="tertiary",
            on_click=partial(workspace.remove, sha256),
        )


def _fit_width(micrograph: Micrograph) -> int:
    """Return the width at which a thumbnail of any proportions fits on its card."""
    height, width = micrograph.shape
    return max(8, min(_PICTURE_WH[0], _PICTURE_WH[1] * width // height))
